"""Whose quotes and contracts are when a deal goes to another, and when a manager gives a contract away."""

from __future__ import annotations

from typing import Any

import pytest

from contracts import subscribers
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import events_pb2, quotes_pb2
from dealwright.customers.v1.customers_pb2 import Customer
from dealwright.customers.v1.events_pb2 import OwnerTransferred
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity
from tests.contracts.desk import ADMIN, BOSS, CUSTOMER, FINANCE, LI, OPPORTUNITY, WANG, ZHAO, Desk, refused
from tests.contracts.papers import Papers


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def deal(owner: str, team: str, version: int) -> OpportunityChanged:
    of = Opportunity(name=OPPORTUNITY, title="年度采购", customer=CUSTOMER, owner=owner, team=team)
    of.status = Opportunity.OPEN
    return OpportunityChanged(opportunity=of, version=version)


def owner(desk: Desk, name: str, who: Any = ADMIN) -> str:
    return str(desk.call("GetContract", pb.GetContractRequest(name=name), who).owner)


def test_C16_K1_quotes_and_contracts_go_with_their_deal(papers: Papers) -> None:
    desk = papers.desk
    line = quotes_pb2.Quote.Line(description="系统", quantity="1")
    line.unit_price.currency_code, line.unit_price.units = "CNY", 800
    asked = quotes_pb2.CreateQuoteRequest(quote=quotes_pb2.Quote(opportunity=OPPORTUNITY, lines=[line]))
    quote = desk.call("CreateQuote", asked)
    signed, draft = papers.signed(opportunity=OPPORTUNITY), papers.draw(opportunity=OPPORTUNITY)
    paid = papers.pay(signed, 100)
    bosses = papers.draw(who=BOSS, opportunity=OPPORTUNITY, owner="people/zhao")
    other = papers.draw()
    desk.announced()
    moved = deal("people/wang", "teams/west", 7)
    # Later news that comes first, and older news after it.
    desk.tell(subscribers.opportunities, moved)
    desk.tell(subscribers.opportunities, deal("people/li", "teams/east", 6), moved)
    found = desk.call("GetQuote", quotes_pb2.GetQuoteRequest(name=quote.name), WANG)
    assert (found.owner, found.team) == ("people/wang", "teams/west")
    for one in (signed, draft):
        assert owner(desk, one.name, WANG) == "people/wang"
        with refused("NOT_FOUND"):
            owner(desk, one.name, LI)
    assert {one.owner for one in papers.plan(signed)} == {"people/wang"}, "he is told of what is overdue"
    told = [(e.contract.name, e.contract.owner) for e in desk.announced(events_pb2.ContractChanged)]
    assert sorted(told) == sorted((one.name, "people/wang") for one in (signed, draft))
    # What another has stays his, and so does what was sold.
    assert (owner(desk, bosses.name), owner(desk, other.name)) == ("people/zhao", "people/li")
    assert papers.get(paid).owner == "people/li"
    # Another change of the deal moves nothing.
    papers.do("TransferContract", draft, ADMIN, owner="people/li")
    desk.tell(subscribers.opportunities, deal("people/wang", "teams/west", 8))
    assert owner(desk, draft.name) == "people/li"


def test_K1_C15_a_manager_gives_a_single_contract_away(papers: Papers) -> None:
    made = papers.signed()
    given = papers.do("TransferContract", made, BOSS, owner="people/zhao", reason="换人")
    assert (given.owner, given.team, given.status) == ("people/zhao", "teams/east", pb.Contract.SIGNED)
    assert owner(papers.desk, made.name, ZHAO) == "people/zhao"
    assert papers.do("TransferContract", made, BOSS, owner="people/zhao") == given
    with refused("STALE"):
        papers.do("TransferContract", made, BOSS, owner="people/li", etag=made.etag)
    for who in (ZHAO, FINANCE):
        with refused("DENIED"):
            papers.do("TransferContract", made, who, owner="people/li")
    # Out of his team he gives nothing.
    with refused("DENIED"):
        papers.do("TransferContract", made, BOSS, owner="people/wang")
    for wrong in ("people/nobody", ""):
        with refused("INVALID", "owner"):
            papers.do("TransferContract", made, BOSS, owner=wrong)
    assert papers.do("TransferContract", made, ADMIN, owner="people/wang").team == "teams/west"


def transferred(desk: Desk, owner: str = "people/zhao", left: bool = True, **more: Any) -> None:
    """The customer is another's."""
    told = OwnerTransferred(
        customer=Customer(name=CUSTOMER, owner=owner), previous_owner="people/li", left=left, how="HAND_OVER", **more
    )
    hear(desk, told)


def hear(desk: Desk, told: OwnerTransferred) -> None:
    with desk.runtime.transaction() as tx:
        subscribers.handed_over(tx, told)


def test_C16_K1_a_leavers_contracts_go_along_with_the_customer_or_with_his_deal(papers: Papers) -> None:
    desk = papers.desk
    alone, merged = papers.signed(), papers.draw()
    with_deal, with_others = papers.draw(opportunity=OPPORTUNITY), papers.draw(opportunity=OPPORTUNITY)
    theirs = papers.draw(who=BOSS, owner="people/boss")
    # With whom he has none: the first who left was not the owner of a deal.
    transferred(desk, left=False)
    assert owner(desk, alone.name) == "people/li"
    with refused("STALE"):
        transferred(desk, "people/stranger")
    transferred(desk)
    assert [owner(desk, one.name) for one in (alone, merged)] == ["people/zhao"] * 2
    assert owner(desk, theirs.name) == "people/boss"
    assert papers.get(alone, ZHAO).status == pb.Contract.SIGNED
    assert {one.owner for one in papers.plan(alone)} == {"people/zhao"}
    # Those of a deal that is his wait for the deal, and go to whoever gets it.
    assert [owner(desk, one.name) for one in (with_deal, with_others)] == ["people/li"] * 2
    desk.tell(subscribers.opportunities, deal("people/wang", "teams/west", 7))
    assert owner(desk, with_deal.name) == "people/wang"


def test_C16_K1_a_leavers_contract_of_anothers_deal_goes_along_under_every_name_of_the_customer(papers: Papers) -> None:
    desk = papers.desk
    made = papers.draw(opportunity=OPPORTUNITY)
    desk.tell(subscribers.opportunities, deal("people/wang", "teams/west", 7))
    papers.do("TransferContract", made, ADMIN, owner="people/li")
    other = f"customers/{77:032x}"
    told = OwnerTransferred(
        customer=Customer(name=other, owner="people/zhao"), previous_owner="people/li", left=True, merged=[CUSTOMER]
    )
    hear(desk, told)
    assert owner(desk, made.name) == "people/zhao"
