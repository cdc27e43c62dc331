"""Stages come in the order in which they are passed, whatever they are called."""

from __future__ import annotations

from typing import Any

import pytest

from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import Desk
from tests.reports.exported import Format, export
from tests.reports.people import customer

WAY = ("visit", "needs", "quote", "negotiation")


def _opened(deal: Deal, place: int) -> None:
    opened: Any = deal.told[0][0]
    opened.place, opened.stage_display_name = place, deal.stage.title()


def _along(desk: Desk, number: int, stages: int, pipeline: str = "pipelines/mine") -> None:
    deal = Deal(f"opportunities/{number}", "2026-11-02T10:00", pipeline=pipeline, stage=WAY[0])
    _opened(deal, 1)
    for place, stage in enumerate(WAY[1:stages], 1):
        deal.move(stage, f"2026-11-{2 + place:02}T10:00")
        moved: Any = deal.told[-1][0]
        moved.from_place, moved.to_place, moved.to_stage_display_name = place, place + 1, stage.title()
    desk.hear(*deal.told)


def test_B3_V10_a_funnel_goes_by_the_way_and_not_by_the_alphabet(desk: Desk) -> None:
    for number, stages in enumerate((4, 3, 2, 1)):
        _along(desk, number, stages)
    asked: dict[str, Any] = {"period": "2026-11", "group_by": ["stage"]}
    assert [*desk.figures("stage-entered", **asked).items()] == [
        ("visit", 4), ("needs", 3), ("quote", 2), ("negotiation", 1)
    ]  # fmt: skip
    tiles = desk.call("GetReport", pb.GetReportRequest(name="reports/my-sales", period="2026-11")).tiles
    funnel = next(tile for tile in tiles if tile.chart == pb.Board.FUNNEL)
    assert [(row.keys[0], row.figure.value, row.overlay.value) for row in funnel.rows] == [
        ("visit", 4, 4000), ("needs", 3, 3000), ("quote", 2, 2000), ("negotiation", 1, 1000)
    ]  # fmt: skip
    lines = exported.lines(export(desk, "stage-entered", Format.CSV, **asked))
    assert [line[0] for line in lines[1:-1]] == [stage.title() for stage in WAY]
    # By channel, too, each by the way.
    both = desk.figures("stage-entered", period="2026-11", group_by=["channel", "stage"])
    assert [key[1] for key in both] == [*WAY]


def test_B3_a_stage_that_was_moved_stands_where_it_is_now(desk: Desk) -> None:
    _along(desk, 1, 4)
    late = Deal("opportunities/2", "2026-11-12T10:00", pipeline="pipelines/mine", stage="quote")
    _opened(late, 5)
    desk.hear(*late.told)
    found = desk.figures("stage-entered", period="2026-11", group_by=["stage"])
    assert [*found] == ["visit", "needs", "negotiation", "quote"]


def test_B22_customers_stages_go_from_the_lead_to_the_purchase(desk: Desk) -> None:
    for place, stage in enumerate(("WON", "INTENT", "QUOTED", "LEAD")):
        desk.hear(customer(f"customers/{place}", "2026-11-02T10:00", stage=stage))
    assert [*desk.figures("customers", group_by=["stage"])] == ["LEAD", "INTENT", "QUOTED", "WON"]


def test_B3_stages_of_two_pipelines_that_have_one_id_are_not_merged_without_a_word(desk: Desk) -> None:
    _along(desk, 1, 4)
    _along(desk, 2, 3, "pipelines/other")
    asked: dict[str, Any] = {"period": "2026-11", "group_by": ["stage"]}
    rows = desk.report("stage-entered", **asked).rows
    assert [(row.keys[0], row.labels[0], row.figure.value) for row in rows] == [
        ("visit", "Visit (mine, other)", 2),
        ("needs", "Needs (mine, other)", 2),
        ("quote", "Quote (mine, other)", 2),
        ("negotiation", "Negotiation", 1),
    ]
    # Of one pipeline there is nothing to tell apart.
    (only, *_) = desk.report("stage-entered", filter='pipeline = "pipelines/other"', **asked).rows
    assert (only.labels[0], only.figure.value) == ("Visit", 1)
    both = desk.report("stage-entered", period="2026-11", group_by=["pipeline", "stage"]).rows
    assert {row.labels[1] for row in both if row.keys[0] == "pipelines/other"} == {"Visit", "Needs", "Quote"}


def test_B3_each_pipeline_goes_by_its_own_way(desk: Desk) -> None:
    _along(desk, 1, 4)
    other = Deal("opportunities/2", "2026-11-02T10:00", pipeline="pipelines/other", stage="quote")
    _opened(other, 1)
    other.move("visit", "2026-11-03T10:00")
    moved: Any = other.told[-1][0]
    moved.from_place, moved.to_place, moved.to_stage_display_name = 1, 2, "Visit"
    desk.hear(*other.told)
    by_both = desk.figures("stage-entered", period="2026-11", group_by=["pipeline", "stage"])
    assert [*by_both] == [
        *(("pipelines/mine", stage) for stage in WAY),
        ("pipelines/other", "quote"),
        ("pipelines/other", "visit"),
    ]


@pytest.mark.parametrize("chart", [pb.Board.FUNNEL, pb.Board.RANKING])
def test_B3_B33_a_funnel_in_files_goes_by_the_way_and_has_its_conversion_drawn(desk: Desk, chart: Any) -> None:
    for number, stages in enumerate((4, 3, 3, 2, 2, 1, 1)):
        _along(desk, number, stages)
    tile = pb.Board.Tile(kpi="kpis/stage-entered", overlay_kpi="kpis/stage-conversion", group_by=["stage"], chart=chart)
    board = pb.Board(display_name="x", period="2026-11", tiles=[tile])
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="way", board=board))
    names = [stage.title() for stage in WAY]
    book = export(desk, "way", Format.XLSX)
    assert [row[0] for row in exported.table(book)[1:-1]] == names
    drawn = exported.everything(book)
    assert drawn.count("<c:barChart>") == 2
    assert "!$C$6:$C$9" in drawn  # the overlay's cells
    (page,) = exported.pages(export(desk, "way", Format.PDF))
    # In the picture and in the table below it.
    assert [page.count(share) for share in ("71.4%", "60.0%", "33.3%")] == [2, 2, 2]
    assert page.index("Visit") < page.index("Needs") < page.index("Quote") < page.index("Negotiation")
    (slide,) = exported.slides(export(desk, "way", Format.PPTX))
    for chart_of_slide in exported.charts(slide):
        assert [*chart_of_slide.plots[0].categories] == names
    assert len(exported.charts(slide)) == 2
