"""One customer, however many records of it there were: merging, and leads that become customers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, NotFound, Refused, Stale
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import events_pb2
from dealwright.leads.v1 import events_pb2 as lead_events_pb2
from dealwright.leads.v1 import leads_pb2
from dealwright.opportunities.v1 import events_pb2 as opportunity_events_pb2
from tests.customers.desk import ADMIN, LI, MANAGER, WANG, Desk
from tests.customers.test_customers import LICENCE, struct


def merge(desk: Desk, name: str, other: str, who: Any = ADMIN, **etags: str) -> Any:
    return desk.call("MergeCustomer", pb.MergeCustomerRequest(name=name, other=other, **etags), who)


def test_C20_two_records_of_one_customer_become_one(desk: Desk) -> None:
    one = desk.create(
        display_name="华兴", phone="13812345678", tags=["a"], custom=struct(x=1), external_ids={"erp": "1"}
    )
    two = desk.create(
        display_name="华兴机械",
        phone="13912345678",
        email="a@b.cn",
        licence=LICENCE,
        industry="制造业",
        tags=["b"],
        custom=struct(x=2, y=3),
        external_ids={"erp": "2", "mes": "7"},
    )
    first, second = desk.contact(one.name), desk.contact(two.name, full_name="李雷")
    desk.announced()
    now = merge(desk, one.name, two.name)
    assert (now.display_name, now.phone, now.email, now.industry) == ("华兴", "+8613812345678", "a@b.cn", "制造业")
    assert (now.licence, list(now.tags)) == (LICENCE, ["a", "b"])
    assert dict(now.custom) == {"x": 1, "y": 3}
    assert dict(now.external_ids) == {"erp": "1", "mes": "7"}
    assert {c.name for c in desk.contacts(one.name)} == {first.name, second.name}
    # What answers with it: the other's name, and all that the other was known by.
    assert desk.get(two.name) == now
    assert desk.names() == [one.name]
    for text in ('phone = "13912345678"', 'externalIds = "erp:2"', 'email = "a@b.cn"'):
        assert desk.names(filter=text) == [one.name], text
    with pytest.raises(Refused):
        desk.create(display_name="华兴机械")
    told = desk.announced()
    assert [(e.customer.name, e.merged) for e in told if isinstance(e, events_pb2.CustomersMerged)] == [
        (one.name, two.name)
    ]
    gone = [e for e in told if isinstance(e, events_pb2.CustomerChanged) and e.customer.name == two.name]
    assert [(e.deleted, e.customer.merged_into, e.customer.display_name) for e in gone] == [
        (True, one.name, "华兴机械")
    ]


def test_C20_what_was_merged_twice_answers_with_the_last(desk: Desk) -> None:
    one, two, three = (desk.create().name for _ in range(3))
    merge(desk, two, one)
    merge(desk, three, two)
    assert {desk.get(name).name for name in (one, two, three)} == {three}
    with pytest.raises(Refused) as refused:
        merge(desk, one, three)
    assert refused.value.reason == "SAME_CUSTOMER"
    assert desk.update(one, "industry", industry="制造业").name == three


def test_C16_C20_nobody_is_asked_whose_a_customer_is_to_be_that_is_part_of_another(desk: Desk) -> None:
    stays, other = desk.create(owner="people/wang"), desk.create(owner="people/li")
    desk.hire(("people/li", "teams/east", "sales"), active=False, version=2)
    assert [one.record for one in desk.hand_overs()] == [other.name]
    merge(desk, stays.name, other.name)
    assert desk.hand_overs() == []


@pytest.mark.parametrize("merged_first", [True, False])
def test_C16_C20_what_waits_with_a_customer_that_was_merged_waits_with_the_one_that_stays(
    desk: Desk, merged_first: bool
) -> None:
    stays, other, last = (desk.create().name for _ in range(3))
    left = opportunity_events_pb2.OpportunityLeftBehind(
        opportunity="opportunities/1", person="people/li", owner_version=1, customer=other
    )
    acts: list[Callable[[], Any]] = [lambda: merge(desk, stays, other), lambda: desk.hear("left_behind", left)]
    for act in acts if merged_first else reversed(acts):
        act()
    merge(desk, last, stays)
    everything = dict.fromkeys(("customers", "opportunities"), Grant(Scope.ALL))
    root = Principal("people/admin", "admin", "", (), everything)
    assert [one.customer for one in desk.hand_overs(root)] == [last]


def test_C20_a_refusal_names_the_fields_and_whose_they_are_to_who_may_see_that_customer(desk: Desk) -> None:
    known = desk.create(LI, display_name="华兴", phone="13812345678", external_ids={"erp": "1"})
    other = desk.create(LI)
    theirs = desk.create(WANG, email="a@b.cn")
    shown = desk.create(owner="people/boss", licence=LICENCE, shared_with_team=True)

    def refused(who: Any, act: Any, **fields: Any) -> dict[str, tuple[str, str]]:
        with pytest.raises(Refused) as problem:
            act(who=who, **fields)
        assert problem.value.reason == "KEY_TAKEN"
        return {one.field: (one.english, one.chinese) for one in problem.value.violations}

    def change(who: Any, **fields: Any) -> Any:
        return desk.update(other.name, *fields, who=who, **fields)

    same = {"phone": "13812345678", "external_ids": {"erp": "1"}}
    for act in (desk.create, change):
        wrong = refused(LI, act, **same)
        assert set(wrong) == {"customer.phone", "customer.external_ids.erp"}
        for text in wrong["customer.phone"]:
            assert f"华兴 ({known.name})" in text
        assert ("merge" in wrong["customer.phone"][0], "合并" in wrong["customer.phone"][1]) == (True, True)
        # What she may only see she may open; of what she may not see she learns nothing but that it is there.
        ((english, chinese),) = refused(LI, act, licence=LICENCE).values()
        assert (shown.name in english, "merge" in english, "合并" in chinese) == (True, False, False)
        ((english, chinese),) = refused(LI, act, email="a@b.cn").values()
        assert not {theirs.name, theirs.display_name} & {*english.split(), *chinese.split()}
    # After a merge the name that was the other's is that of the one that stays.
    merge(desk, other.name, known.name)
    (text, _) = refused(LI, desk.create, phone="13812345678")["customer.phone"]
    assert (other.name in text, known.name in text) == (True, False)


def test_C20_merging_takes_the_right_to_change_both_and_their_etags(desk: Desk) -> None:
    mine, others = desk.create(LI), desk.create(WANG)
    with pytest.raises(NotFound):
        merge(desk, mine.name, others.name, LI)
    with pytest.raises(NotFound):
        merge(desk, mine.name, others.name, MANAGER)
    shared = desk.create(owner="people/boss", shared_with_team=True)
    with pytest.raises(Denied):
        merge(desk, mine.name, shared.name, LI)
    desk.update(others.name, "industry", industry="x")
    with pytest.raises(Stale):
        merge(desk, mine.name, others.name, other_etag=others.etag)
    assert desk.get(others.name).name == others.name


def test_C20_creation_completes_the_customer_that_phone_email_or_licence_find_when_asked(desk: Desk) -> None:
    known = desk.create(LI, phone="13812345678", tags=["a"])
    again = desk.create(LI, merge=True, display_name="别名", phone="13812345678", email="a@b.cn", tags=["b"])
    assert (again.name, again.display_name, again.email, list(again.tags)) == (
        known.name,
        known.display_name,
        "a@b.cn",
        ["a", "b"],
    )
    # A colleague's is not hers to complete, nor to see.
    with pytest.raises(Refused) as refused:
        desk.create(WANG, merge=True, phone="13812345678")
    assert (refused.value.reason, known.name in refused.value.english) == ("KEY_TAKEN", False)


def qualify(desk: Desk, lead: str = "leads/1", owner: str = "people/li", **facts: Any) -> None:
    contact = leads_pb2.Lead(name=lead, **facts)
    desk.hear("welcome", lead_events_pb2.LeadQualified(lead=lead, owner=owner, owner_version=1, contact=contact))


def test_L24_a_qualified_lead_becomes_a_customer_with_a_contact_of_the_leads_owner(desk: Desk) -> None:
    qualify(
        desk,
        company="华兴机械",
        full_name="王小明",
        phone="+8613812345678",
        email="a@b.cn",
        licence=LICENCE,
        region="上海",
        industry="制造业",
        channel=leads_pb2.TRADE_SHOW,
        tags=["急"],
    )
    (name,) = desk.names(LI)
    made = desk.get(name)
    assert (made.display_name, made.owner, made.team, made.lead) == ("华兴机械", "people/li", "teams/east", "leads/1")
    assert (made.channel, made.industry, made.licence, list(made.tags)) == (
        leads_pb2.TRADE_SHOW,
        "制造业",
        LICENCE,
        ["急"],
    )
    (contact,) = desk.contacts(name)
    assert (contact.full_name, contact.phone, contact.email) == ("王小明", "+8613812345678", "a@b.cn")
    qualify(desk, company="华兴机械", full_name="王小明", phone="+8613812345678")
    assert (len(desk.names()), len(desk.contacts(name))) == (1, 1)


def test_L24_L25_a_welcomed_lead_is_told_of_with_its_customer_contact_and_wish(desk: Desk) -> None:
    lead = leads_pb2.Lead(
        name="leads/1",
        company="华兴机械",
        full_name="王小明",
        phone="+8613812345678",
        text="要报价",
        channel=leads_pb2.DOUYIN,
    )
    event = lead_events_pb2.LeadQualified(lead="leads/1", owner="people/li", opportunity=True, contact=lead)
    desk.hear("welcome", event)
    (told,) = desk.announced(events_pb2.LeadWelcomed)
    (name,) = desk.names()
    (contact,) = desk.contacts(name)
    assert (told.customer, told.contact, told.lead, told.opportunity) == (name, contact.name, "leads/1", True)
    assert (told.owner, told.team, told.source, told.need) == ("people/li", "teams/east", "DOUYIN", "要报价")
    # A known customer, another person of it, and nobody who wants an opportunity.
    qualify(desk, "leads/2", company="华兴机械", full_name="李雷", phone="+8613812345679")
    (told,) = desk.announced(events_pb2.LeadWelcomed)
    assert (told.customer, told.opportunity, told.contact_full_name) == (name, False, "李雷")
    assert told.contact != contact.name


@pytest.mark.parametrize(
    "facts",
    [
        {"phone": "+8613812345678"},
        {"email": "a@b.cn"},
        {"phone": "+8613700000000", "licence": LICENCE},
        {"phone": "+8613700000000", "company": "华兴 机械"},
        {"phone": "+8613999999999"},  # a contact's
    ],
)
def test_C20_L31_a_known_customer_is_found_and_keeps_its_owner(desk: Desk, facts: dict[str, str]) -> None:
    known = desk.create(
        display_name="华兴机械", owner="people/wang", phone="13812345678", email="a@b.cn", licence=LICENCE
    )
    desk.contact(known.name, phone="13999999999")
    qualify(desk, full_name="李雷", region="北京", **facts)
    assert desk.names() == [known.name]
    now = desk.get(known.name)
    assert (now.owner, now.region, now.lead) == ("people/wang", "北京", "leads/1")


def test_L24_people_without_a_company_are_customers_of_their_own(desk: Desk) -> None:
    qualify(desk, "leads/1", full_name="张伟", phone="+8613812345678")
    qualify(desk, "leads/2", full_name="张伟", phone="+8613812345679")
    assert [desk.get(name).private_person for name in desk.names()] == [True, True]


def test_C16_L24_a_lead_whose_owner_has_left_makes_a_customer_that_waits(desk: Desk) -> None:
    desk.hire(("people/li", "teams/east", "sales"), active=False, version=2)
    qualify(desk, company="华兴机械", phone="+8613812345678")
    assert [one.person for one in desk.hand_overs(MANAGER)] == ["people/li"]


def test_C20_of_many_who_create_one_customer_at_once_one_does(desk: Desk) -> None:
    def create(number: int) -> str:
        try:
            return str(desk.create(display_name=f"并发{number}", phone="13812345678", email="a@b.cn").name)
        except Refused as refused:
            return refused.reason

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(16)))
    assert sorted(answers) == sorted([*desk.names(), *["KEY_TAKEN"] * 15])
