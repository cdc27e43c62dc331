"""An opportunities service to use directly: its methods in transactions, and what it announced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
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
from dealwright.bus.v1.envelope_pb2 import EventBatch
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from opportunities.main import service
from opportunities.servicer import OpportunityServicer
from opportunities.usecases import copies


def principal(person: str, role: str, scope: Scope, *teams: str, **grant: Any) -> Principal:
    """Somebody with one scope on opportunities and everything on pipelines."""
    everything = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)
    grants = {"opportunities": Grant(scope, scope, scope, scope, **grant), "pipelines": everything}
    return Principal(person, role, teams[0] if teams else "", tuple(teams), grants)


ADMIN = principal("people/admin", "admin", Scope.ALL)
BOSS = principal("people/boss", "manager", Scope.TEAM, "teams/east")
LI = principal("people/li", "sales", Scope.OWN, "teams/east")
ZHAO = principal("people/zhao", "sales", Scope.OWN, "teams/east")
WANG = principal("people/wang", "sales", Scope.OWN, "teams/west")


def money(units: int, nanos: int = 0, currency: str = "CNY") -> Money:
    return Money(currency_code=currency, units=units, nanos=nanos)


class Desk:
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.servicer = OpportunityServicer(runtime)
        self._seen = 0

    def hire(self, *people: tuple[str, str, str], active: bool = True, version: int = 1) -> None:
        """Makes people known: (name, team, role)."""
        with self.runtime.transaction() as tx:
            copies.know_people(tx, [Person(n, n, t, "", r, active, version) for n, t, r in people])

    def know(self, *parties: tuple[str, str], deleted: bool = False, version: int = 1) -> None:
        """Makes customers and contacts known: (name, customer of a contact)."""
        with self.runtime.transaction() as tx:
            copies.know_parties(tx, [(name, customer, deleted, version) for name, customer in parties])

    def call(self, method: str, request: Message, who: Principal = LI) -> Any:
        with self.runtime.transaction(who, Origin(who.actor)) as tx:
            return getattr(self.servicer, method)(tx, request)

    def open(self, who: Principal = LI, historical: bool = False, **fields: Any) -> pb.Opportunity:
        opportunity = pb.Opportunity(**{"title": "年度采购", **fields})
        request = pb.CreateOpportunityRequest(opportunity=opportunity, historical=historical)
        made: pb.Opportunity = self.call("CreateOpportunity", request, who)
        return made

    def get(self, name: str, who: Principal = ADMIN) -> pb.Opportunity:
        found: pb.Opportunity = self.call("GetOpportunity", pb.GetOpportunityRequest(name=name), who)
        return found

    def change(
        self, name: str, mask: str = "", who: Principal = LI, *, more: dict[str, Any] | None = None, **fields: Any
    ) -> pb.Opportunity:
        """Changes what is given; `mask` names more, or all of it; `more` is of the request itself."""
        paths = mask.split(",") if mask else list(fields)
        request = pb.UpdateOpportunityRequest(
            opportunity=pb.Opportunity(name=name, **fields), update_mask=FieldMask(paths=paths), **(more or {})
        )
        changed: pb.Opportunity = self.call("UpdateOpportunity", request, who)
        return changed

    def move(self, name: str, *stages: str, who: Principal = LI, **more: Any) -> pb.Opportunity:
        """Through these stages, one after the other."""
        moved = pb.Opportunity()
        for stage in stages:
            moved = self.change(name, who=who, more=more, stage=stage)
        return moved

    def act(self, verb: str, name: str, who: Principal = LI, **fields: Any) -> Any:
        """A verb of its own: "Win", "Lose", "Share", ..."""
        return self.call(f"{verb}Opportunity", getattr(pb, f"{verb}OpportunityRequest")(name=name, **fields), who)

    def listed(self, who: Principal = ADMIN, **request: Any) -> list[str]:
        """The titles that a list has, in its order."""
        answer = self.call("ListOpportunities", pb.ListOpportunitiesRequest(**request), who)
        return [one.title for one in answer.opportunities]

    def history(self, name: str, who: Principal = ADMIN) -> list[pb.StageChange]:
        answer = self.call("ListStageChanges", pb.ListStageChangesRequest(parent=name), who)
        return list(answer.stage_changes)

    def announced(self, kind: type[Message] | None = None) -> list[Any]:
        """Events since the last look, in the order they were announced; of one kind, if named."""
        outbox = self.runtime.service.tables.outbox
        with self.runtime.reading() as tx:
            bodies = [row[0] for row in tx.execute(sa.select(outbox.c.body).order_by(outbox.c.id))]
        every = [decode(e) for body in bodies for e in EventBatch.FromString(body).events]
        new, self._seen = every[self._seen :], len(every)
        return [event for event in new if kind is None or isinstance(event, kind)]


@contextmanager
def later(by: timedelta, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock goes on for a while."""
    real = clock.now
    with patch.context() as moved:
        moved.setattr(clock, "now", lambda: real() + by)
        yield


@contextmanager
def refused(reason: str, *fields: str) -> Iterator[None]:
    """A no with this reason, naming exactly these fields."""
    with pytest.raises(Problem) as problem:
        yield
    named = [violation.field for violation in getattr(problem.value, "violations", [])]
    assert (problem.value.reason, named) == (reason, list(fields))


def open_runtime(url: str, folder: Path) -> Runtime:
    return Runtime(service, Settings(data=folder), Database(url), Tokens("k" * 40))
