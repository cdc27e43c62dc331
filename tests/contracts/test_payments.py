"""What is to be paid of a contract, what was invoiced, and what came."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from chassis import records
from contracts.usecases.contract_kinds import CONTRACT
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import events_pb2, quotes_pb2
from tests.contracts import papers as p
from tests.contracts.desk import ADMIN, BOSS, FINANCE, ZHAO, Desk, money, refused
from tests.contracts.papers import Papers, day

THREE: dict[str, Any] = {"finance_mode": pb.Contract.INSTALMENTS, "instalment_count": 3}


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def balance(papers: Papers, contract: Any) -> tuple[int, int, int]:
    """What the contract says, which is what its payments say: (amount, paid, balance)."""
    of = papers.get(contract)
    answer = papers.desk.call("ListPayments", pb.ListPaymentsRequest(filter=f'contract = "{of.name}"'), ADMIN)
    payments = list(answer.payments)
    assert sum(one.amount.units for one in payments) == of.paid.units
    matched = sum(share.amount.units for one in payments for share in one.shares)
    assert matched + sum(one.unmatched.units for one in payments) == of.paid.units
    assert matched == sum(one.paid.units for one in papers.plan(of))
    assert of.balance.units == of.amount.units - of.paid.units
    return of.amount.units, of.paid.units, of.balance.units


def test_K5_K6_payments_go_to_the_oldest_instalment_and_the_rest_is_credit(papers: Papers) -> None:
    signed = papers.signed(900, **THREE)
    first = papers.pay(signed, 450, reference="B-1")
    plan = papers.plan(signed)
    assert [(s.instalment, s.amount.units) for s in first.shares] == [(plan[0].name, 300), (plan[1].name, 150)]
    assert (first.owner, first.team, first.pay_date) == ("people/li", "teams/east", day())
    assert papers.paid(signed) == [(300, 300, p.PAID), (300, 150, p.PARTLY), (300, 0, p.OPEN)]
    over = papers.pay(signed, 550)
    assert (over.unmatched.units, papers.get(signed).status) == (100, p.SIGNED)
    assert balance(papers, signed) == (900, 1000, -100)
    received = papers.desk.announced(events_pb2.PaymentReceived)
    assert [event.payment.name for event in received] == [first.name, over.name]


def test_K6_credit_pays_what_a_change_adds(papers: Papers) -> None:
    signed = papers.signed(900)
    papers.pay(signed, 1000)
    change = papers.ask(signed, amount=money(1050))
    assert change.status == pb.ContractChange.APPLIED
    assert papers.paid(signed) == [(900, 900, p.PAID), (150, 100, p.PARTLY)]
    assert balance(papers, signed) == (1050, 1000, 50)


def test_K5_a_payment_is_split_as_somebody_says(papers: Papers) -> None:
    signed = papers.signed(900, **THREE)
    plan = papers.plan(signed)

    def share(number: int, units: int, currency: str = "CNY") -> pb.Payment.Share:
        return pb.Payment.Share(instalment=plan[number].name, amount=money(units, currency=currency))

    paid = papers.pay(signed, 400, shares=[share(2, 300)])
    assert papers.paid(signed) == [(300, 100, p.PARTLY), (300, 0, p.OPEN), (300, 300, p.PAID)]
    assert len(paid.shares) == 2
    for wrong, field in (
        ([share(2, 1)], "payment.shares[0].amount"),
        ([share(1, 301)], "payment.shares[0].amount"),
        ([share(1, -5)], "payment.shares[0].amount"),
        ([share(1, 5, "USD")], "payment.shares[0].amount"),
        ([share(1, 60), share(0, 60)], "payment.shares"),
        ([share(1, 1), share(1, 2)], "payment.shares"),
    ):
        with refused("INVALID", field):
            papers.pay(signed, 100, shares=wrong)
    other = papers.plan(papers.signed(10))[0]
    with refused("INVALID", "payment.shares[0].instalment"):
        papers.pay(signed, 1, shares=[pb.Payment.Share(instalment=other.name, amount=money(1))])


def test_K5_K8_the_banks_reference_is_one_payment(papers: Papers) -> None:
    signed, other = papers.signed(900), papers.signed(900)
    first = papers.pay(signed, 450, reference="ICBC-1")
    assert papers.pay(signed, 450, reference="ICBC-1") == first
    with refused("REFERENCE_USED", "payment.reference"):
        papers.pay(signed, 451, reference="ICBC-1")
    with refused("REFERENCE_USED", "payment.reference"):
        papers.pay(other, 450, reference="ICBC-1")
    assert papers.get(signed).paid.units == 450
    assert len(papers.desk.announced(events_pb2.PaymentReceived)) == 1
    papers.do("DeletePayment", first, FINANCE)
    with refused("REVERSED", "payment.reference"):
        papers.pay(signed, 450, reference="ICBC-1")


def test_K5_bad_payments_are_refused_with_the_field(papers: Papers) -> None:
    draft, signed = papers.draw(100), papers.signed(100)
    with refused("NOT_SIGNED", "payment.contract"):
        papers.pay(draft, 10)
    with refused("INVALID", "payment.amount"):
        papers.pay(signed, 0)
    with refused("INVALID", "payment.pay_date"):
        papers.pay(signed, 10, pay_date=day(1))
    with refused("NO_RATE", "payment.amount"):
        papers.pay(signed, 10, currency="USD")
    with refused("NOT_PAID", "payment.amount"):
        papers.pay(signed, -1)
    with refused("INVALID", "payment.contract"):
        papers.desk.call("CreatePayment", pb.CreatePaymentRequest(payment=pb.Payment(amount=money(1))), FINANCE)
    assert balance(papers, signed) == (100, 0, 100)


def test_K5_a_refund_is_a_payment_below_zero(papers: Papers) -> None:
    signed = papers.signed(900, **THREE)
    papers.pay(signed, 950)
    back = papers.pay(signed, -400, reference="R-1")
    assert (back.unmatched.units, sum(share.amount.units for share in back.shares)) == (-50, -350)
    assert papers.paid(signed) == [(300, 300, p.PAID), (300, 250, p.PARTLY), (300, 0, p.OPEN)]
    with refused("NOT_PAID", "payment.amount"):
        papers.pay(signed, -551)
    assert balance(papers, signed) == (900, 550, 350)
    papers.pay(signed, -550)
    assert balance(papers, signed) == (900, 0, 900)
    assert [event.payment.amount.units for event in papers.desk.announced(events_pb2.PaymentReceived)] == [950]


def test_K5_a_reversed_payment_opens_what_it_paid_and_comes_back(papers: Papers) -> None:
    signed = papers.signed(900, **THREE)
    first, second = papers.pay(signed, 300), papers.pay(signed, 300)
    papers.do("DeletePayment", first, FINANCE)
    # What came second pays the oldest now.
    assert papers.paid(signed) == [(300, 300, p.PAID), (300, 0, p.OPEN), (300, 0, p.OPEN)]
    assert balance(papers, signed) == (900, 300, 600)
    papers.pay(signed, -300)
    with refused("NOT_PAID", "payment.amount"):
        papers.do("DeletePayment", second, FINANCE)
    papers.do("UndeletePayment", first, FINANCE)
    assert balance(papers, signed) == (900, 300, 600)
    with refused("NOT_DELETED"):
        papers.do("UndeletePayment", first, FINANCE)
    of = pb.Payment(name=second.name, method="电汇", note="首付", pay_date=day(-3))
    changed = papers.desk.call("UpdatePayment", pb.UpdatePaymentRequest(payment=of), FINANCE)
    assert (changed.method, changed.note, changed.pay_date, changed.amount.units) == ("电汇", "首付", day(-3), 300)
    with refused("INVALID", "payment.pay_date"):
        of.pay_date = day(1)
        papers.desk.call("UpdatePayment", pb.UpdatePaymentRequest(payment=of), FINANCE)


def test_K1_K5_no_money_stands_on_what_is_void_whatever_is_reversed(papers: Papers) -> None:
    signed = papers.signed(1000)
    paid = papers.pay(signed, 400)
    gone = papers.pay(signed, 70)
    papers.do("DeletePayment", gone, FINANCE)
    back = papers.pay(signed, -400)
    papers.do("VoidContract", signed, BOSS, reason="取消")
    for verb, one in (("DeletePayment", back), ("DeletePayment", paid), ("UndeletePayment", gone)):
        with refused("VOID", "payment.contract"):
            papers.do(verb, one, FINANCE)
    assert (papers.get(signed).status, balance(papers, signed)) == (p.VOID, (1000, 0, 1000))


def test_K1_K5_money_that_stood_on_what_is_void_goes_the_way_it_came(papers: Papers) -> None:
    """As it was kept before that was refused."""
    signed = papers.signed(1000)
    papers.pay(signed, 400)
    back = papers.pay(signed, -400)
    papers.do("DeletePayment", back, FINANCE)
    with papers.desk.runtime.transaction() as tx:
        before = records.of_names(tx, CONTRACT, [signed.name])[signed.name]
        records.save(tx, CONTRACT, before, replace(before, status=p.VOID))
    papers.do("UndeletePayment", back, FINANCE)
    assert balance(papers, signed) == (1000, 0, 1000)


def test_K6_32_payments_at_once_come_to_what_was_paid(papers: Papers) -> None:
    signed = papers.signed(900, **THREE)

    def pay(number: int) -> int:
        # Every reference comes twice, and every eighth is paid back.
        amount = -10 if number % 8 == 7 else 30
        reference = f"T-{number // 2 if amount > 0 else number}"
        return int(papers.pay(signed, amount, reference=reference).amount.units)

    papers.pay(signed, 100)
    numbers = [number for number in range(32) if number % 8 != 6]
    with ThreadPoolExecutor(32) as workers:
        done = dict(zip(numbers, workers.map(pay, numbers), strict=True))
    came = 30 * len({number // 2 for number in numbers if done[number] > 0})
    back = 10 * len([number for number in numbers if done[number] < 0])
    assert balance(papers, signed) == (900, 100 + came - back, 800 - came + back)


def test_K12_commission_is_reckoned_from_what_came_by_owner_and_month(papers: Papers) -> None:
    mine, theirs = papers.signed(900), papers.signed(900, BOSS, owner="people/zhao")
    papers.pay(mine, 500, pay_date="2026-01-31")
    papers.pay(mine, 100, pay_date="2026-02-01")
    papers.pay(mine, -40, pay_date="2026-02-02")
    papers.pay(theirs, 70, pay_date="2026-02-03")

    def sums(who: Any, filter: str = "") -> list[tuple[str, str, str, int, int]]:
        rows = papers.desk.call("SummarizePayments", pb.SummarizePaymentsRequest(filter=filter), who).rows
        return [(row.month, row.owner, row.team, row.count, row.amount.units) for row in rows]

    li, zhao = ("people/li", "teams/east"), ("people/zhao", "teams/east")
    assert sums(BOSS) == [("2026-01", *li, 1, 500), ("2026-02", *li, 2, 60), ("2026-02", *zhao, 1, 70)]
    assert sums(ZHAO) == [("2026-02", *zhao, 1, 70)]
    assert sums(BOSS, "pay_date >= 2026-02-01 AND owner = people/li") == [("2026-02", *li, 2, 60)]


def test_K5_another_currency_is_converted_by_the_rate_of_its_day(papers: Papers) -> None:
    signed = papers.signed(900)
    rate = quotes_pb2.ExchangeRate(from_currency="USD", to_currency="CNY", date=day(-5), rate="7.1234")
    papers.desk.call("CreateExchangeRate", quotes_pb2.CreateExchangeRateRequest(exchange_rate=rate), ADMIN)
    with refused("NO_RATE", "payment.amount"):
        papers.pay(signed, 100, currency="USD", pay_date=day(-6))
    paid = papers.pay(signed, 100, currency="USD", reference="SWIFT-1")
    assert (paid.amount, paid.received, paid.exchange_rate) == (
        money(712, 340_000_000), money(100, currency="USD"), "7.1234"
    )  # fmt: skip
    assert papers.get(signed).paid == money(712, 340_000_000)
    assert papers.pay(signed, 100, currency="USD", reference="SWIFT-1") == paid
    with refused("REFERENCE_USED", "payment.reference"):
        papers.pay(signed, 712, 340_000_000, reference="SWIFT-1")


def test_K5_what_is_paid_back_is_announced_as_that(papers: Papers) -> None:
    signed = papers.signed(900)
    papers.pay(signed, 500)
    back = papers.pay(signed, -200)
    assert [event.payment.name for event in papers.desk.announced(events_pb2.PaymentRefunded)] == [back.name]
