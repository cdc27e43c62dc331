"""Contacts come in by every channel, each becomes one lead, and the pool shows them all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.journeys.api import Api, Refused
from tests.journeys.desk import Desk, phone


def test_L1_the_lead_pool_lists_every_lead_and_is_filtered_ordered_and_paged(desk: Desk, region: str) -> None:
    made = desk.capture_all([{"region": region, "intent": intent} for intent in ("HIGH", "LOW", "HIGH", "LOW", "LOW")])
    mine = f'region = "{region}"'
    first = desk.api.get("/v1/leads", filter=mine, pageSize=2, orderBy="capture_time")
    assert first["totalSize"] == 5
    names = [lead["name"] for lead in first["leads"]]
    token = first["nextPageToken"]
    while token:
        page = desk.api.get("/v1/leads", filter=mine, pageSize=2, orderBy="capture_time", pageToken=token)
        names += [lead["name"] for lead in page["leads"]]
        token = page.get("nextPageToken", "")
    assert sorted(names) == sorted(lead["name"] for lead in made)
    high = desk.api.get("/v1/leads", filter=f"{mine} AND intent = HIGH")["leads"]
    assert {lead["name"] for lead in high} == {made[0]["name"], made[2]["name"]}
    with pytest.raises(Refused) as refused:
        desk.api.get("/v1/leads", filter="owner_version = 1")
    assert refused.value.status == 400


def test_L1_what_was_given_back_is_up_for_grabs_in_the_pool(desk: Desk, region: str) -> None:
    one, other = desk.hire("甲", region=region), desk.hire("乙", region=region)
    lead = desk.capture(region=region)
    holder, taker = (one, other) if lead["owner"] == one["name"] else (other, one)
    desk.sign_in(holder).post(f"/v1/{lead['name']}:release", {"reason": "不在我的行业"})
    hers = desk.sign_in(taker)
    pooled = hers.get("/v1/leads", filter=f'status = POOLED AND region = "{region}"')["leads"]
    assert [found["name"] for found in pooled] == [lead["name"]]
    with pytest.raises(Refused) as too_soon:
        desk.sign_in(holder).post(f"/v1/{lead['name']}:claim")
    assert too_soon.value.reason == "COOL_DOWN"
    claimed = hers.post(f"/v1/{lead['name']}:claim")
    assert (claimed["owner"], claimed["status"]) == (taker["name"], "ASSIGNED")


def test_L2_L3_a_lead_carries_the_fields_of_the_form_and_those_a_company_adds(desk: Desk, region: str) -> None:
    number = phone()
    given = {
        "fullName": "林梓涵",
        "phone": number,
        "email": "lin@example.cn",
        "company": "重庆教育贸易有限公司",
        "region": region,
        "intent": "HIGH",
        "category": "私有化部署",
        "industry": "教育",
        "channel": "REFERRAL",
        "captureTime": "2026-03-02T01:30:00Z",
        "text": "想约上门演示",
        "custom": {"预计金额": 120000, "预计成交": "2026-12-31", "下次跟进": "2026-03-09"},
    }
    lead = desk.capture(**given)
    assert {key: lead[key] for key in given} == {**given, "phone": f"+86{number}"}
    assert (lead["status"], lead["owner"][:7]) == ("ASSIGNED", "people/")
    again = desk.capture(phone=f"+86 {number}", fullName="另一个名字")
    assert again["name"] == lead["name"], "the phone is unique: the same lead"
    assert "firstResponseTime" not in again, "nobody has spoken with them"
    desk.api.post(f"/v1/{lead['name']}:contact", {"note": "已电话沟通，周三上门"})
    contacted = desk.lead(lead["name"])
    assert contacted["lastActivityTime"] == contacted["firstResponseTime"] >= lead["assignTime"]
    desk.later(timedelta(hours=1))
    desk.api.post(f"/v1/{lead['name']}:contact", {"note": "预算已批"})
    assert desk.lead(lead["name"])["firstResponseTime"] == contacted["firstResponseTime"], "the first stays the first"
    notes = [point["text"] for point in desk.chain(lead) if point["kind"] == "CONTACTED"]
    assert notes == ["已电话沟通，周三上门", "预算已批"]


@pytest.mark.parametrize("intent", ["HIGH", "MEDIUM", "LOW"])
def test_L2_intent_is_high_medium_or_low(desk: Desk, region: str, intent: str) -> None:
    lead = desk.capture(region=region, intent=intent)
    assert lead["intent"] == intent
    with pytest.raises(Refused) as refused:
        desk.capture(region=region, intent="URGENT")
    assert list(refused.value.fields) == ["lead.intent"]


@pytest.mark.parametrize(
    "channel", ["WEB_FORM", "TRADE_SHOW", "DOUYIN", "WECHAT", "PHONE_400", "REFERRAL", "IMPORT", "API"]
)
def test_L4_L5_a_lead_keeps_the_channel_it_came_by(desk: Desk, region: str, channel: str) -> None:
    lead = desk.capture(region=region, channel=channel)
    assert lead["channel"] == channel
    found = desk.api.get("/v1/leads", filter=f'channel = {channel} AND region = "{region}"')["leads"]
    assert [one["name"] for one in found] == [lead["name"]]


def test_L6_everything_that_comes_in_is_recorded_by_form_call_or_batch(desk: Desk, region: str) -> None:
    numbers = [phone() for _ in range(5)]
    form = desk.api.post(
        f"/v1/forms?formId=demo-{numbers[0]}",
        {"displayName": "预约演示", "channel": "WEB_FORM", "fields": ["full_name", "phone", "text"]}
        | {"requiredFields": ["phone"], "region": region, "open": True},
    )
    visitor = Api(desk.api.url)
    said = visitor.post(f"/v1/{form['name']}:submit", {"lead": {"phone": numbers[0], "text": "请回电"}})
    assert said["message"]
    desk.api.post("/v1/leads:capture", {"lead": {"phone": numbers[1], "region": region, "channel": "WECHAT"}})
    rows = [{"lead": {"phone": n, "region": region, "channel": "DOUYIN"}} for n in numbers[2:]]
    rows.insert(1, {"lead": {"fullName": "没有电话", "region": region}})
    results = desk.api.post("/v1/leads:batchCapture", {"requests": rows})["results"]
    assert ["error" in result for result in results] == [False, True, False, False]
    assert results[1]["error"]["fields"][0]["field"].endswith("lead.phone")
    kept = desk.api.get("/v1/leads", filter=f'region = "{region}"')["leads"]
    assert sorted(lead["phone"] for lead in kept) == sorted(f"+86{n}" for n in numbers)
    for lead in kept:
        assert desk.chain(lead)[0]["kind"] == "CAPTURED"


def test_L26_captures_are_cleansed_before_anything_else_happens_to_them(desk: Desk, region: str) -> None:
    number = phone()
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    lead = desk.capture(
        phone=f"＋８６ {wide}", email=" Zihan@Example.CN ", fullName="  林\u3000梓涵\u200b ", region=region
    )
    assert (lead["phone"], lead["email"]) == (f"+86{number}", "zihan@example.cn")
    assert lead["fullName"].replace("\u3000", " ") == "林 梓涵"
    for wrong, field in (
        ({"phone": "1993374788"}, "lead.phone"),
        ({"email": "f6211(at)example.cn"}, "lead.email"),
        ({"phone": number, "fullName": "x" * 200}, "lead.fullName"),
        ({"phone": number, "location": {"latitude": 91, "longitude": 0}}, "lead.location"),
        ({"phone": number, "captureTime": "2199-01-01T00:00:00Z"}, "lead.captureTime"),
        ({"phone": number, "fullName": "a\u202eb\u0000"}, "lead.fullName"),
    ):
        with pytest.raises(Refused) as refused:
            desk.api.post("/v1/leads:capture", {"lead": wrong})
        assert (refused.value.status, list(refused.value.fields)) == (400, [field])


def test_I1_a_phone_or_an_email_is_one_lead_in_whatever_spelling(desk: Desk, region: str) -> None:
    number = phone()
    one = desk.capture(phone=number, email="wang@example.cn", region=region)
    spellings = (number, f"+86{number}", f"0086 {number}", f"{number[:3]}-{number[3:7]}-{number[7:]}", f" {number} ")
    outcomes = [
        desk.api.post("/v1/leads:capture", {"lead": {"phone": spelling, "channel": "WECHAT"}}) for spelling in spellings
    ]
    outcomes.append(desk.api.post("/v1/leads:capture", {"lead": {"email": "WANG@EXAMPLE.CN"}}))
    assert {(o["outcome"], o["lead"]["name"]) for o in outcomes} == {("TOUCHED", one["name"])}
    kinds = [point["kind"] for point in desk.chain(one)]
    assert kinds.count("CAPTURED") == 1
    assert kinds.count("TOUCHED") == len(outcomes)
    office = desk.capture(phone="021-62345678 转 801", region=region)
    assert office["phone"] == "+862162345678"
    desk.api.post("/v1/blueprint:apply", {"content": {"leads": {"hardRejectDuplicates": True}}})
    with pytest.raises(Refused) as refused:
        desk.api.post("/v1/leads:capture", {"lead": {"phone": number}})
    desk.api.post("/v1/blueprint:apply", {"content": {"leads": {"hardRejectDuplicates": False}}})
    assert refused.value.reason == "DUPLICATE"


def test_I1_a_repeated_request_is_answered_and_not_done_again(desk: Desk, region: str) -> None:
    number = phone()
    body = {"requestId": f"scan-{number}", "lead": {"phone": number, "region": region}}
    first, again = desk.api.post("/v1/leads:capture", body), desk.api.post("/v1/leads:capture", body)
    assert first == again
    with pytest.raises(Refused) as refused:
        desk.api.post("/v1/leads:capture", {**body, "lead": {"phone": phone()}})
    assert refused.value.reason == "REQUEST_ID_REUSED"


def test_L31_colleagues_who_bring_one_contact_at_once_do_not_collide(desk: Desk, region: str) -> None:
    people = [desk.hire(name, region=region) for name in ("甲", "乙", "丙")]
    number = phone()
    desks = [desk.sign_in(person) for person in people]
    with ThreadPoolExecutor(12) as pool:
        calls = [
            pool.submit(desks[n % 3].post, "/v1/leads:capture", {"lead": {"phone": number, "region": region}})
            for n in range(12)
        ]
        answers = [call.result() for call in calls]
    assert sorted(answer["outcome"] for answer in answers) == ["CREATED"] + ["TOUCHED"] * 11
    (name,) = {answer["lead"]["name"] for answer in answers}
    lead = desk.decided(name)
    assert lead["owner"] in {person["name"] for person in people}
    assert desk.capture(phone=number)["owner"] == lead["owner"], "a further touch keeps the owner"
    other = next(d for d, person in zip(desks, people, strict=True) if person["name"] != lead["owner"])
    with pytest.raises(Refused) as refused:
        other.get(f"/v1/{lead['name']}")
    assert refused.value.status == 404
