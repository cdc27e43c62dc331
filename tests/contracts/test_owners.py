"""Whose quotes and contracts are when a deal goes to another, and when a manager gives a contract away."""

from __future__ import annotations

from typing import Any

import pytest

from contracts import subscribers
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import events_pb2, quotes_pb2
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
