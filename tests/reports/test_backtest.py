"""How right a forecast was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from chassis.access import Principal
from chassis.errors import Refused
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.deal import AWAITING, ON_HOLD
from tests.reports.deals import Deal
from tests.reports.desk import LI, Desk
from tests.reports.test_abroad import _rate as told_rate


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
    # Of three that had come into the first stage and were decided by then, two were won.
    assert (october.date, october.forecast.units, october.open, october.undecided) == ("2026-10-01", 6000, 3, 1)
    assert october.decided_forecast.units == 2666
    assert october.won.units == 1000
    assert october.error == pytest.approx(1 - 1000 / (8000 / 3))
    # By November three of five; nothing that was open then is decided yet.
    assert (november.forecast.units, november.open, november.undecided) == (3000, 1, 1)
    assert not november.HasField("error")
    assert backtest(desk).mean_error == pytest.approx(october.error)


def test_B25_a_month_of_which_nothing_was_won_counts_by_what_was_forecast_of_it(desk: Desk) -> None:
    """Of what had been decided half was won. On the 1st of September a million was open and lost since; by October a
    third, and what was open then was won and brought 1 000."""
    deals = [
        Deal("opportunities/a", "2026-07-02T10:00", 10).win("2026-07-20T10:00"),
        Deal("opportunities/b", "2026-07-02T10:00", 10).lose("2026-07-20T10:00"),
        Deal("opportunities/c", "2026-08-02T10:00", 1_000_000).lose("2026-09-20T10:00"),
        Deal("opportunities/d", "2026-09-25T10:00", 1_000).win("2026-10-10T10:00"),
    ]
    desk.hear(*(told for deal in deals for told in deal.told))
    said = backtest(desk, months=3)
    _, october, september = said.months
    assert (september.decided_forecast.units, september.won.units, september.error) == (500_000, 0, 1)
    assert (october.decided_forecast.units, october.won.units) == (333, 1_000)
    assert october.error == pytest.approx(1 - 3, abs=0.01)
    off = 500_000 + 1_000 * 2 / 3
    assert said.mean_error == pytest.approx(off / (500_000 + 1_000 / 3))
    # Where nothing was forecast nothing can be told.
    assert not backtest(desk, months=1).HasField("mean_error")


def test_B25_what_is_not_decided_yet_is_not_taken_as_lost(desk: Desk) -> None:
    deals = [Deal(f"opportunities/c{n}", "2026-06-01T10:00", 1000) for n in range(10)]
    told = [one for n, of in enumerate(deals) for one in (of.win if n < 5 else of.lose)("2026-07-01T10:00").told]
    for n in range(30):
        told += Deal(f"opportunities/o{n}", "2026-10-20T10:00", 1000).told
    desk.hear(*told)
    assert desk.figure("forecast") == 30_000 * 5 / 10
    assert dict(desk.report("forecast").total.figure.inputs) == {"amount": 30_000, "won": 5, "lost": 5}
    # Of what came in of which nothing is decided nothing can be said.
    desk.hear(*Deal("opportunities/q", "2026-10-20T10:00", 70).move("quote", "2026-10-21T10:00").told)
    assert desk.figures("forecast", group_by=["stage"])["quote"] is None


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
    assert october.forecast.units == october.decided_forecast.units == 500


def test_B25_what_came_of_deals_abroad_is_laid_beside_the_forecast_in_the_companys_currency(desk: Desk) -> None:
    """Half of what was decided was won; a thousand euro were open when one was worth eight, and are worth nine now."""
    past = [
        Deal("opportunities/a", "2026-09-02T10:00", 10).win("2026-09-20T10:00"),
        Deal("opportunities/b", "2026-09-02T10:00", 10).lose("2026-09-20T10:00"),
        Deal("opportunities/c", "2026-09-02T10:00", 10).win("2026-09-20T10:00"),
    ]
    there = [
        Deal("opportunities/d", "2026-09-25T10:00", 1000, currency="EUR").win("2026-10-10T10:00"),
        Deal("opportunities/e", "2026-09-25T10:00", 500, currency="EUR").lose("2026-10-10T10:00"),
    ]
    rates = [told_rate("2026-09-01", "8"), told_rate("2026-11-01", "9")]
    desk.hear(*rates, *(told for deal in (*past, *there) for told in deal.told))
    october = backtest(desk).months[1]
    assert october.won.units == 8000
    assert october.decided_forecast.units == october.forecast.units > 0
    assert october.error == pytest.approx(1 - 8000 / october.forecast.units, abs=1e-3)


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
    with pytest.raises(Refused, match=r"forecasts nothing: .* reports/forecast"):
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
    # All of what was quoted in the other and is decided was won.
    assert desk.figure("forecast") == 700
    assert desk.figures("forecast", group_by=["stage"])["quote"] == 700
    assert desk.figures("forecast", group_by=["pipeline"]) == {"pipelines/six-stage": 0, "pipelines/four": 700}
    assert backtest(desk, months=1).months[0].forecast.units == 700


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


def test_B25_V1_what_is_on_hold_is_in_no_forecast_and_what_awaits_its_approval_is(desk: Desk) -> None:
    house(desk)
    # Of five that came into the first stage and are decided three were won.
    assert desk.figure("forecast") == 3000
    held = Deal("opportunities/held", "2026-09-25T10:00", 8000).move("waiting", "2026-10-25T10:00", ON_HOLD)
    desk.hear(*held.told)
    assert desk.figure("forecast") == 3000
    awaiting = Deal("opportunities/awaits", "2026-09-25T10:00", 4000).move("quote", "2026-10-25T10:00", AWAITING)
    desk.hear(*awaiting.told)
    by_stage = {row.keys[0]: row.figure.inputs["amount"] for row in desk.report("forecast", group_by=["stage"]).rows}
    assert (by_stage["first-contact"], by_stage["quote"]) == (5000, 4000)
    assert "waiting" not in by_stage
    kpi = desk.call("GetKpi", pb.GetKpiRequest(name="kpis/forecast"))
    assert "on hold" in kpi.description
    assert "搁置" in kpi.description_zh
