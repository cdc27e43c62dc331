"""The unit of work on both databases: rows and events together or neither."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from chassis.access import Principal
from chassis.database import insert_rows, is_unavailable, may_have_committed
from chassis.migration import migrate
from chassis.transaction import Again, Origin, OutboxRow, Transaction
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from dealwright.leads.v1.events_pb2 import LeadContacted, LeadTouched
from tests.conformance.deployments import Deployment, Local
from tests.conformance.probe import notes

NOTE = {"text": "", "phone": "", "batch": 1}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    url = request.getfixturevalue("fresh_database") if request.param == "postgres" else ""
    made = Local(tmp_path, url)
    migrate(made.runtime)
    yield made
    made.runtime.database.dispose()


def envelopes(deployment: Deployment) -> list[Envelope]:
    outbox = deployment.runtime.service.tables.outbox
    rows = deployment.rows(sa.select(outbox.c.body, outbox.c.events).order_by(outbox.c.id))
    found = [EventBatch.FromString(r.body) for r in rows]
    assert [len(f.events) for f in found] == [r.events for r in rows]
    return [e for f in found for e in f.events]


def test_rows_and_events_go_together(deployment: Deployment) -> None:
    told: list[OutboxRow] = []
    deployment.runtime.announce = told.extend
    with deployment.runtime.transaction() as tx:
        tx.execute(sa.insert(notes).values(name="notes/1", **NOTE))
        tx.emit(LeadTouched(lead="notes/1"))
        assert told == [], "nobody is told before the commit"
    assert [r.name for r in deployment.rows(sa.select(notes.c.name))] == ["notes/1"]
    assert [e.subject for e in envelopes(deployment)] == ["notes/1"]
    assert len(told) == 1


def test_an_error_leaves_neither(deployment: Deployment) -> None:
    told: list[object] = []
    deployment.runtime.announce = told.extend

    def fail() -> None:
        with deployment.runtime.transaction() as tx:
            tx.execute(sa.insert(notes).values(name="notes/1", **NOTE))
            tx.emit(LeadTouched(lead="notes/1"))
            tx.audit("x", "notes/1")
            tx.after_commit(lambda: told.append("committed"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert deployment.rows(sa.select(notes)) == []
    assert envelopes(deployment) == []
    assert told == []


def test_an_error_after_the_commit_undoes_nothing_and_is_no_answer(deployment: Deployment) -> None:
    done: list[int] = []
    with deployment.runtime.transaction() as tx:
        tx.execute(sa.insert(notes).values(name="notes/1", **NOTE))
        tx.after_commit(lambda: done.append(1 // 0))
        tx.after_commit(lambda: done.append(2))
    assert done == [2]
    assert len(deployment.rows(sa.select(notes))) == 1


def test_an_envelope_says_what_when_who_and_why(deployment: Deployment) -> None:
    happened = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    origin = Origin("people/1", "c" * 32, 3, "00-t-p-01", ("LeadTouched a", "LeadTouched b"))
    with deployment.runtime.transaction(Principal(person="people/1"), origin) as tx:
        event_id = tx.emit(LeadTouched(lead="notes/1"), time=happened)
        tx.origins = {"notes/2": Origin("people/2")}
        tx.emit(LeadTouched(lead="notes/2"))
        tx.emit(LeadTouched(lead="notes/3"), origin=Origin("people/3"))
        now = tx.now
    first, second, third = envelopes(deployment)
    assert (first.id, first.type) == (event_id, "dealwright.leads.v1.LeadTouched")
    assert (first.actor, first.causation_id, first.depth) == ("people/1", "c" * 32, 3)
    assert list(first.chain) == ["LeadTouched a", "LeadTouched b"]
    assert first.traceparent == "00-t-p-01"
    assert first.time.ToDatetime(UTC) == happened
    assert first.receive_time.ToDatetime(UTC) == now
    assert LeadTouched.FromString(first.data).lead == "notes/1"
    assert (second.actor, third.actor) == ("people/2", "people/3")
    follow = Origin.of(first, "probe")
    assert (follow.actor, follow.causation_id, follow.depth) == ("services/probe", event_id, 4)
    assert follow.chain == ("LeadTouched a", "LeadTouched b", f"LeadTouched {event_id}")


def test_one_outbox_row_holds_up_to_256_events_of_a_type(deployment: Deployment) -> None:
    with deployment.runtime.transaction() as tx:
        for i in range(600):
            tx.emit(LeadTouched(lead=f"notes/{i}"))
            tx.emit(LeadContacted(lead=f"notes/{i}"))
    outbox = deployment.runtime.service.tables.outbox
    rows = deployment.rows(sa.select(outbox.c.type, outbox.c.events).order_by(outbox.c.id))
    assert [r.events for r in rows] == [256, 256, 88, 256, 256, 88]
    touched = [e.subject for e in envelopes(deployment) if e.type.endswith("LeadTouched")]
    assert touched == [f"notes/{i}" for i in range(600)]


def test_an_audit_row_names_whoever_caused_it(deployment: Deployment) -> None:
    def rows() -> list[tuple[str, str]]:
        log = deployment.runtime.service.tables.audit_log
        return [(r.subject, r.actor) for r in deployment.rows(sa.select(log).order_by(log.c.id))]

    with deployment.runtime.transaction(Principal(person="people/1")) as tx:
        tx.audit("note.put", "notes/1")
        tx.origins = {"notes/2": Origin("people/2")}
        tx.audit("note.put", "notes/2")
        tx.audit("note.put", "notes/2", actor="people/3")
    with deployment.runtime.transaction() as tx:
        tx.audit("note.put", "notes/4")
    assert rows() == [
        ("notes/1", "people/1"),
        ("notes/2", "people/2"),
        ("notes/2", "people/3"),
        ("notes/4", "services/probe"),
    ]


def test_what_happens_in_a_transaction_happens_at_one_moment(deployment: Deployment) -> None:
    with deployment.runtime.transaction() as tx:
        assert isinstance(tx, Transaction)
        tx.emit(LeadTouched(lead="notes/1"))
        tx.emit(LeadTouched(lead="notes/2"))
        tx.audit("x", "notes/1")
    log = deployment.runtime.service.tables.audit_log
    moments = {e.receive_time.ToDatetime(UTC) for e in envelopes(deployment)}
    assert moments == {deployment.rows(sa.select(log))[0].time}


def test_rows_for_the_end_are_there_for_whoever_asks_before(deployment: Deployment) -> None:
    with deployment.runtime.transaction() as tx:
        tx.insert_at_end(notes, ("name", "text", "phone", "batch"), [("notes/1", "t", "", 1)])
        assert tx.execute(sa.select(notes.c.name)).scalars().all() == ["notes/1"]
        tx.insert_at_end(notes, ("name", "text", "phone", "batch"), [("notes/2", "t", "", 1)])
    with deployment.runtime.reading() as tx:
        assert sorted(tx.execute(sa.select(notes.c.name)).scalars()) == ["notes/1", "notes/2"]


def test_a_key_that_was_hoped_to_be_free_makes_the_transaction_run_again_and_at_last_is_an_error(
    deployment: Deployment,
) -> None:
    def insert(attempt: int | None) -> bool:
        with deployment.runtime.transaction() as tx:
            tx.attempt = attempt
            tx.insert_at_end(notes, ("name", "text", "phone", "batch"), [("notes/1", "t", "", 1)])
            tx.emit(LeadTouched(lead="notes/1"))
            return tx.hopeful

    def insert_and_look() -> None:
        with deployment.runtime.transaction() as tx:
            tx.attempt = 0
            tx.insert_at_end(notes, ("name", "text", "phone", "batch"), [("notes/1", "t", "", 1)])
            tx.execute(sa.select(notes.c.name))

    assert insert(0)
    with pytest.raises(Again):
        insert_and_look()
    for attempt in range(3):
        with pytest.raises(Again):
            insert(attempt)
    for last in (3, None):
        with pytest.raises(sa.exc.IntegrityError):
            insert(last)
    assert len(envelopes(deployment)) == 1, "what failed announced nothing"


@pytest.mark.cluster
def test_a_transaction_of_one_statement_may_have_been_committed_when_its_connection_is_lost(
    tmp_path: Path, fresh_database: str
) -> None:
    with Local(tmp_path, fresh_database).running() as local:

        def lose(asked_before: bool) -> None:
            with local.runtime.transaction() as tx:
                tx.emit(LeadTouched(lead="notes/1"))
                if asked_before:
                    tx.execute(sa.select(1))
                raw: Any = tx.connection.connection.driver_connection
                with psycopg.connect(fresh_database, autocommit=True) as other:
                    other.execute("select pg_terminate_backend(%s, 5000)", (raw.info.backend_pid,))

        for asked_before in (False, True):
            with pytest.raises(sa.exc.OperationalError) as lost:
                lose(asked_before)
            assert is_unavailable(lost.value)
            assert may_have_committed(lost.value) == (not asked_before)

        def fail() -> None:
            with local.runtime.transaction() as tx:
                insert_rows(tx.connection, notes, ("name", "text", "phone", "batch"), [("notes/9", "t", "", 1)])
                raise RuntimeError

        # The connection that comes next opens its transactions as ever.
        with pytest.raises(RuntimeError):
            fail()
        with local.runtime.reading() as tx:
            assert tx.execute(sa.select(sa.func.count()).select_from(notes)).scalar() == 0
