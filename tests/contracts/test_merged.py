"""A customer that is merged into another takes along what we have of it (C20)."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from chassis.transaction import Origin
from contracts import subscribers
from dealwright.contracts.v1 import approvals_pb2, events_pb2, quotes_pb2
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.customers.v1 import customers_pb2
from dealwright.customers.v1.events_pb2 import ContactChanged, CustomerChanged
from dealwright.opportunities.v1 import opportunities_pb2
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged, StageApprovalRequested
from tests.contracts import quoting
from tests.contracts.approving import applied, node, written
from tests.contracts.desk import ADMIN, BOSS, CONTACT, CUSTOMER, LI, OPPORTUNITY, Desk
from tests.contracts.papers import Papers

STAYS, LAST = (f"customers/{number:032x}" for number in (11, 12))


def customer(desk: Desk, name: str = CUSTOMER, version: int = 1, merged_into: str = "") -> None:
    of = customers_pb2.Customer(
        name=name, display_name=name, owner="people/li", team="teams/east", merged_into=merged_into
    )
    desk.tell(subscribers.customers, CustomerChanged(customer=of, version=version, deleted=bool(merged_into)))


def merge(desk: Desk, name: str = CUSTOMER, into: str = STAYS) -> None:
    customer(desk, name, 9, into)


def opportunity(desk: Desk, of: str, version: int) -> None:
    told = opportunities_pb2.Opportunity(
        name=OPPORTUNITY, title="年度采购", customer=of, contact=CONTACT, owner="people/li", team="teams/east",
        status=opportunities_pb2.Opportunity.OPEN,
    )  # fmt: skip
    desk.tell(subscribers.opportunities, OpportunityChanged(opportunity=told, version=version))


def everything(desk: Desk, of: str) -> dict[str, int]:
    """How many of each kind a customer has, as lists say; what hangs on contracts among them."""
    wanted = f'customer = "{of}"'
    found = {}
    for kind in ("Quotes", "Approvals", "Contracts", "ContractChanges", "Instalments", "Invoices", "Payments"):
        module = {"Quotes": quotes_pb2, "Approvals": approvals_pb2}.get(kind, pb)
        answer: Any = desk.call(f"List{kind}", getattr(module, f"List{kind}Request")(filter=wanted), ADMIN)
        found[kind] = next((len(rows) for _, rows in answer.ListFields()), 0)
    summed = desk.call("SummarizeContracts", pb.SummarizeContractsRequest(filter=wanted), ADMIN)
    return {**found, "Summed": sum(one.count for one in summed.rows)}


@pytest.fixture
def papers(desk: Desk) -> Papers:
    """A quote under approval, and a contract that was invoiced and paid and is about to be changed."""
    made = Papers(desk)
    customer(desk, STAYS)
    customer(desk, LAST)
    contract = made.signed(1000)
    made.invoice(contract, 100)
    made.pay(contract, 100)
    applied(
        desk,
        approvalFlows={
            kind.lower(): written(node("boss", "people/boss"), **{"for": kind}) for kind in ("quote", "contractChange")
        },
    )
    made.ask(contract, title="改名")
    quoting.act(desk, "Submit", quoting.quote(desk, quoting.line()).name)
    return made


def test_C20_K3_all_that_a_merged_customer_had_is_the_one_that_stays(papers: Papers) -> None:
    desk = papers.desk
    had, none = everything(desk, CUSTOMER), everything(desk, STAYS)
    assert min(had.values()) > 0
    assert set(none.values()) == {0}
    (contract,) = desk.call("ListContracts", pb.ListContractsRequest(), ADMIN).contracts
    desk.announced()
    merge(desk)
    assert (everything(desk, STAYS), everything(desk, CUSTOMER)) == (had, none)
    (told,) = desk.announced(events_pb2.ContractChanged)
    assert (told.contract.customer, told.version) == (STAYS, int(contract.etag) + 1)
    # Heard again it changes nothing.
    merge(desk)
    assert desk.announced() == []
    # And what was merged into another goes on with that one.
    merge(desk, STAYS, LAST)
    assert (everything(desk, LAST), everything(desk, STAYS)) == (had, none)
    # What waits for an answer is answered, and takes effect.
    for approval in desk.call("ListApprovals", approvals_pb2.ListApprovalsRequest(), ADMIN).approvals:
        if approval.status == approvals_pb2.Approval.PENDING:
            quoting.decide(desk, approval.name, BOSS)
    now = papers.get(contract)
    assert (now.title, now.customer) == ("改名", LAST)


def test_C20_merges_of_merged_ones_are_heard_in_any_order(papers: Papers) -> None:
    desk = papers.desk
    had = everything(desk, CUSTOMER)
    merge(desk, STAYS, LAST)
    merge(desk)
    assert everything(desk, LAST) == had


@pytest.mark.parametrize("told", ["deal", "merge", "deal after all"])
def test_C20_Q1_K2_whoever_still_names_the_merged_one_means_the_one_that_stays(desk: Desk, told: str) -> None:
    papers = Papers(desk)
    customer(desk, STAYS)
    merge(desk)
    if told == "deal":
        opportunity(desk, STAYS, 2)
    elif told == "deal after all":
        opportunity(desk, CUSTOMER, 2)
    quote = quoting.quote(desk, quoting.line())
    assert (quote.customer, quote.contact) == (STAYS, CONTACT)
    clicked = desk.call("ContractOpportunity", pb.ContractOpportunityRequest(opportunity=OPPORTUNITY))
    assert (clicked.customer, clicked.contact) == (STAYS, CONTACT)
    for named in (CUSTOMER, STAYS):
        drawn = papers.draw(customer=named, opportunity=OPPORTUNITY, contact=CONTACT)
        assert drawn.customer == STAYS
        assert papers.change(drawn.name, customer=CUSTOMER, title="改").customer == STAYS
    # The contact's own news says the same.
    contact = customers_pb2.Contact(name=CONTACT, customer=STAYS, full_name="王芳")
    desk.tell(subscribers.contacts, ContactChanged(contact=contact, version=2))
    assert papers.draw(customer=STAYS, opportunity=OPPORTUNITY, contact=CONTACT).customer == STAYS


def test_C20_Q14_whoever_decides_sees_what_was_done_with_the_customer_under_its_former_name(papers: Papers) -> None:
    desk = papers.desk
    merge(desk)
    applied(desk, approvalFlows={"stage": written(node("boss", "people/boss"), **{"for": "opportunity"})})
    asked = StageApprovalRequested(
        opportunity=OPPORTUNITY, customer=CUSTOMER, flow="stage", owner="people/li", version=1
    )
    with desk.runtime.transaction() as tx:
        subscribers.stage_approvals(tx, asked)
    every = desk.call("ListApprovals", approvals_pb2.ListApprovalsRequest(filter='flow = "stage"'), ADMIN).approvals
    seen = desk.call("GetApproval", approvals_pb2.GetApprovalRequest(name=every[0].name), BOSS)
    assert (seen.customer, seen.customer_history.customer) == (STAYS, STAYS)
    assert (seen.customer_history.contract_count, seen.customer_history.quote_count) == (1, 1)


def test_C20_what_was_deleted_comes_back_with_the_customer_that_stays(desk: Desk) -> None:
    papers = Papers(desk)
    customer(desk, STAYS)
    drawn = papers.draw()
    papers.do("DeleteContract", drawn, LI)
    merge(desk)
    assert papers.do("UndeleteContract", drawn, LI).customer == STAYS


@pytest.mark.parametrize("paper", ["quote", "contract", "approval"])
def test_C20_what_is_drawn_up_in_the_moment_of_a_merge_is_the_one_that_stays(desk: Desk, paper: str) -> None:
    papers = Papers(desk)
    customer(desk, STAYS)
    applied(desk, approvalFlows={"quote": written(node("boss", "people/boss"), **{"for": "quote"})})
    drafts = [quoting.quote(desk, quoting.line())] if paper == "approval" else []
    method, request = {
        "quote": ("CreateQuote", quotes_pb2.CreateQuoteRequest(quote=quotes_pb2.Quote(opportunity=OPPORTUNITY))),
        "contract": ("ContractOpportunity", pb.ContractOpportunityRequest(opportunity=OPPORTUNITY)),
        "approval": ("SubmitQuote", quotes_pb2.SubmitQuoteRequest(name=drafts[0].name if drafts else "")),
    }[paper]
    servicer: Any = next(one for one in desk.servicers if hasattr(one, method))
    news = threading.Thread(target=lambda: merge(desk))
    with desk.runtime.transaction(LI, Origin(LI.actor)) as tx:
        getattr(servicer, method)(tx, request)
        news.start()
        news.join(0.3)
        assert news.is_alive(), "it waits until that is stored"
    news.join(10)
    kind = f"{paper.capitalize()}s"
    assert (everything(desk, STAYS)[kind], everything(desk, CUSTOMER)[kind]) == (1, 0)
    assert papers.draw(customer=CUSTOMER).customer == STAYS
