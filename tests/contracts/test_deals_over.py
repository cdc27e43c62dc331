"""What becomes of a deal's papers, and of what is asked about them, when the deal is over: lost, or deleted."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.transaction import Origin
from contracts import subscribers
from contracts.main import service
from dealwright.contracts.v1 import approvals_pb2 as pb
from dealwright.contracts.v1 import contracts_pb2, events_pb2, quotes_pb2
from dealwright.customers.v1 import customers_pb2
from dealwright.customers.v1 import events_pb2 as customer_events_pb2
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged, StageApprovalRequested
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity
from tests.contracts import papers as p
from tests.contracts import quoting
from tests.contracts.approving import applied, node, written
from tests.contracts.desk import ADMIN, BOSS, CONTACT, CUSTOMER, LI, OPPORTUNITY, Desk, later, money, refused
from tests.contracts.papers import Papers, day

OVER = pytest.mark.parametrize("over", [{"open": False}, {"deleted": True}], ids=["lost", "deleted"])
PENDING, APPROVED, WITHDRAWN = pb.Approval.PENDING, pb.Approval.APPROVED, pb.Approval.WITHDRAWN


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


@pytest.fixture
def asking(papers: Papers) -> Papers:
    """The manager is asked about everything, and reminded after an hour."""
    for kind in ("quote", "contract", "contractChange", "opportunity"):
        flow = written(node("one", "people/boss", timeoutHours=1), **{"for": kind, "distinctPeople": False})
        applied(papers.desk, approvalFlows={kind.lower(): flow})
    return papers


@OVER
def test_K1_a_contract_of_a_deal_that_is_over_is_neither_submitted_nor_signed(
    over: dict[str, Any], papers: Papers
) -> None:
    desk = papers.desk
    draft, agreed, old = (papers.draw(100, opportunity=OPPORTUNITY) for _ in range(3))
    for one in (agreed, old):
        assert papers.do("SubmitContract", one).status == p.APPROVED
    desk.deal(version=2, **over)
    with refused("NOT_OPEN"):
        papers.do("SubmitContract", draft)
    with refused("NOT_OPEN"):
        papers.do("SignContract", agreed)
    assert [papers.get(one).status for one in (draft, agreed)] == [p.DRAFT, p.APPROVED]
    # What was signed long ago is written down whatever became of the deal since.
    assert papers.do("SignContract", old, sign_date=day(-30), historical=True).status == p.SIGNED
    desk.deal(version=3)
    assert papers.do("SubmitContract", draft).status == p.APPROVED
    assert papers.do("SignContract", agreed).status == p.SIGNED


def news(version: int, status: Any = Opportunity.OPEN, deleted: bool = False) -> OpportunityChanged:
    of = Opportunity(name=OPPORTUNITY, title="年度采购", customer=CUSTOMER, contact=CONTACT, status=status)
    of.owner, of.team = "people/li", "teams/east"
    return OpportunityChanged(opportunity=of, version=version, deleted=deleted)


LOST, DELETED = news(7, Opportunity.LOST), news(7, deleted=True)


def ask(desk: Desk) -> pb.Approval:
    """About the opportunity itself."""
    request = pb.CreateApprovalRequest(approval=pb.Approval(record=OPPORTUNITY, flow="opportunity"))
    made: pb.Approval = desk.call("CreateApproval", request, LI)
    return made


def got(desk: Desk, name: str) -> pb.Approval:
    found: pb.Approval = desk.call("GetApproval", pb.GetApprovalRequest(name=name), ADMIN)
    return found


def waiting(desk: Desk) -> set[str]:
    """What waits for the manager."""
    request = pb.ListApprovalsRequest(filter='pending_for = "people/boss"')
    return {one.name for one in desk.call("ListApprovals", request, BOSS).approvals}


def rung(desk: Desk) -> list[str]:
    """Lets the clocks ring; which approvals somebody is told of."""
    desk.announced()
    (loop,) = (loop for loop in service.loops() if loop.name == "approval clocks")
    with desk.runtime.transaction() as tx:
        loop.run(tx)
    return [event.approval.name for event in desk.announced(events_pb2.ApprovalRequested)]


@pytest.mark.parametrize(
    ("told", "why"), [(LOST, pb.Approval.DEAL_LOST), (DELETED, pb.Approval.DEAL_DELETED)], ids=["lost", "deleted"]
)
def test_Q9_Q12_nobody_is_asked_any_more_about_a_deal_that_is_over(
    told: OpportunityChanged, why: Any, asking: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = asking.desk
    quote, agreed = (quoting.act(desk, "Submit", quoting.quote(desk, quoting.line(400)).name) for _ in range(2))
    contract, signed = (asking.do("SubmitContract", asking.draw(opportunity=OPPORTUNITY)) for _ in range(2))
    for one in (agreed, signed):
        quoting.decide(desk, one.approval, BOSS)
    asking.do("SignContract", signed)
    change = asking.ask(signed, amount=money(900))
    elsewhere = asking.do("SubmitContract", asking.draw())
    mine = {quote.approval, contract.approval, ask(desk).name}
    others = {change.approval, elsewhere.approval}
    assert waiting(desk) == mine | others
    desk.announced()
    desk.tell(subscribers.opportunities, told)
    assert waiting(desk) == others, "what was signed holds, whatever became of the deal"
    ended = {event.approval.name: event.approval for event in desk.announced(events_pb2.ApprovalDecided)}
    assert ended.keys() == mine
    assert {(one.status, one.end_reason, one.owner) for one in ended.values()} == {(WITHDRAWN, why, "people/li")}
    for name in mine:
        found = got(desk, name)
        assert (found.status, found.end_reason, found.HasField("due_time")) == (WITHDRAWN, why, False)
        assert found.HasField("end_time")
        with refused("NOT_PENDING"):
            quoting.decide(desk, name, BOSS)
    assert got(desk, agreed.approval).status == APPROVED
    assert quoting.get(desk, quote.name).status == quotes_pb2.Quote.RETURNED
    assert quoting.get(desk, agreed.name).status == quotes_pb2.Quote.APPROVED
    assert (asking.get(contract).status, asking.get(signed).status) == (p.RETURNED, p.SIGNED)
    log = desk.runtime.service.tables.audit_log
    with desk.runtime.reading() as tx:
        rows = tx.execute(sa.select(log.c.subject, log.c.actor).where(log.c.action == "approval.withdrawn"))
        assert {tuple(row) for row in rows} == {(name, "services/contracts") for name in mine}
    with later(timedelta(hours=2), monkeypatch):
        assert set(rung(desk)) == others
    with refused("NOT_FOUND" if told.deleted else "NOT_OPEN"):
        ask(desk)
    # Told once more, nothing more happens; and should it go on, it is asked for anew.
    desk.tell(subscribers.opportunities, told)
    desk.tell(subscribers.opportunities, news(8))
    assert desk.announced(events_pb2.ApprovalDecided) == []
    again = {quoting.act(desk, "Submit", quote.name).approval, asking.do("SubmitContract", contract).approval}
    again.add(ask(desk).name)
    assert waiting(desk) == others | again
    assert not mine & again


def test_Q9_a_deal_on_hold_is_still_decided_about(asking: Papers) -> None:
    made = ask(asking.desk)
    asking.desk.tell(subscribers.opportunities, news(7, Opportunity.ON_HOLD))
    assert waiting(asking.desk) == {made.name}


def test_O19_a_stage_asks_nobody_about_a_deal_that_ended_since(asking: Papers) -> None:
    desk = asking.desk

    def uploaded(version: int) -> None:
        event = StageApprovalRequested(opportunity=OPPORTUNITY, flow="opportunity", owner="people/li", version=version)
        with desk.runtime.transaction() as tx:
            subscribers.stage_approvals(tx, event)

    desk.tell(subscribers.opportunities, LOST)
    uploaded(6)
    assert waiting(desk) == set()
    # It goes on, of which we hear later than of what it needs now.
    uploaded(8)
    assert len(waiting(desk)) == 1
    desk.tell(subscribers.opportunities, news(8))
    assert len(waiting(desk)) == 1


def test_Q9_what_is_asked_in_the_moment_when_a_deal_ends_is_not_asked_for_ever(asking: Papers) -> None:
    desk, made = asking.desk, asking.draw(opportunity=OPPORTUNITY)
    servicer: Any = next(one for one in desk.servicers if hasattr(one, "SubmitContract"))
    news_there = threading.Thread(target=lambda: desk.tell(subscribers.opportunities, LOST))
    with desk.runtime.transaction(LI, Origin(LI.actor)) as tx:
        asked = servicer.SubmitContract(tx, contracts_pb2.SubmitContractRequest(name=made.name))
        news_there.start()
        news_there.join(0.3)
        assert news_there.is_alive(), "it waits until it is stored that somebody is asked"
    news_there.join(10)
    assert got(desk, asked.approval).status == WITHDRAWN


def customer(desk: Desk, version: int, deleted: bool, name: str = CUSTOMER, into: str = "") -> None:
    of = customers_pb2.Customer(name=name, display_name="华东物流", owner="people/li", merged_into=into)
    told = customer_events_pb2.CustomerChanged(customer=of, version=version, deleted=deleted)
    desk.tell(subscribers.customers, told)


def test_K2_Q16_no_contract_is_made_of_the_deal_of_a_customer_who_was_deleted(papers: Papers) -> None:
    desk = papers.desk
    desk.deal()
    quote = quoting.quote(desk, quoting.line())
    quoting.act(desk, "Submit", quote.name)
    agreed = papers.draw(100, opportunity=OPPORTUNITY)
    assert papers.do("SubmitContract", agreed).status == p.APPROVED
    customer(desk, 7, True)
    make = contracts_pb2.ContractOpportunityRequest(opportunity=OPPORTUNITY)
    of_quote = contracts_pb2.ContractQuoteRequest(quote=quote.name)
    for act in (
        lambda: desk.call("ContractOpportunity", make),
        lambda: desk.call("ContractQuote", of_quote),
        lambda: papers.draw(100, opportunity=OPPORTUNITY, customer=""),
        lambda: papers.do("SignContract", agreed),
    ):
        with refused("CUSTOMER_DELETED"):
            act()
    # One that was merged goes on under another name, as long as that one is there.
    other = f"customers/{77:032x}"
    customer(desk, 8, True, into=other)
    customer(desk, 1, False, other)
    assert desk.call("ContractOpportunity", make).customer == other
    customer(desk, 2, True, other)
    with refused("CUSTOMER_DELETED"):
        desk.call("ContractQuote", of_quote)
    customer(desk, 3, False, other)
    assert desk.call("ContractQuote", of_quote).quote == quote.name
