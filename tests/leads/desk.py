"""A leads service to use directly: its use cases in transactions, and what it announced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.access import Grant, Principal, Scope, Tokens
from chassis.bus.subscriptions import decode
from chassis.database import Database
from chassis.rpc import Call, Item
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.transaction import Origin
from dealwright.bus.v1.envelope_pb2 import EventBatch
from dealwright.leads.v1 import leads_pb2
from leads.domain.ownership import Decided
from leads.main import service
from leads.servicer.leads import LeadServicer
from leads.storage.people import Person
from leads.usecases import directed
from leads.usecases.record import record
from leads.wire import capture as capture_wire
from tests.leads.owners import Owners


def principal(person: str, role: str, scope: Scope, *teams: str, **grant: Any) -> Principal:
    """Somebody with one scope on leads and everything on forms."""
    grants = {
        "leads": Grant(scope, scope, scope, scope, **grant),
        "forms": Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL),
    }
    return Principal(person, role, teams[0] if teams else "", tuple(teams), grants)


ADMIN = principal("people/admin", "admin", Scope.ALL)
MANAGER = principal("people/boss", "manager", Scope.TEAM, "teams/east")
LI = principal("people/li", "sales", Scope.OWN, "teams/east")
WANG = principal("people/wang", "sales", Scope.OWN, "teams/west")
CLERK = principal("people/clerk", "backoffice", Scope.ALL)


class Desk:
    """The service with its hands: `call` runs a method of the servicer as its mark says, in one transaction."""

    owners: Owners

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.servicer = LeadServicer("Asia/Shanghai")
        self._seen = 0

    def hire(self, *people: tuple[str, str, str], active: bool = True, version: int = 1) -> None:
        """Makes people known: (name, team, role)."""
        with self.runtime.transaction() as tx:
            directed.know_people(tx, [Person(n, n, t, "", r, active, version) for n, t, r in people])

    def capture_all(
        self, leads: Sequence[leads_pb2.Lead], who: Principal = ADMIN
    ) -> list[leads_pb2.CaptureLeadResponse | Exception]:
        """Captures in one transaction, as a batch brings them."""
        calls = [Call(leads_pb2.CaptureLeadRequest(lead=lead), who, Origin(who.actor)) for lead in leads]
        items = [Item(call, capture_wire.capture(call)) for call in calls]
        with self.runtime.transaction() as tx:
            return list(self.servicer.CaptureLead(tx, items))

    def capture(self, who: Principal = ADMIN, **fields: Any) -> leads_pb2.CaptureLeadResponse:
        answer = self.capture_all([leads_pb2.Lead(**fields)], who)[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def call(self, method: str, request: Message, who: Principal = ADMIN) -> Any:
        with self.runtime.transaction(who, Origin(who.actor)) as tx:
            return getattr(self.servicer, method)(tx, request)

    def get(self, name: str, who: Principal = ADMIN) -> leads_pb2.Lead:
        with self.runtime.reading(who) as tx:
            found: leads_pb2.Lead = self.servicer.GetLead(tx, leads_pb2.GetLeadRequest(name=name))
            return found

    def decide(self, *decisions: Decided) -> None:
        with self.runtime.transaction(origin=Origin("services/rules")) as tx:
            record(tx, decisions)

    def assign(self, name: str, owner: str, decision: int = 1) -> None:
        """Records a decision that fits the lead as it stands."""
        self.decide(Decided(name, owner, self.get(name).owner_version, decision))

    def announced(self, kind: type[Message] | tuple[type[Message], ...] | None = None) -> list[Any]:
        """Events since the last look, in the order they were announced; of one kind, if named."""
        outbox = self.runtime.service.tables.outbox
        with self.runtime.reading() as tx:
            bodies = [row[0] for row in tx.execute(sa.select(outbox.c.body).order_by(outbox.c.id))]
        every = [decode(e) for body in bodies for e in EventBatch.FromString(body).events]
        new, self._seen = every[self._seen :], len(every)
        return [event for event in new if kind is None or isinstance(event, kind)]

    def keyed(self) -> dict[str, str]:
        """Every phone and e-mail with its lead."""
        table = service.metadata.tables["lead_keys"]
        with self.runtime.reading() as tx:
            return {row[0]: row[1] for row in tx.execute(sa.select(table.c.key, table.c.lead))}

    def count(self, table: str) -> int:
        with self.runtime.reading() as tx:
            return int(tx.execute(sa.select(sa.func.count()).select_from(service.metadata.tables[table])).scalar_one())


def open_runtime(url: str, folder: Path) -> Runtime:
    return Runtime(service, Settings(data=folder), Database(url), Tokens("k" * 40))
