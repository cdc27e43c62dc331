"""Figures and moments that are larger than what can hold them, and parts that fail beside others that do not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from chassis import telemetry
from chassis.errors import Invalid
from dealwright.reports.v1 import alerts_pb2, targets_pb2
from dealwright.reports.v1 import exports_pb2 as exports
from dealwright.reports.v1 import reports_pb2 as pb
from reports.servicer.alerts import AlertServicer
from reports.servicer.exports import file_of, outlined
from reports.servicer.targets import TargetServicer
from reports.usecases import alerting, reading
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, Desk

Rule, Format = alerts_pb2.AlertRule, exports.ExportReportRequest.Format
TODAY = "2026-11-23T04:00:00+00:00"
WON = pb.Kpi.Measure(id="amount", fact="deal.won", value=pb.Kpi.Measure.AMOUNT)


@pytest.fixture(autouse=True)
def won(desk: Desk) -> Iterator[None]:
    """5000 of Li and 2000 of Zhao, in the week that is over."""
    with time_machine.travel(TODAY, tick=True):
        desk.also(AlertServicer())
        desk.also(TargetServicer())
        for owner, amount in (("people/li", 5000), ("people/zhao", 2000)):
            deal = Deal(f"opportunities/{desk.number()}", "2026-11-18T10:00", amount, owner)
            desk.hear(*deal.win("2026-11-19T10:00").told)
        yield


def kpi(desk: Desk, id: str, formula: str, total: Any = pb.Kpi.FORMULA) -> None:
    made = pb.Kpi(
        display_name=id, unit=pb.Kpi.MONEY, measures=[WON], formula=formula, dimensions=["owner"], total=total
    )
    desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id=id, kpi=made))


def rule(desk: Desk, of: str) -> None:
    asked = Rule(
        display_name=of, kpi=f"kpis/{of}", condition=Rule.ABOVE, limit="1", span=Rule.WEEK, notify=["people/boss"]
    )
    asked.enabled = True
    desk.call("CreateAlertRule", alerts_pb2.CreateAlertRuleRequest(alert_rule=asked))


def raised(desk: Desk) -> list[str]:
    with desk.runtime.transaction() as tx:
        alerting.look(tx, tx.now - timedelta(days=1))
    return [one.title for one in desk.call("ListAlerts", alerts_pb2.ListAlertsRequest()).alerts]


def board(desk: Desk, *kpis: str) -> Any:
    made = pb.Board(display_name="x", tiles=[pb.Board.Tile(kpi=f"kpis/{one}", group_by=["owner"]) for one in kpis])
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="all-of-it", board=made))
    with desk.runtime.reading(ADMIN) as tx:  # as the servicer does
        return desk.servicers[0].GetReport(tx, pb.GetReportRequest(name="reports/all-of-it"))


@pytest.mark.parametrize("formula", ["amount * 1000000000000000000", "amount * 1e90", "amount * -1e90"])
def test_a_figure_beyond_what_an_amount_of_money_holds_is_none_everywhere(desk: Desk, formula: str) -> None:
    kpi(desk, "far", formula)
    assert desk.figure("far") is None
    assert desk.figures("far", group_by=["owner"]) == {"people/li": None, "people/zhao": None}
    explained = desk.call("ExplainFigure", pb.ExplainFigureRequest(name="reports/far"))
    assert (explained.figure.HasField("value"), explained.figure.inputs["amount"]) == (False, 7000)
    far, near = board(desk, "far", "won-amount").tiles
    assert (far.total.figure.HasField("value"), far.failed) == (False, False)
    assert near.total.figure.value == 7000
    for format in (Format.XLSX, Format.CSV, Format.PPTX):
        request = exports.ExportReportRequest(name="reports/all-of-it", format=format)
        with desk.runtime.reading(ADMIN) as tx:
            report, paper = outlined(tx, desk.servicers[0], request)
            assert file_of(report, paper, format, tx.now).content


def test_the_largest_figure_that_an_amount_of_money_holds_is_told(desk: Desk) -> None:
    kpi(desk, "near", "amount * 1000000000000000")
    assert desk.figure("near") == 7e18
    assert desk.report("near").total.figure.amount.units == 7 * 10**18


def test_a_sum_of_figures_beyond_what_an_amount_of_money_holds_is_none(desk: Desk) -> None:
    kpi(desk, "far-in-all", "amount * 1500000000000000", pb.Kpi.SUM)
    assert desk.figures("far-in-all", group_by=["owner"]) == {"people/li": 7.5e18, "people/zhao": 3e18}
    assert desk.figure("far-in-all") is None


def test_R11_a_rule_whose_figure_is_beyond_all_bounds_leaves_the_others(desk: Desk) -> None:
    kpi(desk, "far", "amount * 1e90")
    rule(desk, "far")
    rule(desk, "won-amount")
    assert raised(desk) == ["won-amount"]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure that the database itself refuses to count, as it does a sum beyond its whole numbers."""
    real = reading.table

    def table(tx: Any, of: Any, view: Any) -> Any:
        if of.name == "kpis/opportunities-won":
            tx.connection.exec_driver_sql("SELECT no_such_column FROM postings")
        return real(tx, of, view)

    monkeypatch.setattr(reading, "table", table)


@pytest.mark.usefixtures("broken")
def test_R11_a_rule_that_fails_is_looked_at_again_and_leaves_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(desk, "opportunities-won")
    rule(desk, "won-amount")
    before = failed("reports", "alert rule")
    assert raised(desk) == ["won-amount"]
    assert failed("reports", "alert rule") == before + 1
    monkeypatch.undo()
    assert sorted(raised(desk)) == ["opportunities-won", "won-amount"]


@pytest.mark.usefixtures("broken")
def test_B39_a_tile_that_fails_says_so_and_leaves_the_others(desk: Desk) -> None:
    before = failed("reports", "tile")
    wrong, good = board(desk, "opportunities-won", "won-amount").tiles
    assert (wrong.failed, wrong.denied, wrong.HasField("total"), list(wrong.rows)) == (True, False, False, [])
    assert (good.failed, good.total.figure.value) == (False, 7000)
    assert failed("reports", "tile") == before + 1
    request = exports.ExportReportRequest(name="reports/all-of-it", format=Format.CSV, language="en")
    with desk.runtime.reading(ADMIN) as tx:
        report, paper = outlined(tx, desk.servicers[0], request)
        text = file_of(report, paper, Format.CSV, tx.now).content.decode("utf-8-sig")
    assert "This could not be counted; it was logged." in text


def failed(service: str, part: str) -> float:
    found: float = telemetry.FAILED.labels(service, part)._value.get()
    return found


@pytest.mark.parametrize("period", ["9999-11", "9999-Q3", "9999", "9998-12-01..9999-01-01", "9999-12-31T05"])
def test_a_period_after_the_year_9998_is_refused_by_name(desk: Desk, period: str) -> None:
    with pytest.raises(Invalid) as problem:
        desk.figure("won-amount", period=period)
    assert [one.field for one in problem.value.violations] == ["period"]


@pytest.mark.parametrize("period", ["9998-11", "9998-Q4", "9998", "9998-12-31T23", "0001"])
def test_the_last_period_and_the_first_are_answered(desk: Desk, period: str) -> None:
    assert desk.figure("won-amount", period=period) == 0
    assert not any(desk.figures("won-amount", period=period, group_by=["month"]).values())


@pytest.mark.parametrize("moment", ["9999-12-31T23:00:00Z", "9999-01-01T00:00:00Z"])
@pytest.mark.parametrize("name", ["won-amount", "my-sales"])
def test_a_moment_after_the_year_9998_is_refused_by_name(desk: Desk, name: str, moment: str) -> None:
    request = pb.GetReportRequest(name=f"reports/{name}")
    request.as_of_time.FromJsonString(moment)
    with pytest.raises(Invalid) as problem:
        desk.call("GetReport", request)
    assert [one.field for one in problem.value.violations] == ["as_of_time"]


def test_B16_a_target_of_the_year_9999_is_refused_by_name(desk: Desk) -> None:
    target = targets_pb2.Target(kpi="kpis/won-amount", period="9999-Q4", value="1")
    with pytest.raises(Invalid) as problem:
        desk.call("CreateTarget", targets_pb2.CreateTargetRequest(target=target))
    assert [one.field for one in problem.value.violations] == ["target.period"]


@pytest.mark.parametrize("total", [pb.Kpi.SUM, pb.Kpi.EVENNESS, pb.Kpi.COUNTED])
def test_what_is_made_of_groups_needs_a_dimension_to_group_by(desk: Desk, total: Any) -> None:
    made = pb.Kpi(display_name="e", unit=pb.Kpi.NUMBER, measures=[WON], formula="amount * 7", total=total)
    with pytest.raises(Invalid) as problem:
        desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id="even", kpi=made))
    assert [one.field for one in problem.value.violations] == ["kpi.dimensions"]
