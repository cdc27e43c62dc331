"""A contracts service to use directly: its methods in transactions, what it is told, and what it announced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from chassis import clock
from chassis.access import Grant, Principal, Scope, Tokens
from chassis.bus.subscriptions import decode
from chassis.database import Database
from chassis.errors import Problem
from chassis.people import Person
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.transaction import Origin
from contracts.main import service
from contracts.usecases import parties, staff
from contracts.usecases.parties import Party
from dealwright.bus.v1.envelope_pb2 import EventBatch

OWNED = ("approvals", "contractChanges", "contracts", "instalments", "invoices", "payments", "quotes")
OTHERS = ("contacts", "customers", "opportunities")
SHELF = ("exchangeRates", "priceLists", "products")


def principal(person: str, role: str, scope: Scope, *teams: str, shelf: Scope = Scope.ALL, **grant: Any) -> Principal:
    """Somebody with one scope on what has an owner, and one on what is on the shelf."""
    owned = Grant(scope, scope, scope, scope, **grant)
    there = Grant(shelf, shelf, shelf, shelf)
    grants = {**dict.fromkeys((*OWNED, *OTHERS), owned), **dict.fromkeys(SHELF, there)}
    return Principal(person, role, teams[0] if teams else "", tuple(teams), grants)


ADMIN = principal("people/admin", "admin", Scope.ALL)
BOSS = principal("people/boss", "manager", Scope.TEAM, "teams/east")
LI = principal("people/li", "sales", Scope.OWN, "teams/east")
ZHAO = principal("people/zhao", "sales", Scope.OWN, "teams/east")
WANG = principal("people/wang", "sales", Scope.OWN, "teams/west")
FINANCE = principal("people/money", "finance", Scope.ALL)

CUSTOMER, CONTACT, OPPORTUNITY = f"customers/{1:032x}", f"contacts/{2:032x}", f"opportunities/{3:032x}"


def money(units: int, nanos: int = 0, currency: str = "CNY") -> Money:
    return Money(currency_code=currency, units=units, nanos=nanos)


class Desk:
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.servicers = service.servicers(runtime)
        self._seen = 0

    def hire(self, *people: tuple[str, str, str], active: bool = True, version: int = 1) -> None:
        """Makes people known: (name, team, role)."""
        with self.runtime.transaction() as tx:
            staff.know(tx, [Person(n, n, t, "", r, active, version) for n, t, r in people])

    def know(self, *told: Party) -> None:
        """Makes customers, contacts and opportunities known."""
        with self.runtime.transaction() as tx:
            parties.know(tx, told)

    def deal(
        self,
        owner: str = "people/li",
        team: str = "teams/east",
        version: int = 1,
        deleted: bool = False,
        **of: Any,
    ) -> None:
        """Makes a customer with a contact and an opportunity known; `deleted` and `of` are of the opportunity."""
        self.know(
            Party(CUSTOMER, version, False, "华东物流有限公司", owner, team, tier="A", region="上海"),
            Party(CONTACT, version, False, "王芳", customer=CUSTOMER, phone="+8613812345678"),
            Party(
                *(OPPORTUNITY, version, deleted, "年度采购", owner, team),
                **{"customer": CUSTOMER, "contact": CONTACT, "number": "CRM-20260131-0001", **of},
            ),
        )

    def call(self, method: str, request: Message, who: Principal = LI) -> Any:
        """Calls the method of whichever servicer has it."""
        servicer = next(one for one in self.servicers if hasattr(one, method))
        with self.runtime.transaction(who, Origin(who.actor)) as tx:
            return getattr(servicer, method)(tx, request)

    def announced(self, kind: type[Message] | None = None) -> list[Any]:
        """Events since the last look, in the order they were announced; of one kind, if named."""
        outbox = self.runtime.service.tables.outbox
        with self.runtime.reading() as tx:
            bodies = [row[0] for row in tx.execute(sa.select(outbox.c.body).order_by(outbox.c.id))]
        every = [decode(e) for body in bodies for e in EventBatch.FromString(body).events]
        new, self._seen = every[self._seen :], len(every)
        return [event for event in new if kind is None or isinstance(event, kind)]

    def tell(self, subscriber: Any, *events: Message) -> None:
        """Hands events to a subscriber, as the bus does."""
        with self.runtime.transaction() as tx:
            subscriber(tx, events)


@contextmanager
def later(by: timedelta, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock goes on for a while."""
    real = clock.now
    with patch.context() as moved:
        moved.setattr(clock, "now", lambda: real() + by)
        yield


@contextmanager
def refused(reason: str, *fields: str) -> Iterator[pytest.ExceptionInfo[Problem]]:
    """A no with this reason, naming exactly these fields."""
    with pytest.raises(Problem) as problem:
        yield problem
    named = [violation.field for violation in getattr(problem.value, "violations", [])]
    assert (problem.value.reason, named) == (reason, list(fields))


def open_runtime(url: str, folder: Path) -> Runtime:
    return Runtime(service, Settings(data=folder), Database(url), Tokens("k" * 40))
