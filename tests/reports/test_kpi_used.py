"""A KPI that something is of is not deleted under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chassis.errors import Invalid, Refused
from dealwright.reports.v1 import alerts_pb2, exports_pb2, targets_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from reports.servicer.alerts import AlertServicer
from reports.servicer.blueprint import ReportPart
from reports.servicer.exports import ExportServicer
from reports.servicer.targets import TargetServicer
from tests.reports.desk import ADMIN, LI, Desk
from tests.reports.exported import Format

MINE = "kpis/mine"


@pytest.fixture(autouse=True)
def mine(desk: Desk) -> None:
    """A KPI of the administrator's own."""
    for servicer in (AlertServicer(), TargetServicer(), ExportServicer(desk.runtime, desk.servicers[0])):
        desk.also(servicer)
    kpi = pb.Kpi(display_name="Mine", unit=pb.Kpi.COUNT, formula="n", dimensions=["owner"])
    kpi.measures.add(id="n", fact="deal.won")
    desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id="mine", kpi=kpi))


def rule(desk: Desk) -> str:
    of = alerts_pb2.AlertRule(
        display_name="x",
        kpi=MINE,
        condition=alerts_pb2.AlertRule.BELOW,
        limit="5",
        span=alerts_pb2.AlertRule.WEEK,
        notify=["roles/manager"],
    )
    return str(desk.call("CreateAlertRule", alerts_pb2.CreateAlertRuleRequest(alert_rule=of)).name)


def schedule(desk: Desk) -> str:
    of = exports_pb2.ExportSchedule(
        display_name="x",
        report="reports/mine",
        format=Format.CSV,
        span=exports_pb2.ExportSchedule.WEEK,
        hour=9,
        people=["people/li"],
    )
    asked = exports_pb2.CreateExportScheduleRequest(export_schedule=of)
    return str(desk.call("CreateExportSchedule", asked).name)


def target(desk: Desk) -> str:
    of = targets_pb2.Target(kpi=MINE, period="2026-11", value="5")
    return str(desk.call("CreateTarget", targets_pb2.CreateTargetRequest(target=of)).name)


def board(desk: Desk, id: str, owner: str = "") -> str:
    of = pb.Board(display_name="x", period="2026-11", tiles=[pb.Board.Tile(kpi=MINE)], owner=owner)
    return str(desk.call("CreateBoard", pb.CreateBoardRequest(board_id=id, board=of), LI if owner else ADMIN).name)


def refused(desk: Desk) -> str:
    with pytest.raises(Refused) as said:
        desk.call("DeleteKpi", pb.DeleteKpiRequest(name=MINE))
    assert said.value.reason == "IN_USE"
    return str(said.value)


@pytest.mark.parametrize(
    ("make", "delete"),
    [
        (rule, ("DeleteAlertRule", alerts_pb2.DeleteAlertRuleRequest)),
        (schedule, ("DeleteExportSchedule", exports_pb2.DeleteExportScheduleRequest)),
        (target, ("DeleteTarget", targets_pb2.DeleteTargetRequest)),
    ],
)
def test_B11_a_kpi_that_a_rule_a_schedule_or_a_target_is_of_is_not_deleted(
    desk: Desk, make: Callable[[Desk], str], delete: tuple[str, Any]
) -> None:
    name = make(desk)
    assert name in refused(desk)
    with pytest.raises(Invalid, match=name), desk.runtime.transaction(ADMIN) as tx:
        ReportPart(desk.runtime).plan(tx, {"kpis": {}})
    method, request = delete
    desk.call(method, request(name=name))
    assert desk.call("DeleteKpi", pb.DeleteKpiRequest(name=MINE)).HasField("delete_time")


def test_B11_a_rule_or_a_schedule_whose_kpi_is_gone_does_not_come_back(desk: Desk) -> None:
    mine, ours = rule(desk), schedule(desk)
    desk.call("DeleteAlertRule", alerts_pb2.DeleteAlertRuleRequest(name=mine))
    desk.call("DeleteExportSchedule", exports_pb2.DeleteExportScheduleRequest(name=ours))
    desk.call("DeleteKpi", pb.DeleteKpiRequest(name=MINE))
    with pytest.raises(Invalid, match=r"alert_rule\.kpi"):
        desk.call("UndeleteAlertRule", alerts_pb2.UndeleteAlertRuleRequest(name=mine))
    with pytest.raises(Invalid, match=r"export_schedule\.report"):
        desk.call("UndeleteExportSchedule", exports_pb2.UndeleteExportScheduleRequest(name=ours))


def test_B11_other_peoples_own_boards_keep_a_kpi_and_are_not_named(desk: Desk) -> None:
    board(desk, "secret", "people/li")
    said = refused(desk)
    assert "secret" not in said
    assert "boards of others" in said
    board(desk, "ours")
    assert "boards/ours" in refused(desk)


def test_B11_of_much_that_uses_a_kpi_some_is_named(desk: Desk) -> None:
    made = [rule(desk) for _ in range(7)]
    said = refused(desk)
    assert sum(name in said for name in made) == 5
    assert "and 2 more" in said
