"""What the ledger asks of its tables when they are large."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from chassis.database import insert_rows
from reports.storage import ledger
from reports.storage.tables import postings, subjects
from reports.usecases import learning
from tests.reports.desk import Desk
from tests.reports.leads import Lead

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("link", ["customer", "lead"])
def test_whom_hundreds_of_records_tell_more_of_is_looked_up_and_not_searched_for(desk: Desk, link: str) -> None:
    names = [f"{link}s/{n:032x}" for n in range(300)]
    rows = [(1, f"opportunities/{n:032x}", "", "", 0, None) for n in range(20_000)]
    plans: list[str] = []

    def plan(connection: Any, cursor: Any, text: str, parameters: Any, *rest: Any) -> None:
        if text.startswith("SELECT"):
            explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
            told = cursor.connection.execute(explain + text, parameters).fetchall()
            plans.append(" ".join(row[-1] for row in told))

    with desk.runtime.transaction() as tx:
        insert_rows(tx.connection, subjects, ("copy", "name", "customer", "lead", "learn_time", "state"), rows)
        tx.execute(sa.text("ANALYZE subjects"))
        sa.event.listen(tx.connection, "before_cursor_execute", plan)
        assert ledger.told_by(tx, 1, link, names) == {}
    assert [found for found in plans if f"subjects_of_{link}" not in found] == []
    assert plans


@pytest.mark.parametrize(
    ("zone", "moment", "there"),
    [
        ("Asia/Shanghai", "2026-11-22T15:59:59.999999", "2026-11-22T23"),
        ("Asia/Shanghai", "2026-11-22T16:00", "2026-11-23T00"),
        ("Asia/Kolkata", "2026-11-22T18:29:59", "2026-11-22T23"),
        ("Asia/Kolkata", "2026-11-22T18:30", "2026-11-23T00"),
        ("Europe/Berlin", "2026-03-29T00:59:59", "2026-03-29T01"),
        ("Europe/Berlin", "2026-03-29T01:00", "2026-03-29T03"),
        ("America/New_York", "2026-11-01T06:00", "2026-11-01T01"),
        ("Asia/Kathmandu", "2026-11-22T18:15", "2026-11-23T00"),
    ],
)
def test_B2_an_hour_is_of_the_companys_clock_wherever_it_is_and_in_summer_too(
    zone: str, moment: str, there: str
) -> None:
    micros = (datetime.fromisoformat(moment).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    hours = (datetime.fromisoformat(f"{there}:00").replace(tzinfo=UTC) - EPOCH) // timedelta(hours=1)
    assert learning.hour_of(micros, ZoneInfo(zone)) == hours


def _posted(desk: Desk, fact: str) -> list[tuple[int, str, int]]:
    """(count, owner, of how many events) of the postings of a fact, as they were written."""
    c = postings.c
    query = sa.select(c.count, c.owner, c.event).where(c.fact == fact).order_by(c.batch, c.place)
    with desk.runtime.reading() as tx:
        return [(count, owner, len(set(events.split()))) for count, owner, events in tx.execute(query)]


def test_B41_what_one_delivery_tells_of_a_record_within_a_second_is_posted_once_and_names_each_event(
    desk: Desk,
) -> None:
    desk.hear(*Lead("leads/a", "2026-11-20T10:00:00.10").assign("people/li", "2026-11-20T10:00:00.40").told)
    assert _posted(desk, "lead.captured") == [(1, "people/li", 2)]
    assert _posted(desk, "lead.assigned") == [(1, "people/li", 2)]
    assert desk.figures("leads-captured", period="2026", group_by=["owner"]) == {"people/li": 1}


def test_B41_what_was_known_a_second_before_is_kept(desk: Desk) -> None:
    desk.hear(*Lead("leads/a", "2026-11-20T10:00:00.90").assign("people/li", "2026-11-20T10:00:01.10").told)
    assert _posted(desk, "lead.captured") == [(1, "", 1), (-1, "", 1), (1, "people/li", 1)]
    asked: dict[str, Any] = {"period": "2026", "group_by": ["owner"]}
    assert desk.figures("leads-captured", **asked, as_of="2026-11-20T10:00:01") == {"": 1}
    assert desk.figures("leads-captured", **asked, as_of="2026-11-20T10:00:02") == {"people/li": 1}
