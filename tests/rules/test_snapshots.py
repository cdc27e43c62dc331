"""What a damaged snapshot may not do: stop assignment, corrupt it, or stay unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import peer
from dealwright.rules.v1 import rules_pb2
from rules.domain.replay import fold_all
from rules.domain.snapshot import digest
from rules.domain.state import initial_state
from rules.servicer import RuleServicer
from rules.storage import journal, journal_head
from rules.usecases import journal as journals
from tests.rules.house import House, lead
from tests.rules.meddling import another_process, change, edited_with_care, stored, turned

ADMIN = peer("test")


@pytest.fixture
def full(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Three people, a hundred leads, and snapshots at entries 40 and 80."""
    monkeypatch.setattr(journals, "SNAPSHOT_EVERY", 40)
    house.hire("a", "b", "c")
    for number in range(1, 101):
        house.capture(number)
    assert [row.seq for row in stored(house)] == [40, 80]
    return house


def damaged(row: Any) -> dict[str, Any]:
    return {"state": b"not a snapshot"}


def unreadable(row: Any) -> dict[str, Any]:
    state = b'["state9",0]'
    return {"state": state, "digest": digest(bytes(row.hash), state)}


def edited(row: Any) -> dict[str, Any]:
    return {"state": turned(bytes(row.state))}


@pytest.mark.parametrize("harm", [damaged, unreadable, edited, edited_with_care])
def test_a_snapshot_that_is_damaged_neither_stops_nor_corrupts_assignment_and_verification_names_it(
    full: House, tmp_path: Path, harm: Callable[[Any], dict[str, Any]]
) -> None:
    for row in stored(full):
        change(full, row.seq, **harm(row))
    report = full.verify()
    assert list(report.wrong_snapshots) == [40, 80]
    assert report.problem.startswith("SNAPSHOT: the one at entry 40")
    assert (report.first_wrong_entry, report.entries) == (0, len(full.entries()))
    with another_process(full, tmp_path) as fresh:
        assert fresh.state == full.state
        decisions = rules_pb2.ListDecisionsRequest(parent=lead(90))
        with fresh.reading(ADMIN) as tx:
            (found,) = RuleServicer(fresh.runtime).ListDecisions(tx, decisions).decisions
        assert found.owner == "people/" + "cab"[90 % 3]
        assert [fresh.capture(n)[0] for n in (101, 102, 103)] == ["b", "c", "a"]
        # Whoever writes next after a damaged one leaves a good one behind.
        assert stored(fresh)[-1].seq > 80
        assert full.verify().first_wrong_entry == 0
        assert list(full.verify().wrong_snapshots) == [40, 80]


@pytest.mark.parametrize("harm", [damaged, unreadable, edited])
def test_a_damaged_snapshot_at_the_very_end_is_passed_over(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Any], dict[str, Any]]
) -> None:
    house.hire("a", "b", "c")
    for number in range(1, 31):
        house.capture(number)
    monkeypatch.setattr(journals, "SNAPSHOT_EVERY", 1)
    house.capture(31)
    (row,) = stored(house)
    assert row.seq == len(house.entries())
    change(house, row.seq, **harm(row))
    assert list(house.verify().wrong_snapshots) == [row.seq]
    with another_process(house, tmp_path) as fresh:
        assert fresh.state == house.state
        assert fresh.capture(32) == ["b"]
        assert fold_all(initial_state(), fresh.entries()) == fresh.state
        assert fresh.verify().first_wrong_entry == 0


def test_a_snapshot_altered_with_care_at_the_very_end_is_named_by_verification(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SNAPSHOT_EVERY", 1)
    house.hire("a", "b", "c")
    house.capture(1, 2, 3)
    row = stored(house)[-1]
    change(house, row.seq, **edited_with_care(row))
    report = house.verify()
    assert list(report.wrong_snapshots) == [row.seq]
    assert report.problem == f"SNAPSHOT: the one at entry {row.seq} is not what its history leads to"


def test_a_snapshot_of_another_journal_and_one_past_the_end_are_named(full: House) -> None:
    change(full, 40, hash=b"x" * 32)
    assert list(full.verify().wrong_snapshots) == [40]
    with full.runtime.database.write() as connection:
        row = connection.execute(sa.select(journal).where(journal.c.seq == 60)).one()
        connection.execute(sa.delete(journal).where(journal.c.seq > 60))
        connection.execute(sa.update(journal_head).values(seq=60, hash=row.hash))
    report = full.verify()
    assert (report.first_wrong_entry, list(report.wrong_snapshots)) == (0, [40, 80])
