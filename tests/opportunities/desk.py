"""An opportunities service to use directly: its methods in transactions, and what it announced."""

from __future__ import annotations

import itertools
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
from chassis.bus.subscriptions import decode, subscriptions
from chassis.database import Database
from chassis.errors import Problem
from chassis.people import Person
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.transaction import Origin
from dealwright.activities.v1 import activities_pb2, files_pb2
from dealwright.activities.v1 import events_pb2 as activity_events_pb2
from dealwright.bus.v1.envelope_pb2 import EventBatch
from dealwright.contracts.v1 import approvals_pb2, quotes_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from opportunities import subscribers
from opportunities.domain.opportunity import Party
from opportunities.main import service
from opportunities.servicer.opportunities import OpportunityServicer
from opportunities.usecases import copies

_numbers = itertools.count(1)


def principal(person: str, role: str, scope: Scope, *teams: str, **grant: Any) -> Principal:
    """Somebody with one scope on opportunities and customers, and everything on pipelines."""
    everything = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)
    one = Grant(scope, scope, scope, scope)
    grants = {
        "opportunities": Grant(scope, scope, scope, scope, **grant),
        "pipelines": everything,
        **dict.fromkeys(("customers", "leads", "quotes", "contracts", "tasks"), one),
    }
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

    def hire(
        self, *people: tuple[str, str, str], active: bool = True, version: int = 1, manager: str = "people/boss"
    ) -> None:
        """Makes people known: (name, team, role)."""
        with self.runtime.transaction() as tx:
            copies.know_people(tx, [Person(n, n, t, manager, r, active, version) for n, t, r in people])

    def know(
        self, *parties: tuple[str, str], deleted: bool = False, version: int = 1, owner: str = "people/li"
    ) -> None:
        """Makes customers and contacts known: (name, customer of a contact). Customers are Li's."""
        with self.runtime.transaction() as tx:
            copies.know_parties(
                tx, [Party(name, customer, deleted, version, "" if customer else owner) for name, customer in parties]
            )

    def hear(self, subscriber: str, *events: Any) -> None:
        """As the bus hands events to a subscriber."""
        wanted = next(one for one in subscriptions(subscribers) if one.name == subscriber)
        with self.runtime.transaction(origin=Origin("services/opportunities")) as tx:
            if wanted.batch > 1:
                wanted.handler(tx, events)
            for event in events if wanted.batch == 1 else ():
                wanted.handler(tx, event)

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

    def ready(self, name: str) -> None:
        """All that the shipped pipelines ask for."""
        for kind in ("quote", "competitor-analysis", "requirements"):
            self.upload(name, kind)
        for _ in range(2):
            self.log(name)
        self.decide(name, "requirements")

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

    # --- what other services tell of ---

    def upload(self, record: str, kind: str, version: int = 1, gone: bool = False, name: str = "") -> str:
        """A file on the opportunity, or off it again."""
        attachment = files_pb2.Attachment(
            name=name or f"attachments/{next(_numbers):032x}", record=record, kind=kind, owner="people/li"
        )
        attachment.etag = str(version)
        attachment.create_time.FromDatetime(clock.now())
        event = activity_events_pb2.AttachmentRemoved if gone else activity_events_pb2.AttachmentAdded
        self.hear("attachments", event(attachment=attachment))
        return attachment.name

    def log(self, record: str, author: str = "people/li", to_stage: str = "", **fields: Any) -> Any:
        """A follow-up on the opportunity."""
        follow_up = activities_pb2.FollowUp(
            name=f"followUps/{next(_numbers):032x}", record=record, opportunity=record, owner=author, etag="1", **fields
        )
        for moment in (follow_up.happen_time, follow_up.create_time):
            moment.FromDatetime(clock.now())
        event = activity_events_pb2.FollowUpLogged(follow_up=follow_up, to_stage=to_stage)
        self.hear("moves", event)
        return follow_up

    def decide(self, record: str, flow: str, status: str = "APPROVED", version: int = 2, name: str = "") -> str:
        """A run of an approval flow on the opportunity has ended."""
        approval = approvals_pb2.Approval(
            name=name or f"approvals/{next(_numbers):032x}", record=record, opportunity=record, flow=flow
        )
        approval.status = approvals_pb2.Approval.Status.Value(status)
        approval.etag = str(version)
        approval.create_time.FromDatetime(clock.now())
        self.hear("papers", contract_events_pb2.ApprovalDecided(approval=approval))
        return approval.name

    def quote(self, record: str, status: str, version: int = 1, name: str = "") -> str:
        quote = quotes_pb2.Quote(name=name or f"quotes/{next(_numbers):032x}", opportunity=record, number="Q-1")
        quote.status = quotes_pb2.Quote.Status.Value(status)
        quote.create_time.FromDatetime(clock.now())
        self.hear("papers", contract_events_pb2.QuoteChanged(quote=quote, version=version))
        return quote.name

    def task(self, record: str, kind: str, status: str = "OPEN", version: int = 1, **fields: Any) -> str:
        """A task on the opportunity as it stands."""
        task = activities_pb2.Task(**{"name": f"tasks/{next(_numbers):032x}", "opportunity": record, **fields})
        task.kind = activities_pb2.Task.Kind.Value(kind)
        task.status = activities_pb2.Task.Status.Value(status)
        task.create_time.FromDatetime(clock.now())
        self.hear("tasks", activity_events_pb2.TaskChanged(task=task, version=version))
        return task.name

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
