"""Who gets a lead, and why: the seven steps of the default policy and what a company makes of them."""

from __future__ import annotations

import math
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.journeys.api import Refused
from tests.journeys.desk import Desk, phone

DEFAULT_STEPS = ("keep_owner", "tag_urgent", "specialist", "nearest", "seniors", "roster", "fallback")


def to_respond(lead: dict[str, Any]) -> float:
    """Seconds from the assignment to the moment by which its owner is to respond; it was decided a little before."""
    return (datetime.fromisoformat(lead["respondBy"]) - datetime.fromisoformat(lead["assignTime"])).total_seconds()


def owners(leads: list[dict[str, Any]]) -> Counter[str]:
    return Counter(lead.get("owner", "") for lead in leads)


def test_L7_a_regions_leads_rotate_among_its_people_singly_and_in_bulk(desk: Desk, region: str) -> None:
    names = {desk.hire(name, region=region)["name"] for name in ("甲", "乙", "丙")}
    desk.hire("别处", region=f"{region}之外")
    leads = [desk.capture(region=region) for _ in range(6)]
    assert owners(leads) == dict.fromkeys(names, 2)
    assert {tuple(sorted(owners(leads[n : n + 3]))) for n in (0, 3)} == {tuple(sorted(names))}
    assert owners(desk.capture_all([{"region": region}] * 9)) == dict.fromkeys(names, 3)
    decision = desk.decision(leads[0])
    assert decision["step"] == "roster"
    assert sum(decision["ledgerAfter"].values()) == pytest.approx(sum(decision["ledgerBefore"].values()))
    ledger = next(one for one in desk.api.get("/v1/ledgers")["ledgers"] if one["name"].endswith(f"/{region}"))
    assert {row["person"]: int(row["turns"]) for row in ledger["rows"]} == dict.fromkeys(names, 5)
    assert ledger["worstDeviation"] <= ledger["bound"]


def test_L8_high_value_industries_go_to_seniors_first(desk: Desk, region: str) -> None:
    senior = desk.hire("资深", region=region, seniority="senior", industries=["医疗器械"])
    junior = desk.hire("新人", region=region, seniority="junior")
    desk.step("seniors", industries=["医疗器械"])
    leads = [desk.capture(region=region, industry="医疗器械") for _ in range(2)]
    assert [lead["owner"] for lead in leads] == [senior["name"]] * 2
    assert desk.decision(leads[0])["step"] == "seniors"
    desk.presence(senior, "AWAY")
    assert desk.capture(region=region, industry="医疗器械")["owner"] == junior["name"]


@pytest.mark.parametrize("text", ["高意向,预算已批", "马上要采购 200 台", "我们在做采購计划"])
def test_L9_key_phrases_go_straight_to_a_named_specialist(desk: Desk, region: str, text: str) -> None:
    specialist = desk.hire("大客户专员", region=f"{region}之外")
    desk.hire("本区", region=region)
    desk.step("specialist", rules=[{"phrases": ["高意向", "采购", "采購"], "people": [specialist["name"]]}])
    lead = desk.capture(region=region, text=text)
    assert lead["owner"] == specialist["name"]
    assert desk.decision(lead)["step"] == "specialist"
    assert desk.capture(region=region, text="想了解一下")["owner"] != specialist["name"]


def test_L10_conditions_branch_when_a_lead_is_created_and_a_wrong_one_is_refused(desk: Desk, region: str) -> None:
    boss = desk.hire("老板", role="manager")
    clerk = desk.hire("销售", region=region)
    condition = 'intent == "HIGH" && channel in ["REFERRAL", "PHONE_400"]'
    branch = {"id": "vip", "kind": "fallback", "when": condition, "to": boss["name"]}
    desk.policy(steps=[branch, *desk.default["steps"]])
    assert desk.capture(region=region, intent="HIGH", channel="REFERRAL")["owner"] == boss["name"]
    assert desk.capture(region=region, intent="HIGH", channel="WEB_FORM")["owner"] == clerk["name"]
    with pytest.raises(Refused) as refused:
        desk.policy(steps=[{**branch, "when": 'intent == "HIGH" &&\n nothing > 1'}, *desk.default["steps"]])
    ((path, message),) = refused.value.fields.items()
    assert path.endswith("policies.assignment.steps[0].when")
    assert "2" in message, "the line of the mistake"


def test_L11_a_lead_goes_to_the_owner_of_its_region(desk: Desk, region: str) -> None:
    mine = desk.hire("区域负责人", region=region)
    desk.hire("邻区负责人", region=f"{region}邻区")
    assert owners([desk.capture(region=region) for _ in range(3)]) == {mine["name"]: 3}


def test_L12_a_channel_or_an_industry_finds_the_person_who_fits_best(desk: Desk, region: str) -> None:
    douyin, edu = desk.hire("抖音专员"), desk.hire("教育行业专员")
    other = desk.hire("本区", region=region)
    steps = [
        {"id": "douyin", "kind": "fallback", "match": {"channel": ["DOUYIN"]}, "to": douyin["name"]},
        {"id": "education", "kind": "fallback", "match": {"industry": ["教育"]}, "to": edu["name"]},
        *desk.default["steps"],
    ]
    desk.policy(steps=steps)
    assert desk.capture(region=region, channel="DOUYIN")["owner"] == douyin["name"]
    assert desk.capture(region=region, channel="WECHAT", industry="教育")["owner"] == edu["name"]
    assert desk.capture(region=region, channel="WECHAT")["owner"] == other["name"]


def test_L13_the_seven_steps_are_seen_and_changed_as_data(desk: Desk, region: str) -> None:
    blueprint = desk.api.get("/v1/blueprint")["content"]["policies"]["assignment"]
    assert tuple(step["kind"] for step in blueprint["steps"]) == DEFAULT_STEPS
    one, two = desk.hire("甲", region=region, skills=["口语"]), desk.hire("乙", region=region)
    changed = [step for step in blueprint["steps"] if step["kind"] != "nearest"]
    content = {"policies": {"assignment": {**blueprint, "steps": changed}}}
    planned = desk.api.post("/v1/blueprint:apply", {"content": content, "validateOnly": True})
    assert any(change["path"].startswith("policies.assignment.steps") for change in planned["changes"])
    assert len(desk.api.get("/v1/policies/assignment")["content"]["steps"]) == 7, "nothing was written"
    desk.api.post("/v1/blueprint:apply", {"content": content})
    policy = desk.api.get("/v1/policies/assignment")
    assert len(policy["content"]["steps"]) == 6
    lead = desk.capture(region=region)
    decision = desk.decision(lead)
    assert lead["owner"] in {one["name"], two["name"]}
    assert decision["policy"]["hash"] == policy["hash"]
    assert [step["kind"] for step in decision["steps"]] == [k for k in DEFAULT_STEPS[:-1] if k != "nearest"]
    unknown = [{**blueprint["steps"][0], "radius": 5}, *blueprint["steps"][1:]]
    with pytest.raises(Refused) as refused:
        desk.policy(steps=unknown)
    assert list(refused.value.fields) == ["content.policies.assignment.steps[0].radius"]


@pytest.mark.parametrize("text", ["急", "我马上要", "今天能回电话吗"])
def test_L14_urgent_words_tag_a_lead(desk: Desk, region: str, text: str) -> None:
    desk.hire("甲", region=region)
    lead = desk.capture(region=region, text=text, channel="DOUYIN")
    assert lead["tags"] == ["urgent"]
    assert desk.capture(region=region, text="先看看", channel="DOUYIN")["tags"] == []


def test_L14_R21_urgent_leads_are_served_first_among_those_that_wait(desk: Desk, region: str) -> None:
    person = desk.hire("甲", region=region, capacity={"open": 2}, presence="ONLINE")
    desk.presence(person, "OFFLINE")
    texts = ["想了解一下价格", "请发产品资料", "先看看", "今天能回电话吗", "比较几家供应商", "急"]
    waiting = [desk.capture(region=region, text=text, channel="DOUYIN") for text in texts]
    assert {(lead["status"], lead["statusReason"]) for lead in waiting} == {("UNASSIGNED", "OFFLINE")}
    desk.presence(person, "ONLINE")
    for index in (3, 5):
        assert desk.when(waiting[index]["name"], lambda lead: lead["status"] == "ASSIGNED")["owner"] == person["name"]
    desk.settle()
    assert {desk.lead(waiting[n]["name"])["status"] for n in (0, 1, 2, 4)} == {"UNASSIGNED"}


def test_L14_R21_urgent_leads_of_one_call_are_decided_first(desk: Desk, region: str) -> None:
    person = desk.hire("甲", region=region, capacity={"open": 1})
    leads = desk.capture_all([{"region": region, "text": text} for text in ("先看看", "想了解", "马上要", "随便")])
    assert [lead.get("owner", "") for lead in leads] == ["", "", person["name"], ""]
    assert {lead["statusReason"] for lead in leads if not lead.get("owner")} == {"FULL_OPEN"}


def test_L15_a_scan_finds_the_nearest_person_within_three_kilometres(desk: Desk, region: str) -> None:
    near = desk.hire("展台", location={"latitude": 31.2304, "longitude": 121.4737})
    nearer = desk.hire("门口", location={"latitude": 31.2350, "longitude": 121.4737})
    local = desk.hire("本区", region=region)
    scan = {"region": region, "channel": "TRADE_SHOW"}
    at_the_booth = desk.capture(**scan, location={"latitude": 31.2310, "longitude": 121.4740})
    assert at_the_booth["owner"] == near["name"]
    assert desk.decision(at_the_booth)["step"] == "nearest"
    assert desk.capture(**scan, location={"latitude": 31.2352, "longitude": 121.4737})["owner"] == nearer["name"]
    assert desk.capture(**scan, location=NANJING)["owner"] == local["name"]


# One degree of latitude is 111.195 km, and one of longitude that times the cosine of the latitude.
NANJING = {"latitude": 32.0603, "longitude": 118.7969}
KM_NORTH = 1 / 111.195
KM_EAST = KM_NORTH / math.cos(math.radians(NANJING["latitude"]))


@pytest.mark.parametrize(("north", "east"), [(1, 0), (-1, 0), (0, 1), (0.6, -0.8)])
def test_L15_three_kilometres_are_three_in_every_direction(desk: Desk, region: str, north: int, east: int) -> None:
    booth, local = desk.hire("展台", location=NANJING), desk.hire("本区", region=region)

    def owner(km: float) -> str:
        place = {
            "latitude": NANJING["latitude"] + km * north * KM_NORTH,
            "longitude": NANJING["longitude"] + km * east * KM_EAST,
        }
        return str(desk.capture(region=region, channel="TRADE_SHOW", location=place)["owner"])

    assert (owner(2.9), owner(3.1)) == (booth["name"], local["name"])
    desk.api.patch(f"/v1/{booth['name']}", {"state": "LEFT"})
    desk.settle()


def test_L16_only_who_has_the_skills_of_a_lead_gets_it(desk: Desk, region: str) -> None:
    desk.hire("甲", region=region)
    skilled = desk.hire("乙", region=region, skills=["英语", "海关"])
    leads = [desk.capture(region=region, skills=["英语"]) for _ in range(2)]
    assert owners(leads) == {skilled["name"]: 2}
    lead = desk.capture(region=region, skills=["法语"])
    assert (lead["status"], lead["statusReason"]) == ("UNASSIGNED", "WRONG_SKILL")
    desk.policy(skills={"跨境电商": ["海关"]})
    assert desk.capture(region=region, industry="跨境电商")["owner"] == skilled["name"]


def test_L17_who_is_away_off_shift_full_or_gone_is_passed_over(desk: Desk, region: str) -> None:
    idle, away, full, off, gone = (desk.hire(name, region=region) for name in ("空闲", "离开", "已满", "下班", "离职"))
    desk.presence(away, "AWAY")
    calendar = desk.api.post(
        "/v1/calendars", {"displayName": f"{region}夜班", "spans": [{"weekday": 1, "start": "03:00", "end": "03:01"}]}
    )
    desk.api.patch(f"/v1/{full['name']}", {"capacity": {"open": 0}})
    desk.api.patch(f"/v1/{off['name']}", {"calendar": calendar["name"]})
    desk.api.patch(f"/v1/{gone['name']}", {"state": "LEFT"})
    desk.settle()
    leads = [desk.capture(region=region) for _ in range(4)]
    assert owners(leads) == {idle["name"]: 4}
    reasons = {who: desk.reason(leads[-1], person) for who, person in (("away", away), ("full", full), ("off", off))}
    assert reasons == {"away": "AWAY", "full": "FULL_OPEN", "off": "OFF_SHIFT"}
    desk.presence(away, "ONLINE")
    assert away["name"] in owners([desk.capture(region=region) for _ in range(2)])


def test_L17_who_has_room_for_two_gets_two_and_for_one_a_day_one_a_day(desk: Desk, region: str) -> None:
    two, daily = desk.hire("两条", region=region), desk.hire("每日一条", region=region)
    desk.api.patch(f"/v1/{two['name']}", {"capacity": {"open": 2}})
    desk.api.patch(f"/v1/{daily['name']}", {"capacity": {"perDay": 1}})
    desk.settle()
    leads = [desk.capture(region=region) for _ in range(5)]
    assert owners(leads) == {two["name"]: 2, daily["name"]: 1, "": 2}
    assert (desk.reason(leads[-1], two), desk.reason(leads[-1], daily)) == ("FULL_OPEN", "FULL_DAY")


def test_L19_assignment_makes_a_lead_one_to_follow_up(desk: Desk, region: str) -> None:
    person = desk.hire("甲", region=region)
    lead = desk.capture(region=region)
    assert (lead["status"], lead["owner"], lead["attention"]) == ("ASSIGNED", person["name"], "RED")
    assert to_respond(lead) == pytest.approx(2 * 3600, abs=5)
    mine = desk.sign_in(person).get("/v1/leads", filter=f'status = ASSIGNED AND owner = "{person["name"]}"')["leads"]
    assert [one["name"] for one in mine] == [lead["name"]]


def test_L20_the_new_owner_is_told_at_once_in_his_language_and_nobody_else(desk: Desk, region: str) -> None:
    person, other = desk.hire("甲", region=region), desk.hire("乙", region=f"{region}之外")
    lead = desk.capture(region=region)

    def told(event: dict[str, Any]) -> bool:
        return bool(event["type"] == "LeadAssigned" and event["subject"] == lead["name"])

    assert desk.sign_in(person).feed(told)["notice"] == "您有一条新线索待处理,请在2小时内联系客户"
    english = desk.sign_in(person, "en").feed(told)["notice"]
    assert english == "You have a new lead; contact the customer within 2 hours"
    assert "notice" not in desk.api.feed(told), "the administrator sees what happened, the notice is the owner's"
    with pytest.raises(AssertionError):
        desk.sign_in(other).feed(told, seconds=1.5)
    assert to_respond(lead) == pytest.approx(2 * 3600, abs=5), "as the notice says"
    desk.clocks(responseMinutes=45)
    lead = desk.capture(region=region)
    assert desk.sign_in(person).feed(told)["notice"] == "您有一条新线索待处理,请在45分钟内联系客户"
    assert to_respond(lead) == pytest.approx(45 * 60, abs=5)


def test_R2_a_created_record_sets_the_rules_off_without_anybody_asking(desk: Desk, region: str) -> None:
    person = desk.hire("甲", region=region)
    captured = desk.api.post("/v1/leads:capture", {"lead": {"phone": phone(), "region": region}})["lead"]
    assert captured["status"] == "WAITING"
    assert desk.decided(captured["name"])["owner"] == person["name"]
    assert [point["kind"] for point in desk.chain(captured)] == ["CAPTURED", "ASSIGNED"]


def test_R3_a_corrected_field_sets_the_rules_off(desk: Desk, region: str) -> None:
    person = desk.hire("甲", region=region, skills=["英语"])
    lead = desk.capture(region=region, skills=["法语"])
    assert lead["status"] == "UNASSIGNED"
    desk.api.patch(f"/v1/{lead['name']}", {"skills": ["英语"], "etag": lead["etag"]})
    assert desk.when(lead["name"], lambda now: now["status"] == "ASSIGNED")["owner"] == person["name"]
    with pytest.raises(Refused) as stale:
        desk.api.patch(f"/v1/{lead['name']}", {"skills": [], "etag": lead["etag"]})
    assert stale.value.status == 409


def test_R4_a_schedule_sets_the_rules_off_when_a_shift_begins(desk: Desk, region: str) -> None:
    everyday = [{"weekday": day, "start": "09:00", "end": "18:00"} for day in range(1, 8)]
    calendar = desk.api.post("/v1/calendars", {"displayName": f"{region}白班", "spans": everyday})
    person = desk.hire("甲", region=region, calendar=calendar["name"])
    lead = desk.capture(region=region)
    if lead["status"] == "ASSIGNED":  # within working hours now: on to the evening
        desk.later(timedelta(hours=9))
        lead = desk.capture(region=region)
    assert (lead["status"], lead["statusReason"]) == ("UNASSIGNED", "OFF_SHIFT")
    for _ in range(3):
        desk.later(timedelta(hours=5))
        end = time.monotonic() + 5  # those who wait are looked at every second
        while desk.lead(lead["name"])["status"] == "UNASSIGNED" and time.monotonic() < end:
            time.sleep(0.2)
        if desk.lead(lead["name"])["status"] == "ASSIGNED":
            break
    assert desk.when(lead["name"], lambda now: now["status"] == "ASSIGNED")["owner"] == person["name"]


def test_R9_assignment_runs_by_itself_and_every_decision_ever_taken_re_derives(desk: Desk, region: str) -> None:
    desk.hire("甲", region=region)
    leads = desk.capture_all([{"region": region}] * 20)
    assert {lead["status"] for lead in leads} == {"ASSIGNED"}
    desk.settle()
    report = desk.api.post("/v1/journal:verify")
    assert int(report["firstWrongEntry"]) == 0
    assert int(report["decisions"]) >= 20
