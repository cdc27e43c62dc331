"""A rules service to use directly: its subscribers and use cases in transactions, and what it announced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis import clock
from chassis.access import ANONYMOUS, Principal, Tokens
from chassis.bus.subscriptions import decode
from chassis.database import Database
from chassis.migration import migrate
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.transaction import Transaction
from dealwright.bus.v1.envelope_pb2 import EventBatch
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules import subscribers, usecases, wire
from rules.domain.codec import decode as entry_of
from rules.domain.entries import Entry
from rules.domain.fairness import LEAD
from rules.domain.ownership import Ownership
from rules.domain.replay import fold_all
from rules.domain.state import State, initial_state
from rules.main import service
from rules.storage import journal, ownerships_of, waiting_leads
from rules.usecases import clocks
from rules.usecases.journal import known_state
from tests.rules.checker import Findings, check
from tests.rules.story import credits_of

M = TypeVar("M", bound=Message)
MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)
"""10 in the morning in Shanghai."""

HANDLERS: dict[type[Message], Any] = {
    lead_events.LeadCaptured: subscribers.assign,
    lead_events.AssignmentRefused: subscribers.return_turns,
    lead_events.LeadMoved: subscribers.know_owners,
    lead_events.LeadReleased: subscribers.know_owners,
    lead_events.LeadQualified: subscribers.know_owners,
    lead_events.LeadDisqualified: subscribers.know_owners,
    lead_events.LeadContacted: subscribers.know_owners,
    lead_events.LeadDeleted: subscribers.know_owners,
    lead_events.LeadUndeleted: subscribers.know_owners,
    lead_events.LeadRemoved: subscribers.know_owners,
    directory_events.PersonChanged: subscribers.know_people,
    directory_events.PresenceChanged: subscribers.know_presence,
    directory_events.CalendarChanged: subscribers.know_calendars,
}


def lead(number: int) -> str:
    return f"leads/{number:032x}"


def bare(name: str) -> str:
    return name.rsplit("/", 1)[-1]


class House:
    """The service with its hands. `now` is the time at which everything happens."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.now = MONDAY
        self.versions = 0
        self._seen = 0

    @contextmanager
    def transaction(self, principal: Principal = ANONYMOUS) -> Iterator[Transaction]:
        with self.runtime.transaction(principal) as tx:
            tx.now = self.now
            yield tx

    @contextmanager
    def reading(self, principal: Principal = ANONYMOUS) -> Iterator[Transaction]:
        with self.runtime.reading(principal) as tx:
            tx.now = self.now
            yield tx

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)

    def version(self) -> int:
        self.versions += 1
        return self.versions

    # --- events in ---

    def tell(self, *events: Message) -> None:
        """Hands these events, all of one subscriber, over in one transaction."""
        with self.transaction() as tx:
            HANDLERS[type(events[0])](tx, list(events))

    def person(self, name: str, **facts: Any) -> directory_events.PersonChanged:
        known = {"role": "sales", "state": "ACTIVE", "presence": "ONLINE", "seniority": "junior", **facts}
        capacity = known.pop("capacity", None)
        person = directory_pb2.Person(name=f"people/{name}", **known)
        if capacity:
            person.capacity.CopyFrom(directory_pb2.Capacity(**capacity))
        return directory_events.PersonChanged(person=person, version=self.version())

    def hire(self, *names: str, **facts: Any) -> None:
        self.tell(*(self.person(name, **facts) for name in names))

    def presence(self, name: str, presence: str) -> None:
        self.tell(
            directory_events.PresenceChanged(person=f"people/{name}", presence=presence, version=self.version())  # type: ignore[arg-type]
        )

    def calendar(self, name: str, spans: Sequence[tuple[int, str, str]], **days: Any) -> None:
        calendar = directory_pb2.Calendar(
            name=f"calendars/{name}",
            spans=[directory_pb2.Calendar.Span(weekday=d, start=s, end=e) for d, s, e in spans],
            **days,
        )
        self.tell(directory_events.CalendarChanged(calendar=calendar, version=self.version()))

    def captured(self, number: int, **facts: Any) -> lead_events.LeadCaptured:
        event = lead_events.LeadCaptured(lead=lead(number), **facts)
        if not event.HasField("capture_time"):
            event.capture_time.FromDatetime(self.now)
        return event

    def capture(self, *numbers: int, **facts: Any) -> list[str]:
        """Captures these leads in one batch; their owners as decided, "" for who waits."""
        self.announced()
        self.tell(*(self.captured(number, **facts) for number in numbers))
        owners = {e.lead: bare(e.owner) for e in self.announced(events_pb2.LeadAssignmentDecided)}
        return [owners[lead(number)] for number in numbers]

    def missed(self, number: int, version: int, *owners: str, **facts: Any) -> None:
        """What `leads` announces when a first response was not made; `owners`: who had it, the present one last."""
        self.tell(
            self.captured(
                number,
                cause="FIRST_RESPONSE_MISSED",
                owner_version=version,
                previous_owner=f"people/{owners[-1]}",
                excluded=[f"people/{o}" for o in owners],
                **facts,
            )
        )

    def moved(
        self, number: int, owner: str, version: int, how: str = "MANUAL", previous: str = "", **more: Any
    ) -> lead_events.LeadMoved:
        event = lead_events.LeadMoved(
            lead=lead(number),
            owner=f"people/{owner}",
            previous_owner=f"people/{previous}" if previous else "",
            owner_version=version,
            how=how,
            **more,
        )
        event.assign_time.FromDatetime(self.now)
        return event

    def contacted(self, number: int, owner: str, version: int) -> lead_events.LeadContacted:
        event = lead_events.LeadContacted(lead=lead(number), owner=f"people/{owner}", owner_version=version, first=True)
        event.happen_time.FromDatetime(self.now)
        return event

    def released(self, number: int, owner: str, version: int) -> lead_events.LeadReleased:
        """`version`: the number of the time without an owner that begins."""
        return lead_events.LeadReleased(lead=lead(number), previous_owner=f"people/{owner}", owner_version=version)

    def qualified(self, number: int, owner: str, version: int) -> lead_events.LeadQualified:
        return lead_events.LeadQualified(lead=lead(number), owner=f"people/{owner}", owner_version=version)

    # --- loops ---

    def fire(self) -> list[events_pb2.ActionRequested]:
        """What the clocks that are due now ask for."""
        self.announced()
        more = True
        while more:
            with self.transaction() as tx:
                more = clocks.fire_due(tx)
        return self.announced(events_pb2.ActionRequested)

    def wait_loop(self) -> bool:
        with self.transaction() as tx:
            return usecases.drain_waiting(tx)

    # --- what came of it ---

    def announced(self, kind: type[M] | None = None) -> list[Any]:
        """Events since the last look, in the order they were announced; of one kind, if named."""
        outbox = self.runtime.service.tables.outbox
        with self.runtime.reading() as tx:
            bodies = [row[0] for row in tx.execute(sa.select(outbox.c.body).order_by(outbox.c.id))]
        every = [decode(e) for body in bodies for e in EventBatch.FromString(body).events]
        new, self._seen = every[self._seen :], len(every)
        return [event for event in new if kind is None or isinstance(event, kind)]

    def publish(self, **changes: Any) -> rules_pb2.Policy:
        """The policy in force with these keys replaced, published."""
        content = {**wire.policy_content(self.state.policy), **changes}
        with self.transaction() as tx:
            return usecases.publish_policy(tx, content)

    @property
    def state(self) -> State:
        with self.reading() as tx:
            return known_state(tx).state

    @property
    def open_leads(self) -> dict[str, int]:
        """Open leads by person, as the journal counts them; who has none is left out."""
        return {person: load[0] for person, load in self.state.load.items() if load[0]}

    @property
    def waiting(self) -> dict[str, str]:
        """Reason by lead."""
        return {f"leads/{key}": w.reason for key, w in self.state.waiting.items()}

    def ownership(self, number: int) -> Ownership | None:
        with self.reading() as tx:
            return ownerships_of(tx, [bare(lead(number))]).get(bare(lead(number)))

    def entries(self) -> list[Entry]:
        with self.reading() as tx:
            return [entry_of(bytes(r[0])) for r in tx.execute(sa.select(journal.c.body).order_by(journal.c.seq))]

    def verify(self, first: int = 1, go_on: Callable[[], bool] = lambda: True) -> rules_pb2.VerifyJournalResponse:
        with self.reading() as tx:
            return usecases.verify_journal(tx, first, go_on)

    def assert_sound(self) -> Findings:
        """The journal verifies, its fold is the state that was kept, and the independent checker agrees."""
        report = self.verify()
        assert (report.first_wrong_entry, report.problem) == (0, "")
        assert fold_all(initial_state(), self.entries()) == self.state
        with self.reading() as tx:
            rows = tx.execute(sa.select(journal.c.body, journal.c.hash).order_by(journal.c.seq))
            stored = [(bytes(r[0]), bytes(r[1])) for r in rows]
            assert {r[0] for r in tx.execute(sa.select(waiting_leads.c.lead))} == set(self.state.waiting)
        findings = check(stored, credits_of(self.state), LEAD)
        assert findings.wrong == []
        return findings


def furnish(runtime: Runtime) -> None:
    """Migrates and seeds, in a past before every test: the journal never goes back behind its first policy."""
    with patch.object(clock, "now", lambda: MONDAY - timedelta(days=365)):
        migrate(runtime)


def open_runtime(url: str, folder: Path) -> Runtime:
    return Runtime(service, Settings(data=folder), Database(url), Tokens("k" * 40))
