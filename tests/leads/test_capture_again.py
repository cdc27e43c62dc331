"""A known contact comes again: what the lead takes, what stays on the touchpoint, who hears of it, who may have it."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import count
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import clock
from chassis.access import Principal, Scope, mask
from dealwright.leads.v1 import events_pb2, leads_pb2
from leads.domain.ownership import Decided
from leads.storage.tables import leads as leads_table
from leads.storage.tables import touchpoints
from leads.usecases import directed
from leads.usecases.waiting import announce_again
from tests.leads.desk import ADMIN, LI, MANAGER, WANG, Desk, principal

PHONE = "13812345678"
_NUMBERS = count(1)
Kind = leads_pb2.Touchpoint.Kind
Status = leads_pb2.Lead.Status


def chain(desk: Desk, name: str) -> list[leads_pb2.Touchpoint]:
    with desk.runtime.reading(ADMIN) as tx:
        answer = desk.servicer.ListTouchpoints(tx, leads_pb2.ListTouchpointsRequest(parent=name))
    return list(answer.touchpoints)


def brought(desk: Desk, name: str) -> dict[str, Any]:
    """What the newest touchpoint says that the lead did not take."""
    return dict(MessageToDict(chain(desk, name)[-1].brought))


def found(desk: Desk, text: str) -> list[str]:
    with desk.runtime.reading(ADMIN) as tx:
        answer = desk.servicer.ListLeads(tx, leads_pb2.ListLeadsRequest(filter=text))
    return [lead.name for lead in answer.leads]


def correct(desk: Desk, name: str, **values: Any) -> leads_pb2.Lead:
    request = leads_pb2.UpdateLeadRequest(
        lead=leads_pb2.Lead(name=name, **values), update_mask=FieldMask(paths=list(values))
    )
    answer: leads_pb2.Lead = desk.call("UpdateLead", request)
    return answer


def release(desk: Desk, name: str) -> None:
    desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name))


# --- when it was ---


@pytest.mark.parametrize("who", [ADMIN, WANG], ids=["whoever may change it", "a colleague"])
def test_L30_B37_a_scan_that_is_heard_of_late_says_when_a_lead_was_captured_and_through_what(
    desk: Desk, who: Principal
) -> None:
    """A device was without a network: that her visitor is known by now does not make him a visitor of now."""
    name = desk.capture(LI, phone=PHONE, channel="WEB_FORM").lead.name
    first, now = desk.get(name), clock.now()
    desk.announced()
    early = now - timedelta(hours=6)
    desk.capture(who, phone=PHONE, channel="TRADE_SHOW", capture_time=early, full_name="王")
    lead = desk.get(name)
    assert lead.capture_time.ToDatetime(UTC) == early
    assert lead.channel == leads_pb2.TRADE_SHOW
    assert (lead.receive_time, lead.owner) == (first.receive_time, first.owner)
    (told,) = desk.announced(events_pb2.LeadChanged)
    assert (told.lead.capture_time, told.lead.channel) == (lead.capture_time, lead.channel)
    assert told.version == int(lead.etag) > int(first.etag)
    # What comes between the two, or has no time of its own, changes nothing of that; what is earlier still does.
    for hours, channel in ((5, "DOUYIN"), (6, "WECHAT"), (None, "PHONE_400")):
        at = {} if hours is None else {"capture_time": now - timedelta(hours=hours)}
        desk.capture(who, phone=PHONE, channel=channel, **at)
    assert (desk.get(name).capture_time, desk.get(name).channel) == (lead.capture_time, lead.channel)
    assert not desk.announced(events_pb2.LeadChanged)
    desk.capture(who, phone=PHONE, channel="REFERRAL", capture_time=now - timedelta(hours=7))
    assert desk.get(name).channel == leads_pb2.REFERRAL
    assert [Kind.Name(one.kind) for one in chain(desk, name)].count("TOUCHED") == 5


@given(st.permutations([9, 5, 7, 2, 7]))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_L30_B37_in_whatever_order_scans_are_heard_of_the_earliest_counts(desk: Desk, order: list[int]) -> None:
    now, phone = clock.now(), f"138{next(_NUMBERS):08}"
    for hours in order:
        name = desk.capture(phone=phone, capture_time=now - timedelta(hours=hours), text=f"{hours}").lead.name
    assert desk.get(name).capture_time.ToDatetime(UTC) == now - timedelta(hours=9)


# --- what was said ---


def test_I1_V6_what_a_further_capture_says_otherwise_stays_on_its_touchpoint(desk: Desk) -> None:
    first: dict[str, Any] = {
        "phone": PHONE,
        "email": "w@example.cn",
        "full_name": "王",
        "company": "甲",
        "region": "上海",
    }
    name = desk.capture(**first, custom={"a": 1, "b": 2}, intent="LOW", tags=["x"]).lead.name
    assert not chain(desk, name)[0].HasField("brought")
    other: dict[str, Any] = {
        "full_name": "李",
        "company": "乙",
        "region": "北京",
        "industry": "教育",
        "intent": "HIGH",
        "tags": ["x", "y"],
    }
    desk.capture(**other, email="w@example.cn", phone="021-62345678 转 801", custom={"a": 9, "b": 2, "c": 3})
    assert brought(desk, name) == {
        "fullName": "李",
        "phone": "+862162345678",
        "phoneExtension": "801",
        "company": "乙",
        "region": "北京",
        "intent": "HIGH",
        "custom": {"a": 9},
    }
    lead = desk.get(name)
    assert (lead.industry, list(lead.tags), MessageToDict(lead.custom)) == (
        "教育",
        ["x", "y"],
        {"a": 1, "b": 2, "c": 3},
    )
    desk.capture(**first)
    assert not chain(desk, name)[-1].HasField("brought")


def test_P7_what_a_role_may_not_see_of_a_lead_it_does_not_see_on_its_touchpoints(desk: Desk) -> None:
    name = desk.capture(phone="021-62345678 转 801", email="w@example.cn").lead.name
    desk.capture(email="w@example.cn", phone="021-62345678 转 802", full_name="王")
    desk.capture(email="w@example.cn", phone="021-62345678 转 803", full_name="李")
    blind = principal("people/x", "finance", Scope.ALL, hidden=frozenset({"phone"}))
    point, lead = chain(desk, name)[-1], desk.get(name)
    assert (point.brought.phone, point.brought.phone_extension, lead.phone_extension) == ("+862162345678", "803", "801")
    for message in (point, lead):
        mask(blind, message)
    assert (point.brought.phone, point.brought.phone_extension) == ("", "")
    assert (lead.phone, lead.phone_extension) == ("", "")
    assert point.brought.full_name == "李"


def test_I1_V6_a_lead_is_found_by_every_phone_and_email_it_is_known_by(desk: Desk) -> None:
    name = desk.capture(phone=PHONE, email="w@example.cn").lead.name
    other = desk.capture(phone="13812345679").lead.name
    desk.capture(phone="13912345678", email="w@example.cn")
    desk.capture(phone="13912345678", email="w2@example.cn")
    for text in (f'phone = "{PHONE}"', 'phone = "139 1234 5678"', 'email = "W@example.cn"', 'email = "w2@example.cn"'):
        assert found(desk, text) == [name], text
    assert found(desk, 'phone != "13912345678"') == [other]
    assert found(desk, 'phone = "13700000000"') == []


def test_I1_V6_two_extensions_of_one_switchboard_are_two_contacts(desk: Desk) -> None:
    one = desk.capture(phone="0571-87654321 转 801", full_name="王").lead
    other = desk.capture(phone="0571-87654321 ext 802", full_name="李").lead
    board = desk.capture(phone="0571-87654321").lead
    assert len({one.name, other.name, board.name}) == 3
    assert [(lead.phone, lead.phone_extension) for lead in (one, other, board)] == [
        ("+8657187654321", "801"),
        ("+8657187654321", "802"),
        ("+8657187654321", ""),
    ]
    for spelling in ("0571-87654321-801", "+8657187654321;ext=801"):
        assert desk.capture(phone=spelling).lead.name == one.name
    # What was answered may be sent back as it is.
    assert desk.capture(phone=other.phone, phone_extension=other.phone_extension).lead.name == other.name
    assert set(found(desk, 'phone = "0571-87654321"')) == {one.name, other.name, board.name}
    assert found(desk, 'phone = "0571-87654321 转 802"') == [other.name]
    moved = correct(desk, one.name, phone="0571-87654321 转 803")
    assert (moved.phone, moved.phone_extension) == ("+8657187654321", "803")
    assert desk.capture(phone="0571-87654321 转 803").lead.name == one.name


# --- keys of others ---


def test_V6_a_touch_never_takes_an_email_that_another_lead_is_known_by(desk: Desk) -> None:
    by_phone = desk.capture(phone=PHONE).lead.name
    by_email = desk.capture(email="b@example.cn", full_name="B").lead.name
    desk.capture(phone=PHONE, email="b@example.cn")
    assert desk.get(by_phone).email == ""
    assert brought(desk, by_phone) == {"email": "b@example.cn"}
    # In one batch as well.
    rows: list[dict[str, Any]] = [
        {"phone": "13812345670"},
        {"email": "c@example.cn"},
        {"phone": "13812345670", "email": "c@example.cn"},
    ]
    one, two, three = desk.capture_all([leads_pb2.Lead(**row) for row in rows])
    assert (three.lead.name, three.lead.email) == (one.lead.name, "")  # type: ignore[union-attr]
    # Every key that a lead shows is its own.
    for name in (by_phone, by_email, one.lead.name, two.lead.name):  # type: ignore[union-attr]
        lead = desk.get(name)
        for kind, value in (("phone", lead.phone), ("email", lead.email)):
            assert not value or desk.keyed()[f"{kind}:{value}"] == name


def test_L31_a_colleagues_facts_are_not_hers_to_write(desk: Desk) -> None:
    desk.hire(("people/li", "teams/east", "sales"), ("people/wang", "teams/west", "sales"))
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/wang")
    before = desk.get(name)
    said: dict[str, Any] = {"company": "假", "text": "她的话", "email": "x@example.cn", "tags": ["t"]}
    for number, who in enumerate((LI, MANAGER)):
        desk.capture(who, phone=PHONE, **{**said, "email": f"x{number}@example.cn"})
        after = desk.get(name)
        assert (after.company, after.text, after.email, list(after.tags), after.etag) == ("", "", "", [], before.etag)
        assert chain(desk, name)[-1].text == "她的话"
        assert brought(desk, name) == {"company": "假", "email": f"x{number}@example.cn", "tags": ["t"]}
    desk.capture(WANG, phone=PHONE, **{**said, "email": "w@example.cn"})
    assert (desk.get(name).company, desk.get(name).email) == ("假", "w@example.cn")


def test_L31_a_visitor_and_an_administrator_may_add_to_an_owned_lead(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/wang")
    form = leads_pb2.Form(display_name="f", fields=["phone", "company"], open=True)
    desk.call("CreateForm", leads_pb2.CreateFormRequest(form=form, form_id="f"))
    visitor = principal("", "", Scope.NONE)
    sent = leads_pb2.Lead(phone=PHONE, company="乙")
    desk.call("SubmitForm", leads_pb2.SubmitFormRequest(form="forms/f", lead=sent), visitor)
    assert desk.get(name).company == "乙"
    assert desk.capture(phone=PHONE, industry="教育").lead.industry == "教育"


# --- how much ---


def test_N7_a_lead_does_not_grow_without_bound(desk: Desk) -> None:
    name = desk.capture(phone=PHONE, tags=[f"t{n}" for n in range(30)], custom={"first": 1}).lead.name
    for turn in range(4):
        keys = {f"k{turn}-{n}": "x" * 60 for n in range(90)}
        desk.capture(phone=PHONE, tags=[f"u{turn}-{n}" for n in range(40)], custom=keys, text=f"{turn}" * 3000)
    lead = desk.get(name)
    assert list(lead.tags) == [*(f"t{n}" for n in range(30)), *(f"u0-{n}" for n in range(20))]
    custom = MessageToDict(lead.custom)
    assert (len(custom), custom["first"], custom["k0-0"], custom["k1-0"]) == (200, 1, "x" * 60, "x" * 60)
    assert len(lead.text) <= 8000
    left = brought(desk, name)
    assert (len(left["tags"]), len(left["custom"])) == (40, 90)
    wide = desk.capture(phone="13812345679", custom={"a": "x" * 9000}).lead.name
    custom = MessageToDict(desk.capture(phone="13812345679", custom={"b": "y" * 9000, "c": 1}).lead.custom)
    assert sorted(custom) == ["a", "c"]
    assert list(brought(desk, wide)["custom"]) == ["b"]


# --- who hears of it ---


@pytest.mark.parametrize("waiting", ["WAITING", "UNASSIGNED"])
def test_L14_L9_words_of_a_further_capture_reach_the_decision_of_a_lead_that_waits(desk: Desk, waiting: str) -> None:
    name = desk.capture(phone=PHONE, text="了解一下").lead.name
    if waiting == "UNASSIGNED":
        desk.decide(Decided(name, "", 0, 1, reason="OFFLINE"))
    desk.announced()
    desk.capture(phone=PHONE, text="马上要采购")
    (event,) = desk.announced(events_pb2.LeadCaptured)
    assert (event.lead, event.cause, event.owner_version) == (name, "", 0)
    assert event.text == desk.get(name).text == "了解一下\n马上要采购"
    desk.capture(phone=PHONE, text="马上要采购")
    desk.capture(phone=PHONE)
    assert desk.announced(events_pb2.LeadCaptured) == [], "nothing new was said"
    # What repeats the announcement repeats these words too.
    again = correct(desk, name, company="甲")
    (event,) = desk.announced(events_pb2.LeadCaptured)
    assert event.text == again.text
    # Now it is urgent: the tag is kept though it waits for the same reason as before.
    desk.decide(Decided(name, "", 0, 2, reason="OFFLINE", tags=["urgent"]))
    assert list(desk.get(name).tags) == ["urgent"]
    desk.announced()
    desk.decide(Decided(name, "", 0, 3, reason="OFFLINE", tags=["urgent"]))
    assert desk.announced() == []


def test_L14_words_reach_the_decision_though_the_lead_has_no_room_for_them(desk: Desk) -> None:
    name = desk.capture(phone=PHONE, text="x" * 7990).lead.name
    desk.announced()
    desk.capture(phone=PHONE, text="马上马上马上马上马上")
    (event,) = desk.announced(events_pb2.LeadCaptured)
    assert (event.lead, event.text[-10:], len(desk.get(name).text)) == (name, "马上马上马上马上马上", 7990)


def test_L14_a_batch_says_what_its_captures_would_say_alone(desk: Desk) -> None:
    rows = [leads_pb2.Lead(phone=PHONE, text=text) for text in ("先看看", "急", "今天")]
    desk.capture_all(rows)
    (event,) = desk.announced(events_pb2.LeadCaptured)
    assert event.text == "先看看\n急\n今天"
    desk.capture_all([leads_pb2.Lead(phone=PHONE, text=text) for text in ("一", "二")])
    (event,) = desk.announced(events_pb2.LeadCaptured)
    assert event.text == "先看看\n急\n今天\n一\n二"
    desk.assign(event.lead, "people/li")
    release(desk, event.lead)
    desk.announced()
    desk.capture_all([leads_pb2.Lead(phone=PHONE, text=text) for text in ("三", "四")])
    (event,) = desk.announced(events_pb2.LeadCaptured)
    assert (event.cause, event.text) == ("RETURNED", "三\n四")


# --- who may have it ---


@pytest.mark.parametrize("by", ["release", "reclaim"])
def test_L21_L22_a_lead_does_not_come_back_within_the_cool_down_to_who_gave_it_away(desk: Desk, by: str) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/wang")
    if by == "release":
        release(desk, name)
    else:
        with desk.runtime.transaction() as tx:
            directed.act(tx, "RECLAIM", name, 1, "")
    desk.announced()
    desk.capture(phone=PHONE)
    correct(desk, name, company="甲")
    with desk.runtime.transaction() as tx:
        tx.execute(leads_table.update().values(status_time=tx.now - timedelta(1)))
    with desk.runtime.transaction() as tx:
        announce_again(tx)
    events = desk.announced(events_pb2.LeadCaptured)
    assert len(events) == 3
    for event in events:
        assert (event.cause, event.previous_owner, list(event.excluded)) == ("RETURNED", "", ["people/wang"])


def test_L22_after_the_cool_down_a_lead_goes_back_to_who_had_it(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/wang")
    release(desk, name)
    desk.announced()
    with desk.runtime.transaction() as tx:
        past = touchpoints.update().values(happen_time=tx.now - timedelta(hours=25))
        tx.execute(past.where(touchpoints.c.kind == leads_pb2.Touchpoint.RELEASED))
    desk.capture(phone=PHONE)
    (event,) = desk.announced(events_pb2.LeadCaptured)
    assert (event.previous_owner, list(event.excluded)) == ("people/wang", [])


@pytest.mark.parametrize("contacted", [False, True])
def test_L6_a_lead_whose_owner_has_left_is_decided_anew_when_the_contact_comes_again(
    desk: Desk, contacted: bool
) -> None:
    desk.hire(("people/wang", "teams/west", "sales"))
    name = desk.capture(phone=PHONE, text="old").lead.name
    desk.assign(name, "people/wang")
    if contacted:
        desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), WANG)
    desk.hire(("people/wang", "teams/west", "sales"), active=False, version=2)
    desk.announced()
    back = desk.capture(phone=PHONE, text="急").lead
    assert (back.status, back.owner, back.owner_version, back.status_reason) == (Status.WAITING, "", 2, "OWNER_LEFT")
    (event,) = desk.announced(events_pb2.LeadCaptured)
    assert (event.cause, event.previous_owner, event.owner_version, event.text) == ("RETURNED", "people/wang", 2, "急")
    assert chain(desk, name)[-1].reason == "OWNER_LEFT"
    desk.decide(Decided(name, "people/li", 2, 9))
    assert desk.get(name).owner == "people/li"
