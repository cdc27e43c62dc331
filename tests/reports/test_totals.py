"""Figures of several channels together: of those that have a cost, and weighed by their shares."""

from __future__ import annotations

from typing import Any

import pytest

from dealwright.reports.v1 import reports_pb2 as pb
from reports.servicer.costs import CostServicer
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import LI, Desk
from tests.reports.exported import FORMATS, export
from tests.reports.leads import Lead
from tests.reports.test_sources import _business, _cost

OCTOBER: dict[str, Any] = {"period": "2026-10"}
TENTH: dict[str, Any] = {"period": "2026-10-10"}
Measure = pb.Kpi.Measure


@pytest.fixture
def priced(desk: Desk) -> Desk:
    """Of October: two leads of the web, with 900 won, which cost 744, one an hour; two of the show, with 1 000 won, at
    no cost that anybody recorded; none of Douyin, which cost 1 488."""
    desk.also(CostServicer())
    desk.hear(*(told for one in _business() for told in one.told))
    _cost(desk, "WEB_FORM", 744)
    _cost(desk, "DOUYIN", 1_488)
    return desk


@pytest.fixture
def waiting(desk: Desk) -> Desk:
    """Of the show ten leads, of whom one was answered after ten hours; of the web ten, all after one; five of Douyin
    from the south, who wait."""
    for n in range(10):
        show = Lead(f"leads/s{n}", "2026-10-10T09:00", "TRADE_SHOW").assign("people/li", "2026-10-10T09:00")
        web = Lead(f"leads/w{n}", "2026-10-10T09:00").assign("people/li", "2026-10-10T09:00")
        told = [*(show.contact("2026-10-10T19:00") if n == 0 else show).told, *web.contact("2026-10-10T10:00").told]
        desk.hear(*told, roll=False)
    desk.hear(*(told for n in range(5) for told in Lead(f"leads/d{n}", "2026-10-10T09:00", "DOUYIN", "华南").told))
    return desk


def _total(desk: Desk, kpi: str, **asked: Any) -> tuple[Any, float]:
    return _value(desk.report(kpi, **asked).total.figure)


def _value(of: pb.Report.Figure) -> tuple[Any, float]:
    """And how much is not in it."""
    return (of.value if of.HasField("value") else None), of.left_out


def _explained(desk: Desk, kpi: str, asked: dict[str, Any], *keys: str, **more: Any) -> pb.Report.Figure:
    request = pb.ExplainFigureRequest(name=f"reports/{kpi}", keys=keys, **asked, **more)
    found: pb.Explanation = desk.call("ExplainFigure", request)
    return found.figure


def _behind(desk: Desk, kpi: str, measure: str, asked: dict[str, Any], *keys: str, **more: Any) -> set[str]:
    request = pb.ListRecordsRequest(parent=f"reports/{kpi}", measure=measure, keys=keys, page_size=100, **asked, **more)
    return {one.name for one in desk.call("ListRecords", request).records}


def test_B17_the_return_of_all_channels_is_that_of_those_with_a_cost(desk: Desk) -> None:
    """What a channel of unknown cost brought is no return on the others."""
    desk.also(CostServicer())
    won = (("web", "WEB_FORM", 1_000), ("show", "TRADE_SHOW", 99_000))
    for name, channel, amount in won:
        lead = Lead(f"leads/{name}", "2026-10-10T10:00", channel)
        deal = Deal(f"opportunities/{name}", "2026-10-21T10:00", amount, fields={"lead": lead.name})
        desk.hear(*lead.told, *deal.win("2026-10-30T10:00").told)
    _cost(desk, "WEB_FORM", 1_000)
    assert desk.figures("roi", **OCTOBER, group_by=["channel"]) == {"TRADE_SHOW": None, "WEB_FORM": 1}
    assert desk.figure("roi", **OCTOBER) == 1
    assert desk.figures("cost-per-lead", **OCTOBER, group_by=["channel"]) == {"TRADE_SHOW": None, "WEB_FORM": 1_000}
    assert desk.figure("cost-per-lead", **OCTOBER) == 1_000
    # However it is grouped, or narrowed.
    for group in (["channel"], ["hour"], ["channel", "day"]):
        assert desk.figure("roi", **OCTOBER, group_by=group) == 1
    assert desk.figure("roi", **OCTOBER, filter="channel = TRADE_SHOW") is None


def test_B17_B18_a_channel_that_cost_something_and_brought_nothing_stays_in_the_total(priced: Desk) -> None:
    assert priced.figures("cost-per-lead", **OCTOBER, group_by=["channel"]) == {
        "DOUYIN": None,
        "TRADE_SHOW": None,
        "WEB_FORM": 372,
    }
    assert priced.figure("cost-per-lead", **OCTOBER) == (744 + 1_488) / 2
    assert priced.figure("roi", **OCTOBER) == 900 / (744 + 1_488)


def test_B19_an_hour_of_several_channels_is_of_those_with_a_cost(priced: Desk) -> None:
    ten = "2026-10-10T10"
    by_hour = priced.figures("roi", **TENTH, group_by=["hour"])
    assert (by_hour[ten], by_hour["2026-10-10T11"]) == (900 / 3, 0)
    by_hour = priced.figures("cost-per-lead", **TENTH, group_by=["hour"])
    assert {hour: value for hour, value in by_hour.items() if value is not None} == {ten: 1.5}


def test_B33_B41_behind_a_return_is_what_its_channels_brought_and_cost(priced: Desk) -> None:
    said = _explained(priced, "roi", OCTOBER)
    assert (said.value, dict(said.inputs)) == (900 / 2_232, {"amount": 900, "cost": 2_232})
    assert _behind(priced, "roi", "amount", OCTOBER) == {"opportunities/w"}
    assert _behind(priced, "cost-per-lead", "captured", OCTOBER) == {"leads/w0", "leads/w1"}
    hour: dict[str, Any] = {**TENTH, "group_by": ["hour"]}
    said = _explained(priced, "roi", hour, "2026-10-10T10")
    assert (said.value, dict(said.inputs)) == (300, {"amount": 900, "cost": 3})
    assert _behind(priced, "roi", "amount", hour, "2026-10-10T10") == {"opportunities/w"}
    # A channel by itself has all that it brought, without a cost as well.
    channel: dict[str, Any] = {**OCTOBER, "group_by": ["channel"]}
    assert _behind(priced, "roi", "amount", channel, "TRADE_SHOW") == {"opportunities/s0", "opportunities/s1"}
    assert _behind(priced, "roi", "amount", channel) == {"opportunities/w"}


def test_B37_V7_ctre_weighs_each_channels_time_by_its_share_of_the_leads_captured(waiting: Desk) -> None:
    assert waiting.figures("ctre", **OCTOBER, group_by=["channel"]) == {"DOUYIN": None, "TRADE_SHOW": 10, "WEB_FORM": 1}
    # 10 h x 10 / 20 + 1 h x 10 / 20; by those answered it would be (10 + 10 x 1) / 11.
    assert _total(waiting, "ctre", **OCTOBER) == (pytest.approx(5.5), 5)
    assert _total(waiting, "ctre-literal", **OCTOBER) == (pytest.approx(5.5 / 25), 5)
    for group in (["channel"], ["hour"], ["region", "day"], ["owner"]):
        assert _total(waiting, "ctre", **OCTOBER, group_by=group) == (pytest.approx(5.5), 5)
    assert _total(waiting, "ctre", who=LI, **OCTOBER) == (pytest.approx(5.5), 0)


def test_B37_each_group_is_weighed_by_itself_and_says_what_is_not_in_it(waiting: Desk) -> None:
    late = Lead("leads/late", "2026-10-10T09:30", "WECHAT", "华南").assign("people/wang", "2026-10-10T09:30")
    waiting.hear(*late.contact("2026-10-10T12:30").told)
    rows = {row.keys[0]: row.figure for row in waiting.report("ctre", **OCTOBER, group_by=["region"]).rows}
    assert {region: _value(one) for region, one in rows.items()} == {
        "华东": (pytest.approx(5.5), 0),
        "华南": (pytest.approx(3), 5),
    }
    assert dict(rows["华南"].inputs) == {"seconds": 3 * 3_600, "answered": 1, "captured": 6}
    by_hour = waiting.report("ctre", **TENTH, group_by=["hour"]).rows
    nine = next(row.figure for row in by_hour if row.keys[0] == "2026-10-10T09")
    assert _value(nine) == (pytest.approx((10 * 10 + 10 * 1 + 3) / 21), 5)
    assert _total(waiting, "ctre", **OCTOBER, filter="channel = DOUYIN") == (None, 5)
    assert _total(waiting, "ctre", period="2026-09") == (None, 0)


def test_B33_B41_behind_ctre_are_all_its_leads(waiting: Desk) -> None:
    said = _explained(waiting, "ctre", OCTOBER)
    assert _value(said) == (pytest.approx(5.5), 5)
    assert dict(said.inputs) == {"seconds": 20 * 3_600, "answered": 11, "captured": 25}
    assert len(_behind(waiting, "ctre", "captured", OCTOBER)) == 25
    assert len(_behind(waiting, "ctre", "answered", OCTOBER)) == 11


@pytest.mark.parametrize(
    ("tongue", "words"),
    [("zh", "未计入（所属分组无数值）：5"), ("en", "Not in it, of groups without a figure: 5")],
)
@pytest.mark.parametrize("format", FORMATS)
def test_B37_B33_a_file_says_how_many_leads_are_not_in_ctre(
    waiting: Desk, format: int, tongue: str, words: str
) -> None:
    file = export(waiting, "ctre", format, language=tongue, **OCTOBER)
    assert words.replace(" ", "") in exported.everything(file).replace(" ", "")


def test_B11_a_kpi_of_ones_own_is_weighed_by_a_measure_that_its_formula_leaves_out(waiting: Desk) -> None:
    made = pb.Kpi(
        display_name="Hours to answer, by where leads come from",
        unit=pb.Kpi.HOURS,
        measures=[
            Measure(id="seconds", fact="lead.answered", value=Measure.SECONDS),
            Measure(id="answered", fact="lead.answered"),
            Measure(id="captured", fact="lead.captured"),
        ],
        formula="seconds / answered / 3600",
        dimensions=["region"],
        total=pb.Kpi.SHARE,
    )
    waiting.call("CreateKpi", pb.CreateKpiRequest(kpi_id="by-region", kpi=made))
    assert _total(waiting, "by-region", **OCTOBER) == (pytest.approx(20 / 11), 5)


@pytest.fixture
def quarter(desk: Desk) -> Desk:
    """In each month from July to September one lead of the web, of which 1 000 were won; July cost 1 000, as recorded.
    Of the show 500 in August, of which nothing came then, and 99 in September."""
    desk.also(CostServicer())
    for month in ("07", "08", "09"):
        lead = Lead(f"leads/{month}", f"2026-{month}-10T10:00")
        deal = Deal(f"opportunities/{month}", f"2026-{month}-21T10:00", 1_000, fields={"lead": lead.name})
        desk.hear(*lead.told, *deal.win(f"2026-{month}-28T10:00").told)
    show = Lead("leads/show", "2026-09-10T10:00", "TRADE_SHOW")
    deal = Deal("opportunities/show", "2026-09-21T10:00", 99, fields={"lead": show.name}).win("2026-09-28T10:00")
    desk.hear(*show.told, *deal.told)
    _cost(desk, "WEB_FORM", 1_000, "2026-07")
    _cost(desk, "TRADE_SHOW", 500, "2026-08")
    return desk


QUARTER: dict[str, Any] = {"period": "2026-Q3"}


def test_B17_B19_what_came_in_months_of_unknown_cost_is_no_return_on_the_others(quarter: Desk) -> None:
    months = {"2026-07-01": 1, "2026-08-01": 0, "2026-09-01": None}
    assert quarter.figures("roi", **QUARTER, group_by=["month"]) == months
    web = {**QUARTER, "filter": "channel = WEB_FORM"}
    assert quarter.figures("roi", **web, group_by=["month"]) == {
        "2026-07-01": 1,
        "2026-08-01": None,
        "2026-09-01": None,
    }
    assert quarter.figure("roi", **web) == 1
    assert quarter.figure("cost-per-lead", **web) == 1_000
    assert quarter.figures("roi", **QUARTER, group_by=["channel"]) == {"WEB_FORM": 1, "TRADE_SHOW": 0}
    for group in (
        [],
        ["channel"],
        ["month"],
        ["week"],
        ["hour"],
        ["channel", "week"],
        ["quarter"],
        ["channel", "year"],
    ):
        said = quarter.report("roi", **QUARTER, group_by=group).total.figure
        assert said.value == pytest.approx(1_000 / 1_500), group
        assert said.inputs["amount"] == 1_000, group
    # A week that is of two months has what it cost in the one, and what came in it.
    week = {row.keys[0]: row.figure for row in quarter.report("roi", **web, group_by=["week"]).rows}["2026-07-27"]
    assert week.inputs["cost"] == pytest.approx(1_000 * 5 / 31, abs=0.01)


def test_B17_B33_behind_a_quarters_return_are_the_months_that_have_a_cost(quarter: Desk) -> None:
    by: dict[str, Any] = {**QUARTER, "group_by": ["channel"]}
    for asked, keys in ((QUARTER, ()), (by, ("WEB_FORM",)), ({**QUARTER, "group_by": ["quarter"]}, ("2026-07-01",))):
        said = _explained(quarter, "roi", asked, *keys, measure="amount")
        assert said.inputs["amount"] == 1_000
        assert _behind(quarter, "roi", "amount", asked, *keys) == {"opportunities/07"}
        assert _behind(quarter, "cost-per-lead", "captured", asked, *keys) == {"leads/07"}
    assert _behind(quarter, "roi", "amount", by, "TRADE_SHOW") == set()
    # A month by itself has what it brought, without a cost as well.
    month: dict[str, Any] = {**QUARTER, "group_by": ["channel", "month"]}
    assert _behind(quarter, "roi", "amount", month, "TRADE_SHOW", "2026-09-01") == {"opportunities/show"}
