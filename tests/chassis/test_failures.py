"""Events that fail: what is written down, when they are tried again, and by whom; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import clock, ids
from chassis.bus import delivery, inbox
from chassis.bus.delivery import deliver, retry_due
from chassis.bus.local import LocalBus
from chassis.bus.subscriptions import Subscription
from chassis.database import insert_rows
from chassis.migration import migrate
from chassis.transaction import Again, Transaction
from dealwright.bus.v1.envelope_pb2 import Envelope
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadTouched
from tests.conformance.checks import TOUCHED
from tests.conformance.deployments import Deployment, Local, body, envelope, wait_for
from tests.conformance.probe_subscribers import touched


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    url = request.getfixturevalue("fresh_database") if request.param == "postgres" else ""
    made = Local(tmp_path, url)
    migrate(made.runtime)
    yield made
    made.runtime.database.dispose()


@pytest.fixture
def postgres(fresh_database: str, tmp_path: Path) -> Iterator[Deployment]:
    made = Local(tmp_path, fresh_database)
    migrate(made.runtime)
    yield made
    made.runtime.database.dispose()


def listening(handler: Callable[[Transaction, Any], None]) -> Subscription:
    return Subscription("touched", (TOUCHED,), handler, 1)


class Unsayable(Exception):
    def __str__(self) -> str:
        raise ValueError


class NoText(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


POISON = {
    "half a character": (RuntimeError("half \ud83d of it"), "RuntimeError: half ? of it"),
    "a NUL": (RuntimeError("nul \0"), "RuntimeError: nul \N{REPLACEMENT CHARACTER}"),
    "a message that raises": (Unsayable(), "Unsayable: (its message cannot be read: ValueError)"),
    "a message that is no text": (NoText(), "NoText: (its message cannot be read: TypeError)"),
    "a message without end": (RuntimeError("x" * 10**6), f"RuntimeError: {'x' * 1986}"),
}


@pytest.mark.parametrize("poison", POISON)
def test_whatever_an_exception_says_its_event_is_stored_and_its_neighbours_are_handled(
    deployment: Deployment, poison: str
) -> None:
    problem, reason = POISON[poison]

    def handler(tx: Transaction, event: LeadTouched) -> None:
        if event.lead.endswith("poison"):
            raise problem
        touched(tx, event)

    events = [envelope(LeadTouched(lead=f"leads/{name}")) for name in ("a", "poison", "b")]
    bus = LocalBus(sweep_every=0.1)
    bus.attach(deployment.runtime, [listening(handler)])
    bus.start()
    try:
        deployment.put(TOUCHED, [body(e) for e in events])
        wait_for(lambda: deployment.count("touched", "leads/") == 2, 5)
        (failure,) = wait_for(lambda: deployment.failures("leads/"), 5)
        assert (failure.subject, failure.attempts, failure.reason) == ("leads/poison", 1, reason)
        due(deployment)
        assert retry_due(deployment.runtime, [listening(handler)]) == 1
        (failure,) = deployment.failures("leads/")
        assert (failure.attempts, failure.reason) == (2, reason)
        deployment.settle(5)
    finally:
        bus.stop()


def test_a_reason_that_the_database_refuses_gives_way_to_a_bare_one(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever we did not think of."""
    monkeypatch.setattr(delivery, "_storable", lambda text: text)

    def handler(tx: Transaction, event: LeadTouched) -> None:
        raise RuntimeError("half \ud83d of it")

    deliver(deployment.runtime, listening(handler), [envelope(LeadTouched(lead="leads/1"))])
    for attempts in (1, 2):
        (failure,) = deployment.failures("leads/1")
        assert (failure.attempts, failure.reason) == (attempts, "a reason that the database refused")
        due(deployment)
        retry_due(deployment.runtime, [listening(handler)])


def due(deployment: Deployment) -> None:
    """Lets the time of every wait pass."""
    failures = deployment.runtime.service.tables.failures
    with deployment.runtime.transaction() as tx:
        tx.execute(sa.update(failures).where(failures.c.parked_at.is_(None)).values(next_attempt_at=tx.now))


def test_each_wait_is_four_times_the_one_before_up_to_five_minutes(tmp_path: Path) -> None:
    deployment = Local(tmp_path, retry_attempts=8, retry_first_wait=1.0, retry_last_wait=300.0)
    migrate(deployment.runtime)
    subscription = next(s for s in deployment.runtime.service.subscribers() if s.name == "captured")
    waits: list[float] = []
    deliver(deployment.runtime, subscription, [envelope(LeadCaptured(lead="leads/1", text="fails 1000"))])
    while (failure := deployment.failures("leads/1")[0]).parked_at is None:
        waits.append((failure.next_attempt_at - clock.now()).total_seconds())
        due(deployment)
        assert retry_due(deployment.runtime, [subscription]) == 1
    assert waits == pytest.approx([1, 4, 16, 64, 256, 300, 300], abs=0.9)
    assert (failure.attempts, failure.next_attempt_at) == (8, None)
    assert retry_due(deployment.runtime, [subscription]) == 0
    deployment.runtime.database.dispose()


@pytest.mark.parametrize("fails", [False, True])
def test_two_processes_that_retry_at_once_try_an_event_once(deployment: Deployment, fails: bool) -> None:
    entered, tries = threading.Barrier(2), []

    def slow(tx: Transaction, event: LeadTouched) -> None:
        tries.append(event.lead)
        with suppress(threading.BrokenBarrierError):
            entered.wait(0.7)  # as long as another may need to come as far
        if fails:
            raise RuntimeError
        touched(tx, event)

    def fail(tx: Transaction, event: LeadTouched) -> None:
        raise RuntimeError

    deliver(deployment.runtime, listening(fail), [envelope(LeadTouched(lead="leads/1"))])
    due(deployment)
    others = [deployment.runtime, deployment.runtime if deployment.sqlite else deployment.new_runtime()]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda mine: retry_due(mine, [listening(slow)]), others))
    if not (deployment.sqlite and fails):  # there the second one waited for the first, and found it due still
        assert tries == ["leads/1"]
    assert deployment.count("touched", "leads/1") == (0 if fails else 1)
    assert [f.attempts for f in deployment.failures("leads/1")] == ([2] if fails else [])
    others[1].database.dispose()


@pytest.mark.cluster
def test_two_deliveries_of_the_same_events_take_their_inbox_rows_in_one_order(postgres: Deployment) -> None:
    """In opposite orders they would wait for each other until the database kills one."""
    low, high = sorted([envelope(LeadTouched(lead="leads/1")), envelope(LeadTouched(lead="leads/2"))], key=by_id)
    subscription = listening(touched)
    with ThreadPoolExecutor(1) as threads:
        with postgres.runtime.transaction() as tx:
            inbox.register(tx, "probe.touched", [low])
            other = threads.submit(deliver, postgres.runtime, subscription, [high, low])
            waits_for_a_lock(postgres)
            tx.execute(sa.text("SET LOCAL lock_timeout = '300ms'"))  # before the database looks for a deadlock
            inbox.register(tx, "probe.touched", [high])
        other.result()
    assert postgres.count("touched", "leads/") == 0, "the other one found both handled"


def by_id(one: Envelope) -> str:
    return one.id


def waits_for_a_lock(deployment: Deployment) -> None:
    waiting = sa.text("select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
    with deployment.runtime.database.read() as connection:
        wait_for(lambda: connection.execute(waiting).first(), 5, "the other transaction waits")


@pytest.mark.cluster
def test_answers_are_written_in_one_order(postgres: Deployment) -> None:
    """Two batches with the same request_ids in opposite orders would deadlock."""
    low, high = ids.new_id(), ids.new_id()

    def keep(*request_ids: str) -> None:
        with postgres.runtime.transaction() as tx:
            tx.attempt = 0
            tx.keep_answers("probe.Keep", [("people/1", i, b"", b"") for i in request_ids])

    columns = ("method", "request_id", "actor", "request_hash", "response", "created_at")
    with ThreadPoolExecutor(1) as threads:
        with postgres.runtime.transaction() as tx:
            insert_rows(tx.connection, tx.tables.replies, columns, [("probe.Keep", low, "people/1", b"", b"", tx.now)])
            other = threads.submit(keep, high, low)
            waits_for_a_lock(postgres)
            tx.execute(sa.text("SET LOCAL lock_timeout = '300ms'"))
            insert_rows(tx.connection, tx.tables.replies, columns, [("probe.Keep", high, "people/1", b"", b"", tx.now)])
        assert isinstance(other.exception(), Again)


def test_an_event_whose_wait_is_not_over_is_not_tried(tmp_path: Path) -> None:
    deployment = Local(tmp_path, retry_first_wait=100.0, retry_last_wait=300.0)
    migrate(deployment.runtime)
    subscription = next(s for s in deployment.runtime.service.subscribers() if s.name == "captured")
    deliver(deployment.runtime, subscription, [envelope(LeadCaptured(lead="leads/1", text="fails 1"))])
    assert retry_due(deployment.runtime, [subscription]) == 0
    (failure,) = deployment.failures("leads/1")
    assert failure.next_attempt_at - failure.first_failed_at == timedelta(seconds=100)
    deployment.runtime.database.dispose()
