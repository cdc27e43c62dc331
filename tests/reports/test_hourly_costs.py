"""What a channel costs in an hour, and what its leads of that hour are compared with."""

from __future__ import annotations

import calendar
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import money
from dealwright.leads.v1.leads_pb2 import Channel
from dealwright.reports.v1 import costs_pb2 as pb
from dealwright.reports.v1 import reports_pb2
from reports.domain import cost
from reports.domain.cost import Spent
from reports.domain.posting import HOUR
from reports.servicer.costs import CostServicer
from tests.reports.deals import Deal
from tests.reports.desk import Desk, now_text
from tests.reports.desk import money as paid
from tests.reports.leads import Lead


@given(
    st.integers(1, 10**16),
    st.sampled_from(("CNY", "JPY", "KWD")),
    # Months have 28 to 31 days, and an hour less or more where clocks are changed.
    st.sampled_from([24 * days + change for days in (28, 29, 30, 31) for change in (-1, 0, 1)]),
)
def test_B19_the_hours_of_a_month_cost_what_the_month_does_and_each_an_equal_share(
    amount: int, currency: str, hours: int
) -> None:
    posted = cost.postings(Spent(1, False, "DOUYIN", 7 * HOUR, (7 + hours) * HOUR, amount, currency))
    coin = int(money.coin(currency) * money.UNITS)
    assert [one.happen_time // HOUR for one in posted] == list(range(7, 7 + hours))
    assert sum(one.amount for one in posted) == amount
    so_far = 0
    for hour, one in enumerate(posted[:-1], 1):
        so_far += one.amount
        assert one.amount >= 0
        assert one.amount % coin == 0
        assert 0 <= Fraction(amount * hour, hours) - so_far < 2 * coin
        assert abs(one.amount - Fraction(amount, hours)) < 2 * coin


def test_B17_B19_of_a_week_that_lies_in_two_months_those_leads_count_whose_month_has_a_cost(priced: Desk) -> None:
    """The last of October 2026 is a Saturday."""
    _cost(priced, "WEB_FORM", 3000, "2026-11")
    for number, day in enumerate(("2026-10-31", "2026-11-01", "2026-11-01")):
        priced.hear(*Lead(f"leads/{number}", f"{day}T10:00", channel="WEB_FORM").told)
    asked: dict[str, Any] = {"period": "2026-10-26..2026-11-01"}
    assert priced.figures("cost-per-lead", **asked, group_by=["week"]) == {"2026-10-26": 50}
    assert priced.figures("cost-per-lead", **asked, group_by=["channel", "week"]) == {("WEB_FORM", "2026-10-26"): 50}
    by_hour = priced.counted("cost-per-lead", **asked, group_by=["hour"])
    assert by_hour == {"2026-11-01T10": pytest.approx(3000 / 720 / 2, abs=0.01)}
    assert priced.figure("cost-per-lead", **asked) == 50


@pytest.fixture
def priced(desk: Desk) -> Desk:
    desk.also(CostServicer())
    return desk


def _cost(desk: Desk, channel: str, amount: int, month: str) -> pb.ChannelCost:
    of = pb.ChannelCost(channel=Channel.Value(channel), month=month, amount=paid(amount))
    made: pb.ChannelCost = desk.call("CreateChannelCost", pb.CreateChannelCostRequest(channel_cost=of))
    desk.roll()
    return made


def test_B19_a_months_cost_is_what_its_days_cost_and_its_hours(priced: Desk) -> None:
    _cost(priced, "DOUYIN", 50, "2026-10")
    _cost(priced, "TRADE_SHOW", 12_345, "2026-10")
    for grain, most in (("hour", 744), ("day", 31)):
        by = priced.figures("channel-cost", period="2026-10", group_by=["channel", grain])
        assert len(by) == 2 * most
        for channel, whole in (("DOUYIN", 50), ("TRADE_SHOW", 12_345)):
            mine = [value for (key, _), value in by.items() if key == channel and value is not None]
            cents = [round(value * 100) for value in mine]
            assert [cent / 100 for cent in cents] == mine
            assert sum(cents) == whole * 100
            assert max(cents) - min(cents) <= 1
    assert priced.figure("channel-cost", period="2026-10") == 12_395
    # Whatever is added up is its part of the month: a week, an hour's worth of rounding at most.
    week = priced.figure("channel-cost", period="2026-10-05..2026-10-11")
    assert week == pytest.approx(12_395 * 7 / 31, abs=0.02)


def test_B17_B19_what_channels_brought_for_what_they_cost_by_day_and_by_hour(priced: Desk) -> None:
    web, show = Lead("leads/w", "2026-10-10T10:20"), Lead("leads/s", "2026-10-10T11:20", "TRADE_SHOW")
    won = Deal("opportunities/w", "2026-10-21T10:00", 900, fields={"lead": "leads/w"}).win("2026-11-10T10:00")
    priced.hear(*web.told, *show.told, *won.told)
    _cost(priced, "WEB_FORM", 744, "2026-10")
    _cost(priced, "TRADE_SHOW", 7_440, "2026-10")
    day: dict[str, Any] = {"period": "2026-10-10"}
    assert priced.figures("roi", **day, group_by=["channel"]) == {"TRADE_SHOW": 0, "WEB_FORM": 900 / 24}
    assert priced.figures("cost-per-lead", **day, group_by=["channel"]) == {"TRADE_SHOW": 240, "WEB_FORM": 24}
    by_hour = priced.figures("roi", **day, group_by=["channel", "hour"])
    assert len(by_hour) == 48
    assert by_hour["WEB_FORM", "2026-10-10T10"] == 900
    assert by_hour["WEB_FORM", "2026-10-10T11"] == 0
    each = priced.figures("cost-per-lead", **day, group_by=["channel", "hour"])
    assert {keys: value for keys, value in each.items() if value is not None} == {
        ("TRADE_SHOW", "2026-10-10T11"): 10,
        ("WEB_FORM", "2026-10-10T10"): 1,
    }


def test_B19_today_is_compared_with_what_today_costs(priced: Desk) -> None:
    now = now_text()
    days = calendar.monthrange(*map(int, now[:7].split("-")))[1]
    priced.hear(*Lead("leads/a", now[:16]).told, *Lead("leads/b", now[:16]).told)
    _cost(priced, "WEB_FORM", 100 * days, now[:7])
    assert priced.figure("channel-cost", period="today") == 100
    assert priced.figure("cost-per-lead", period="today") == 50
    assert priced.figure("roi", period="today") == 0


def test_B19_where_no_cost_was_recorded_there_is_none_rather_than_nothing(priced: Desk) -> None:
    priced.hear(*Lead("leads/w", "2026-10-10T10:00").told, *Lead("leads/s", "2026-10-10T10:00", "TRADE_SHOW").told)
    gone = _cost(priced, "TRADE_SHOW", 744, "2026-10")
    by_channel = priced.figures("cost-per-lead", period="2026-10", group_by=["channel"])
    assert by_channel == {"TRADE_SHOW": 744, "WEB_FORM": None}
    by_hour = priced.figures("cost-per-lead", period="2026-10-10", group_by=["channel", "hour"])
    assert by_hour["TRADE_SHOW", "2026-10-10T10"] == 1
    assert by_hour["WEB_FORM", "2026-10-10T10"] is None
    priced.call("DeleteChannelCost", pb.DeleteChannelCostRequest(name=gone.name))
    priced.roll()
    for kpi in ("channel-cost", "cost-per-lead", "roi"):
        assert priced.figure(kpi, period="2026-10") is None
        assert not priced.report(kpi, period="2026-10").total.figure.HasField("amount")
    assert priced.figures("cost-per-lead", period="2026-10", group_by=["channel"]) == {
        "TRADE_SHOW": None,
        "WEB_FORM": None,
    }


def test_B19_what_it_costs_is_told_where_the_figure_is(priced: Desk) -> None:
    for kpi in ("roi", "cost-per-lead", "channel-cost"):
        said = priced.call("GetKpi", reports_pb2.GetKpiRequest(name=f"kpis/{kpi}"))
        assert "the period's hours in that month / the month's hours" in said.description
        assert "期内小时数 ÷ 当月小时数" in said.description_zh


def test_B19_of_a_cost_that_is_changed_each_hour_is_another_and_what_was_known_stays(priced: Desk) -> None:
    of = _cost(priced, "WEB_FORM", 744, "2026-10")
    then = now_text()
    of.amount.units = 1_488
    priced.call("UpdateChannelCost", pb.UpdateChannelCostRequest(channel_cost=of))
    priced.roll()
    hour: dict[str, Any] = {"period": "2026-10-31", "group_by": ["hour"]}
    assert set(priced.figures("channel-cost", **hour).values()) == {2}
    assert set(priced.figures("channel-cost", **hour, as_of=then).values()) == {1}
    assert priced.figure("channel-cost", period="2026-10", as_of=then) == 744
