"""Series over time are whole: where nothing was counted, a count is 0 and an average has no value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine

from chassis.errors import Invalid
from dealwright.reports.v1 import reports_pb2 as pb
from reports.usecases import spans
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import LI, WANG, ZHAO, Desk
from tests.reports.exported import Format, export

# A Sunday.
TODAY = "2026-11-22T04:00:00+00:00"
Tile = pb.Board.Tile


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(TODAY, tick=True):
        yield


@pytest.fixture(autouse=True)
def won(desk: Desk) -> None:
    """Li won on Monday and Thursday, Wang on Thursday."""
    for owner, amount, day in (("li", 300, "16"), ("li", 500, "19"), ("wang", 40, "19")):
        deal = Deal(f"opportunities/{desk.number()}", f"2026-11-{day}T10:00", amount, f"people/{owner}")
        desk.hear(*deal.win(f"2026-11-{day}T15:00").told)


def days(*found: float | None) -> dict[str, float | None]:
    return {f"2026-11-{day}": value for day, value in enumerate(found, 16)}


def test_B13_a_day_on_which_nothing_was_won_is_0_and_its_average_has_no_value(desk: Desk) -> None:
    asked: dict[str, Any] = {"period": "this_week", "group_by": ["day"]}
    assert desk.figures("won-amount", **asked) == days(300, 0, 0, 540, 0, 0, 0)
    assert desk.figures("opportunities-won", **asked) == days(1, 0, 0, 2, 0, 0, 0)
    assert desk.figures("average-deal", **asked) == days(300, None, None, 270, None, None, None)
    assert desk.figures("win-rate", **asked) == days(1, None, None, 1, None, None, None)


def test_B13_each_series_has_all_its_spans_and_nobody_hears_of_series_that_are_not_his(desk: Desk) -> None:
    asked: dict[str, Any] = {"period": "2026-11-16..2026-11-17", "group_by": ["owner", "day"]}
    assert desk.figures("won-amount", **asked) == {
        ("people/li", "2026-11-16"): 300,
        ("people/li", "2026-11-17"): 0,
    }
    # Wang, who won on Thursday alone, is no series of Monday's and Tuesday's; Li is none of Wang's.
    assert desk.figures("won-amount", WANG, **asked) == {}
    assert {owner for owner, _ in desk.figures("won-amount", LI, period="this_week", group_by=["owner", "day"])} == {
        "people/li"
    }
    assert desk.figures("won-amount", ZHAO, period="this_week", group_by=["day"]) == days(*[0] * 7)


@pytest.mark.parametrize(
    ("grain", "period", "found"),
    [
        ("week", "2026-11", {"2026-10-26": 0, "2026-11-02": 0, "2026-11-09": 0, "2026-11-16": 840}),
        ("month", "this_year", {**{f"2026-{month:02}-01": 0 for month in range(1, 11)}, "2026-11-01": 840}),
        ("quarter", "this_year", {"2026-01-01": 0, "2026-04-01": 0, "2026-07-01": 0, "2026-10-01": 840}),
        ("year", "2024-06-01..2026-12-31", {"2024-01-01": 0, "2025-01-01": 0, "2026-01-01": 840}),
        ("hour", "today", {f"2026-11-22T{hour:02}": 0 for hour in range(13)}),
        ("day", "2027", {}),
        ("day", "all", days(300, 0, 0, 540)),
    ],
)
def test_B13_spans_go_from_the_beginning_of_the_period_until_now(
    desk: Desk, grain: str, period: str, found: dict[str, float]
) -> None:
    assert desk.figures("won-amount", period=period, group_by=[grain]) == found


def test_B13_what_is_to_come_has_spans_until_the_last_of_it(desk: Desk) -> None:
    with time_machine.travel("2026-11-17T04:00:00+00:00", tick=True):
        assert desk.figures("won-amount", period="this_week", group_by=["day"]) == days(300, 0, 0, 540)


def test_B13_more_spans_than_there_is_room_for_are_refused_with_the_way_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Invalid) as refused:
        desk.figures("won-amount", period="2026", group_by=["hour"])
    (wrong,) = refused.value.violations
    assert wrong.field == "period"
    assert "group by day" in wrong.english
    assert "day" in wrong.chinese
    monkeypatch.setattr(spans, "MOST_ROWS", 13)
    assert len(desk.figures("won-amount", period="this_week", group_by=["day"])) == 7
    with pytest.raises(Invalid, match="period"):
        desk.figures("won-amount", period="this_week", group_by=["owner", "day"])


def _board(desk: Desk, *tiles: pb.Board.Tile) -> list[pb.Report.Tile]:
    board = pb.Board(display_name="All", period="this_week", tiles=tiles)
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="all", board=board))
    found: pb.Report = desk.call("GetReport", pb.GetReportRequest(name="reports/all"))
    return list(found.tiles)


def test_B39_a_tile_and_what_is_drawn_over_it_have_all_spans(desk: Desk) -> None:
    line = Tile(kpi="kpis/won-amount", group_by=["day"], chart=pb.Board.LINE, overlay_kpi="kpis/average-deal")
    count = Tile(kpi="kpis/average-deal", group_by=["day"], chart=pb.Board.BAR, overlay_kpi="kpis/opportunities-opened")
    first, second = _board(desk, line, count)
    assert [row.figure.value for row in first.rows] == [300, 0, 0, 540, 0, 0, 0]
    assert [row.overlay.HasField("value") for row in first.rows] == [True, False, False, True, False, False, False]
    assert [row.overlay.value for row in second.rows] == [1, 0, 0, 2, 0, 0, 0]
    assert all(row.overlay.HasField("value") for row in second.rows)


def test_B39_a_tile_of_too_many_spans_leaves_the_others_as_they_are(desk: Desk) -> None:
    long = Tile(kpi="kpis/won-amount", group_by=["hour"], chart=pb.Board.LINE, period="2026")
    many, one = _board(desk, long, Tile(kpi="kpis/won-amount", chart=pb.Board.NUMBER))
    assert [row.figure.value for row in many.rows] == [300, 540]
    assert one.total.figure.value == 840


def test_B32_an_answer_has_no_more_rows_by_whatever_it_is_grouped_and_a_tile_the_largest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = Deal("opportunities/zhao", "2026-11-16T10:00", 400, "people/zhao").win("2026-11-16T15:00")
    desk.hear(*deal.told)
    monkeypatch.setattr(spans, "MOST_ROWS", 2)
    asked: dict[str, Any] = {"period": "this_week", "group_by": ["owner"]}
    with pytest.raises(Invalid) as refused:
        desk.figures("won-amount", **asked)
    (wrong,) = refused.value.violations
    assert (wrong.field, "3 rows, at most 2" in wrong.english) == ("filter", True)
    assert "最多 2 行" in wrong.chinese
    assert len(desk.figures("won-amount", **asked, filter="owner = people/li OR owner = people/wang")) == 2
    (tile,) = _board(desk, Tile(kpi="kpis/won-amount", group_by=["owner"], chart=pb.Board.TABLE))
    assert [(row.keys[0], row.figure.value) for row in tile.rows] == [("people/li", 800), ("people/zhao", 400)]
    assert (tile.total.figure.value, tile.groups) == (1_240, 3)


def test_B33_a_chart_has_a_gap_where_there_is_no_value(desk: Desk) -> None:
    asked: dict[str, Any] = {"period": "this_week", "group_by": ["day"]}
    rows = exported.table(export(desk, "average-deal", Format.XLSX, **asked))[1:-1]
    assert rows[:2] == [[date(2026, 11, 16), 300], [date(2026, 11, 17), ""]]
    (chart,) = exported.charts(exported.slides(export(desk, "average-deal", Format.PPTX, **asked))[0])
    assert list(chart.plots[0].series[0].values) == [300, None, None, 270, None, None, None]
    assert len(list(chart.plots[0].categories)) == 7
    assert len(exported.lines(export(desk, "won-amount", Format.CSV, **asked))) == 9
