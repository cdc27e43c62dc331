"""Opening hours as the rules read them and as the checker does."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from chassis.calendar import WorkingCalendar
from rules.storage import journal
from tests.rules.checker import check
from tests.rules.house import House


def test_the_checker_finds_a_shift_that_the_calendar_gets_wrong(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules and the checker read opening hours each with code of their own."""
    house.calendar("company", [(1, "09:00", "18:00")], off_days=["2026-11-30"], work_days=["2026-11-28"])
    house.hire("a")
    for days, numbers in ((0, (1, 2)), (5, (3,)), (2, (4,))):  # Monday, a worked Saturday, a Monday off
        house.pass_time(days=days)
        house.capture(*numbers)
    house.assert_sound()
    right = WorkingCalendar.is_open
    monkeypatch.setattr(WorkingCalendar, "is_open", lambda self, moment: not right(self, moment))
    house.tell(house.person("b"))
    house.pass_time(minutes=1)
    house.capture(5)
    with house.reading() as tx:
        rows = [(bytes(r.body), bytes(r.hash)) for r in tx.execute(sa.select(journal).order_by(journal.c.seq))]
    assert any("is off shift" in text for text in check(rows).wrong)
