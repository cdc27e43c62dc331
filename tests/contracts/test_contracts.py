"""Contracts: drawn up, agreed to, signed, delivered, renewed, void."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from google.protobuf.struct_pb2 import Struct

from chassis.access import Scope
from contracts.usecases import contract_clocks
from dealwright.contracts.v1 import approvals_pb2, events_pb2
from dealwright.contracts.v1 import contracts_pb2 as pb
from tests.contracts import papers as p
from tests.contracts.desk import (
    ADMIN,
    BOSS,
    CONTACT,
    CUSTOMER,
    FINANCE,
    LI,
    OPPORTUNITY,
    WANG,
    ZHAO,
    Desk,
    later,
    money,
    principal,
    refused,
)
from tests.contracts.papers import Papers, day


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def test_K1_a_contract_has_a_number_and_all_that_was_said(papers: Papers) -> None:
    custom = Struct()
    custom.update({"仓库": 3})
    made = papers.draw(
        600_000, contact=CONTACT, opportunity=OPPORTUNITY, start_date=day(), expiry_date=day(364), terms="款到发货",
        custom=custom,
    )  # fmt: skip
    assert made.number.startswith(f"C-{day().replace('-', '')}-")
    assert (made.status, made.owner, made.team, made.finance_mode) == (p.DRAFT, "people/li", "teams/east", 1)
    assert (made.amount, made.balance, made.paid.units) == (money(600_000), money(600_000), 0)
    assert (made.contact, made.opportunity, made.terms) == (CONTACT, OPPORTUNITY, "款到发货")
    assert papers.get(made) == made
    assert papers.history(made) == [p.DRAFT]
    (event,) = papers.desk.announced(events_pb2.ContractChanged)
    assert (event.contract, event.version, event.deleted) == (made, 1, False)


def test_K1_bad_input_is_refused_with_every_field_named(papers: Papers) -> None:
    with refused("INVALID", "contract.amount"):
        papers.draw(-1)
    with refused("NOT_FOUND", "contract.customer", "contract.contact"):
        papers.draw(customer=f"customers/{9:032x}", contact=f"contacts/{9:032x}")
    with refused("INVALID", "contract.expiry_date"):
        papers.draw(start_date=day(2), expiry_date=day(1))
    with refused("INVALID", "contract.finance_mode", "contract.start_date"):
        papers.draw(start_date="morgen", finance_mode=9)
    with refused("INVALID", "contract.start_date"):
        papers.draw(finance_mode=pb.Contract.SUBSCRIPTION)
    with refused("INVALID", "contract.owner"):
        papers.draw(owner="people/nobody")
    with refused("DENIED"):
        papers.draw(owner="people/zhao")
    assert papers.desk.announced() == []


def test_K1_numbers_are_unique_under_32_creators(papers: Papers) -> None:
    with ThreadPoolExecutor(16) as workers:
        made = list(workers.map(lambda _: papers.draw().number, range(32)))
    assert len(set(made)) == 32


def test_K1_a_draft_is_changed_and_what_is_agreed_to_is_not(papers: Papers) -> None:
    made = papers.draw(finance_mode=pb.Contract.INSTALMENTS, instalment_count=3, start_date=day())
    assert [one.amount for one in papers.plan(made)] == [
        money(333, 330_000_000), money(333, 330_000_000), money(333, 340_000_000)
    ]  # fmt: skip
    changed = papers.change(made.name, etag=made.etag, amount=money(900), terms="新")
    assert [one.amount.units for one in papers.plan(made)] == [300, 300, 300]
    with refused("STALE"):
        papers.change(made.name, etag=made.etag, terms="晚了")
    with refused("INVALID", "contract.amount"):
        papers.change(made.name, amount=money(0, 10_000_000))
    papers.do("SubmitContract", made)
    assert changed.terms == "新"
    for verb in ("DeleteContract", "SubmitContract"):
        with refused("FIXED"):
            papers.do(verb, made, ADMIN)
    with refused("FIXED"):
        papers.change(made.name, terms="偷改")
    with refused("FIXED"):
        papers.desk.call("PlanContract", pb.PlanContractRequest(name=made.name), ADMIN)


def test_K1_own_fields_are_changed_key_by_key(papers: Papers) -> None:
    own = Struct()
    own.update({"甲": 1, "乙": 2})
    made = papers.draw(custom=own)
    own.update({"甲": 5, "乙": 6})
    changed = papers.change(made.name, mask="custom.甲", custom=own)
    assert dict(changed.custom) == {"甲": 5, "乙": 2}


def test_K1_a_deleted_draft_comes_back_within_30_days(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    made = papers.draw()
    papers.do("DeleteContract", made, BOSS)
    with refused("NOT_FOUND"):
        papers.get(made)
    assert papers.plan(made) == []
    assert papers.do("UndeleteContract", made, BOSS).number == made.number
    assert len(papers.plan(made)) == 1
    papers.do("DeleteContract", made, BOSS)
    with later(timedelta(days=31), monkeypatch), papers.desk.runtime.transaction() as tx:
        assert not contract_clocks.purge(tx)
    with refused("NOT_FOUND"):
        papers.do("UndeleteContract", made, BOSS)


def test_K3_K11_the_customers_contracts_and_their_sums(papers: Papers) -> None:
    signed = papers.signed(1000)
    papers.draw(500)
    papers.pay(signed, 400)
    papers.invoice(signed, 300)
    wanted = f'customer = "{CUSTOMER}"'
    listed = papers.desk.call("ListContracts", pb.ListContractsRequest(filter=wanted, order_by="amount desc"), LI)
    assert [(one.amount.units, one.number != "") for one in listed.contracts] == [(1000, True), (500, True)]
    rows = papers.desk.call("SummarizeContracts", pb.SummarizeContractsRequest(filter=wanted), LI).rows
    assert [(r.status, r.count, r.amount.units, r.invoiced.units, r.paid.units, r.balance.units) for r in rows] == [
        (p.DRAFT, 1, 500, 0, 0, 500),
        (p.SIGNED, 1, 1000, 300, 400, 600),
    ]
    assert not papers.desk.call("SummarizeContracts", pb.SummarizeContractsRequest(filter=wanted), ZHAO).rows


def test_K1_whose_a_contract_is(papers: Papers) -> None:
    made = papers.draw()
    assert papers.get(made, BOSS).name == made.name
    for who in (ZHAO, WANG):
        with refused("NOT_FOUND"):
            papers.get(made, who)
        with refused("NOT_FOUND"):
            papers.do("VoidContract", made, who, reason="别人的")
    reader = principal("people/money", "finance", Scope.ALL)
    assert papers.get(papers.plan(made)[0], reader).contract == made.name


def test_C12_a_signed_contract_tells_its_amount_and_customer_once(papers: Papers) -> None:
    made = papers.draw(600_000)
    with refused("NOT_APPROVED"):
        papers.do("SignContract", made)
    papers.do("SubmitContract", made)
    signed = papers.do("SignContract", made, expiry_date=day(30))
    assert (signed.status, signed.sign_date, signed.start_date, signed.expiry_date) == (
        p.SIGNED, day(), day(), day(30)
    )  # fmt: skip
    assert papers.plan(made)[0].due_date == day()
    with refused("NOT_APPROVED"):
        papers.do("SignContract", made)
    (event,) = papers.desk.announced(events_pb2.ContractSigned)
    assert (event.contract.customer, event.contract.amount) == (CUSTOMER, money(600_000))
    assert papers.history(made) == [p.DRAFT, p.SUBMITTED, p.APPROVED, p.SIGNED]


def test_K1_a_contract_is_not_signed_at_impossible_times(papers: Papers) -> None:
    made = papers.draw(start_date=day(10))
    papers.do("SubmitContract", made)
    with refused("INVALID", "sign_date"):
        papers.do("SignContract", made, sign_date=day(1))
    with refused("INVALID", "sign_date"):
        papers.do("SignContract", made, sign_date=day(-1))
    with refused("INVALID", "expiry_date"):
        papers.do("SignContract", made, expiry_date=day(-1))
    with refused("INVALID", "expiry_date"):
        papers.do("SignContract", made, expiry_date=day(5))
    assert papers.get(made).status == p.APPROVED
    assert papers.do("SignContract", made, sign_date=day(-9), historical=True).sign_date == day(-9)


def test_K1_what_is_void_was_neither_paid_nor_invoiced(papers: Papers) -> None:
    signed = papers.signed(1000)
    invoice = papers.invoice(signed, 100)
    papers.pay(signed, 100)
    with refused("INVALID", "reason"):
        papers.do("VoidContract", signed)
    with refused("PAID", "contract.paid"):
        papers.do("VoidContract", signed, BOSS, reason="客户取消")
    papers.pay(signed, -100)
    with refused("INVOICED", "contract.invoiced"):
        papers.do("VoidContract", signed, BOSS, reason="客户取消")
    papers.do("VoidInvoice", invoice, FINANCE, reason="作废")
    void = papers.do("VoidContract", signed, BOSS, reason="客户取消")
    assert (void.status, void.status_reason) == (p.VOID, "客户取消")
    assert [one.status for one in papers.plan(signed)] == [p.CANCELLED]
    with refused("VOID", "contract.status"):
        papers.do("VoidContract", signed, reason="再来")
    with refused("VOID", "payment.contract"):
        papers.pay(signed, 1)
    with refused("VOID", "invoice.contract"):
        papers.invoice(signed, 1)
    assert papers.history(signed)[-1] == p.VOID


def test_K1_what_is_signed_is_made_void_by_who_leads_and_the_rest_by_its_owner(papers: Papers) -> None:
    signed = papers.signed(2_000_000)
    with refused("DENIED"):
        papers.do("VoidContract", signed, reason="不要了")
    assert papers.get(signed).status == p.SIGNED
    assert papers.do("VoidContract", signed, BOSS, reason="不要了").status == p.VOID
    agreed = papers.draw()
    papers.do("SubmitContract", agreed)
    for mine in (agreed, papers.draw()):
        assert papers.do("VoidContract", mine, reason="不要了").status == p.VOID


def test_K1_a_void_contract_is_not_asked_about_any_more(desk: Desk) -> None:
    papers = Papers(desk, free=False)
    made = papers.draw()
    asked = papers.do("SubmitContract", made)
    assert asked.status == p.SUBMITTED
    papers.do("VoidContract", made, reason="不要了")
    found = desk.call("GetApproval", approvals_pb2.GetApprovalRequest(name=asked.approval), LI)
    assert found.status == approvals_pb2.Approval.WITHDRAWN
    assert papers.get(made).status == p.VOID


def test_K13_what_is_delivered_and_paid_is_complete(papers: Papers) -> None:
    signed = papers.signed(1000)
    with refused("INVALID", "delivery_date"):
        papers.do("DeliverContract", signed, delivery_date=day(1))
    with refused("INVALID", "delivery_date"):
        papers.do("DeliverContract", signed, delivery_date=day(-1))
    assert papers.do("DeliverContract", signed).delivery_date == day()
    assert papers.get(signed).status == p.SIGNED
    paid = papers.pay(signed, 1000)
    assert papers.get(signed).status == p.COMPLETED
    with refused("NOT_SIGNED", "contract.status"):
        papers.do("DeliverContract", papers.draw())
    papers.do("DeletePayment", paid, FINANCE)
    assert papers.get(signed).status == p.SIGNED
    papers.do("UndeletePayment", paid, FINANCE)
    assert papers.history(signed)[-3:] == [p.COMPLETED, p.SIGNED, p.COMPLETED]


def test_K4_the_end_of_a_contract_is_told_30_days_before_and_once(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = papers.signed(1000, expiry_date=day(60))
    papers.draw(1000, expiry_date=day(31))  # a draft holds nobody

    def told() -> list[tuple[str, int]]:
        with papers.desk.runtime.transaction() as tx:
            contract_clocks.tell_expiring(tx)
        events = papers.desk.announced(events_pb2.ContractExpiring)
        return [(event.contract.name, event.days) for event in events]

    with later(timedelta(days=29), monkeypatch):
        assert told() == []
    with later(timedelta(days=30), monkeypatch):
        assert told() == [(signed.name, 30)]
        assert told() == []
        papers.ask(signed, expiry_date=day(50))
    with later(timedelta(days=51), monkeypatch):
        assert told() == [(signed.name, 29)]
    papers.set(contracts={"expiryDays": 7})
    other = papers.signed(1000, expiry_date=day(8))
    assert told() == []
    with later(timedelta(days=1), monkeypatch):
        assert told() == [(other.name, 7)]
