"""A reports service to use directly: it hears events as the bus brings them, and is asked for figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from chassis import clock, ids
from chassis.access import Grant, Principal, Scope, Tokens
from chassis.bus.subscriptions import Subscription, decode
from chassis.database import Database
from chassis.people import Person
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.transaction import Cause, Origin
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from dealwright.reports.v1 import reports_pb2 as pb
from reports.main import service
from reports.servicer.reports import ReportServicer
from reports.usecases import copies, rolling

COUNTED = (
    "leads",
    "opportunities",
    "customers",
    "contracts",
    "payments",
    "instalments",
    "invoices",
    "quotes",
    "followUps",
    "tasks",
    "checkIns",
    "channelCosts",
    "channelCosts",
)


def principal(person: str, role: str, scope: Scope, *teams: str, hidden: tuple[str, ...] = ()) -> Principal:
    """Somebody with one scope on all that is counted; `hidden` are fields of each."""
    everything = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)
    grants = {
        **dict.fromkeys(("reports", "kpis", "boards", "alertRules"), everything),
        "alerts": Grant(scope),
        "people": Grant(Scope.ALL),
        "exportSchedules": everything if role == "admin" else Grant(),
        "targets": Grant(scope, scope, scope, scope),
        **dict.fromkeys(COUNTED, Grant(scope, scope, scope, scope, hidden=frozenset(hidden))),
    }
    return Principal(person, role, teams[0] if teams else "", tuple(teams), grants)


ADMIN = principal("people/admin", "admin", Scope.ALL)
BOSS = principal("people/boss", "manager", Scope.TEAM, "teams/east")
LI = principal("people/li", "sales", Scope.OWN, "teams/east")
ZHAO = principal("people/zhao", "sales", Scope.OWN, "teams/east")
WANG = principal("people/wang", "sales", Scope.OWN, "teams/west")


def money(units: int, currency: str = "CNY") -> Money:
    return Money(currency_code=currency, units=units)


def moment(text: str) -> datetime:
    """ "2026-11-22T10:00" of Shanghai's clock."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


class Desk:
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._seen = 0
        self.servicers: list[Any] = [ReportServicer(runtime)]

    def also(self, servicer: Any) -> None:
        """Answers the calls of another service, too."""
        self.servicers.append(servicer)

    def hire(self, *people: tuple[str, str, str], manager: str = "people/boss", version: int = 1) -> None:
        """Makes people known: (name, team, role)."""
        with self.runtime.transaction() as tx:
            told = [Person(n, n.partition("/")[2], t, manager, r, True, version) for n, t, r in people]
            copies.know_people(tx, told, [(n, "", version) for n, _, _ in people])

    def settle(self, *people: tuple[str, str, str, str]) -> None:
        """Makes people known with their regions: (name, team, role, region)."""
        with self.runtime.transaction() as tx:
            told = [Person(n, n.partition("/")[2], t, "", r, True, 1) for n, t, r, _ in people]
            copies.know_people(tx, told, [(n, region, 1) for n, _, _, region in people])

    def number(self) -> str:
        """A name's last part that no other has."""
        return ids.new_id()

    def announced(self) -> list[Message]:
        """What was announced since this was asked last."""
        with self.runtime.database.read() as connection:
            outbox = self.runtime.service.tables.outbox
            rows = connection.execute(sa.select(outbox.c.body).order_by(outbox.c.id)).all()
        told = [decode(one) for row in rows for one in EventBatch.FromString(row.body).events]
        new, self._seen = told[self._seen :], len(told)
        return new

    def hear(self, *events: tuple[Message, str], roll: bool = True) -> None:
        """As the bus brings events: (event, when it was learnt, of Shanghai's clock), each to those that listen to it,
        in one batch."""
        self.bring(*((event, envelope(event, when)) for event, when in events), roll=roll)

    def bring(self, *envelopes: tuple[Message, Envelope], roll: bool = True) -> None:
        """The same of events in their envelopes."""
        for subscription in service.subscribers():
            mine = [(event, it) for event, it in envelopes if event.DESCRIPTOR.full_name in subscription.types]
            for part in [mine] if subscription.batch > 1 else [[one] for one in mine]:
                if part:
                    self._hand(subscription, part)
        if roll:
            self.roll()

    def _hand(self, subscription: Subscription, part: list[tuple[Message, Envelope]]) -> None:
        with self.runtime.transaction(origin=Origin("services/reports")) as tx:
            tx.causes = [Cause(it) for _, it in part]
            events = [event for event, _ in part]
            subscription.handler(tx, events if subscription.batch > 1 else events[0])

    def roll(self) -> None:
        """Sums what is new, as the loop does."""
        more = True
        while more:
            with self.runtime.transaction() as tx:
                more = rolling.roll(tx)

    def call(self, method: str, request: Message, who: Principal = ADMIN) -> Any:
        with self.runtime.transaction(who, Origin(who.actor)) as tx:
            (servicer,) = (one for one in self.servicers if hasattr(one, method))
            return getattr(servicer, method)(tx, request)

    def report(self, id: str, who: Principal = ADMIN, as_of: str = "", **asked: Any) -> pb.Report.Tile:
        """The first tile of a report."""
        request = pb.GetReportRequest(name=f"reports/{id}", **asked)
        if as_of:
            request.as_of_time.FromDatetime(moment(as_of))
        found: pb.Report = self.call("GetReport", request, who)
        return found.tiles[0]

    def figure(self, id: str, who: Principal = ADMIN, as_of: str = "", **asked: Any) -> float | None:
        """A report's total."""
        said = self.report(id, who, as_of, **asked).total.figure
        return said.value if said.HasField("value") else None

    def figures(self, id: str, who: Principal = ADMIN, as_of: str = "", **asked: Any) -> dict[Any, float | None]:
        """A report's rows, by their key where there is one, else by their keys."""
        rows = self.report(id, who, as_of, **asked).rows
        return {
            row.keys[0] if len(row.keys) == 1 else tuple(row.keys): (
                row.figure.value if row.figure.HasField("value") else None
            )
            for row in rows
        }

    def counted(self, id: str, who: Principal = ADMIN, as_of: str = "", **asked: Any) -> dict[Any, float]:
        """Of a report's rows, those in which something was counted."""
        return {key: value for key, value in self.figures(id, who, as_of, **asked).items() if value}


def envelope(event: Message, when: str) -> Envelope:
    """`when` it was learnt; "2026-11-20T10:00 of 2016-10-20T10:00" where it had happened long before."""
    learnt, _, happened = when.partition(" of ")
    found = Envelope(id=ids.new_id(), type=event.DESCRIPTOR.full_name, data=event.SerializeToString())
    found.time.FromDatetime(moment(happened or learnt))
    found.receive_time.FromDatetime(moment(learnt))
    return found


def now_text() -> str:
    """The present moment, of Shanghai's clock."""
    return f"{(clock.now() + timedelta(hours=8)).replace(tzinfo=None).isoformat()}"


def open_runtime(url: str, folder: Path) -> Runtime:
    """The runtime of a database that is migrated already."""
    return Runtime(service, Settings(data=folder), Database(url), Tokens("0" * 64))
