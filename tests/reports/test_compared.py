"""A figure beside that of the span before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import periods
from reports.domain.periods import Period
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import LI, Desk
from tests.reports.exported import Format, export

TODAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel("2026-11-22T04:00:00+00:00", tick=True):
        yield


@pytest.mark.parametrize(
    ("asked", "before"),
    [
        ("this_month", "2026-10-01..2026-10-22"),
        ("last_month", "2026-09"),
        ("2026-03", "2026-02"),
        ("2026-01", "2025-12"),
        ("this_week", "2026-11-09..2026-11-15"),
        ("this_quarter", "2026-07-01..2026-08-22"),
        ("2026-Q1", "2025-Q4"),
        ("this_year", "2025-01-01..2025-11-22"),
        ("2025", "2024"),
        ("last_30_days", "2026-09-24..2026-10-23"),
        ("today", "2026-11-21"),
        ("2026-11-22T15", "2026-11-21T15"),
        ("2026-10-01..2026-10-10", "2026-09-21..2026-09-30"),
        ("2026-05-01..2026-06-30", "2026-03-01..2026-04-30"),
    ],
)
def test_X13_a_span_is_compared_with_as_much_before_it(asked: str, before: str) -> None:
    assert periods.before(periods.read(asked, TODAY), TODAY) == periods.read(before, TODAY)


@pytest.mark.parametrize("asked", ["all", "2027", "0001-01-01..0001-01-31", "0001"])
def test_X13_what_has_no_span_before_it_is_compared_with_none(asked: str) -> None:
    assert periods.before(periods.read(asked, TODAY), TODAY) is None


days = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@given(days, st.integers(1, 800), days)
def test_X13_the_span_before_ends_before_the_span_begins_and_is_no_longer_than_what_is_begun(
    begin: date, length: int, today: date
) -> None:
    found = periods.before(Period(begin, begin + timedelta(days=length)), today)
    if found is None:
        assert today < begin
    else:
        assert found.begin is not None
        assert found.end is not None
        assert found.begin < found.end <= begin
        over = today >= begin + timedelta(days=length - 1)
        assert found.end == begin if over else found.end - found.begin <= today + timedelta(days=1) - begin


@pytest.fixture
def sold(desk: Desk) -> Desk:
    for number, (owner, won, amount) in enumerate(
        [
            ("people/li", "2026-10-05T10:00", 200),
            ("people/li", "2026-10-30T10:00", 5000),
            ("people/li", "2026-11-05T10:00", 250),
            ("people/wang", "2026-10-06T10:00", 100),
            ("people/zhao", "2026-11-06T10:00", 60),
        ]
    ):
        deal = Deal(f"opportunities/{number}", "2026-09-01T10:00", amount, owner)
        desk.hear(*deal.move("won", won, status=2).told)
    return desk


def _board(desk: Desk) -> pb.Report.Tile:
    tile = pb.Board.Tile(kpi="kpis/won-amount", compared=True)
    made = pb.Board(display_name="Mine", period="this_month", tiles=[tile])
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="mine", board=made))
    found: pb.Report = desk.call("GetReport", pb.GetReportRequest(name="reports/mine"))
    return found.tiles[0]


def test_X2_X13_X16_a_figure_is_beside_that_of_the_span_before_and_says_how_much_more_it_is(sold: Desk) -> None:
    said = sold.report("won-amount", period="this_month", compared=True)
    assert (said.before_begin_date, said.before_end_date) == ("2026-10-01", "2026-10-22")
    assert (said.total.figure.value, said.total.before.value) == (310, 300)
    assert said.total.change == pytest.approx(10 / 300)
    assert said.total.before.amount.units == 300


def test_X13_each_group_is_beside_its_own_and_without_one_there_is_no_change(sold: Desk) -> None:
    said = sold.report("won-amount", period="this_month", group_by=["owner"], compared=True)
    told = {row.keys[0]: (row.figure.value, row.before.value, row.change) for row in said.rows}
    assert told == {"people/li": (250, 200, 0.25), "people/zhao": (60, 0, 0)}
    assert [row.HasField("change") for row in said.rows] == [True, False]


def test_X13_whoever_sees_a_part_is_told_of_that_part_before(sold: Desk) -> None:
    said = sold.report("won-amount", LI, period="this_month", compared=True)
    assert (said.total.figure.value, said.total.before.value) == (250, 200)


def test_X13_as_of_a_day_both_are_as_they_were_known_then(sold: Desk) -> None:
    said = sold.report("won-amount", as_of="2026-11-05T12:00", period="this_month", compared=True)
    assert (said.total.figure.value, said.total.before.value) == (250, 200)
    assert said.before_end_date == "2026-10-05"


@pytest.mark.parametrize(
    ("kpi", "period", "group"),
    [("won-amount", "all", []), ("won-amount", "this_month", ["day"]), ("open-amount", "this_month", [])],
)
def test_X13_what_is_compared_with_nothing_has_nothing_beside_it(
    sold: Desk, kpi: str, period: str, group: list[str]
) -> None:
    said = sold.report(kpi, period=period, group_by=group, compared=True)
    assert not said.before_begin_date
    assert not any(row.HasField("before") or row.HasField("change") for row in (said.total, *said.rows))


def test_X13_nothing_is_compared_that_nobody_asked_to_be(sold: Desk) -> None:
    assert not sold.report("won-amount", period="this_month").total.HasField("before")


def test_B39_X13_a_tile_is_compared_where_its_board_says_so_and_a_file_says_it_too(sold: Desk) -> None:
    said = _board(sold)
    assert (said.total.figure.value, said.total.before.value) == (310, 300)
    assert sold.call("GetBoard", pb.GetBoardRequest(name="boards/mine")).tiles[0].compared
    for format in (Format.PDF, Format.PPTX, Format.XLSX):
        for tongue, words in (
            ("zh", "较 2026-10-01 – 2026-10-22 +3.3%"),
            ("en", "+3.3% against 2026-10-01 – 2026-10-22"),
        ):
            text = exported.everything(export(sold, "mine", format, language=tongue))
            assert words.replace(" ", "") in text.replace(" ", "")
