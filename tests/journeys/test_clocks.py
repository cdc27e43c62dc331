"""What follows when nobody follows up: reassignment, escalation, reclaim, reminders, and how long answers take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.journeys.api import Api
from tests.journeys.desk import Desk

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def notices(api: Api, lead: dict[str, Any]) -> str:
    """The text of the notice about this lead that its reader is asked to act on."""

    def wanted(event: dict[str, Any]) -> bool:
        return bool(event["type"] == "ActionRequested" and event["subject"] == lead["name"] and event.get("notice"))

    return str(api.feed(wanted)["notice"])


def test_L18_R20_a_missed_first_response_goes_to_a_colleague_and_then_to_the_supervisor(
    desk: Desk, region: str
) -> None:
    boss = desk.hire("经理", role="manager")
    team = desk.api.post("/v1/teams", {"displayName": f"{region}组", "manager": boss["name"]})
    people = {desk.hire(name, region=region, team=team["name"])["name"] for name in ("甲", "乙", "丙")}
    earlier = desk.capture(region=region)
    desk.later(MINUTE * 2)
    lead = desk.capture(region=region)
    first = lead["owner"]
    desk.later(MINUTE * 119)  # two hours are the default; when the earlier one's have fired, this one's have a minute
    desk.when(earlier["name"], lambda now: now["ownerVersion"] != earlier["ownerVersion"])
    desk.settle()
    assert desk.lead(lead["name"])["owner"] == first
    desk.later(MINUTE * 1.05)
    lead = desk.when(lead["name"], lambda now: now["owner"] != first)
    second = lead["owner"]
    assert second in people
    decision = desk.decision(lead)
    assert (decision["facts"]["attempt"], decision["facts"]["excluded"]) == (1, [first])
    desk.later(MINUTE * 120.05)
    lead = desk.when(lead["name"], lambda now: now["owner"] not in (first, second))
    assert (lead["owner"], lead["escalatedTo"]) == (boss["name"], boss["name"])
    kinds = [(point["kind"], point.get("owner", "")) for point in desk.chain(lead)]
    assert kinds == [
        ("CAPTURED", ""),
        ("ASSIGNED", first),
        ("ASSIGNED", second),
        ("ESCALATED", boss["name"]),
    ]

    def escalated(event: dict[str, Any]) -> bool:
        return bool(event["type"] == "LeadEscalated" and event["subject"] == lead["name"])

    assert desk.sign_in(boss).feed(escalated)["notice"] == "有线索超时未联系，已升级给您处理"


def test_L18_a_response_in_time_stops_the_clock(desk: Desk, region: str) -> None:
    one, two = desk.hire("甲", region=region), desk.hire("乙", region=region)
    desk.clocks(responseMinutes=1)
    lead = desk.capture(region=region)
    other = desk.capture(region=region)
    owner = one if lead["owner"] == one["name"] else two
    desk.later(MINUTE / 2)
    contacted = desk.sign_in(owner).post(f"/v1/{lead['name']}:contact", {"note": "已电话联系"})
    assert contacted["status"] == "CONTACTED"
    desk.settle()
    desk.later(MINUTE * 0.6)
    desk.when(other["name"], lambda now: now["ownerVersion"] != other["ownerVersion"])
    desk.settle()
    assert desk.lead(lead["name"])["owner"] == owner["name"]
    timers = {t["kind"]: t for t in desk.api.get(f"/v1/{lead['name']}/timers")["timers"]}
    assert timers.get("FIRST_RESPONSE", {"cancelled": True})["cancelled"]


def test_L21_R9_a_lead_untouched_for_14_days_returns_to_the_pool_and_the_supervisor_hears_of_it(
    desk: Desk, region: str
) -> None:
    boss = desk.hire("经理", role="manager")
    owner = desk.hire("甲", region=region, manager=boss["name"])
    earlier, lead, followed = (desk.capture(region=region) for _ in range(3))
    hers = desk.sign_in(owner)
    hers.post(f"/v1/{earlier['name']}:contact")
    desk.later(HOUR)
    for one in (lead, followed):
        hers.post(f"/v1/{one['name']}:contact")
    desk.settle()
    desk.later(DAY * 13)
    hers.post(f"/v1/{followed['name']}:contact", {"note": "跟进"})
    desk.settle()
    desk.later(HOUR * 23.5)
    desk.when(earlier["name"], lambda now: now["status"] == "POOLED")
    desk.settle()
    assert desk.lead(lead["name"])["status"] == "CONTACTED", "half an hour is left"
    desk.later(HOUR * 0.6)
    pooled = desk.when(lead["name"], lambda now: now["status"] == "POOLED")
    assert (pooled.get("owner", ""), pooled["statusReason"]) == ("", "INACTIVE")
    assert notices(desk.sign_in(boss), lead) == "线索14天未跟进，已回收至公海"
    desk.settle()
    assert desk.lead(followed["name"])["status"] == "CONTACTED", "a follow-up starts its 14 days anew"


def test_L22_the_days_until_reclaim_and_who_may_take_how_many_are_settings(desk: Desk, region: str) -> None:
    one, two = desk.hire("甲", region=region), desk.hire("乙", region=f"{region}之外")
    desk.clocks(reclaimDays=3)
    earlier, lead = desk.capture(region=region), desk.capture(region=region)
    desk.sign_in(one).post(f"/v1/{earlier['name']}:contact")
    desk.later(HOUR)
    desk.sign_in(one).post(f"/v1/{lead['name']}:contact")
    desk.settle()
    desk.later(DAY * 3 - HOUR / 2)
    desk.when(earlier["name"], lambda now: now["status"] == "POOLED")
    desk.settle()
    assert desk.lead(lead["name"])["status"] == "CONTACTED", "half an hour is left"
    desk.later(HOUR * 0.6)
    desk.when(lead["name"], lambda now: now["status"] == "POOLED")
    desk.api.post("/v1/blueprint:apply", {"content": {"leads": {"coolDownHours": 0, "pickLimitPerDay": 1}}})
    try:
        hers = desk.sign_in(two)
        assert hers.post(f"/v1/{earlier['name']}:claim")["owner"] == two["name"], "one a day she may"
        with pytest.raises(Exception, match="PICK_LIMIT"):
            hers.post(f"/v1/{lead['name']}:claim")
    finally:
        desk.api.post("/v1/blueprint:apply", {"content": {"leads": {"coolDownHours": 0, "pickLimitPerDay": 10}}})
    assert desk.sign_in(one).post(f"/v1/{lead['name']}:claim")["owner"] == one["name"], "no cool-down is set"
    desk.api.post("/v1/blueprint:apply", {"content": {"leads": {"coolDownHours": 24}}})


def test_L23_R5_the_owner_of_a_lead_of_low_intent_is_reminded_days_later(desk: Desk, region: str) -> None:
    owner = desk.hire("甲", region=region)
    earlier = desk.capture(region=region, intent="LOW")
    desk.later(HOUR)
    lead, other = desk.capture(region=region, intent="LOW"), desk.capture(region=region, intent="HIGH")
    for one in (earlier, lead, other):
        desk.sign_in(owner).post(f"/v1/{one['name']}:contact")
    desk.settle()
    desk.later(DAY * 3 - HOUR / 2)
    assert "培育" in notices(desk.sign_in(owner), earlier)
    desk.settle()
    with pytest.raises(AssertionError):  # half an hour of its three days is left
        desk.sign_in(owner).feed(lambda event: event["subject"] == lead["name"] and "培育" in str(event), seconds=1)
    desk.later(HOUR * 0.6)
    assert notices(desk.sign_in(owner), lead) == "低意向线索需要培育，请安排下一步"
    assert desk.lead(lead["name"])["owner"] == owner["name"], "a reminder takes nothing away"
    with pytest.raises(AssertionError):
        desk.sign_in(owner).feed(lambda event: event["subject"] == other["name"] and "培育" in str(event), seconds=1)


def test_L29_small_teams_work_by_three_colours(desk: Desk, region: str) -> None:
    owner = desk.hire("甲", region=region)
    new, high, medium, low = (desk.capture(region=region, intent=i) for i in ("MEDIUM", "HIGH", "MEDIUM", "LOW"))
    hers = desk.sign_in(owner)
    for one in (high, medium, low):
        hers.post(f"/v1/{one['name']}:contact")
    colours = {desk.lead(one["name"])["attention"]: one for one in (medium, low)}
    assert set(colours) == {"YELLOW", "GREEN"}
    assert {desk.lead(one["name"])["attention"] for one in (new, high)} == {"RED"}
    board = desk.api.get("/v1/leads:summarize", groupBy="attention", filter=f'region = "{region}"')["rows"]
    assert {row["keys"][0]: int(row["leads"]) for row in board} == {"RED": 2, "YELLOW": 1, "GREEN": 1}
    reds = hers.get("/v1/leads", filter=f'attention = RED AND owner = "{owner["name"]}"')["leads"]
    assert {one["name"] for one in reds} == {new["name"], high["name"]}
    desk.later(HOUR * 47.9)
    assert desk.lead(medium["name"])["attention"] == "YELLOW", "of its 72 hours more than 24 are left"
    assert desk.lead(low["name"])["attention"] == "GREEN"
    desk.later(HOUR * 0.2)
    assert desk.lead(medium["name"])["attention"] == "RED", "of its 72 hours less than 24 are left"
    board = desk.api.get("/v1/leads:summarize", groupBy="attention", filter=f'region = "{region}"')["rows"]
    assert {row["keys"][0]: int(row["leads"]) for row in board} == {"RED": 3, "GREEN": 1}


def test_L28_the_heat_map_counts_leads_by_channel_and_region_as_its_reader_may_see(desk: Desk, region: str) -> None:
    one = desk.hire("甲", region=region)
    desk.hire("乙", region=f"{region}东")
    for channel, where in (("DOUYIN", region), ("DOUYIN", f"{region}东"), ("WECHAT", region)):
        desk.capture(region=where, channel=channel)
    everything = desk.api.get("/v1/leads:summarize", groupBy=["channel", "region"])["rows"]
    mine = {tuple(row["keys"]): int(row["leads"]) for row in everything if row["keys"][1].startswith(region)}
    assert mine == {("DOUYIN", region): 1, ("DOUYIN", f"{region}东"): 1, ("WECHAT", region): 1}
    hers = desk.sign_in(one).get("/v1/leads:summarize", groupBy=["channel", "region"], filter="status = ASSIGNED")
    assert {tuple(row["keys"]) for row in hers["rows"]} == {("DOUYIN", region), ("WECHAT", region)}


def test_L30_E11_first_response_is_measured_from_capture_for_each_channel(desk: Desk, region: str) -> None:
    owner = desk.hire("甲", region=region)
    hers = desk.sign_in(owner)
    show = [desk.capture(region=region, channel="TRADE_SHOW") for _ in range(2)]
    web = desk.capture(region=region, channel="WEB_FORM")
    hers.post(f"/v1/{web['name']}:contact")
    desk.later(MINUTE * 10)
    hers.post(f"/v1/{show[0]['name']}:contact")
    desk.later(MINUTE * 20)
    hers.post(f"/v1/{show[1]['name']}:contact")
    hers.post(f"/v1/{web['name']}:contact", {"note": "再次联系"})
    answer = desk.api.get("/v1/leads:summarize", groupBy="channel", filter=f'region = "{region}"')
    rows = {row["keys"][0]: row for row in answer["rows"]}
    assert {channel: int(row["responded"]) for channel, row in rows.items()} == {"TRADE_SHOW": 2, "WEB_FORM": 1}
    means = {channel: float(row["meanResponse"].rstrip("s")) for channel, row in rows.items()}
    assert means["TRADE_SHOW"] == pytest.approx(20 * 60, abs=30), "the mean of 10 and 30 minutes"
    assert means["WEB_FORM"] < 30, "a later follow-up is no first response"
    lead = desk.lead(show[1]["name"])
    waited = datetime.fromisoformat(lead["firstResponseTime"]) - datetime.fromisoformat(lead["captureTime"])
    assert waited.total_seconds() == pytest.approx(30 * 60, abs=30)
