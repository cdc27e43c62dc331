"""Who works on a colleague's deal, or has it shared with him, draws up its papers, as long as that lasts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.transaction import Cause
from contracts import subscribers
from dealwright.bus.v1.envelope_pb2 import Envelope
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.opportunities.v1.events_pb2 import OpportunityShared, ShareEnded
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity
from tests.contracts import quoting
from tests.contracts.desk import LI, OPPORTUNITY, WANG, ZHAO, Desk, later, refused
from tests.contracts.papers import Papers
from tests.contracts.test_deals_over import news


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def told(desk: Desk, event: Any, ago: float = 0) -> None:
    """`ago`: how many minutes ago it was announced."""
    envelope = Envelope()
    envelope.time.FromDatetime(clock.now() - timedelta(minutes=ago))
    with desk.runtime.transaction() as tx:
        tx.causes = [Cause(envelope)]
        subscribers.shares(tx, event)


def share(days: int = 7) -> OpportunityShared:
    event = OpportunityShared(opportunity=OPPORTUNITY, person="people/wang")
    event.end_time.FromDatetime(clock.now() + timedelta(days=days))
    return event


ENDED = ShareEnded(opportunity=OPPORTUNITY, person="people/wang")


def draw(papers: Papers, who: Any) -> list[Any]:
    """A quote, and contracts of the deal by one click and by hand."""
    one_click = pb.ContractOpportunityRequest(opportunity=OPPORTUNITY)
    by_hand = pb.CreateContractRequest(contract=pb.Contract(title="手工", opportunity=OPPORTUNITY))
    return [
        quoting.quote(papers.desk, quoting.line(400), who=who),
        papers.desk.call("ContractOpportunity", one_click, who),
        papers.desk.call("CreateContract", by_hand, who),
    ]


def refuses(papers: Papers, who: Any) -> None:
    """Neither a quote nor a contract, in whatever way."""
    with refused("NOT_FOUND"):
        quoting.quote(papers.desk, quoting.line(400), who=who)
    with refused("NOT_FOUND"):
        papers.desk.call("ContractOpportunity", pb.ContractOpportunityRequest(opportunity=OPPORTUNITY), who)
    by_hand = pb.CreateContractRequest(contract=pb.Contract(title="手工", opportunity=OPPORTUNITY))
    with refused("NOT_FOUND", "contract.opportunity"):
        papers.desk.call("CreateContract", by_hand, who)


def test_O34_Q1_K2_with_whom_a_deal_is_shared_draws_up_its_papers_until_that_ends(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = papers.desk
    refuses(papers, WANG)
    told(desk, share(), ago=60)
    refuses(papers, ZHAO)
    quote, contract, own = draw(papers, WANG)
    assert [one.owner for one in (quote, contract, own)] == ["people/li", "people/li", "people/wang"]
    # He reads what he drew up, no more: its owner goes on with it.
    assert quoting.get(desk, quote.name, WANG).name == quote.name
    assert papers.get(contract, WANG).name == contract.name
    with refused("DENIED"):
        quoting.act(desk, "Submit", quote.name, WANG)
    others = quoting.quote(desk, quoting.line(1))
    with refused("NOT_FOUND"):
        quoting.get(desk, others.name, WANG)
    assert quoting.listed(desk, WANG) == [quote.name]
    assert quoting.act(desk, "Submit", quote.name, LI).owner == "people/li"
    with later(timedelta(days=8), monkeypatch):
        refuses(papers, WANG)
        with refused("NOT_FOUND"):
            quoting.get(desk, quote.name, WANG)
    # The owner ends it; news of the share that comes late opens nothing, a new share does.
    told(desk, ENDED, ago=30)
    refuses(papers, WANG)
    with refused("NOT_FOUND"):
        papers.get(contract, WANG)
    told(desk, share(30), ago=60)
    refuses(papers, WANG)
    told(desk, share(30), ago=10)
    assert len(draw(papers, WANG)) == 3


def test_O33_whoever_works_on_a_deal_draws_up_its_papers_until_he_is_let_go(papers: Papers) -> None:
    desk = papers.desk
    with_him, alone = news(5), news(6)
    with_him.opportunity.collaborators.append(Opportunity.Collaborator(person="people/wang", part="报价"))
    desk.tell(subscribers.opportunities, with_him)
    assert len(draw(papers, WANG)) == 3
    desk.tell(subscribers.opportunities, alone, with_him)
    refuses(papers, WANG)
    desk.tell(subscribers.opportunities, with_him)
    refuses(papers, WANG)
    with_team = news(7)
    with_team.opportunity.collaborators.append(Opportunity.Collaborator(team="teams/west", part="报价"))
    desk.tell(subscribers.opportunities, with_team)
    assert len(draw(papers, WANG)) == 3
    refuses(papers, ZHAO)
