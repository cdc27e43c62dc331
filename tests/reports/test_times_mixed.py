"""Figures by time that are made of what happens in a period and of what there is now."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import Invalid
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports.desk import ADMIN, Desk
from tests.reports.people import customer, follow_up

BY_TIME = {
    "month": {"2026-10-01": "2026-10", "2026-11-01": "2026-11"},
    "quarter": {"2026-10-01": "2026-Q4"},
    "year": {"2026-01-01": "2026"},
    "day": {day: day for day in ("2026-10-01", "2026-10-03", "2026-11-01", "2026-11-03", "2026-11-30")},
}


@pytest.fixture(autouse=True)
def year(desk: Desk) -> None:
    """Four customers, of whom two were spoken to in two months."""
    new = "2026-09-01T10:00"
    desk.hear(
        *(customer(f"customers/{id}", new) for id in "ab"),
        *(customer(f"customers/{id}", new, owner="people/wang") for id in "cd"),
        follow_up("followUps/1", "2026-10-03T10:00", customer="customers/a"),
        follow_up("followUps/2", "2026-11-03T10:00", customer="customers/a"),
        follow_up("followUps/3", "2026-11-30T23:59", customer="customers/a"),
        follow_up("followUps/4", "2026-11-01T00:01", customer="customers/c"),
        follow_up("followUps/5", "2026-10-01T00:01", customer="customers/c"),
    )


@pytest.mark.parametrize("grain", BY_TIME)
def test_B21_coverage_by_time_is_of_each_span_what_it_is_of_that_period_alone(desk: Desk, grain: str) -> None:
    rows = desk.figures("customer-coverage", period="2026", group_by=[grain])
    for key, period in BY_TIME[grain].items():
        assert rows[key] == desk.figure("customer-coverage", period=period), key
    assert {value for key, value in rows.items() if key not in BY_TIME[grain]} <= {0}
    assert desk.figure("customer-coverage", period="2026", group_by=[grain]) == 2 / 4


def test_B21_coverage_by_person_and_month_is_of_all_customers_of_his(desk: Desk) -> None:
    found = desk.figures("customer-coverage", period="2026", group_by=["owner", "month"])
    months = ("2026-10-01", "2026-11-01")
    assert {keys: value for keys, value in found.items() if value} == {
        (who, month): 0.5 for who in ("people/li", "people/wang") for month in months
    }


def test_B21_a_cell_of_coverage_by_month_is_explained_by_all_customers_and_the_months_visits(desk: Desk) -> None:
    asked: dict[str, Any] = {"period": "2026", "group_by": ["month"], "keys": ["2026-10-01"]}
    said = desk.call("ExplainFigure", pb.ExplainFigureRequest(name="reports/customer-coverage", **asked)).figure
    assert (said.value, dict(said.inputs)) == (0.5, {"covered": 2, "present": 4})
    for measure, names in (("covered", "ac"), ("present", "abcd")):
        request = pb.ListRecordsRequest(parent="reports/customer-coverage", measure=measure, **asked)
        records = desk.call("ListRecords", request).records
        assert sorted(one.name for one in records) == [f"customers/{id}" for id in names]


@pytest.mark.parametrize("id", ["stage-conversion-now", "forecast"])
def test_B25_what_has_several_clocks_is_told_by_no_time_and_says_what_to_do(desk: Desk, id: str) -> None:
    with pytest.raises(Invalid, match="asOfTime") as problem:
        desk.figures(id, group_by=["month"])
    assert [one.field for one in problem.value.violations] == ["group_by"]
    tile = pb.Board.Tile(kpi=f"kpis/{id}", group_by=["stage", "month"])
    request = pb.CreateBoardRequest(board_id="by-month", board=pb.Board(display_name="x", tiles=[tile]))
    with pytest.raises(Invalid) as problem:
        desk.call("CreateBoard", request)
    assert [one.field for one in problem.value.violations] == ["board.tiles[0].group_by"]


def test_a_board_by_month_leaves_what_has_several_clocks_in_all(desk: Desk) -> None:
    tiles = [pb.Board.Tile(kpi=f"kpis/{id}", chart=pb.Board.BAR) for id in ("forecast", "customer-coverage")]
    board = pb.Board(display_name="x", tiles=tiles, period="2026")
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="both", board=board))
    request = pb.GetReportRequest(name="reports/both", group_by=["month"])
    first, second = desk.call("GetReport", request, ADMIN).tiles
    assert (list(first.group_by), list(second.group_by)) == ([], ["month"])
    assert [row.figure.value for row in second.rows if row.figure.value] == [0.5, 0.5]


def test_a_stock_by_itself_is_told_by_since_when(desk: Desk) -> None:
    found = desk.figures("customers", group_by=["month"])
    assert {key: value for key, value in found.items() if value} == {"2026-09-01": 2, "2026-11-01": 2}
