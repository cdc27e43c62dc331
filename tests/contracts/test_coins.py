"""Nobody can pay less than the smallest coin of a currency."""

from __future__ import annotations

from typing import Any

import pytest

from dealwright.contracts.v1 import approvals_pb2
from dealwright.contracts.v1 import contracts_pb2 as pb
from tests.contracts import quoting
from tests.contracts.desk import FINANCE, LI, OPPORTUNITY, Desk, money, refused
from tests.contracts.papers import Papers, instalment

# A quarter of a yen, a tenth of a fen; a fen that can be paid.
QUARTER: dict[str, Any] = {"nanos": 250_000_000, "currency": "JPY"}
MILL: dict[str, Any] = {"nanos": 1_000_000}
FEN: dict[str, Any] = {"nanos": 10_000_000}


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


@pytest.mark.parametrize("part", [QUARTER, MILL], ids=["JPY", "CNY"])
def test_K1_K5_K8_parts_of_a_coin_are_refused_with_the_field(part: dict[str, Any], papers: Papers) -> None:
    broken = money(100, **part)
    currency = broken.currency_code
    signed = papers.signed(100, amount=money(100, currency=currency), expiry_date="2099-12-31")
    draft = papers.draw(100, amount=money(100, currency=currency))
    with refused("INVALID", "contract.amount"):
        papers.draw(amount=broken)
    with refused("INVALID", "contract.amount"):
        papers.change(draft.name, amount=broken)
    with refused("INVALID", "contract.amount"):
        papers.ask(signed, amount=broken)
    with refused("INVALID", "amount"):
        papers.do("RenewContract", signed, amount=broken)
    rows = [instalment("首付", 50, **part), instalment("尾款", 50, currency=currency)]
    with refused("INVALID", "instalments[0].amount"):
        papers.desk.call("PlanContract", pb.PlanContractRequest(name=draft.name, instalments=rows), LI)
    with refused("INVALID", "invoice.amount"):
        papers.invoice(signed, 0, amount=broken)
    with refused("INVALID", "invoice.tax"):
        papers.invoice(signed, 0, amount=money(100, currency=currency), tax=money(1, **part))
    with refused("INVALID", "payment.amount"):
        papers.pay(signed, 0, **part)
    share = pb.Payment.Share(instalment=papers.plan(signed)[0].name, amount=money(10, **part))
    with refused("INVALID", "payment.shares[0].amount"):
        papers.pay(signed, 20, currency=currency, shares=[share])
    with refused("INVALID", "approval.amount"):
        of = approvals_pb2.Approval(record=OPPORTUNITY, flow="opportunity", amount=broken)
        papers.desk.call("CreateApproval", approvals_pb2.CreateApprovalRequest(approval=of), LI)
    assert papers.get(signed).paid.units == 0


def test_K5_whole_coins_are_taken(papers: Papers) -> None:
    signed = papers.signed(0, amount=money(100, **FEN))
    assert papers.pay(signed, 0, **FEN, who=FINANCE).amount == money(0, **FEN)


def test_K10_instalments_are_of_whole_coins(papers: Papers) -> None:
    yen = money(100, currency="JPY")
    made = papers.draw(amount=yen, finance_mode=pb.Contract.INSTALMENTS, instalment_count=3)
    assert [one.amount for one in papers.plan(made)] == [money(n, currency="JPY") for n in (33, 33, 34)]
    rows = [instalment(str(n), n, currency="JPY") for n in (50, 50)]
    papers.desk.call("PlanContract", pb.PlanContractRequest(name=made.name, instalments=rows), LI)
    papers.change(made.name, amount=money(101, currency="JPY"))
    assert [one.amount for one in papers.plan(made)] == [money(n, currency="JPY") for n in (50, 51)]


def test_K2_an_opportunity_that_was_told_in_parts_of_a_coin_is_contracted_in_whole_ones(papers: Papers) -> None:
    papers.desk.deal(amount=1_005_000, currency="JPY", version=2)  # 100.5
    made = papers.desk.call("ContractOpportunity", pb.ContractOpportunityRequest(opportunity=OPPORTUNITY), LI)
    assert made.amount == money(101, currency="JPY")


def test_Q1_a_price_of_one_may_be_finer_than_what_all_of_them_cost(papers: Papers) -> None:
    product = quoting.product(papers.desk, price=0, unit_price=money(0, 12_500_000))
    assert product.unit_price == money(0, 12_500_000)
    made = quoting.quote(papers.desk, quoting.Line(product=product.name, quantity="1000"))
    assert made.total == money(12, 500_000_000)
