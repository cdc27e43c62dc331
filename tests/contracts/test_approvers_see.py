"""Whoever has to decide sees what he decides about, for as long as it is to be decided."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format

from chassis.access import Scope
from chassis.errors import NotFound
from chassis.rpc import Call
from chassis.transaction import Origin
from dealwright.contracts.v1 import approvals_pb2, events_pb2, quotes_pb2
from dealwright.contracts.v1 import contracts_pb2 as pb
from tests.contracts import quoting
from tests.contracts.approving import applied, node, written
from tests.contracts.desk import BOSS, CUSTOMER, LI, WANG, ZHAO, Desk, money, principal, refused
from tests.contracts.papers import Papers

DIRECTOR = principal("people/director", "manager", Scope.TEAM, "teams/head")
DEPUTY = principal("people/deputy", "sales", Scope.OWN, "teams/head")
OUTSIDE = (DIRECTOR, DEPUTY, WANG)


@pytest.fixture
def papers(desk: Desk) -> Papers:
    """A quote and a contract pass the director, who is of another team, then the manager; one more is told."""
    desk.hire(("people/director", "teams/head", "manager"), ("people/deputy", "teams/head", "sales"))
    copy = {"id": "copy", "displayName": "抄送", "kind": "COPY", "approvers": ["people/wang"]}
    nodes = (copy, node("director", "people/director"), node("manager", "people/boss"))
    made = Papers(desk)
    for kind in ("quote", "contract", "contractChange"):
        applied(desk, approvalFlows={kind.lower(): written(*nodes, **{"for": kind, "distinctPeople": False})})
    return made


def reads(desk: Desk, of: Any, who: Any) -> bool:
    kind = {"quotes": "Quote", "contracts": "Contract", "contractChanges": "ContractChange"}[of.name.split("/")[0]]
    request = getattr(quotes_pb2 if kind == "Quote" else pb, f"Get{kind}Request")(name=of.name)
    try:
        desk.call(f"Get{kind}", request, who)
    except NotFound:
        return False
    return True


def approval(desk: Desk, name: str, who: Any) -> approvals_pb2.Approval:
    found: approvals_pb2.Approval = desk.call("GetApproval", approvals_pb2.GetApprovalRequest(name=name), who)
    return found


def delegate(desk: Desk, name: str) -> None:
    request = approvals_pb2.DelegateApprovalRequest(name=name, to="people/deputy")
    desk.call("DelegateApproval", request, DIRECTOR)


def test_Q2_an_approver_of_another_team_reads_the_quote_while_the_run_lasts(papers: Papers) -> None:
    desk = papers.desk
    made = quoting.quote(desk, quoting.line(400, quantity="2.5", discount_percent="10"), discount_percent="5")
    assert not any(reads(desk, made, who) for who in OUTSIDE)
    asked = quoting.act(desk, "Submit", made.name)
    assert [reads(desk, made, who) for who in OUTSIDE] == [True, False, False], "who is told only is not asked"
    assert quoting.listed(desk, DIRECTOR) == [made.name]
    with refused("DENIED"):
        quoting.change(desk, made.name, DIRECTOR, terms="改")
    servicer = next(one for one in desk.servicers if hasattr(one, "RenderQuote"))
    file = servicer.RenderQuote(Call(quotes_pb2.RenderQuoteRequest(name=made.name), DIRECTOR, Origin(DIRECTOR.actor)))
    assert file.content.startswith(b"%PDF")
    seen = approval(desk, asked.approval, DIRECTOR)
    assert seen.customer_history.customer == CUSTOMER
    assert not approval(desk, asked.approval, WANG).HasField("customer_history")
    delegate(desk, asked.approval)
    assert [reads(desk, made, who) for who in OUTSIDE] == [False, True, False]
    quoting.decide(desk, asked.approval, DEPUTY)
    assert reads(desk, made, DEPUTY), "the run goes on"
    quoting.decide(desk, asked.approval, BOSS)
    assert not any(reads(desk, made, who) for who in OUTSIDE)
    seen = approval(desk, asked.approval, DEPUTY)
    assert (seen.status, seen.HasField("customer_history")) == (approvals_pb2.Approval.APPROVED, False)
    assert quoting.listed(desk, DEPUTY) == []


def test_Q5_an_approver_of_another_team_reads_the_contract_while_the_run_lasts(papers: Papers) -> None:
    desk, made = papers.desk, papers.draw(1000)
    assert not reads(desk, made, DIRECTOR)
    asked = papers.do("SubmitContract", made)
    assert [reads(desk, made, who) for who in (*OUTSIDE, ZHAO)] == [True, False, False, False]
    sums = desk.call("SummarizeContracts", pb.SummarizeContractsRequest(), DIRECTOR)
    assert list(sums.rows) == [], "what he only decides about is none of his business figures"
    request = approvals_pb2.WithdrawApprovalRequest(name=asked.approval)
    desk.call("WithdrawApproval", request, LI)
    assert not reads(desk, made, DIRECTOR)
    assert approval(desk, asked.approval, DIRECTOR).status == approvals_pb2.Approval.WITHDRAWN


def test_Q8_whoever_agrees_to_a_change_reads_it_and_its_contract(papers: Papers) -> None:
    desk, made = papers.desk, papers.draw(1000)
    asked = papers.do("SubmitContract", made)
    for who in (DIRECTOR, BOSS):
        quoting.decide(desk, asked.approval, who)
    signed = papers.do("SignContract", made)
    assert not reads(desk, signed, DIRECTOR)
    change = papers.ask(signed, amount=money(900))
    assert reads(desk, change, DIRECTOR)
    assert reads(desk, signed, DIRECTOR)
    quoting.decide(desk, change.approval, DIRECTOR, "REJECT")
    assert not reads(desk, change, DIRECTOR)
    assert not reads(desk, signed, DIRECTOR)


def test_Q2_the_facts_of_a_quote_are_what_is_decided_about(papers: Papers) -> None:
    desk = papers.desk
    of = quoting.line(400, quantity="2.5", discount_percent="10")
    made = quoting.quote(desk, of, discount_percent="5", terms="质保两年", custom={"lines": "无", "margin": 12.5})
    asked = quoting.act(desk, "Submit", made.name)
    facts = json_format.MessageToDict(approval(desk, asked.approval, DIRECTOR).facts)
    fields = facts["fields"]
    assert (fields["number"], fields["total"], fields["list_total"]) == (made.number, "855", "1000")
    assert (facts["amount"], facts["discount"], fields["discount_percent"]) == ("855", 14.5, 5)
    assert (fields["margin"], fields["terms"]) == (12.5, "质保两年")
    assert fields["lines"] == [
        {"product": "", "description": "实施服务", "unit": "", "quantity": 2.5, "discount_percent": 10}
        | {"unit_price": "400", "amount": "900"}
    ]
    # What is hidden from a role on quotes is not found out from the approval of one (P8).
    blind = principal(DIRECTOR.person, "manager", Scope.TEAM, "teams/head", hidden=frozenset({"lines", "total"}))
    seen = approval(desk, asked.approval, blind)
    facts = json_format.MessageToDict(seen.facts)
    assert not {"lines", "total"} & facts["fields"].keys()
    assert ("amount" in facts, seen.HasField("amount")) == (False, False)


def test_O19_it_is_told_who_reads_what_is_decided_about(papers: Papers) -> None:
    desk = papers.desk
    asked = quoting.act(desk, "Submit", quoting.quote(desk, quoting.line(400)).name)

    def readers() -> set[str]:
        told = desk.announced(events_pb2.ApprovalChanged)[-1].reads
        assert "people/wang" in told, "everybody who was ever told is named, so that older news does no harm"
        return {person.removeprefix("people/") for person, reads in told.items() if reads}

    assert readers() == {"director"}
    delegate(desk, asked.approval)
    assert readers() == {"deputy"}
    quoting.decide(desk, asked.approval, DEPUTY)
    assert readers() == {"deputy", "boss"}
    request = approvals_pb2.WithdrawApprovalRequest(name=asked.approval)
    desk.call("WithdrawApproval", request, LI)
    assert readers() == {"deputy"}, "who has decided reads it for good, who was asked does not"
