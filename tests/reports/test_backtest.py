"""How right a forecast was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from chassis.access import Principal
from chassis.errors import Refused
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports.deals import Deal
from tests.reports.desk import LI, Desk


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel("2026-11-22T04:00:00+00:00", tick=True):
        yield


def house(desk: Desk) -> None:
    """In September half of what came into the first stage was won. On the 1st of October three were open there: one of
    1 000 was won since, one of 3 000 lost, one of 5 000, Zhao's, is open still."""
    past = [
        Deal("opportunities/a", "2026-09-02T10:00", 10).win("2026-09-20T10:00"),
        Deal("opportunities/b", "2026-09-02T10:00", 10).lose("2026-09-20T10:00"),
        Deal("opportunities/f", "2026-09-02T10:00", 10).win("2026-09-21T10:00"),
    ]
    there = [
        Deal("opportunities/c", "2026-09-25T10:00", 1000).win("2026-10-10T10:00"),
        Deal("opportunities/d", "2026-09-25T10:00", 3000).lose("2026-10-20T10:00"),
        Deal("opportunities/e", "2026-09-25T10:00", 5000, "people/zhao"),
    ]
    desk.hear(*(told for deal in (*past, *there) for told in deal.told))


def backtest(desk: Desk, who: Principal | None = None, months: int = 2) -> pb.BacktestReportResponse:
    request = pb.BacktestReportRequest(name="reports/forecast", months=months)
    found: pb.BacktestReportResponse = desk.call("BacktestReport", request, *([who] if who else []))
    return found


def test_B25_a_forecast_says_how_wrong_it_was(desk: Desk) -> None:
    house(desk)
    november, october = backtest(desk).months
    # Of six that came into the first stage, two were won by then: a third.
    assert (october.date, october.forecast.units, october.open, october.undecided) == ("2026-10-01", 3000, 3, 1)
    assert october.decided_forecast.units == 1333
    assert october.won.units == 1000
    assert october.error == pytest.approx(4000 / 3 / 1000 - 1)
    # By November one more was won: half; nothing that was open then is decided yet.
    assert (november.forecast.units, november.open, november.undecided) == (2500, 1, 1)
    assert not november.HasField("error")
    assert backtest(desk).mean_error == pytest.approx(1 / 3)


def test_B25_a_forecast_of_some_is_laid_beside_what_was_won_of_those(desk: Desk) -> None:
    web, show = {"source": "WEB"}, {"source": "TRADE_SHOW"}
    deals = [
        Deal("opportunities/a", "2026-09-02T10:00", 10, fields=web).win("2026-09-20T10:00"),
        Deal("opportunities/b", "2026-09-02T10:00", 10, fields=web).lose("2026-09-20T10:00"),
        Deal("opportunities/c", "2026-09-25T10:00", 1000, fields=web).win("2026-10-10T10:00"),
        Deal("opportunities/d", "2026-09-25T10:00", 900_000, fields=show).win("2026-10-10T10:00"),
    ]
    desk.hear(*(told for deal in deals for told in deal.told))
    of = desk.call("GetKpi", pb.GetKpiRequest(name="kpis/forecast"))
    for measure in of.measures:
        measure.where.add(dimension="channel", values=["WEB"])
    of.display_name = "Of the web"
    desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id="web-forecast", kpi=of))
    request = pb.BacktestReportRequest(name="reports/web-forecast", months=2)
    october = desk.call("BacktestReport", request).months[1]
    assert (october.open, october.undecided, october.won.units) == (1, 0, 1000)
    assert october.forecast.units == october.decided_forecast.units == 333


def test_B25_a_rep_is_told_of_his_own(desk: Desk) -> None:
    house(desk)
    october = backtest(desk, LI).months[1]
    assert (october.open, october.won.units) == (2, 1000)


def test_B25_what_was_known_then_is_not_changed_by_what_is_learnt_later(desk: Desk) -> None:
    house(desk)
    before = backtest(desk).months[1].forecast
    late = Deal("opportunities/z", "2026-09-28T10:00", 90_000)
    desk.hear(*((event, "2026-11-20T10:00") for event, *_ in late.told))
    assert backtest(desk).months[1].forecast == before


def test_a_kpi_that_forecasts_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="forecasts nothing"):
        desk.call("BacktestReport", pb.BacktestReportRequest(name="reports/won-amount"))


def test_B25_stages_of_two_pipelines_that_have_one_id_have_nothing_else_in_common(desk: Desk) -> None:
    """Nothing that was quoted in the one was ever won, all of it in the other."""
    mine = [
        Deal("opportunities/a", "2026-10-02T10:00", 2000).move("quote", "2026-10-03T10:00"),
        Deal("opportunities/b", "2026-10-02T10:00", 10).move("quote", "2026-10-03T10:00").lose("2026-10-05T10:00"),
    ]
    other = [
        Deal("opportunities/c", "2026-10-02T10:00", 10, pipeline="pipelines/four")
        .move("quote", "2026-10-03T10:00")
        .win("2026-10-05T10:00"),
        Deal("opportunities/d", "2026-10-02T10:00", 700, pipeline="pipelines/four").move("quote", "2026-10-03T10:00"),
    ]
    desk.hear(*(told for deal in (*mine, *other) for told in deal.told))
    # Half of what was quoted in the other was won.
    assert desk.figure("forecast") == 350
    assert desk.figures("forecast", group_by=["stage"])["quote"] == 350
    assert desk.figures("forecast", group_by=["pipeline"]) == {"pipelines/six-stage": 0, "pipelines/four": 350}
    assert backtest(desk, months=1).months[0].forecast.units == 350


def test_B25_the_last_days_of_a_period_that_is_not_over_are_the_last_until_today(desk: Desk) -> None:
    deals = [
        Deal("opportunities/a", "2026-11-02T10:00", 10).win("2026-11-20T10:00"),
        Deal("opportunities/b", "2026-10-02T10:00", 10).win("2026-10-30T10:00"),
        Deal("opportunities/c", "2026-10-02T10:00", 10).win("2026-10-20T10:00"),
    ]
    desk.hear(*(told for deal in deals for told in deal.told))
    lately = pb.Kpi(display_name="Lately", unit=pb.Kpi.COUNT, formula="won", dimensions=["owner"])
    lately.measures.add(id="won", fact="deal.won", span=pb.Kpi.Measure.LAST, days=7)
    desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id="lately", kpi=lately))
    for period in ("2026", "2026-11", "2026-Q4", "2027", "all", "today"):
        assert desk.figure("lately", period=period) == 1, period
        names = desk.call("ListRecords", pb.ListRecordsRequest(parent="reports/lately", period=period)).records
        assert [one.name for one in names] == ["opportunities/a"], period
    # Of one that is over, its own last days.
    assert desk.figure("lately", period="2026-10") == 1
    assert desk.figure("lately", period="2026-10-10..2026-10-22") == 1
    assert not desk.figure("lately", period="2026-10-10..2026-10-28")
