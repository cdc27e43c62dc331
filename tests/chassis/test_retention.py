"""What a service's database forgets, when, and at what cost; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf import descriptor_pool

from chassis import clock, ids
from chassis.background import Background
from chassis.bus.delivery import deliver
from chassis.database import insert_rows
from chassis.migration import migrate
from chassis.retention import Retention
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadContacted, LeadTouched
from directory.main import service as directory
from leads.main import service as leads
from rules.main import service as rules
from tests.conformance.deployments import Deployment, Local, envelope, wait_for

KEPT = "probe.Keep"
DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    url = request.getfixturevalue("fresh_database") if request.param == "postgres" else ""
    made = Local(tmp_path, url)
    kept = (LeadCaptured.DESCRIPTOR.full_name, LeadContacted.DESCRIPTOR.full_name)
    made.runtime.service = replace(made.runtime.service, kept_replies=(KEPT,), kept_events=kept)
    migrate(made.runtime)
    yield made
    made.runtime.database.dispose()


def a_pass(deployment: Deployment, rows: int = 1000, at: datetime | None = None) -> int:
    """Cleans until nothing is left to look at. Returns how many transactions that took."""
    retention = Retention(deployment.runtime.service, deployment.settings.keep_days, rows)
    steps, more = 0, True
    while more:
        with deployment.runtime.transaction() as tx:
            tx.now = at or tx.now
            more = retention.step(tx)
        steps += 1
        assert steps < 500
    return steps


def id_of(age: timedelta) -> str:
    """An event that happened so long ago."""
    return ids.first_id_at((clock.now() - age).timestamp())[:12] + ids.new_id()[12:]


def handle(deployment: Deployment, subscriber: str, *ages: tuple[timedelta, timedelta | None]) -> list[str]:
    """Inbox rows of events: how long ago each happened and was handled. Their ids."""
    now = clock.now()
    rows = [(subscriber, id_of(born), None if handled is None else now - handled) for born, handled in ages]
    with deployment.runtime.transaction() as tx:
        insert_rows(tx.connection, tx.tables.inbox, ("subscriber", "event_id", "handled_at"), rows)
    return [event_id for _, event_id, _ in rows]


def known(deployment: Deployment) -> set[str]:
    return {r.event_id for r in deployment.rows(sa.select(deployment.runtime.service.tables.inbox.c.event_id))}


def test_an_inbox_row_goes_a_week_after_its_event_was_handled_and_no_other_goes(deployment: Deployment) -> None:
    old, young = handle(deployment, "probe.a", (8 * DAY, 7.01 * DAY), (8 * DAY, 6.99 * DAY))
    fresh, waited = handle(deployment, "probe.b", (DAY, DAY), (30 * DAY, timedelta(0)))
    a_pass(deployment)
    assert known(deployment) == {young, fresh, waited}, "the event that waited a month was handled just now"
    assert old not in known(deployment)
    a_pass(deployment, at=clock.now() + 7.1 * DAY)
    assert known(deployment) == set()


def test_an_inbox_row_from_before_the_column_counts_from_its_event(deployment: Deployment) -> None:
    _, young = handle(deployment, "probe.a", (8 * DAY, None), (6 * DAY, None))
    a_pass(deployment)
    assert known(deployment) == {young}


def test_a_delivery_writes_when_it_handled(deployment: Deployment) -> None:
    subscription = next(s for s in deployment.runtime.service.subscribers() if s.name == "touched")
    event = envelope(LeadTouched(lead="leads/1"))
    event.id = id_of(30 * DAY)
    deliver(deployment.runtime, subscription, [event])
    a_pass(deployment)
    assert known(deployment) == {event.id}
    deliver(deployment.runtime, subscription, [event])
    assert deployment.count("touched", "leads/1") == 1


def test_the_inbox_row_of_an_event_that_still_fails_stays(deployment: Deployment) -> None:
    """Otherwise a second delivery would handle it beside its replay."""
    subscription = next(s for s in deployment.runtime.service.subscribers() if s.name == "captured")
    event = envelope(LeadCaptured(lead="leads/1", text="invalid"))
    event.id = id_of(DAY)
    deliver(deployment.runtime, subscription, [event])
    a_pass(deployment, at=clock.now() + 30 * DAY)
    assert known(deployment) == {event.id}


def test_answers_go_after_a_week_and_those_to_captures_stay(deployment: Deployment) -> None:
    now = clock.now()
    columns = ("method", "request_id", "actor", "request_hash", "response", "created_at")
    rows = [
        (method, f"{age}", actor, b"", b"", now - timedelta(days=age))
        for method in ("probe.Get", KEPT, "probe.Put")
        for age in (1, 6, 8, 400)
        for actor in ("people/1", "people/2")
    ]
    with deployment.runtime.transaction() as tx:
        insert_rows(tx.connection, tx.tables.replies, columns, rows)
    a_pass(deployment, rows=3)
    replies = deployment.runtime.service.tables.replies
    left = {(r.method, r.request_id, r.actor) for r in deployment.rows(sa.select(replies))}
    assert left == {r[:3] for r in rows if r[0] == KEPT or r[1] in ("1", "6")}


def publish(deployment: Deployment, kind: str, born: datetime, published: datetime | None) -> str:
    row_id = ids.first_id_at(born.timestamp())[:12] + ids.new_id()[12:]
    values = (row_id, kind, 1, row_id.encode(), born, published)
    with deployment.runtime.transaction() as tx:
        columns = ("id", "type", "events", "body", "created_at", "published_at")
        insert_rows(tx.connection, tx.tables.outbox, columns, [values])
    return row_id


def test_published_rows_go_a_week_later_and_events_that_reports_rebuild_from_are_kept(deployment: Deployment) -> None:
    now, tables = clock.now(), deployment.runtime.service.tables
    touched, captured = LeadTouched.DESCRIPTOR.full_name, LeadCaptured.DESCRIPTOR.full_name
    publish(deployment, touched, now - 8 * DAY, now - 8 * DAY)
    moved = publish(deployment, captured, now - 8 * DAY, now - 8 * DAY)
    left = {
        publish(deployment, touched, now - 6 * DAY, now - 6 * DAY),
        publish(deployment, captured, now - 6 * DAY, now - 6 * DAY),
        publish(deployment, touched, now - 80 * DAY, now - 6 * DAY),
        publish(deployment, touched, now - 80 * DAY, None),
        publish(deployment, captured, now - 80 * DAY, None),
    }
    a_pass(deployment, rows=2)
    assert {r.id for r in deployment.rows(sa.select(tables.outbox.c.id))} == left
    (kept,) = deployment.rows(sa.select(tables.kept_events))
    assert (kept.id, kept.type, kept.events, kept.body) == (moved, captured, 1, moved.encode())
    assert kept.created_at == now - 8 * DAY


def test_kept_events_lie_in_a_partition_for_each_month(deployment: Deployment) -> None:
    kept, days = LeadContacted.DESCRIPTOR.full_name, [(2024, 11, 30), (2024, 12, 1), (2024, 12, 31), (2025, 1, 1)]
    made = {
        publish(deployment, kept, born, born)
        for born in (datetime(*day, hour, tzinfo=UTC) for day in days for hour in (0, 23))
    }
    a_pass(deployment, rows=3)
    table = deployment.runtime.service.tables.kept_events
    assert {r.id for r in deployment.rows(sa.select(table.c.id))} == made
    if deployment.sqlite:
        return
    where: Any = sa.select(sa.literal_column("tableoid::regclass::text").label("name"), sa.func.count().label("n"))
    found = deployment.rows(where.select_from(table).group_by(sa.text("1")).order_by(sa.text("1")))
    assert [(r.name, r.n) for r in found] == [
        ("kept_events_2024_11", 2),
        ("kept_events_2024_12", 4),
        ("kept_events_2025_01", 2),
    ]


def test_a_pass_takes_few_rows_at_a_time_and_scans_no_table(deployment: Deployment) -> None:
    handle(deployment, "probe.a", *[(9 * DAY, 8 * DAY)] * 25)
    handle(deployment, "probe.b", *[(9 * DAY, 8 * DAY)] * 10, *[(30 * DAY, DAY)] * 10)
    now = clock.now()
    for n in range(12):
        publish(deployment, LeadContacted.DESCRIPTOR.full_name, now - 8 * DAY, now - 8 * DAY)
        columns = ("method", "request_id", "actor", "request_hash", "response", "created_at")
        with deployment.runtime.transaction() as tx:
            row = ("probe.Put", str(n), "people/1", b"", b"", now - 8 * DAY)
            insert_rows(tx.connection, tx.tables.replies, columns, [row])
    said: list[tuple[str, Any, int]] = []

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters, cursor.rowcount))

    engine = deployment.runtime.database.engine
    sa.event.listen(engine, "after_cursor_execute", listen)
    steps = a_pass(deployment, rows=5)
    sa.event.remove(engine, "after_cursor_execute", listen)
    assert steps >= 5 + 4 + 2 + 2, "it goes in transactions of five rows"
    deleted = [count for statement, _, count in said if statement.startswith("DELETE")]
    assert sum(deleted) == 25 + 10 + 12 + 12
    assert max(deleted) == 5
    assert len(known(deployment)) == 10
    explain = "EXPLAIN QUERY PLAN " if deployment.sqlite else "EXPLAIN "
    with engine.begin() as connection:
        if not deployment.sqlite:  # so few rows are scanned sooner than looked up, unless there is no way to look up
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        for statement, parameters, _ in said:
            if statement.startswith(("SELECT min", "SELECT inbox", "SELECT outbox", "SELECT replies", "DELETE")):
                plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + statement, parameters))
                assert "SCAN" not in plan, statement
                assert "Seq Scan" not in plan, statement
                if "min(" not in statement and not deployment.sqlite:
                    assert "Index Cond" in plan, statement


@pytest.mark.cluster
def test_one_process_cleans_at_a_time(fresh_database: str, tmp_path: Path) -> None:
    deployment = Local(tmp_path, fresh_database)
    migrate(deployment.runtime)
    handle(deployment, "probe.a", (9 * DAY, 8 * DAY))
    other = Retention(deployment.runtime.service, 7)
    with deployment.runtime.transaction() as tx:
        Retention(deployment.runtime.service, 7).step(tx)
        with deployment.runtime.transaction() as second:
            assert other.step(second) is False
            assert len(known(deployment)) == 1
    assert a_pass(deployment) > 1
    assert known(deployment) == set()
    deployment.runtime.database.dispose()


def test_a_work_process_cleans_by_itself(deployment: Deployment) -> None:
    handle(deployment, "probe.a", (9 * DAY, 8 * DAY))
    background = Background(deployment.runtime, [])
    background.start()
    try:
        wait_for(lambda: not known(deployment))
    finally:
        background.stop()


def test_what_reports_are_made_from_is_kept_and_what_stands_elsewhere_is_not() -> None:
    """The journal of `rules` is kept by itself, and `directory` announces states that it still has."""
    assert {"dealwright.leads.v1.LeadCaptured", "dealwright.leads.v1.LeadAssigned"} <= set(leads.kept_events)
    known = descriptor_pool.Default()
    assert all(known.FindMessageTypeByName(name).full_name == name for name in leads.kept_events)
    assert (rules.kept_events, directory.kept_events) == ((), ())
