"""Tiles that show more than one figure of each group, and figures beside their targets; the same in files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pptx.enum.chart import XL_CHART_TYPE

from chassis.access import Grant, Scope
from chassis.errors import Invalid
from dealwright.reports.v1 import reports_pb2 as pb
from dealwright.reports.v1 import targets_pb2
from reports.servicer.targets import TargetServicer
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, Desk, principal
from tests.reports.exported import Format, export
from tests.reports.people import customer

NOVEMBER = "2026-11"
Chart = pb.Board
Tile = pb.Board.Tile


@pytest.fixture
def sold(desk: Desk) -> Desk:
    """Of the east: Li opened three, won 1 000 and 3 000 in ten days each and lost one; Zhao opened and won one of 2 000
    in four days. Wang, of the west, has a new customer and nothing else."""
    desk.also(TargetServicer())
    deals = [
        Deal("opportunities/a", "2026-11-02T10:00", 1000).win("2026-11-12T10:00"),
        Deal("opportunities/b", "2026-11-02T10:00", 3000).win("2026-11-12T10:00"),
        Deal("opportunities/c", "2026-11-02T10:00", 500).lose("2026-11-05T10:00"),
        Deal("opportunities/d", "2026-11-03T10:00", 2000, "people/zhao").win("2026-11-07T10:00"),
    ]
    desk.hear(*(told for deal in deals for told in deal.told))
    desk.hear(
        customer("customers/1", "2026-11-04T10:00", owner="people/wang"), customer("customers/2", "2026-11-05T10:00")
    )
    return desk


def _board(desk: Desk, *tiles: Tile) -> None:
    of = pb.Board(display_name="Mine", display_name_zh="我的", period=NOVEMBER, tiles=tiles)
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="mine", board=of))


def _drawn(desk: Desk, who: Any = ADMIN) -> list[pb.Report.Tile]:
    return list(desk.call("GetReport", pb.GetReportRequest(name="reports/mine"), who).tiles)


def _aim(desk: Desk, value: str, **of: Any) -> None:
    target = targets_pb2.Target(kpi="kpis/won-amount", period=NOVEMBER, value=value, **of)
    desk.call("CreateTarget", targets_pb2.CreateTargetRequest(target=target))


STAFF = Tile(
    kpi="kpis/opportunities-opened",
    title="What each did",
    title_zh="人员业绩",
    chart=Chart.TABLE,
    group_by=["owner"],
    more_kpis=["kpis/won-amount", "kpis/average-cycle", "kpis/customers-created"],
)
TEAM = Tile(
    kpi="kpis/conversion", title="Side by side", title_zh="人员对比", chart=Chart.HEAT_MAP, group_by=["owner"],
    more_kpis=["kpis/average-deal"],
)  # fmt: skip


def _figures(row: pb.Report.Row) -> list[float | None]:
    return [one.value if one.HasField("value") else None for one in (row.figure, *row.more)]


def test_B12_B14_a_table_has_a_column_for_each_kpi_and_a_row_for_whoever_has_any_of_it(sold: Desk) -> None:
    _board(sold, STAFF)
    (tile,) = _drawn(sold)
    assert (tile.title, tile.title_zh) == ("What each did", "人员业绩")
    assert [(one.kpi, one.title, one.title_zh, one.unit) for one in tile.more] == [
        ("kpis/won-amount", "Amount won", "赢单金额", pb.Kpi.MONEY),
        ("kpis/average-cycle", "Average sales cycle", "平均销售周期", pb.Kpi.DAYS),
        ("kpis/customers-created", "New customers", "新增客户", pb.Kpi.COUNT),
    ]
    assert {row.keys[0]: _figures(row) for row in tile.rows} == {
        "people/li": [3, 4000, 10, 1],
        "people/wang": [0, 0, None, 1],
        "people/zhao": [1, 2000, 4, 0],
    }
    assert _figures(tile.total) == [4, 6000, 8, 2]
    assert tile.total.more[0].amount.units == 6000


def test_B28_a_heat_map_of_people_has_their_conversion_and_their_average_deal(sold: Desk) -> None:
    _board(sold, TEAM)
    (tile,) = _drawn(sold)
    assert tile.chart == Chart.HEAT_MAP
    assert {row.keys[0]: _figures(row) for row in tile.rows} == {
        "people/li": [pytest.approx(2 / 3), 2000],
        "people/zhao": [1, 2000],
    }


def test_P3_a_column_that_the_caller_may_not_see_is_not_there_and_the_others_are(sold: Desk) -> None:
    _board(sold, STAFF)
    blind = principal("people/boss", "manager", Scope.ALL, hidden=("amount",))
    (tile,) = _drawn(sold, blind)
    assert [one.kpi for one in tile.more] == ["kpis/average-cycle", "kpis/customers-created"]
    assert {len(row.more) for row in (*tile.rows, tile.total)} == {2}
    (tile,) = _drawn(sold, replace(ADMIN, grants={**ADMIN.grants, "opportunities": Grant()}))
    assert (tile.denied, list(tile.more), tile.HasField("total")) == (True, [], False)
    # Of his people alone.
    (tile,) = _drawn(sold, BOSS)
    assert {row.keys[0] for row in tile.rows} == {"people/li", "people/zhao"}


def test_B16_a_gauge_tells_of_all_and_of_each_how_much_of_a_target_was_reached(sold: Desk) -> None:
    _aim(sold, "8000", person="people/li")
    _aim(sold, "12000")
    _aim(sold, "500", team="teams/west")
    gauges = [Tile(kpi="kpis/won-amount", chart=Chart.GAUGE, group_by=by) for by in ([], ["owner"], ["team"])]
    _board(sold, *gauges)
    whole, each, teams = _drawn(sold)
    assert (whole.total.figure.value, whole.total.target.value, whole.total.attainment) == (6000, 12_000, 0.5)
    assert list(whole.rows) == []
    assert {row.keys[0]: (row.figure.value, row.attainment) for row in each.rows} == {
        "people/li": (4000, 0.5),
        "people/zhao": (2000, 0),
    }
    assert not next(row for row in each.rows if row.keys[0] == "people/zhao").HasField("attainment")
    west = next(row for row in teams.rows if row.keys[0] == "teams/west")
    assert (west.figure.value, west.target.value, west.HasField("attainment"), west.attainment) == (0, 500, True, 0)


@pytest.mark.parametrize(
    ("field", "tile"),
    [
        ("board.tiles[0].more_kpis", Tile(kpi="kpis/won-amount", chart=Chart.LINE, more_kpis=["kpis/win-rate"])),
        (
            "board.tiles[0].more_kpis",
            Tile(kpi="kpis/won-amount", chart=Chart.HEAT_MAP, group_by=["owner", "month"], more_kpis=["kpis/win-rate"]),
        ),
        ("board.tiles[0].more_kpis", Tile(kpi="kpis/won-amount", chart=Chart.TABLE, more_kpis=["kpis/win-rate"] * 7)),
        ("board.tiles[0].more_kpis[1]", Tile(kpi="kpis/won-amount", chart=Chart.TABLE, more_kpis=["kpis/roi", "x"])),
        (
            "board.tiles[0].group_by",
            Tile(kpi="kpis/won-amount", chart=Chart.TABLE, group_by=["owner"], more_kpis=["kpis/roi"]),
        ),
        ("board.tiles[0].group_by", Tile(kpi="kpis/won-amount", chart=Chart.GAUGE, group_by=["owner", "month"])),
    ],
)
def test_N13_what_makes_no_sense_of_more_figures_is_refused_by_its_field(desk: Desk, field: str, tile: Tile) -> None:
    with pytest.raises(Invalid) as refused:
        _board(desk, tile)
    assert field in {one.field for one in refused.value.violations}


def test_N13_a_board_keeps_all_that_its_tiles_say(sold: Desk) -> None:
    _board(sold, STAFF)
    (tile,) = sold.call("GetBoard", pb.GetBoardRequest(name="boards/mine")).tiles
    assert (list(tile.more_kpis), tile.title, tile.title_zh) == (list(STAFF.more_kpis), STAFF.title, STAFF.title_zh)


def test_B33_a_sheet_has_all_columns_and_colours_each_of_a_heat_map_by_itself(sold: Desk) -> None:
    _aim(sold, "8000", person="people/li")
    _board(sold, STAFF, TEAM, Tile(kpi="kpis/won-amount", chart=Chart.GAUGE, group_by=["owner"]))
    file = export(sold, "mine", Format.XLSX)
    sheets = exported.sheets(file)
    assert sheets["人员业绩"][4:] == [
        ["负责人", "新增商机", "赢单金额 (CNY)", "平均销售周期 (天)", "新增客户"],
        ["li", 3, 4000, 10, 1],
        ["wang", 0, 0, "", 1],
        ["zhao", 1, 2000, 4, 0],
        ["合计", 4, 6000, 8, 2],
    ]
    assert sheets["人员对比"][4] == ["负责人", "商机转化率", "平均单价 (CNY)"]
    said = exported.everything(file)
    assert said.count("<colorScale>") == 2  # columns of shares and of money have nothing in common
    assert said.count("<dataBar>") == 1
    assert sheets["赢单金额"][4] == ["负责人", "赢单金额 (CNY)", "目标 (CNY)", "完成率"]


def test_B33_slides_and_pages_have_the_columns_and_the_targets(sold: Desk) -> None:
    _aim(sold, "8000", person="people/li")
    _aim(sold, "12000")
    gauges = [Tile(kpi="kpis/won-amount", chart=Chart.GAUGE, group_by=by) for by in ([], ["owner"])]
    _board(sold, STAFF, TEAM, *gauges)
    staff, team, whole, each = exported.slides(export(sold, "mine", Format.PPTX))

    def table(slide: Any) -> list[list[str]]:
        (grid,) = (shape.table for shape in slide.shapes if shape.has_table)
        return [[cell.text for cell in row.cells] for row in grid.rows]

    assert table(staff)[1] == ["li", "3", "4,000.00", "10.0", "1"]
    assert table(team) == [
        ["", "商机转化率", "平均单价 (CNY)"],
        ["li", "66.7%", "2,000.00"],
        ["zhao", "100.0%", "2,000.00"],
    ]
    assert sum(1 for shape in whole.shapes if shape.shape_type == 1) == 2  # all of it, and how far
    (chart,) = exported.charts(each)
    assert chart.chart_type == XL_CHART_TYPE.BAR_CLUSTERED
    assert [[*series.values] for series in chart.plots[0].series] == [[4000, 2000], [8000, None]]
    pages = exported.pages(export(sold, "mine", Format.PDF))
    assert "平均销售周期(天)" in pages[0]
    assert "66.7%" in pages[1]
    assert "50.0%" in pages[2]
    assert "4,000.00/8,000.00" in pages[3]
    lines = exported.lines(export(sold, "mine", Format.CSV))
    assert ["人员业绩 · 平均销售周期", "期间 2026-11-01 – 2026-11-30", "li", "", "天", "10", "", "", "", ""] in lines
