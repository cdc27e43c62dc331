"""An activities service to use directly: its methods in transactions as the server runs them, and what it announced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf import message_factory
from google.protobuf.message import Message

from activities.main import service
from activities.usecases import staff
from chassis import clock, ids, rpc
from chassis.access import Grant, Principal, Scope, Tokens
from chassis.bus.subscriptions import decode
from chassis.commands import run_command
from chassis.database import Database
from chassis.errors import Problem
from chassis.people import Person
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.transaction import Cause, Origin
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch

# What a role has one scope on here; of the company's own things everybody has everything.
RECORDS = ("leads", "customers", "contacts", "opportunities", "quotes", "contracts")
DEALS = ("approvals", "invoices", "instalments", "payments")
DOINGS = ("followUps", "interactions", "tasks", "changeRequests", "attachments", "checkIns", "timeline")
COMPANY = ("templates", "blueprint")


def principal(person: str, role: str, scope: Scope, *teams: str, **more: Grant) -> Principal:
    """Somebody with one scope on records and what is done about them. `more` is of single resources."""
    one = Grant(scope, scope, scope, scope)
    everything = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)
    grants = {**dict.fromkeys((*RECORDS, *DEALS, *DOINGS), one), **dict.fromkeys(COMPANY, everything), **more}
    return Principal(person, role, teams[0] if teams else "", tuple(teams), grants)


ADMIN = principal("people/admin", "admin", Scope.ALL)
BOSS = principal("people/boss", "manager", Scope.TEAM, "teams/east")
LI = principal("people/li", "sales", Scope.OWN, "teams/east")
ZHAO = principal("people/zhao", "sales", Scope.OWN, "teams/east")
WANG = principal("people/wang", "sales", Scope.OWN, "teams/west")


class Desk:
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.servicers: list[Any] = list(service.servicers(runtime))
        self._subscriptions = {one.name: one for one in service.subscribers()}
        self._seen = 0

    def hire(self, *people: tuple[str, str, str], active: bool = True, version: int = 1, manager: str = "") -> None:
        """Makes people known: (name, team, role)."""
        with self.runtime.transaction() as tx:
            staff.know(tx, [Person(n, n, t, manager, r, active, version) for n, t, r in people])

    def call(self, method: str, request: Message, who: Principal = LI) -> Any:
        """As the server does it: what a command fetches before its transaction, and its answers to a request_id."""
        servicer = next(one for one in self.servicers if method in one.descriptor.methods_by_name)
        function = getattr(servicer, method)
        mark = getattr(function, rpc.MARK)
        call = rpc.Call(request, who, Origin(who.actor))
        if isinstance(mark, rpc.Outside):
            return function(call)
        if isinstance(mark, rpc.Query):
            with self.runtime.reading(who) as tx:
                return function(tx, request)
        described = servicer.descriptor.methods_by_name[method]
        answer = message_factory.GetMessageClass(described.output_type)
        fetched = mark.fetch(servicer, call) if mark.fetch else None
        return run_command(self.runtime, described.full_name, function, call, answer, fetched)

    def hear(
        self, subscriber: str, *events: Message, actor: str = "services/test", ago: timedelta = timedelta()
    ) -> None:
        """The events arrive, together, at one subscriber."""
        envelopes = []
        for event in events:
            envelope = Envelope(id=ids.new_id(), type=event.DESCRIPTOR.full_name, actor=actor)
            envelope.time.FromDatetime(clock.now() - ago)
            envelope.receive_time.FromDatetime(clock.now())
            envelopes.append(envelope)
        self._handle(subscriber, events, [Cause(envelope) for envelope in envelopes])

    def _handle(self, subscriber: str, events: Sequence[Message], causes: Sequence[Cause]) -> None:
        subscription = self._subscriptions[subscriber]
        with self.runtime.transaction() as tx:
            if subscription.batch > 1:
                tx.causes = causes
                subscription.handler(tx, events)
            else:
                for event, cause in zip(events, causes, strict=True):
                    tx.causes = (cause,)
                    subscription.handler(tx, event)

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
