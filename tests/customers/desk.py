"""A customers service to use directly: its use cases in transactions, and what it announced."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis.access import Grant, Principal, Scope, Tokens
from chassis.bus.subscriptions import decode
from chassis.database import Database
from chassis.people import Person
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.transaction import Origin
from customers import subscribers
from customers.main import service
from customers.servicer import BlueprintServicer, CustomerServicer
from customers.usecases import hand_overs
from dealwright.bus.v1.envelope_pb2 import EventBatch
from dealwright.customers.v1 import customers_pb2 as pb

_names = itertools.count(1)


def principal(person: str, role: str, scope: Scope, *teams: str, **grant: Any) -> Principal:
    """Somebody with one scope on customers and contacts."""
    one = Grant(scope, scope, scope, scope, **grant)
    grants = {"customers": one, "contacts": one, "blueprint": one}
    return Principal(person, role, teams[0] if teams else "", tuple(teams), grants)


ADMIN = principal("people/admin", "admin", Scope.ALL)
MANAGER = principal("people/boss", "manager", Scope.TEAM, "teams/east")
LI = principal("people/li", "sales", Scope.OWN, "teams/east")
WANG = principal("people/wang", "sales", Scope.OWN, "teams/west")
CLERK = principal("people/clerk", "backoffice", Scope.ALL)


def open_runtime(url: str, folder: Path) -> Runtime:
    return Runtime(service, Settings(data=folder), Database(url), Tokens("k" * 40))


class Desk:
    """The service with its hands: a method of the servicer by its name, in one transaction."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.servicer, self.blueprint = CustomerServicer(), BlueprintServicer()
        self._seen = 0

    def hire(self, *people: tuple[str, str, str], active: bool = True, version: int = 1) -> None:
        """Makes people known: (name, team, role)."""
        with self.runtime.transaction() as tx:
            hand_overs.know_people(tx, [Person(n, n, t, "", r, active, version) for n, t, r in people])

    def call(self, method: str, request: Message, who: Principal = ADMIN) -> Any:
        with self.runtime.transaction(who, Origin(who.actor)) as tx:
            servicer = self.servicer if hasattr(self.servicer, method) else self.blueprint
            return getattr(servicer, method)(tx, request)

    def hear(self, subscriber: str, event: Any) -> None:
        """As the bus hands an event to a subscriber."""
        with self.runtime.transaction(origin=Origin("services/customers")) as tx:
            getattr(subscribers, subscriber)(tx, event)

    def create(self, who: Principal = ADMIN, merge: bool = False, **fields: Any) -> Any:
        if "display_name" not in fields:
            fields["display_name"] = f"公司{next(_names)}"
        request = pb.CreateCustomerRequest(customer=pb.Customer(**fields), on_conflict=int(merge))  # type: ignore[arg-type]
        return self.call("CreateCustomer", request, who)

    def get(self, name: str, who: Principal = ADMIN, show_deleted: bool = False) -> Any:
        return self.call("GetCustomer", pb.GetCustomerRequest(name=name, show_deleted=show_deleted), who)

    def update(self, name: str, *paths: str, who: Principal = ADMIN, etag: str = "", **fields: Any) -> Any:
        customer = pb.Customer(name=name, etag=etag, **fields)
        request = pb.UpdateCustomerRequest(customer=customer, update_mask=FieldMask(paths=paths))
        return self.call("UpdateCustomer", request, who)

    def transfer(self, name: str, owner: str, who: Principal = ADMIN, etag: str = "") -> Any:
        return self.call("TransferCustomer", pb.TransferCustomerRequest(name=name, owner=owner, etag=etag), who)

    def names(self, who: Principal = ADMIN, **request: Any) -> list[str]:
        found = self.call("ListCustomers", pb.ListCustomersRequest(**request), who)
        return [one.name for one in found.customers]

    def contact(self, customer: str, who: Principal = ADMIN, **fields: Any) -> Any:
        contact = pb.Contact(**{"customer": customer, "full_name": "王小明", **fields})
        return self.call("CreateContact", pb.CreateContactRequest(contact=contact), who)

    def contacts(self, customer: str, who: Principal = ADMIN, **request: Any) -> list[Any]:
        request = {"filter": f'customer = "{customer}"', **request}
        return list(self.call("ListContacts", pb.ListContactsRequest(**request), who).contacts)

    def hand_overs(self, who: Principal = ADMIN, **request: Any) -> list[Any]:
        return list(self.call("ListHandOvers", pb.ListHandOversRequest(**request), who).hand_overs)

    def announced(self, kind: type[Message] | None = None) -> list[Any]:
        """Events since the last look, of one kind, if named."""
        outbox = service.tables.outbox
        with self.runtime.reading() as tx:
            bodies = tx.execute(sa.select(outbox.c.body).order_by(outbox.c.id)).scalars().all()
        every = [decode(e) for body in bodies for e in EventBatch.FromString(body).events]
        new, self._seen = every[self._seen :], len(every)
        return [event for event in new if kind is None or isinstance(event, kind)]

    def audited(self) -> list[tuple[str, str, str]]:
        """(actor, action, subject) of every audit row."""
        log = service.tables.audit_log
        with self.runtime.reading() as tx:
            return [
                tuple(row) for row in tx.execute(sa.select(log.c.actor, log.c.action, log.c.subject).order_by(log.c.id))
            ]
