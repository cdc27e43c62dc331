"""Captures: what is taken, what is refused, and which of them are one contact."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from chassis import clock
from chassis.batching import Batcher
from chassis.errors import Invalid, Refused
from chassis.rpc import Call, Item
from chassis.transaction import Origin
from dealwright.leads.v1 import events_pb2, leads_pb2
from leads.domain import lead as domain
from leads.domain.lead import Capture, Kind
from leads.domain.matching import match
from leads.domain.ownership import Decided
from leads.domain.settings import LeadSettings
from leads.storage import leads as stored
from leads.storage import settings
from leads.wire import capture as capture_wire
from tests.leads.desk import ADMIN, LI, MANAGER, WANG, Desk

CREATED = leads_pb2.CaptureLeadResponse.CREATED
TOUCHED = leads_pb2.CaptureLeadResponse.TOUCHED


def wrong_fields(**fields: object) -> list[str]:
    call = Call(leads_pb2.CaptureLeadRequest(lead=leads_pb2.Lead(**fields)), ADMIN, Origin())  # type: ignore[arg-type]
    with pytest.raises(Invalid) as problem:
        capture_wire.capture(call)
    assert all(v.english and v.chinese for v in problem.value.violations)
    return [v.field for v in problem.value.violations]


def test_the_domains_numbers_are_those_of_the_contract() -> None:
    for ours, theirs in (
        (domain.Channel, leads_pb2.Channel),
        (domain.Status, leads_pb2.Lead.Status),
        (domain.Intent, leads_pb2.Lead.Intent),
        (domain.Attention, leads_pb2.Lead.Attention),
        (Kind, leads_pb2.Touchpoint.Kind),
    ):
        assert {m.name: int(m) for m in ours} == dict(theirs.items())


def test_L2_L5_L6_a_capture_becomes_a_waiting_lead_with_one_touchpoint_and_is_announced(desk: Desk) -> None:
    answer = desk.capture(
        phone="１３８-1234 5678", email="A@Example.cn", full_name=" 王 ", region="上海市", channel="TRADE_SHOW",
        intent="HIGH", text="急", location=leads_pb2.Location(latitude=31.2, longitude=121.5), company="甲公司",
    )  # fmt: skip
    lead = answer.lead
    assert answer.outcome == CREATED
    assert (lead.phone, lead.email, lead.full_name, lead.region) == ("+8613812345678", "a@example.cn", "王", "上海")
    assert lead.status == leads_pb2.Lead.WAITING
    assert lead.owner == ""
    assert desk.get(lead.name) == lead
    (event,) = desk.announced()
    assert isinstance(event, events_pb2.LeadCaptured)
    assert (event.lead, event.text, event.owner_version, event.cause) == (lead.name, "急", 0, "")
    assert event.location == lead.location
    assert (desk.count("touchpoints"), desk.count("audit_log"), desk.count("lead_keys")) == (1, 1, 2)


def test_I1_V6_a_known_phone_or_email_touches_the_lead_fills_what_is_empty_and_overwrites_nothing(desk: Desk) -> None:
    first = desk.capture(phone="13812345678", full_name="王", intent="LOW").lead
    desk.announced()
    again = desk.capture(phone="+86 138 1234 5678", email="w@example.cn", full_name="李", company="乙", intent="HIGH")
    assert again.outcome == TOUCHED
    assert again.lead.name == first.name
    assert (again.lead.full_name, again.lead.company, again.lead.intent) == ("王", "乙", leads_pb2.Lead.LOW)
    assert again.lead.etag != first.etag
    # The e-mail is a key of it from now on.
    assert desk.capture(email="W@example.cn").lead.name == first.name
    # Nobody has it yet: who decides and who counts hear of the company that was added, and not of what adds nothing.
    told = ["LeadChanged", "LeadCaptured", "LeadTouched", "LeadTouched"]
    assert [type(e).__name__ for e in desk.announced()] == told
    assert (desk.count("leads"), desk.count("touchpoints"), desk.count("audit_log")) == (1, 3, 3)


def test_L31_a_touch_keeps_the_owner(desk: Desk) -> None:
    lead = desk.capture(phone="13812345678").lead
    desk.assign(lead.name, "people/li")
    again = desk.capture(phone="13812345678", text="又来了").lead
    assert (again.owner, again.status, again.owner_version) == ("people/li", leads_pb2.Lead.ASSIGNED, 1)


def test_L31_who_may_not_see_a_known_lead_learns_whose_it_is_and_nothing_else(desk: Desk) -> None:
    desk.hire(("people/wang", "teams/west", "sales"))
    lead = desk.capture(phone="13812345678", full_name="王", text="secret").lead
    desk.assign(lead.name, "people/wang")
    for who in (LI, MANAGER):
        seen = desk.capture(who, phone="13812345678").lead
        assert seen == leads_pb2.Lead(name=lead.name, status=leads_pb2.Lead.ASSIGNED, owner="people/wang")
    assert desk.capture(WANG, phone="13812345678").lead.text == "secret"


def test_V6_where_phone_and_email_match_two_leads_the_phone_wins_and_the_other_is_flagged(desk: Desk) -> None:
    by_phone = desk.capture(phone="13812345678").lead.name
    by_email = desk.capture(email="a@example.cn").lead.name
    assert desk.capture(phone="13812345678", email="a@example.cn").lead.name == by_phone
    assert desk.get(by_email).review_with == by_phone
    assert desk.get(by_phone).review_with == ""


def test_C20_a_licence_alone_never_merges(desk: Desk) -> None:
    licence = "91350100M000100Y43"
    one = desk.capture(phone="13812345678", licence=licence).lead
    assert desk.capture(phone="13812345679", licence=licence).lead.name != one.name


def test_V6_repeats_within_a_batch_are_one_lead(desk: Desk) -> None:
    rows = [leads_pb2.Lead(phone="13812345678"), leads_pb2.Lead(email="a@example.cn", phone="13812345678")]
    one, two, three = desk.capture_all([*rows, leads_pb2.Lead(email="a@example.cn")])
    assert one.lead == two.lead == three.lead  # type: ignore[union-attr]
    assert [a.outcome for a in (one, two, three)] == [CREATED, TOUCHED, TOUCHED]  # type: ignore[union-attr]
    assert (desk.count("leads"), desk.count("touchpoints")) == (1, 3)


def test_V6_with_hard_rejection_a_duplicate_is_refused_and_leaves_nothing(desk: Desk) -> None:
    with desk.runtime.transaction() as tx:
        settings.save(tx, LeadSettings(hard_reject_duplicates=True))
    desk.capture(phone="13812345678")
    answers = desk.capture_all(
        [
            leads_pb2.Lead(phone="13812345678", email="a@example.cn"),
            leads_pb2.Lead(phone="13812345679"),
            leads_pb2.Lead(phone="13812345679"),
            leads_pb2.Lead(email="a@example.cn"),
        ]
    )
    assert [a.reason if isinstance(a, Refused) else a.outcome for a in answers] == [  # type: ignore[union-attr]
        "DUPLICATE",
        CREATED,
        "DUPLICATE",
        CREATED,
    ]
    assert (desk.count("leads"), desk.count("touchpoints"), desk.count("lead_keys")) == (3, 3, 3)


@pytest.mark.parametrize("closing", ["POOLED", "DISQUALIFIED"])
def test_L21_a_pooled_or_closed_lead_that_is_touched_waits_for_an_owner_again(desk: Desk, closing: str) -> None:
    lead = desk.capture(phone="13812345678", text="old", region="上海").lead
    desk.assign(lead.name, "people/li")
    if closing == "POOLED":
        desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=lead.name))
    else:
        desk.call("DisqualifyLead", leads_pb2.DisqualifyLeadRequest(name=lead.name, reason="no"))
    desk.announced()
    back = desk.capture(phone="13812345678", text="马上").lead
    assert (back.status, back.owner, back.owner_version) == (leads_pb2.Lead.WAITING, "", 2)
    (event,) = desk.announced(events_pb2.LeadCaptured)
    assert (event.cause, event.owner_version, event.text) == ("RETURNED", 2, "马上")
    # Who gave it away a moment ago might not claim it, so it does not come back to her by itself.
    kept, away = ([], ["people/li"]) if closing == "POOLED" else (["people/li"], [])
    assert ([event.previous_owner] if event.previous_owner else [], list(event.excluded)) == (kept, away)
    desk.decide(Decided(lead.name, "people/wang", 2, 9))
    assert desk.get(lead.name).owner == "people/wang"
    # No first decision, so those who count open leads are told.
    (moved,) = desk.announced(events_pb2.LeadMoved)
    assert (moved.previous_owner, moved.owner, moved.owner_version, moved.decision) == ("", "people/wang", 3, 9)


def test_every_wrong_field_is_named_in_both_languages() -> None:
    year = datetime(9999, 1, 1, tzinfo=UTC)
    soon = clock.now() + timedelta(minutes=6)
    assert wrong_fields() == ["lead.phone"]
    assert wrong_fields(phone="12", email="x") == ["lead.phone", "lead.email"]
    assert wrong_fields(phone="13812345678", email="at(at)example.cn") == ["lead.email"]
    assert wrong_fields(phone="13812345678", channel=99, intent=-1) == ["lead.channel", "lead.intent"]
    assert wrong_fields(phone="13812345678", full_name="a\u202eb", company="c" * 201, text="\x00") == [
        "lead.full_name", "lead.company", "lead.text",
    ]  # fmt: skip
    assert wrong_fields(phone="13812345678", capture_time=year) == ["lead.capture_time"]
    assert wrong_fields(phone="13812345678", capture_time=soon) == ["lead.capture_time"]
    assert wrong_fields(phone="13812345678", capture_time=datetime(1999, 1, 1, tzinfo=UTC)) == ["lead.capture_time"]
    for latitude in (float("nan"), float("inf"), 91.0):
        place = leads_pb2.Location(latitude=latitude, longitude=1)
        assert wrong_fields(phone="13812345678", location=place) == ["lead.location"]
    for half, missing in (({"latitude": 31.0}, "longitude"), ({"longitude": 121.0}, "latitude")):
        place = leads_pb2.Location(**half)
        assert wrong_fields(phone="13812345678", location=place) == [f"lead.location.{missing}"]
    nowhere = ["lead.location.latitude", "lead.location.longitude"]
    assert wrong_fields(phone="13812345678", location=leads_pb2.Location()) == nowhere
    assert wrong_fields(phone="021-62345678", phone_extension="8a") == ["lead.phone_extension"]
    assert wrong_fields(email="a@example.cn", phone_extension="8") == ["lead.phone"]
    assert wrong_fields(phone="13812345678", licence="x") == ["lead.licence"]
    assert wrong_fields(phone="13812345678", tags=["a"] * 51) == ["lead.tags"]


@pytest.mark.parametrize(
    "custom",
    [
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": "\x00"},
        {"a\x00": 1},
        {"a": {"b": {"c": {"d": {"e": {}}}}}},
        {f"k{i}": 1 for i in range(201)},
        {"a": "x" * 17_000},
    ],
)
def test_N7_custom_fields_are_small_plain_data(custom: dict[str, object]) -> None:
    lead = leads_pb2.Lead(phone="13812345678")
    lead.custom.update(custom)  # type: ignore[arg-type]
    assert wrong_fields(phone="13812345678", custom=lead.custom) == ["lead.custom"]


def test_N7_custom_fields_come_back_as_they_went_in_and_fill_up(desk: Desk) -> None:
    desk.capture(phone="13812345678", custom={"budget": 2.5, "sizes": ["甲", None, True]})
    custom = desk.capture(phone="13812345678", custom={"budget": 9, "more": {"a": "\n"}}).lead.custom
    assert MessageToDict(custom) == {"budget": 2.5, "sizes": ["甲", None, True], "more": {"a": "\n"}}


def test_what_only_we_say_is_ignored(desk: Desk) -> None:
    lead = desk.capture(phone="13812345678", owner="people/li", status="QUALIFIED", etag="9", owner_version=7).lead
    assert (lead.owner, lead.status, lead.etag, lead.owner_version) == ("", leads_pb2.Lead.WAITING, "1", 0)


def test_a_batch_of_1000_takes_as_many_statements_as_one_of_10(desk: Desk) -> None:
    counted = 0

    @sa.event.listens_for(desk.runtime.database.engine, "before_cursor_execute")
    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    def statements(first: int, size: int) -> int:
        nonlocal counted
        counted = 0
        desk.capture_all([leads_pb2.Lead(phone=f"138{n:08d}") for n in range(first, first + size)])
        return counted

    desk.capture(phone="13999999999")  # the company's settings are remembered for a second
    assert statements(0, 10) == statements(100, 1000)
    # Half of them known: three more statements for all of them, to find whose the keys are, to read those leads and to
    # write what they filled.
    assert statements(600, 1000) <= statements(5000, 10) + 3


# --- any order, any grouping ---

_phones, _emails = st.sampled_from(["p1", "p2", "p3", ""]), st.sampled_from(["e1", "e2", "e3", ""])
_captures = st.lists(
    st.builds(Capture, phone=_phones, email=_emails).filter(lambda c: c.phone or c.email), min_size=1, max_size=8
)


def fold(captures: list[Capture], sizes: list[int]) -> list[str]:
    """The lead of each capture, when they come in groups of these sizes."""
    known: dict[str, str] = {}
    names = [f"lead{number}" for number in range(len(captures))]
    found: list[str] = []
    done = 0
    for size in [*sizes, len(captures)]:
        group = captures[done : done + size]
        matches, known = match(group, known, names[done:].__getitem__, lambda i: False)
        found += [m.lead for m in matches]
        done += len(group)
    return found


@given(_captures, st.lists(st.integers(1, 4), max_size=8))
def test_V6_any_grouping_of_the_same_captures_gives_the_same_leads(captures: list[Capture], sizes: list[int]) -> None:
    assert fold(captures, sizes) == fold(captures, [1] * len(captures))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", ""])), min_size=1, max_size=10),
    st.randoms(use_true_random=False),
    st.lists(st.integers(1, 4), max_size=8),
)
def test_V6_any_order_of_captures_gives_one_lead_per_contact(
    rows: list[tuple[int, str]], chance: object, sizes: list[int]
) -> None:
    """A contact is one phone with addresses of its own; only captures that bridge two contacts depend on order."""
    captures = [Capture(phone=f"p{who}", email=f"{mail}{who}" if mail else "") for who, mail in rows]
    chance.shuffle(captures)  # type: ignore[attr-defined]
    leads = fold(captures, sizes)
    assert len(set(zip(leads, [c.phone for c in captures], strict=True))) == len({c.phone for c in captures})


def test_a_lead_is_stored_column_by_column_as_it_is(desk: Desk) -> None:
    now = clock.now()
    lead = domain.start(
        Capture(phone="p", latitude=1.5, longitude=-2.25, tags=['"', "\\", "{a,b}", "NULL", ""]), "leads/x", now
    )
    full = dataclasses.replace(
        lead, full_name='a"b\\c{},NULL', custom={"k": ['"', "\\", None, "'"]}, respond_by=now, owners=["people/'\\\""]
    )
    with desk.runtime.transaction() as tx:
        stored.insert(tx, [full, dataclasses.replace(lead, name="leads/y")])
    with desk.runtime.reading() as tx:
        found = stored.by_name(tx, ["leads/x", "leads/y"])
    assert found["leads/x"] == dataclasses.replace(full, tags=list(full.tags), skills=[])
    assert found["leads/y"].custom is None


def test_I1_a_lone_capture_that_hopes_its_contact_is_new_finds_it_all_the_same(desk: Desk) -> None:
    """As the server runs it: on PostgreSQL one statement for a new contact, and once more for one that is known."""
    batcher = Batcher(desk.runtime, "Capture", desk.servicer.CaptureLead, leads_pb2.CaptureLeadResponse, 256)

    def capture(**fields: Any) -> leads_pb2.CaptureLeadResponse:
        request = leads_pb2.CaptureLeadRequest(lead=leads_pb2.Lead(**fields), request_id=fields["text"])
        call = Call(request, ADMIN, Origin(ADMIN.actor))
        answer = batcher.submit([Item(call, capture_wire.capture(call))])[0].result(10)
        assert isinstance(answer, leads_pb2.CaptureLeadResponse)
        return answer

    first = capture(phone="13812345678", text="1")
    again = capture(phone="13812345678", email="a@example.cn", text="2")
    assert (again.lead.name, again.outcome) == (first.lead.name, leads_pb2.CaptureLeadResponse.TOUCHED)
    assert capture(phone="13812345678", text="1") == first, "a repeated request has its first answer"
    assert desk.keyed() == {"phone:+8613812345678": first.lead.name, "email:a@example.cn": first.lead.name}
    assert desk.count("leads") == 1
    assert [type(e) for e in desk.announced() if e.lead != first.lead.name] == []
    batcher.stop()
