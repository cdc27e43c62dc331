"""The unit of work on both databases: rows and events together or neither."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.access import Principal
from chassis.migration import migrate
from chassis.transaction import Origin, OutboxRow, Transaction
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
