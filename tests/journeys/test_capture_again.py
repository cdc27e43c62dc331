"""A contact that is known comes again, by another channel, with another phone, in more haste."""

from __future__ import annotations

import pytest

from tests.journeys.api import Refused
from tests.journeys.desk import Desk, phone


def test_I1_what_a_known_contact_says_otherwise_is_kept_and_finds_the_lead(desk: Desk, region: str) -> None:
    number, other = phone(), phone()
    lead = desk.capture(phone=number, email=f"w{number}@example.cn", fullName="王芳", region=region)
    desk.capture(phone=other, email=f"w{number}@example.cn", fullName="王小芳", channel="WECHAT")
    kept = desk.lead(lead["name"])
    assert (kept["phone"], kept["fullName"]) == (f"+86{number}", "王芳")
    brought = [point["brought"] for point in desk.chain(lead) if point.get("brought")]
    assert [(said["phone"], said["fullName"]) for said in brought] == [(f"+86{other}", "王小芳")]
    for known in (number, other):
        found = desk.api.get("/v1/leads", filter=f'phone = "{known}"')["leads"]
        assert [one["name"] for one in found] == [lead["name"]]


def test_I1_two_extensions_of_one_switchboard_are_two_contacts(desk: Desk, region: str) -> None:
    one = desk.capture(phone="0571-87654321 转 801", fullName="王", region=region)
    other = desk.capture(phone="0571-87654321-802", fullName="李", region=region)
    assert one["name"] != other["name"]
    assert (one["phone"], one["phoneExtension"]) == ("+8657187654321", "801")
    again = desk.api.post("/v1/leads:capture", {"lead": {"phone": "0571 8765 4321 分机 802"}})
    assert (again["outcome"], again["lead"]["name"]) == ("TOUCHED", other["name"])
    found = desk.api.get("/v1/leads", filter='phone = "0571-87654321"')["leads"]
    assert {lead["name"] for lead in found} == {one["name"], other["name"]}


def test_L14_haste_on_the_second_call_counts_for_a_lead_that_waits(desk: Desk, region: str) -> None:
    person = desk.hire("甲", region=region, capacity={"open": 1})
    desk.presence(person, "OFFLINE")
    first, hasty = (desk.capture(region=region, text="先看看", channel="DOUYIN") for _ in range(2))
    assert (first["status"], hasty["status"]) == ("UNASSIGNED", "UNASSIGNED")
    desk.api.post("/v1/leads:capture", {"lead": {"phone": hasty["phone"], "text": "马上要", "channel": "DOUYIN"}})
    desk.when(hasty["name"], lambda lead: "urgent" in lead["tags"])
    desk.settle()
    desk.presence(person, "ONLINE")
    assert desk.when(hasty["name"], lambda lead: lead["status"] == "ASSIGNED")["owner"] == person["name"]
    assert desk.lead(first["name"])["status"] == "UNASSIGNED"


def test_L21_L22_a_lead_given_back_goes_to_a_colleague_when_the_contact_comes_again(desk: Desk, region: str) -> None:
    people = [desk.hire(name, region=region) for name in ("甲", "乙")]
    lead = desk.capture(region=region)
    holder, colleague = people if lead["owner"] == people[0]["name"] else reversed(people)
    desk.sign_in(holder).post(f"/v1/{lead['name']}:release", {"reason": "不在我的行业"})
    desk.settle()
    again = desk.capture(phone=lead["phone"])
    assert (again["name"], again["owner"]) == (lead["name"], colleague["name"])


def test_L6_a_contact_whose_salesperson_left_gets_another_when_it_comes_again(desk: Desk, region: str) -> None:
    gone = desk.hire("甲", region=region)
    lead = desk.capture(region=region)
    assert lead["owner"] == gone["name"]
    stays = desk.hire("乙", region=region)
    desk.api.patch(f"/v1/{gone['name']}", {"state": "LEFT"})
    desk.settle()
    again = desk.capture(phone=lead["phone"])
    assert (again["owner"], again["status"]) == (stays["name"], "ASSIGNED")
    assert "OWNER_LEFT" in [point.get("reason") for point in desk.chain(lead)]


def test_L31_a_colleagues_capture_is_recorded_and_changes_nothing_of_the_lead(desk: Desk, region: str) -> None:
    people = [desk.hire(name, region=region) for name in ("甲", "乙")]
    lead = desk.capture(region=region)
    stranger = next(person for person in people if person["name"] != lead["owner"])
    sent = {"phone": lead["phone"], "company": "别家公司", "text": "她说的"}
    seen = desk.sign_in(stranger).post("/v1/leads:capture", {"lead": sent})["lead"]
    assert seen.get("company", "") == ""
    after = desk.lead(lead["name"])
    assert (after.get("company", ""), after.get("text", "")) == ("", "")
    last = desk.chain(lead)[-1]
    assert (last["actor"], last["text"], last["brought"]["company"]) == (stranger["name"], "她说的", "别家公司")


@pytest.mark.parametrize(
    ("place", "field"),
    [({"latitude": 31.2}, "lead.location.longitude"), ({"longitude": 121.4}, "lead.location.latitude")],
)
def test_L15_half_a_place_is_refused_by_the_name_of_the_half(desk: Desk, place: dict[str, float], field: str) -> None:
    with pytest.raises(Refused) as refused:
        desk.api.post("/v1/leads:capture", {"lead": {"phone": phone(), "location": place}})
    assert (refused.value.status, list(refused.value.fields)) == (400, [field])
