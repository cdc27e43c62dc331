"""Who sees and changes which leads: own and the pool, team and what nobody owns, all."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st

from chassis import clock
from chassis.access import Principal, Scope
from chassis.errors import Denied, Invalid, NotFound, Refused, Stale
from dealwright.leads.v1 import leads_pb2
from leads.domain import lead as domain
from leads.domain.attention import attention, rule
from leads.domain.lead import Attention, Capture, Intent, Lead, Status
from leads.storage import leads as stored
from leads.storage import reading
from leads.storage.tables import leads as table
from leads.wire.times import stamp
from tests.leads.desk import ADMIN, CLERK, LI, MANAGER, WANG, Desk, principal

EVERY = {"mine", "others", "teamless", "waiting", "pooled"}
WITHOUT_TEAM = principal("people/li", "manager", Scope.TEAM)


@pytest.fixture
def leads(desk: Desk) -> dict[str, str]:
    """One lead of each standing, by a word for it."""
    desk.hire(
        ("people/li", "teams/east", "sales"), ("people/wang", "teams/west", "sales"), ("people/solo", "", "sales")
    )
    words = ["mine", "others", "teamless", "waiting", "pooled"]
    found = {word: desk.capture(phone=f"1381234567{n}", company=word).lead.name for n, word in enumerate(words)}
    for number, (word, owner) in enumerate(
        {"mine": "people/li", "others": "people/wang", "teamless": "people/solo", "pooled": "people/wang"}.items()
    ):
        desk.assign(found[word], owner, number + 1)
    desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=found["pooled"]))
    return found


def listed(desk: Desk, who: Principal, **request: object) -> list[str]:
    with desk.runtime.reading(who) as tx:
        answer = desk.servicer.ListLeads(tx, leads_pb2.ListLeadsRequest(**request))  # type: ignore[arg-type]
    return [lead.company for lead in answer.leads]


@pytest.mark.parametrize(
    ("who", "sees", "changes"),
    [
        (LI, {"mine", "pooled"}, {"mine"}),
        (MANAGER, {"mine", "waiting", "pooled"}, {"mine", "waiting", "pooled"}),
        (WITHOUT_TEAM, {"mine", "teamless", "waiting", "pooled"}, {"mine", "teamless", "waiting", "pooled"}),
        (
            CLERK,
            {"mine", "others", "teamless", "waiting", "pooled"},
            {"mine", "others", "teamless", "waiting", "pooled"},
        ),
    ],
    ids=["own", "team", "no team", "all"],
)
def test_P5_P6_a_list_a_look_and_a_change_reach_exactly_the_same_leads(
    desk: Desk, leads: dict[str, str], who: Principal, sees: set[str], changes: set[str]
) -> None:
    assert set(listed(desk, who)) == sees
    for word, name in leads.items():
        request = leads_pb2.UpdateLeadRequest(
            lead=leads_pb2.Lead(name=name, industry=f"by {who.person}"), update_mask=FieldMask(paths=["industry"])
        )
        if word in sees:
            assert desk.get(name, who).company == word
        else:
            with pytest.raises(NotFound):
                desk.get(name, who)
        if word in changes:
            assert desk.call("UpdateLead", request, who).industry == f"by {who.person}"
        else:
            with pytest.raises(Denied if word in sees else NotFound):
                desk.call("UpdateLead", request, who)


@pytest.mark.parametrize("name", ["", "leads/", "leads/x", "leads/" + "0" * 32, "leads/\x00", "people/li", "leads/*"])
def test_a_name_that_is_none_is_not_found(desk: Desk, name: str) -> None:
    with pytest.raises(NotFound):
        desk.get(name)


def test_P7_a_hidden_field_cannot_be_filtered_by_grouped_by_or_changed(desk: Desk) -> None:
    desk.capture(phone="13812345678", region="上海")
    blind = principal("people/x", "finance", Scope.ALL, hidden=frozenset({"phone", "region"}))
    with pytest.raises(Invalid):
        listed(desk, blind, filter='phone = "13812345678"')
    with pytest.raises(Invalid), desk.runtime.reading(blind) as tx:
        desk.servicer.SummarizeLeads(tx, leads_pb2.SummarizeLeadsRequest(group_by=["region"]))
    lead = leads_pb2.Lead(name="leads/" + "0" * 32, phone="13812345679")
    with pytest.raises(Invalid):
        desk.call("UpdateLead", leads_pb2.UpdateLeadRequest(lead=lead), blind)
    reader = principal("people/x", "finance", Scope.ALL, read_only=frozenset({"phone"}))
    with pytest.raises(Denied):
        desk.call("UpdateLead", leads_pb2.UpdateLeadRequest(lead=lead), reader)


# --- lists ---


def test_L1_a_list_is_paged_newest_first_and_every_lead_comes_once(desk: Desk) -> None:
    start = datetime(2026, 10, 1, tzinfo=UTC)
    rows = [
        leads_pb2.Lead(phone=f"138123456{n:02d}", company=str(n), capture_time=stamp(start + timedelta(minutes=n // 3)))
        for n in range(20)
    ]
    desk.capture_all(rows)
    token, pages, total = "", [], 0
    while True:
        with desk.runtime.reading(ADMIN) as tx:
            answer = desk.servicer.ListLeads(tx, leads_pb2.ListLeadsRequest(page_size=7, page_token=token))
        pages.append([int(lead.company) for lead in answer.leads])
        token, total = answer.next_page_token, answer.total_size
        if not token:
            break
    assert total == 20
    every = list(itertools.chain(*pages))
    assert [len(page) for page in pages] == [7, 7, 6]
    assert sorted(every) == list(range(20))
    assert [n // 3 for n in every] == sorted((n // 3 for n in every), reverse=True)


def test_L1_a_list_is_filtered_by_what_people_look_for(desk: Desk) -> None:
    desk.capture(phone="13812345670", company="a", region="上海", channel="DOUYIN", intent="HIGH", full_name="王小明")
    desk.capture(
        phone="13812345671",
        company="b",
        region="北京",
        channel="WECHAT",
        intent="LOW",
        email="b@example.cn",
        tags=["vip", "老客户", 'a "b"'],
    )
    for text, found in {
        'region = "上海市"': ["a"],
        "channel = DOUYIN AND intent = HIGH": ["a"],
        'phone = "138 1234 5671"': ["b"],
        'email = "B@example.cn"': ["b"],
        "status = WAITING AND NOT channel = DOUYIN": ["b"],
        "attention = RED": ["b", "a"],
        "attention = GREEN": [],
        'owner = ""': ["b", "a"],
        'full_name = "王小明"': ["a"],
        "fullName:小明": ["a"],
        "NOT full_name:*": ["b"],
        "tags:vip": ["b"],
        "tags:vi": [],
        "tags:VIP": [],
        'tags:"老客户" AND tags:vip': ["b"],
        r'tags:"a \"b\""': ["b"],
        "NOT tags:vip": ["a"],
        "tags:*": ["b"],
        "-tags:*": ["a"],
    }.items():
        assert listed(desk, ADMIN, filter=text) == found, text
    for wrong in ("secret = 1", "region =", "channel = NOWHERE", "tags = vip", "tags != vip", "tags < a"):
        with pytest.raises(Invalid):
            listed(desk, ADMIN, filter=wrong)


def test_C17_a_chain_tells_what_happened_in_order(desk: Desk) -> None:
    desk.hire(("people/li", "teams/east", "sales"))
    name = desk.capture(phone="13812345678", channel="WEB_FORM", text="hello").lead.name
    desk.assign(name, "people/li")
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name, note="called"), LI)
    desk.capture(phone="13812345678", channel="TRADE_SHOW", location=leads_pb2.Location(latitude=31, longitude=121))
    desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name, reason="busy"), LI)
    token = ""
    points: list[leads_pb2.Touchpoint] = []
    while True:
        with desk.runtime.reading(ADMIN) as tx:
            request = leads_pb2.ListTouchpointsRequest(parent=name, page_size=2, page_token=token)
            answer = desk.servicer.ListTouchpoints(tx, request)
        points += answer.touchpoints
        token = answer.next_page_token
        if not token:
            break
    kinds = [leads_pb2.Touchpoint.Kind.Name(point.kind) for point in points]
    assert kinds == ["CAPTURED", "ASSIGNED", "CONTACTED", "TOUCHED", "RELEASED"]
    assert (points[0].text, points[2].actor, points[3].location.latitude, points[4].reason) == (
        "hello", "people/li", 31, "busy",
    )  # fmt: skip
    desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/li"))
    with pytest.raises(NotFound), desk.runtime.reading(WANG) as tx:
        desk.servicer.ListTouchpoints(tx, leads_pb2.ListTouchpointsRequest(parent=name))


# --- numbers ---


def summary(desk: Desk, who: Principal, *group_by: str, filter: str = "") -> dict[tuple[str, ...], tuple[object, ...]]:
    with desk.runtime.reading(who) as tx:
        answer = desk.servicer.SummarizeLeads(tx, leads_pb2.SummarizeLeadsRequest(group_by=group_by, filter=filter))
    return {
        tuple(r.keys): (r.leads, r.responded, round(r.mean_response.ToTimedelta() / timedelta(hours=1), 2), r.overdue)
        for r in answer.rows
    }


def test_L28_L30_E11_responses_are_counted_per_channel_from_the_capture(desk: Desk) -> None:
    desk.hire(("people/li", "teams/east", "sales"), ("people/wang", "teams/west", "sales"))
    for number, (channel, hours) in enumerate([("TRADE_SHOW", 1), ("TRADE_SHOW", 3), ("DOUYIN", 5), ("DOUYIN", 0)]):
        captured = clock.now() - timedelta(hours=hours)
        name = desk.capture(phone=f"1381234567{number}", channel=channel, capture_time=captured).lead.name
        desk.assign(name, "people/li" if number < 3 else "people/wang", number + 1)
        if hours:
            desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name))
    assert summary(desk, ADMIN, "channel") == {("TRADE_SHOW",): (2, 2, 2.0, 0), ("DOUYIN",): (2, 1, 5.0, 0)}
    assert summary(desk, LI, "channel", "status") == {
        ("TRADE_SHOW", "CONTACTED"): (2, 2, 2.0, 0),
        ("DOUYIN", "CONTACTED"): (1, 1, 5.0, 0),
    }
    assert summary(desk, ADMIN, "owner", filter="channel = DOUYIN AND status = ASSIGNED") == {
        ("people/wang",): (1, 0, 0.0, 0)
    }
    for wrong in ((), ("channel", "region", "status"), ("phone",), ("channel", "channel")):
        with pytest.raises(Invalid):
            summary(desk, ADMIN, *wrong)


def test_L20_L30_responses_that_came_late_or_not_in_time_are_overdue(desk: Desk) -> None:
    now = clock.now()
    base = domain.start(Capture(phone="p", channel=2), "leads/0", now)
    times: list[tuple[datetime | None, datetime | None]] = [
        (None, None),
        (now - timedelta(hours=1), None),
        (now + timedelta(hours=1), None),
        (now, now + timedelta(hours=1)),
        (now, now - timedelta(hours=1)),
    ]
    with desk.runtime.transaction() as tx:
        stored.insert(
            tx,
            [
                replace(base, name=f"leads/{n}", respond_by=due, first_response_time=done)
                for n, (due, done) in enumerate(times)
            ],
        )
    assert summary(desk, ADMIN, "channel")[("TRADE_SHOW",)][3] == 2


_ages = st.integers(0, 100).map(lambda hours: timedelta(hours=hours))


def aged(status: Status, intent: Intent, age: timedelta, now: datetime) -> Lead:
    start = domain.start(Capture(phone="p"), "leads/x", now)
    return replace(start, status=status, intent=intent, last_activity_time=now - age)


@given(st.sampled_from(Status), st.sampled_from(Intent), _ages)
def test_L29_red_is_due_within_24_hours_yellow_within_72_green_later(
    status: Status, intent: Intent, age: timedelta
) -> None:
    now = datetime(2026, 10, 1, tzinfo=UTC)
    colour = attention(status, intent, now - age, rule(now))
    if status in (Status.QUALIFIED, Status.DISQUALIFIED, Status.MERGED, Status.DELETED):
        assert colour == Attention.ATTENTION_UNSPECIFIED
    elif status in (Status.WAITING, Status.UNASSIGNED, Status.ASSIGNED):
        assert colour == Attention.RED
    elif intent == Intent.LOW:
        assert colour == Attention.GREEN
    else:
        wait = timedelta(hours=24 if intent == Intent.HIGH else 72)
        due_in = wait - age
        assert colour == (Attention.RED if due_in <= timedelta(hours=24) else Attention.YELLOW)


def test_L29_the_database_sees_the_same_colours(desk: Desk) -> None:
    now = clock.now().replace(microsecond=0)
    cases = itertools.product(list(Status)[1:], Intent, [timedelta(hours=h) for h in (0, 47, 48, 49, 73)])
    every = [replace(aged(s, i, age, now), name=f"leads/{n}") for n, (s, i, age) in enumerate(cases)]
    with desk.runtime.transaction() as tx:
        stored.insert(tx, every)
    with desk.runtime.reading() as tx:
        found = {row[0]: row[1] for row in tx.execute(sa.select(table.c.name, reading.attention(rule(now))))}
    assert found == {
        lead.name: attention(lead.status, lead.intent, lead.last_activity_time, rule(now)) for lead in every
    }
    assert set(found.values()) == {0, 1, 2, 3}


# --- corrections ---


def update(desk: Desk, lead: leads_pb2.Lead, *paths: str, who: Principal = ADMIN) -> leads_pb2.Lead:
    answer: leads_pb2.Lead = desk.call(
        "UpdateLead", leads_pb2.UpdateLeadRequest(lead=lead, update_mask=FieldMask(paths=paths)), who
    )
    return answer


def test_L2_a_correction_changes_what_the_mask_names_and_the_lead_is_found_by_its_new_phone(desk: Desk) -> None:
    lead = desk.capture(phone="13812345678", email="a@example.cn", full_name="王", company="甲").lead
    changed = update(desk, leads_pb2.Lead(name=lead.name, phone="13812345679", full_name="x"), "phone", "company")
    assert (changed.phone, changed.full_name, changed.company) == ("+8613812345679", "王", "")
    assert desk.capture(phone="13812345679").lead.name == lead.name
    assert desk.capture(phone="13812345678").lead.name != lead.name
    # Without a mask, what is set is changed.
    assert update(desk, leads_pb2.Lead(name=lead.name, company="乙")).company == "乙"
    everything = update(desk, leads_pb2.Lead(name=lead.name, phone="13812345679", channel=leads_pb2.API), "*")
    assert (everything.company, everything.full_name, everything.email) == ("", "", "")


def test_I1_a_correction_cannot_take_another_leads_phone(desk: Desk) -> None:
    one = desk.capture(phone="13812345678").lead
    two = desk.capture(phone="13812345679", email="b@example.cn").lead
    with pytest.raises(Refused) as problem:
        update(desk, leads_pb2.Lead(name=two.name, phone=one.phone), "phone")
    assert (problem.value.reason, problem.value.code) == ("KEY_TAKEN", "ALREADY_EXISTS")
    assert desk.get(two.name).phone == two.phone


def test_a_correction_names_what_is_wrong(desk: Desk) -> None:
    lead = desk.capture(phone="13812345678").lead
    for values, paths, field in (
        ({"phone": "12"}, ("phone",), "lead.phone"),
        ({}, ("phone",), "lead.phone"),
        ({}, ("channel",), "lead.channel"),
        ({"owner": "people/li"}, ("owner",), "update_mask.owner"),
        ({"full_name": "a\x00"}, (), "lead.full_name"),
    ):
        with pytest.raises(Invalid) as problem:
            update(desk, leads_pb2.Lead(name=lead.name, **values), *paths)  # type: ignore[arg-type]
        assert [v.field for v in problem.value.violations] == [field]
    with pytest.raises(Stale):
        update(desk, leads_pb2.Lead(name=lead.name, etag="7", company="x"))
    assert desk.get(lead.name) == lead
