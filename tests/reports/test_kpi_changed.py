"""A KPI that counted otherwise before: what was known then goes by what it was, and by the dimensions that it had."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import Invalid
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports.deals import Deal
from tests.reports.desk import Desk, moment

BEFORE = "2026-11-15T10:00"
Tile = pb.Board.Tile


@pytest.fixture(autouse=True)
def changed(desk: Desk) -> None:
    """Until the 20th a KPI counted follow-ups, by owner; since then opportunities, by channel too."""
    desk.hear(*Deal("opportunities/a", "2026-11-02T10:00", 600, fields={"source": "WEB"}).told)
    counted = pb.Kpi(display_name="Done", unit=pb.Kpi.COUNT, formula="n", dimensions=["owner"])
    counted.measures.add(id="n", fact="activity.checked_in")
    with time_machine.travel("2026-11-10T04:00:00+00:00", tick=True):
        counted = desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id="done", kpi=counted))
    counted.measures[0].fact = "deal.opened"
    counted.dimensions[:] = ["channel"]
    mask = FieldMask(paths=["measures", "dimensions"])
    with time_machine.travel("2026-11-20T04:00:00+00:00", tick=True):
        desk.call("UpdateKpi", pb.UpdateKpiRequest(kpi=counted, update_mask=mask))


@pytest.mark.parametrize(
    ("field", "asked"), [("group_by", {"group_by": ["channel"]}), ("filter", {"filter": "channel = WEB"})]
)
def test_B11_a_dimension_that_a_kpi_had_not_then_is_refused_by_those_it_had(
    desk: Desk, field: str, asked: dict[str, Any]
) -> None:
    assert desk.figure("done", period="2026-11", **asked) == 1
    with pytest.raises(Invalid) as refused:
        desk.figure("done", as_of=BEFORE, period="2026-11", **asked)
    (wrong,) = refused.value.violations
    assert wrong.field == field
    assert "there are owner, customer, manager, team, owner_region" in wrong.english
    assert desk.figures("done", as_of=BEFORE, period="2026-11", group_by=["owner"]) == {}


@pytest.mark.parametrize(
    "tile",
    [
        Tile(kpi="kpis/done", group_by=["channel"], chart=pb.Board.BAR),
        Tile(kpi="kpis/done", filter="channel = WEB"),
    ],
    ids=["grouped", "narrowed"],
)
def test_B40_a_tile_of_what_its_kpi_had_not_then_is_empty_and_the_rest_answers(desk: Desk, tile: Tile) -> None:
    over = Tile(kpi="kpis/opportunities-opened", group_by=["channel"], chart=pb.Board.LINE, overlay_kpi="kpis/done")
    board = pb.Board(display_name="All", period="2026-11", tiles=[tile, over])
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="all", board=board))
    request = pb.GetReportRequest(name="reports/all")
    now = desk.call("GetReport", request).tiles
    assert (now[0].total.figure.value, now[1].rows[0].overlay.value) == (1, 1)
    request.as_of_time.FromDatetime(moment(BEFORE))
    then = desk.call("GetReport", request).tiles
    assert (then[0].kpi_version, then[0].denied, list(then[0].rows)) == (1, False, [])
    assert not then[0].total.figure.HasField("value")
    assert [(row.figure.value, row.HasField("overlay")) for row in then[1].rows] == [(1, False)]


def test_B40_a_tile_outlives_that_its_kpi_counts_otherwise_from_now_on(desk: Desk) -> None:
    tile = Tile(kpi="kpis/done", group_by=["channel"], chart=pb.Board.BAR)
    board = pb.Board(display_name="All", period="2026-11", tiles=[tile, Tile(kpi="kpis/opportunities-opened")])
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="all", board=board))
    of = desk.call("GetKpi", pb.GetKpiRequest(name="kpis/done"))
    of.measures[0].fact = "activity.checked_in"
    of.dimensions[:] = ["owner"]
    mask = FieldMask(paths=["measures", "dimensions"])
    desk.call("UpdateKpi", pb.UpdateKpiRequest(kpi=of, update_mask=mask))
    first, second = desk.call("GetReport", pb.GetReportRequest(name="reports/all")).tiles
    assert not first.rows
    assert second.total.figure.value == 1
