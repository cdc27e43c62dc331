"""What people who work on leads see: misses that stay on record, customers who come back, a pool with its limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.journeys.api import Refused
from tests.journeys.desk import Desk, phone

MINUTE = timedelta(minutes=1)


def refused(desk: Desk, person: dict[str, Any], path: str, body: Any = None) -> tuple[int, str]:
    with pytest.raises(Refused) as problem:
        desk.sign_in(person).post(path, body)
    return problem.value.status, problem.value.reason


def overdue(desk: Desk, region: str) -> tuple[int, int]:
    """(leads, those whose response was not made in time) of a region."""
    rows = desk.api.get("/v1/leads:summarize", groupBy="region", filter=f'region = "{region}"')["rows"]
    return int(rows[0]["leads"]), int(rows[0].get("overdue", 0))


def test_L18_L30_R20_missed_responses_stay_on_record_up_to_the_supervisor(desk: Desk, region: str) -> None:
    boss = desk.hire("经理", role="manager")
    one = desk.hire("甲", region=region, manager=boss["name"])
    desk.clocks(responseMinutes=1)
    lead = desk.capture(region=region)
    assert overdue(desk, region) == (1, 0)
    desk.later(MINUTE * 1.05)
    lead = desk.when(lead["name"], lambda now: now["owner"] == boss["name"])
    assert (lead["escalatedTo"], lead["missedResponses"]) == (boss["name"], 1)
    assert lead["respondBy"] > lead["assignTime"], "the supervisor's clock runs too"
    assert overdue(desk, region) == (1, 1)
    last = desk.chain(lead)[-1]
    assert (last["kind"], last["owner"], last["reason"]) == ("ESCALATED", boss["name"], "NO_RESPONSE")
    desk.settle()
    desk.later(MINUTE * 1.05)
    lead = desk.when(lead["name"], lambda now: now["missedResponses"] == 2)
    assert overdue(desk, region) == (1, 1)
    found = desk.api.get("/v1/leads", filter=f'missedResponses > 1 AND region = "{region}"')["leads"]
    assert [each["name"] for each in found] == [lead["name"]]
    assert one["name"] != lead["owner"]


def test_L31_the_owner_hears_that_the_customer_came_back(desk: Desk, region: str) -> None:
    boss = desk.hire("经理", role="manager")
    team = desk.api.post("/v1/teams", {"displayName": f"{region}组", "manager": boss["name"]})
    owner, stranger = desk.hire("甲", region=region, team=team["name"]), desk.hire("乙", region=f"{region}之外")
    lead = desk.capture(region=region, channel="TRADE_SHOW")
    again = desk.api.post("/v1/leads:capture", {"lead": {"phone": lead["phone"], "channel": "DOUYIN"}})
    assert again["outcome"] == "TOUCHED"

    def came_back(event: dict[str, Any]) -> bool:
        return bool(event["type"] == "LeadTouched" and event["subject"] == lead["name"])

    heard = desk.sign_in(owner).feed(came_back)
    assert (heard["notice"], heard["data"]["channel"]) == ("您的客户再次联系了我们，请及时跟进", "DOUYIN")
    assert desk.sign_in(owner, "en").feed(came_back)["notice"] == "Your customer got in touch again; please follow up"
    with pytest.raises(AssertionError):
        desk.sign_in(stranger).feed(came_back, seconds=1)


def test_L17_L21_who_is_away_or_full_takes_nothing_from_the_pool(desk: Desk, region: str) -> None:
    holder = desk.hire("甲", region=region)
    taker, late = (desk.hire(name, region=f"{region}之外", capacity={"open": 1}) for name in ("乙", "丙"))
    one, two = desk.capture(region=region), desk.capture(region=region)
    for lead in (one, two):
        desk.sign_in(holder).post(f"/v1/{lead['name']}:release", {"reason": "休假"})
    desk.presence(taker, "OFFLINE")
    assert refused(desk, taker, f"/v1/{one['name']}:claim") == (409, "OFFLINE")
    desk.presence(taker, "AWAY")
    assert refused(desk, taker, f"/v1/{one['name']}:claim") == (409, "AWAY")
    desk.presence(taker, "ONLINE")
    assert desk.sign_in(taker).post(f"/v1/{one['name']}:claim")["owner"] == taker["name"]
    assert refused(desk, taker, f"/v1/{two['name']}:claim") == (409, "FULL_OPEN")
    # Who was slower is told so, though the lead is out of his sight by now.
    assert refused(desk, late, f"/v1/{one['name']}:claim") == (409, "NOT_POOLED")
    assert desk.sign_in(late).post(f"/v1/{two['name']}:claim")["owner"] == late["name"]


def test_L13_a_lead_that_nobody_else_may_take_says_so_until_somebody_may(desk: Desk, region: str) -> None:
    owner = desk.hire("甲", region=region)
    # Everybody of this house but him is away.
    others = [p for p in _everybody(desk) if p["name"] != owner["name"] and p.get("presence") == "ONLINE"]
    lead = desk.capture(region=region)
    for person in others:
        desk.api.post(f"/v1/{person['name']}:setPresence", {"presence": "OFFLINE"})
    desk.settle()
    try:
        desk.api.post(f"/v1/{lead['name']}:reassign", {"reason": "客户要求换人"})
        kept = desk.when(lead["name"], lambda now: bool(now.get("statusReason")))
        assert (kept["owner"], kept["status"]) == (owner["name"], "ASSIGNED")
        last = desk.chain(lead)[-1]
        assert (last["kind"], last["owner"], last["reason"]) == ("KEPT", owner["name"], kept["statusReason"])
        fresh = desk.hire("乙", region=region)
        moved = desk.when(lead["name"], lambda now: now["owner"] != owner["name"])
        assert (moved["owner"], moved.get("statusReason", "")) == (fresh["name"], "")
    finally:
        for person in others:
            desk.api.post(f"/v1/{person['name']}:setPresence", {"presence": "ONLINE"})
        desk.settle()


def _everybody(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = desk.api.get("/v1/people", pageSize=1000, pageToken=token, filter='role = "sales" AND state = ACTIVE')
        found += page.get("people", [])
        token = page.get("nextPageToken", "")
        if not token:
            return found


def test_reassigning_to_what_is_no_person_names_the_field(desk: Desk, region: str) -> None:
    desk.hire("甲", region=region)
    lead = desk.capture(region=region)
    with pytest.raises(Refused) as problem:
        desk.api.post(f"/v1/{lead['name']}:reassign", {"owner": "banana"})
    assert (problem.value.status, set(problem.value.fields)) == (400, {"owner"})


def test_L1_leads_are_found_by_their_tags_and_by_name(desk: Desk, region: str) -> None:
    desk.hire("甲", region=region)
    one = desk.capture(region=region, tags=["展会", "vip"], fullName="欧阳小明")
    desk.capture(region=region, tags=["vip2"], fullName="李雷")
    for text in ("tags:vip", 'tags:"展会"', "fullName:欧阳", 'full_name = "欧阳小明"'):
        found = desk.api.get("/v1/leads", filter=f'{text} AND region = "{region}"')["leads"]
        assert [lead["name"] for lead in found] == [one["name"]], text


def test_L30_who_qualifies_a_lead_at_once_has_responded(desk: Desk, region: str) -> None:
    owner = desk.hire("甲", region=region)
    number = phone()
    lead = desk.capture(region=region, phone=number)
    qualified = desk.sign_in(owner).post(f"/v1/{lead['name']}:qualify", {"note": "有预算"})
    assert qualified["firstResponseTime"] >= qualified["captureTime"]
    rows = desk.api.get("/v1/leads:summarize", groupBy="region", filter=f'region = "{region}"')["rows"]
    assert (rows[0]["responded"], "meanResponse" in rows[0]) == ("1", True)
