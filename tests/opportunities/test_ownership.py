"""Whose an opportunity is: confirmed, handed over, opened for a qualified lead; and for whose customers."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import Refused
from dealwright.contracts.v1 import contracts_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events_pb2
from dealwright.customers.v1 import customers_pb2
from dealwright.customers.v1 import events_pb2 as customer_events_pb2
from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from dealwright.rules.v1 import events_pb2 as rule_events_pb2
from opportunities.domain.opportunity import Party
from opportunities.usecases import blueprint, copies
from tests.opportunities.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk, refused

AWAITING, OPEN = pb.Opportunity.AWAITING_CONFIRMATION, pb.Opportunity.OPEN
CUSTOMER, CONTACT = f"customers/{1:032x}", f"contacts/{2:032x}"


def pipeline(desk: Desk, **options: Any) -> None:
    """The default pipeline with these options."""
    with desk.runtime.transaction(ADMIN) as tx:
        content, version = blueprint.read(tx)
        content["pipelines"]["six-stage"].update(options)
        blueprint.apply(tx, content, version)


def confirm(desk: Desk, name: str, who: Any = BOSS, **fields: Any) -> pb.Opportunity:
    answer: pb.Opportunity = desk.call("ConfirmOpportunity", pb.ConfirmOpportunityRequest(name=name, **fields), who)
    return answer


def test_O35_a_new_opportunity_awaits_the_regional_head_and_is_open_when_he_says_so(desk: Desk) -> None:
    pipeline(desk, confirmBy="manager")
    made = desk.open()
    assert (made.status, made.stage) == (AWAITING, "first-visit")
    (notice,) = desk.announced(rule_events_pb2.ActionRequested)
    assert (notice.action, notice.person, notice.subject) == ("NOTIFY", "people/boss", made.name)
    for act in (
        lambda: desk.move(made.name, "need-clear"),
        lambda: desk.act("Win", made.name),
        lambda: desk.act("Hold", made.name),
    ):
        with refused("NOT_OPEN"):
            act()
    with refused("DENIED"):
        confirm(desk, made.name, LI)
    with refused("NOT_FOUND"):
        confirm(desk, made.name, WANG)
    assert desk.listed(filter="status = AWAITING_CONFIRMATION") == [made.title]
    desk.announced()
    now = confirm(desk, made.name)
    assert (now.status, now.owner, now.owner_version) == (OPEN, "people/li", 1)
    events = desk.announced()
    (told,) = [e for e in events if isinstance(e, events_pb2.OpportunityConfirmed)]
    assert (told.owner, told.confirmed_by, told.previous_owner) == ("people/li", "people/boss", "")
    (moved,) = [e for e in events if isinstance(e, events_pb2.StageChanged)]
    assert (moved.from_status, moved.to_status) == (AWAITING, OPEN)
    assert [e.person for e in events if isinstance(e, rule_events_pb2.ActionRequested)] == ["people/li"]
    with refused("NOT_AWAITING"):
        confirm(desk, made.name)
    assert desk.move(made.name, "need-clear").stage == "need-clear"


def test_O35_the_regional_head_may_give_it_to_another_and_needs_nobodys_word_himself(desk: Desk) -> None:
    pipeline(desk, confirmBy="manager")
    made = desk.open()
    with refused("INVALID", "owner"):
        confirm(desk, made.name, owner="people/nobody")
    with refused("DENIED"):
        confirm(desk, made.name, owner="people/wang")
    now = confirm(desk, made.name, owner="people/zhao")
    assert (now.status, now.owner, now.owner_version) == (OPEN, "people/zhao", 2)
    (told,) = desk.announced(events_pb2.OpportunityConfirmed)
    assert (told.owner, told.previous_owner) == ("people/zhao", "people/li")
    assert desk.open(BOSS).status == OPEN


def test_O35_what_was_lost_before_it_was_confirmed_comes_back_unconfirmed(desk: Desk) -> None:
    pipeline(desk, confirmBy="manager")
    made = desk.open()
    desk.act("Lose", made.name, reason="重复")
    assert desk.act("Reopen", made.name, reason="不重复").status == AWAITING
    desk.act("Lose", made.name, reason="重复")
    assert desk.act("Reopen", made.name, BOSS, reason="不重复").status == OPEN


def welcome(desk: Desk, **fields: Any) -> list[pb.Opportunity]:
    """A qualified lead became a customer; the opportunities that there are of it."""
    event = customer_events_pb2.LeadWelcomed(
        **{
            "customer": CUSTOMER,
            "contact": CONTACT,
            "lead": f"leads/{3:032x}",
            "owner": "people/li",
            "customer_display_name": "华东物流",
            "phone": "+8613812345678",
            "source": "TRADE_SHOW",
            "need": "三个仓库",
            **fields,
        }
    )
    desk.hear("welcomed", event)
    found = desk.call("ListOpportunities", pb.ListOpportunitiesRequest(filter=f"lead = {event.lead}"), ADMIN)
    return list(found.opportunities)


def test_L25_a_qualified_lead_becomes_its_owners_opportunity_where_somebody_wants_that(desk: Desk) -> None:
    assert welcome(desk) == []
    (made,) = welcome(desk, opportunity=True)
    assert (made.title, made.customer, made.contact, made.owner) == ("华东物流", CUSTOMER, CONTACT, "people/li")
    assert (made.team, made.phone, made.source, made.need) == ("teams/east", "+8613812345678", "TRADE_SHOW", "三个仓库")
    assert (made.stage, made.status) == ("first-visit", OPEN)
    assert made.number.startswith("CRM-")
    (told,) = desk.announced(events_pb2.OpportunityOpened)
    assert (told.lead, told.owner) == (made.lead, "people/li")
    # Once, however often it is told.
    assert welcome(desk, opportunity=True) == [made]


def test_L25_O35_a_pipeline_takes_every_qualified_lead_and_its_head_confirms_it(desk: Desk) -> None:
    pipeline(desk, openQualified=True, confirmBy="manager")
    (made,) = welcome(desk)
    assert (made.pipeline, made.status) == ("pipelines/six-stage", AWAITING)
    assert [e.person for e in desk.announced(rule_events_pb2.ActionRequested)] == ["people/boss"]


def leave(desk: Desk, person: str = "people/li", team: str = "teams/east") -> None:
    desk.hire((person, team, "sales"), active=False, version=2)


def test_C16_what_a_leaver_still_had_to_do_is_told_of_and_nothing_moves_by_itself(desk: Desk) -> None:
    running = [desk.open(title=title) for title in ("甲", "乙")]
    desk.act("Hold", running[1].name)
    desk.act("Lose", desk.open(title="丢").name, reason="价格")
    desk.call("DeleteOpportunity", pb.DeleteOpportunityRequest(name=desk.open(title="删").name), LI)
    desk.open(ZHAO, title="他人")
    desk.announced()
    leave(desk)
    leave(desk)
    told = desk.announced(events_pb2.OpportunityLeftBehind)
    assert [(e.opportunity, e.person, e.owner_version, e.settled) for e in told] == [
        (one.name, "people/li", 1, False) for one in running
    ]
    assert {desk.get(one.name).owner for one in running} == {"people/li"}


def test_C16_what_a_leaver_opens_or_gets_back_waits_in_whatever_order_that_is_heard(desk: Desk) -> None:
    deleted, lost, won = (desk.open(title=title) for title in ("删", "丢", "赢"))
    desk.call("DeleteOpportunity", pb.DeleteOpportunityRequest(name=deleted.name), LI)
    desk.act("Lose", lost.name, reason="价格")
    desk.ready(won.name)
    desk.move(won.name, "need-clear", "quote", "negotiation")
    desk.act("Win", won.name)
    leave(desk)
    desk.announced()

    def waits() -> list[str]:
        return [e.opportunity for e in desk.announced(events_pb2.OpportunityLeftBehind) if not e.settled]

    (late,) = welcome(desk, opportunity=True)
    assert waits() == [late.name]
    desk.call("UndeleteOpportunity", pb.UndeleteOpportunityRequest(name=deleted.name), BOSS)
    assert waits() == [deleted.name]
    desk.act("Reopen", lost.name, BOSS, reason="回来了")
    assert waits() == [lost.name]
    desk.act("Hold", lost.name, BOSS)
    assert waits() == []


def transferred(desk: Desk, owner: str = "people/zhao", left: bool = True, person: str = "people/li") -> None:
    """The customer is another's."""
    customer = customers_pb2.Customer(name=CUSTOMER, owner=owner)
    told = customer_events_pb2.OwnerTransferred(customer=customer, previous_owner=person, left=left, how="HAND_OVER")
    desk.hear("hand_overs", told)


def test_C16_what_is_over_of_a_leavers_deals_goes_along_with_the_customer(desk: Desk) -> None:
    desk.know((CUSTOMER, ""))
    running, lost, elsewhere = desk.open(customer=CUSTOMER), desk.open(customer=CUSTOMER), desk.open()
    for one in (lost, elsewhere):
        desk.act("Lose", one.name, reason="价格")
    transferred(desk, left=False)
    assert desk.get(lost.name).owner == "people/li"
    desk.announced()
    with refused("STALE"):
        transferred(desk, "people/stranger")
    # Whether or not we have heard that he left.
    transferred(desk)
    transferred(desk)
    assert [desk.get(one.name).owner for one in (lost, running, elsewhere)] == ["people/zhao", "people/li", "people/li"]
    (told,) = desk.announced(events_pb2.OpportunityLeftBehind)
    assert (told.opportunity, told.person, told.owner, told.settled) == (lost.name, "people/li", "people/zhao", True)


def test_O1_a_deal_with_a_signed_contract_is_not_deleted_and_the_refusal_names_it(desk: Desk) -> None:
    made = desk.open()
    Contract = contracts_pb2.Contract

    def tell(status: Any, version: int) -> None:
        contract = Contract(name=f"contracts/{4:032x}", number="C-7", opportunity=made.name, status=status)
        desk.hear("papers", contract_events_pb2.ContractChanged(contract=contract, version=version))

    delete = pb.DeleteOpportunityRequest(name=made.name)
    tell(Contract.COMPLETED, 2)
    with refused("CONTRACTED"):
        desk.call("DeleteOpportunity", delete, BOSS)
    with pytest.raises(Refused, match="C-7"):
        desk.call("DeleteOpportunity", delete, BOSS)
    with refused("NOT_FOUND"):
        desk.call("DeleteOpportunity", delete, WANG)
    tell(Contract.VOID, 3)
    desk.call("DeleteOpportunity", delete, BOSS)


def hand_over(desk: Desk, name: str, owner: str = "people/zhao", person: str = "people/li") -> None:
    desk.hear("hand_overs", customer_events_pb2.HandOverConfirmed(record=name, person=person, owner=owner))


def test_C16_a_confirmed_hand_over_moves_the_owner_unless_somebody_else_has_it(desk: Desk) -> None:
    made, taken, other = desk.open(), desk.open(), desk.open(WANG)
    leave(desk)
    desk.act("Transfer", taken.name, BOSS, owner="people/boss")
    (settled,) = [e for e in desk.announced(events_pb2.OpportunityLeftBehind) if e.settled]
    assert (settled.opportunity, settled.owner, settled.owner_version) == (taken.name, "people/boss", 2)
    for one in (made, taken, other):
        hand_over(desk, one.name)
        hand_over(desk, one.name)
    owners = [(desk.get(one.name).owner, desk.get(one.name).owner_version) for one in (made, taken, other)]
    assert owners == [("people/zhao", 2), ("people/boss", 2), ("people/wang", 1)]
    (settled,) = desk.announced(events_pb2.OpportunityLeftBehind)
    assert (settled.opportunity, settled.person, settled.owner) == (made.name, "people/li", "people/zhao")
    # He left before it was told: it is his, and waits for the next word.
    desk.hire(("people/gone", "teams/east", "sales"), active=False)
    again = desk.open(ZHAO)
    hand_over(desk, again.name, "people/gone", "people/zhao")
    (waits,) = desk.announced(events_pb2.OpportunityLeftBehind)
    assert (waits.opportunity, waits.person, waits.owner_version, waits.settled) == (
        again.name,
        "people/gone",
        2,
        False,
    )
    # One of whom we have not heard yet: the news comes again.
    with refused("STALE"):
        hand_over(desk, made.name, "people/new", "people/zhao")
    assert desk.get(made.name).owner == "people/zhao"


def test_O1_P6_an_opportunity_is_for_a_customer_whom_its_maker_may_see(desk: Desk) -> None:
    desk.know((CUSTOMER, ""))
    desk.know((CONTACT, CUSTOMER))
    parties: list[tuple[dict[str, Any], list[str]]] = [
        ({"customer": CUSTOMER}, ["opportunity.customer"]),
        ({"contact": CONTACT}, ["opportunity.contact"]),
        ({"customer": CUSTOMER, "contact": CONTACT}, ["opportunity.customer", "opportunity.contact"]),
    ]
    for fields, named in parties:
        assert desk.open(LI, **fields).owner == "people/li"
        assert desk.open(BOSS, **fields).owner == "people/boss"
        for who in (WANG, ZHAO):
            with refused("INVALID", *named):
                desk.open(who, **fields)
        with refused("INVALID", *named):
            desk.change(desk.open(ZHAO).name, who=ZHAO, **fields)
    # What its owner shares with the team, the team sees.
    with desk.runtime.transaction() as tx:
        copies.know_parties(tx, [Party(CUSTOMER, "", False, 2, "people/li", "teams/east", True)])
    assert desk.open(ZHAO, contact=CONTACT).owner == "people/zhao"
    with refused("INVALID", "opportunity.customer"):
        desk.open(WANG, customer=CUSTOMER)


@pytest.mark.parametrize("importance", ["NORMAL", "IMPORTANT"])
def test_O37_how_important_a_deal_is_stays_on_it_is_found_by_it_and_told(desk: Desk, importance: str) -> None:
    value = pb.Opportunity.Importance.Value(importance)
    made = desk.open(importance=value, title=importance)
    desk.open(importance=3 - value, title="另")
    assert desk.listed(filter=f"importance = {importance}") == [importance]
    told = [e.opportunity for e in desk.announced(events_pb2.OpportunityChanged) if e.opportunity.name == made.name]
    assert [one.importance for one in told] == [value]
