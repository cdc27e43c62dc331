"""Who agrees to a contract, and to a change of one."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.access import Scope
from chassis.people import Person
from contracts.usecases import staff
from contracts.usecases.settings import PART
from dealwright.contracts.v1 import approvals_pb2, events_pb2
from dealwright.contracts.v1 import contracts_pb2 as pb
from tests.contracts import papers as p
from tests.contracts.desk import ADMIN, BOSS, FINANCE, LI, Desk, money, principal, refused
from tests.contracts.papers import Papers, day

LEGAL = principal("people/legal", "backoffice", Scope.ALL)
GENERAL = principal("people/general", "manager", Scope.ALL)
RISK = principal("people/risk", "backoffice", Scope.ALL)
APPROVE, REJECT, RETURN = (getattr(approvals_pb2.Approval, word) for word in ("APPROVE", "REJECT", "RETURN"))
PENDING, APPLIED, WITHDRAWN = pb.ContractChange.PENDING, pb.ContractChange.APPLIED, pb.ContractChange.WITHDRAWN


@pytest.fixture
def papers(desk: Desk) -> Papers:
    """A company with a manager, legal people, a risk controller and a general manager."""
    with desk.runtime.transaction() as tx:
        names = {"people/li": ("sales", "people/boss"), "people/boss": ("manager", "people/general")}
        others = {"people/legal": "backoffice", "people/risk": "backoffice", "people/general": "manager"}
        told = [Person(n, n, "teams/east", manager, role, True, 2) for n, (role, manager) in names.items()]
        staff.know(tx, [*told, *(Person(n, n, "", "", role, True, 2) for n, role in others.items())])
    made = Papers(desk, free=False)
    groups = {"legal": LEGAL, "risk-control": RISK, "general-manager": GENERAL}
    words = {"zh": "组", "en": "Group"}
    made.set(
        approverGroups={
            **_groups(desk),
            **{id: {"displayName": words, "members": [who.person]} for id, who in groups.items()},
        }
    )
    return made


def _groups(desk: Desk) -> Any:
    with desk.runtime.reading() as tx:
        return PART.read(tx)[0]["approverGroups"]


def decide(papers: Papers, approval: str, *people: Any, verdict: Any = APPROVE) -> None:
    for who in people:
        request = approvals_pb2.DecideApprovalRequest(name=approval, verdict=verdict, comment="看过")
        papers.desk.call("DecideApproval", request, who)


def test_Q5_manager_finance_and_general_manager_agree_one_after_the_other(papers: Papers) -> None:
    made = papers.draw(500_000)
    asked = papers.do("SubmitContract", made)
    assert (asked.status, asked.approval != "") == (p.SUBMITTED, True)
    with refused("DENIED"):
        decide(papers, asked.approval, FINANCE)
    decide(papers, asked.approval, BOSS, FINANCE)
    assert papers.get(made).status == p.SUBMITTED
    decide(papers, asked.approval, GENERAL)
    assert papers.get(made).status == p.APPROVED
    assert papers.do("SignContract", made).status == p.SIGNED


def test_Q6_over_500_000_risk_control_looks_too(papers: Papers) -> None:
    made = papers.draw(500_001)
    asked = papers.do("SubmitContract", made)
    decide(papers, asked.approval, BOSS, FINANCE)
    with refused("DENIED"):
        decide(papers, asked.approval, GENERAL)
    decide(papers, asked.approval, RISK, GENERAL)
    assert papers.get(made).status == p.APPROVED


def test_Q5_what_is_sent_back_rejected_or_taken_back_is_changed_and_submitted_again(papers: Papers) -> None:
    made = papers.draw(1000)
    asked = papers.do("SubmitContract", made)
    decide(papers, asked.approval, BOSS, verdict=RETURN)
    assert papers.get(made).status == p.RETURNED
    papers.change(made.name, amount=money(900))
    asked = papers.do("SubmitContract", made)
    decide(papers, asked.approval, BOSS, verdict=REJECT)
    assert papers.get(made).status == p.REJECTED
    asked = papers.do("SubmitContract", made)
    papers.desk.call("WithdrawApproval", approvals_pb2.WithdrawApprovalRequest(name=asked.approval), LI)
    assert papers.get(made).status == p.RETURNED
    assert papers.history(made) == [
        p.DRAFT, p.SUBMITTED, p.RETURNED, p.SUBMITTED, p.REJECTED, p.SUBMITTED, p.RETURNED
    ]  # fmt: skip
    with refused("NOT_APPROVED"):
        papers.do("SignContract", made)


def test_Q5_what_nobody_can_sign_is_not_submitted(papers: Papers) -> None:
    made = papers.draw(0, customer="")
    with refused("INVALID", "contract.customer", "contract.amount"):
        papers.do("SubmitContract", made)
    assert papers.get(made).status == p.DRAFT


def _signed(papers: Papers, **fields: Any) -> Any:
    """A contract that all have agreed to."""
    made = papers.draw(900, **fields)
    asked = papers.do("SubmitContract", made)
    decide(papers, asked.approval, BOSS, FINANCE, GENERAL)
    return papers.do("SignContract", made)


def test_Q8_a_change_takes_effect_when_all_four_have_signed(papers: Papers) -> None:
    signed = _signed(papers, finance_mode=pb.Contract.INSTALMENTS, instalment_count=3, expiry_date=day(90))
    change = papers.ask(signed, amount=money(1200), expiry_date=day(120), terms="延期交付")
    assert change.status == PENDING
    assert [(d.field, d.before, d.after) for d in change.differences] == [
        ("amount", "900 CNY", "1200 CNY"), ("terms", "", "延期交付"), ("expiry_date", day(90), day(120))
    ]  # fmt: skip
    with refused("CHANGING"):
        papers.ask(signed, amount=money(1))
    decide(papers, change.approval, FINANCE, GENERAL, LEGAL)
    assert (papers.get(change).status, papers.get(signed).amount.units) == (PENDING, 900)
    decide(papers, change.approval, BOSS)
    now = papers.get(signed)
    assert (now.amount.units, now.expiry_date, now.terms, now.status) == (1200, day(120), "延期交付", p.SIGNED)
    assert [amount for amount, _, _ in papers.paid(signed)] == [300, 300, 300, 300]
    ended = papers.get(change)
    assert (ended.status, ended.HasField("end_time")) == (APPLIED, True)
    listed = papers.desk.call("ListContractChanges", pb.ListContractChangesRequest(filter="status = APPLIED"), LI)
    assert [one.name for one in listed.contract_changes] == [change.name]
    told = papers.desk.announced(events_pb2.ContractChangeChanged)
    assert [event.change.status for event in told][-1] == APPLIED


def test_Q8_a_lower_amount_is_taken_from_the_last_instalments(papers: Papers) -> None:
    signed = _signed(papers, finance_mode=pb.Contract.INSTALMENTS, instalment_count=3)
    papers.pay(signed, 350)
    change = papers.ask(signed, amount=money(500))
    decide(papers, change.approval, BOSS, FINANCE, LEGAL, GENERAL)
    assert papers.paid(signed) == [(300, 300, p.PAID), (200, 50, p.PARTLY), (300, 0, p.CANCELLED)]
    assert papers.get(signed).balance.units == 150


def test_Q8_a_change_that_is_refused_or_overtaken_changes_nothing(papers: Papers) -> None:
    signed = _signed(papers)
    change = papers.ask(signed, amount=money(500))
    decide(papers, change.approval, LEGAL, verdict=REJECT)
    assert papers.get(change).status == pb.ContractChange.REJECTED
    change = papers.ask(signed, amount=money(500))
    decide(papers, change.approval, BOSS, FINANCE, LEGAL)
    papers.pay(signed, 600)
    decide(papers, change.approval, GENERAL)
    overtaken = papers.get(change)
    assert overtaken.status == pb.ContractChange.OVERTAKEN
    assert "contract.amount" in overtaken.outcome
    assert papers.get(signed).amount.units == 900
    change = papers.ask(signed, amount=money(950))
    papers.pay(signed, -600)
    papers.do("VoidContract", signed, BOSS, reason="取消")
    assert papers.get(change).status == WITHDRAWN
    approval = papers.desk.call("GetApproval", approvals_pb2.GetApprovalRequest(name=change.approval), ADMIN)
    assert approval.status == approvals_pb2.Approval.WITHDRAWN


def test_Q8_bad_changes_are_refused_with_the_field(papers: Papers) -> None:
    with refused("NOT_SIGNED", "contract.status"):
        papers.ask(papers.draw(1), amount=money(2))
    signed = _signed(papers, expiry_date=day(90))
    papers.invoice(signed, 300)
    for fields, named in (
        ({"amount": money(299)}, "contract.amount"),
        ({"amount": money(0)}, "contract.amount"),
        ({"amount": money(1000, currency="USD")}, "contract.amount"),
        ({"expiry_date": day(-1)}, "contract.expiry_date"),
        ({"start_date": day(91)}, "contract.expiry_date"),
        ({"amount": money(900)}, "update_mask"),
    ):
        with refused("INVALID", named):
            papers.ask(signed, **fields)
    with refused("INVALID", "reason"):
        papers.ask(signed, reason="", amount=money(1000))
    assert papers.desk.call("ListContractChanges", pb.ListContractChangesRequest(), ADMIN).total_size == 0
