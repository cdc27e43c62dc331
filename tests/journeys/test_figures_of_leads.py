"""What boards say of leads: how soon they are answered, by which channel they come, what that costs and brings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis import clock
from tests.journeys.selling import AFTER, BEFORE, COST, LONG_AGO, Tale, comes, company_day, span


def _hours(lead: dict[str, Any]) -> float:
    """From its capture to its first answer, in whole seconds."""
    began, answered = (datetime.fromisoformat(lead[name]) for name in ("captureTime", "firstResponseTime"))
    return int((answered - began).total_seconds()) / 3600


def _mean(hours: list[float]) -> float:
    return sum(hours) / len(hours)


def _period(tale: Tale, quicker: bool = False) -> str:
    """The days of the captures of the first act, or the second."""
    began = tale.second if quicker else tale.first
    return span(began - timedelta(hours=9), began + timedelta(minutes=30))


def test_B37_B38_X19_L30_response_times_by_channel_weighted_by_their_shares_are_ctre(tale: Tale) -> None:
    for quicker, leads, published in ((False, tale.answered, (4.7, BEFORE)), (True, tale.quicker, (1.3, AFTER))):
        period, (together, each) = _period(tale, quicker), published
        hours = {channel: [_hours(one) for one in leads if one["channel"] == channel] for channel in each}
        said = tale.rows("ctre", "channel", by=tale.desk.api, period=period, filter=tale.here)
        assert said == pytest.approx({channel: _mean(times) for channel, times in hours.items()})
        assert {channel: round(time, 1) for channel, time in said.items()} == {c: time for c, (time, _) in each.items()}
        weighted = sum(_mean(times) * len(times) / len(leads) for times in hours.values())
        total = tale.total("ctre", by=tale.desk.api, period=period, filter=tale.here)
        assert total == pytest.approx(weighted)
        assert round(total or 0, 1) == together


def test_X2_X16_X17_how_many_are_answered_within_an_hour_and_within_four(tale: Tale) -> None:
    def answered(hours: int, period: str) -> float | None:
        return tale.total(f"answered-within-{hours}h", by=tale.desk.api, period=period, filter=tale.here)

    assert answered(1, _period(tale)) == 0
    assert answered(4, _period(tale)) == pytest.approx(6 / 13)
    assert answered(4, _period(tale, quicker=True)) == 1
    day = span(tale.third - timedelta(hours=3), tale.third)
    assert (answered(1, day), answered(4, day)) == (1 / 2, 1)
    assert round((tale.rows("ctre", "channel", by=tale.desk.api, period=day, filter=tale.here)["PHONE_400"]) * 60) == 18


def test_X2_of_the_fields_that_leads_should_have_95_percent_have_a_value(tale: Tale) -> None:
    asked = {"period": _period(tale), "filter": tale.here}
    share = tale.total("lead-completeness", by=tale.desk.api, **asked)
    assert share == pytest.approx(1 - 1 / (4 * 13))
    assert (share or 0) > 0.95
    assert tale.rows("leads-incomplete", "detail", by=tale.desk.api, **asked) == {"COMPANY": 1}


def test_B36_B35_L28_where_leads_come_from_by_region_channel_and_hour(tale: Tale) -> None:
    asked = {"by": tale.desk.api, "period": _period(tale), "filter": tale.here}
    counts = {channel: count for channel, (_, count) in BEFORE.items()}
    assert tale.rows("leads-captured", "region", "channel", **asked) == {
        (tale.region, channel): count for channel, count in counts.items()
    }
    hours: dict[tuple[str, str], int] = {}
    for lead in tale.answered:
        captured = datetime.fromisoformat(lead["captureTime"]).astimezone(clock.company_zone())
        key = (lead["channel"], f"{captured:%Y-%m-%dT%H}")
        hours[key] = hours.get(key, 0) + 1
    assert tale.rows("leads-captured", "channel", "hour", **asked) == hours


def test_B23_leads_that_nobody_followed_up_for_three_days_are_listed(tale: Tale) -> None:
    asked = {"asOfTime": tale.second.isoformat(), "filter": tale.here}
    said = tale.rows("leads-untouched-3d", "channel", by=tale.desk.api, **asked)
    assert said == {channel: count for channel, (_, count) in BEFORE.items()}
    listed = tale.desk.api.get("/v1/reports/leads-untouched-3d/records", pageSize=100, **asked)["records"]
    assert {one["name"] for one in listed} == {lead["name"] for lead in tale.answered}


def test_B17_what_came_of_each_source(tale: Tale) -> None:
    asked = {"by": tale.desk.api, "period": _period(tale), "filter": tale.here}
    assert tale.rows("source-won-amount", "channel", **asked) == {"TRADE_SHOW": 9_000}
    assert tale.rows("lead-win-rate", "channel", **asked) == {"TRADE_SHOW": 1 / 3}


def test_B17_B19_what_a_channel_brought_for_what_it_cost_by_the_month_and_by_the_hour(tale: Tale) -> None:
    asked = {"by": tale.desk.api, "filter": "channel = WECHAT"}
    assert tale.total("roi", period=LONG_AGO, **asked) == 14_880 / COST
    hour = f"{company_day(tale.long_ago)}T10"
    assert tale.rows("roi", "hour", period=company_day(tale.long_ago), **asked) == {hour: 14_880 / (COST / 744)}
    assert tale.total("channel-cost", period=company_day(tale.long_ago), **asked) == COST / 744 * 24


def test_a_scan_that_is_heard_of_late_corrects_the_clocks_and_what_was_known_stays(tale: Tale) -> None:
    """By both axes: when it happened, and when it was learnt; also when all is made anew."""
    region = f"{tale.region}外"
    desk, now = tale.desk, tale.last
    seller = desk.sign_in(desk.hire("丙", region=region))
    wrote = desk.capture(region=region, channel="WEB_FORM", captureTime=(now - timedelta(hours=1)).isoformat())
    seller.post(f"/v1/{wrote['name']}:contact", {"note": "聊过"})
    period = span(now - timedelta(hours=6), now + timedelta(hours=1))

    def hours(**asked: Any) -> dict[str, float]:
        found = tale.rows("ctre", "channel", by=desk.api, period=period, filter=f'region = "{region}"', **asked)
        return {channel: round(time, 1) for channel, time in found.items()}

    comes(hours, {"WEB_FORM": 1.0})
    known = clock.now().isoformat()
    scan = {"phone": wrote["phone"], "channel": "TRADE_SHOW", "captureTime": (now - timedelta(hours=5)).isoformat()}
    desk.api.post("/v1/leads:capture", {"lead": scan})
    comes(hours, {"TRADE_SHOW": 5.0})
    assert hours(asOfTime=known) == {"WEB_FORM": 1.0}
    tale.make_anew()
    comes(hours, {"TRADE_SHOW": 5.0})
    assert hours(asOfTime=known) == {"WEB_FORM": 1.0}
