"""Approvals on both databases: who is asked for what, exactly once, and what others hear of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from chassis.errors import Denied, Problem
from chassis.money import Money
from contracts.domain.approval import EndReason
from contracts.usecases import approvals
from contracts.usecases.settings import PART
from dealwright.contracts.v1 import approvals_pb2 as pb
from dealwright.contracts.v1 import events_pb2
from tests.contracts.approving import (
    ADMIN,
    AGREE,
    REJECT,
    RETURN,
    applied,
    as_,
    asked,
    cny,
    got,
    node,
    path,
    people,
    say,
    staffed,
    written,
)
from tests.contracts.desk import Desk, refused


@pytest.fixture(autouse=True)
def staff(desk: Desk) -> None:
    staffed(
        desk,
        *(("li", "sales", "boss"), ("zhao", "sales", "boss"), ("boss", "manager", "chief"), ("chief", "manager", "")),
        *(("money", "finance", ""), ("gold", "finance", ""), ("law", "backoffice", ""), ("admin", "admin", "")),
    )


def test_Q2_a_quote_is_approved_by_the_sales_director(desk: Desk) -> None:
    made = asked(desk, "quote", amount=cny("80000"), discount=Decimal(5))
    assert people(got(desk, made.name)) == "chief", "the top of who asks"
    (told,) = desk.announced(events_pb2.ApprovalRequested)
    assert (list(told.approvers), told.reason, told.approval.record) == (["people/chief"], "", "quotes/1")
    done = say(desk, made.name, "chief")
    assert done.status == pb.Approval.APPROVED
    assert path(done) == [("director", "PASSED"), ("finance-director", "SKIPPED")]
    (decided,) = desk.announced(events_pb2.ApprovalDecided)
    assert (decided.approval.name, decided.approval.status) == (made.name, pb.Approval.APPROVED)


@pytest.mark.parametrize(
    ("discount", "asks"), [("15", False), ("15.0000", False), ("15.0001", True), ("14.9999", False), ("100", True)]
)
def test_Q3_only_a_discount_of_more_than_15_percent_takes_the_finance_director(
    discount: str, asks: bool, desk: Desk
) -> None:
    applied(desk, approverGroups={"finance-director": ["people/gold"]})
    made = asked(desk, "quote", amount=cny("80000"), discount=Decimal(discount))
    after = say(desk, made.name, "chief")
    assert people(after) == ("gold" if asks else "")
    if asks:
        assert after.status == pb.Approval.PENDING
        assert after.steps[-1].reason.startswith("discount > 15.0")
        with refused("NOT_FOUND"):
            say(desk, made.name, "money")
        assert say(desk, made.name, "gold").status == pb.Approval.APPROVED


@pytest.mark.parametrize(("amount", "asks"), [("500000", False), ("500000.0001", True), ("499999.9999", False)])
def test_Q5_Q6_a_contract_passes_manager_finance_and_general_manager_and_over_500_000_risk_control(
    amount: str, asks: bool, desk: Desk
) -> None:
    applied(desk, approverGroups={"risk-control": ["people/law"], "general-manager": ["people/chief"]})
    made = asked(desk, "contract", "contracts/1", amount=cny(amount))
    waited = [people(got(desk, made.name))]
    for who in ("boss", "gold", *(["law"] if asks else []), "chief"):
        waited.append(people(say(desk, made.name, who)))
    assert waited == ["boss", "gold money", *(["law"] if asks else []), "chief", ""]
    assert got(desk, made.name).status == pb.Approval.APPROVED


def test_Q6_an_amount_in_another_currency_counts_by_the_rate_or_is_looked_at(desk: Desk) -> None:
    applied(desk, approverGroups={"risk-control": ["people/law"]})
    made = asked(desk, "contract", "contracts/1", amount=Money(Decimal(9), "USD"))
    say(desk, made.name, "boss")
    assert people(say(desk, made.name, "money")) == "law", "without a rate nobody knows how much it is"


def test_Q7_legal_and_finance_countersign_where_the_company_switches_it_on(desk: Desk) -> None:
    with desk.runtime.reading() as tx:
        flow = PART.read(tx)[0]["approvalFlows"]["contract-countersign"]
    groups = {"legal": ["people/law"]}
    applied(desk, approvalFlows={"contract-countersign": {**flow, "enabled": True}}, approverGroups=groups)
    made = asked(desk, "contract", "contracts/1", amount=cny("900000"))
    assert (made.flow, people(got(desk, made.name))) == ("contract-countersign", "gold law money")
    assert say(desk, made.name, "law").status == pb.Approval.PENDING
    assert say(desk, made.name, "money").status == pb.Approval.APPROVED


def test_Q8_a_change_of_a_contract_takes_four_people(desk: Desk) -> None:
    applied(desk, approverGroups={"legal": ["people/law"], "general-manager": ["people/chief"]})
    made = asked(desk, "contractChange", "contractChanges/1")
    signed = [say(desk, made.name, who).status for who in ("chief", "law", "boss", "gold")]
    assert signed == [pb.Approval.PENDING] * 3 + [pb.Approval.APPROVED]
    assert len({seat.person for step in got(desk, made.name).steps for seat in step.seats}) == 4
    other = asked(desk, "contractChange", "contractChanges/2")
    say(desk, other.name, "law")
    assert say(desk, other.name, "boss", REJECT).status == pb.Approval.REJECTED


def test_Q18_a_comment_is_welcome_and_never_needed(desk: Desk) -> None:
    made = asked(desk, "quote")
    assert say(desk, made.name, "chief", comment="").status == pb.Approval.APPROVED
    other = asked(desk, "quote", "quotes/2")
    assert say(desk, other.name, "chief", REJECT, "可以\n再议").steps[0].seats[0].comment == "可以\n再议"
    with refused("INVALID", "comment"):
        say(desk, asked(desk, "quote", "quotes/3").name, "chief", comment="长" * 2001)


def test_Q9_own_requests_second_answers_and_who_is_not_asked_are_refused(desk: Desk) -> None:
    applied(desk, approvalFlows={"trial": written(node("one", "people/boss"), node("two", "people/money"))})
    made = asked(desk, "trial")
    with refused("OWN_REQUEST"):
        say(desk, made.name, "li")
    with refused("NOT_FOUND"):
        say(desk, made.name, "zhao")
    with pytest.raises(Denied):  # who sees it, and is not asked
        desk.call("DecideApproval", pb.DecideApprovalRequest(name=made.name, verdict=AGREE), ADMIN)
    with refused("NOT_FOUND"):  # not his turn yet, so he does not know of it
        say(desk, made.name, "money")
    say(desk, made.name, "boss")
    with refused("ALREADY_DECIDED"):
        say(desk, made.name, "boss", REJECT)
    with refused("STALE"):
        say(desk, made.name, "money", etag="1")
    assert say(desk, made.name, "money", etag="2").status == pb.Approval.APPROVED
    with refused("ALREADY_DECIDED"):
        say(desk, made.name, "money")
    with refused("INVALID", "verdict"):
        say(desk, made.name, "money", 0)


def test_Q9_what_is_returned_or_withdrawn_is_asked_for_anew(desk: Desk) -> None:
    first = asked(desk, "quote")
    with refused("PENDING"):
        asked(desk, "quote")
    assert say(desk, first.name, "chief", RETURN).status == pb.Approval.RETURNED
    second = asked(desk, "quote")
    assert second.name != first.name
    with refused("DENIED"):
        desk.call("WithdrawApproval", pb.WithdrawApprovalRequest(name=second.name), as_("chief"))
    gone = desk.call("WithdrawApproval", pb.WithdrawApprovalRequest(name=second.name), as_("li"))
    assert (gone.status, path(gone)) == (pb.Approval.WITHDRAWN, [("director", "CLOSED")])
    with refused("NOT_PENDING"):
        desk.call("WithdrawApproval", pb.WithdrawApprovalRequest(name=second.name), as_("li"))
    with refused("NOT_PENDING"):
        say(desk, second.name, "chief")
    third = asked(desk, "quote")
    with desk.runtime.transaction() as tx:
        assert [one.name for one in approvals.withdraw_for(tx, "quotes/1", EndReason.CONTRACT_VOID)] == [third.name]
        assert approvals.withdraw_for(tx, "quotes/1", EndReason.CONTRACT_VOID) == []
    ended = [(e.approval.name, e.approval.status) for e in desk.announced(events_pb2.ApprovalDecided)]
    assert ended == [(first.name, pb.Approval.RETURNED), *((one.name, 5) for one in (second, third))]


def test_Q9_somebody_else_decides_in_his_place(desk: Desk) -> None:
    made = asked(desk, "quote")

    def hand(who: str, to: str) -> pb.Approval:
        request = pb.DelegateApprovalRequest(name=made.name, to=to)
        answer: pb.Approval = desk.call("DelegateApproval", request, as_(who))
        return answer

    for nobody in ("people/nobody", "li", "role:finance"):
        with refused("INVALID", "to"):
            hand("chief", nobody)
    assert people(hand("chief", "people/money")) == "money"
    with refused("DENIED"):
        hand("chief", "people/gold")
    with refused("DELEGATION_LOOP"):
        hand("money", "people/chief")
    assert say(desk, made.name, "money").status == pb.Approval.APPROVED
    told = [(list(e.approvers), e.reason) for e in desk.announced(events_pb2.ApprovalRequested)]
    assert told == [(["people/chief"], ""), (["people/money"], "DELEGATED")]


def test_Q9_lists_tell_what_waits_for_whom_and_who_asked_for_what(desk: Desk) -> None:
    first, second = asked(desk, "quote"), asked(desk, "contract", "contracts/1", "zhao")

    def listed(who: str, filter: str = "") -> list[str]:
        answer = desk.call("ListApprovals", pb.ListApprovalsRequest(filter=filter), as_(who))
        return [one.name for one in answer.approvals]

    assert listed("chief", 'pendingFor = "people/chief"') == [first.name]
    assert listed("boss", 'pendingFor = "people/boss"') == [second.name]
    assert listed("boss", 'pendingFor = "people/chief"') == []
    assert listed("li") == [first.name]
    assert listed("zhao", 'record = "contracts/1" AND status = PENDING') == [second.name]
    assert listed("law") == []
    say(desk, first.name, "chief")
    assert listed("chief", 'pendingFor = "people/chief"') == []
    assert listed("chief") == [first.name], "he still sees what he decided"


def test_Q9_an_approval_is_decided_once_whoever_comes_at_the_same_time(desk: Desk) -> None:
    crowd = [f"c{number}" for number in range(32)]
    staffed(desk, *((one, "sales", "") for one in crowd))
    one_of_all = node("one", *(f"people/{one}" for one in crowd), mode="ANY")
    applied(desk, approvalFlows={"trial": written(one_of_all)})
    made = asked(desk, "trial")
    desk.announced()
    together = threading.Barrier(32)

    def decide(place: int) -> str:
        together.wait()
        try:
            say(desk, made.name, crowd[place], AGREE if place % 2 else RETURN)
        except Problem as problem:
            return problem.reason
        return "done"

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(decide, range(32)))
    assert sorted(answers) == ["NOT_PENDING"] * 31 + ["done"]
    assert len(desk.announced(events_pb2.ApprovalDecided)) == 1
    assert sum(bool(seat.person) for seat in got(desk, made.name).steps[0].seats) == 1


def test_Q19_where_the_company_has_set_no_flow_nobody_is_asked(desk: Desk) -> None:
    made = asked(desk, "sample")
    assert (made.status, made.flow, made.steps) == (2, "", [])
    assert [e.approval.status for e in desk.announced(events_pb2.ApprovalDecided)] == [pb.Approval.APPROVED]


def test_Q9_nobody_waits_for_an_approval_that_nobody_can_give(desk: Desk) -> None:
    staffed(desk, *((one, "sales", "") for one in ("money", "gold", "admin")), active=False, version=3)
    with refused("NO_APPROVER"):
        asked(desk, "contract", "contracts/1")
    assert desk.announced(events_pb2.ApprovalRequested) == []
