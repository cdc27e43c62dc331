"""What contracts, instalments, invoices and payments add to the figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import quotes_pb2
from dealwright.contracts.v1.events_pb2 import (
    ContractChanged,
    ExchangeRateChanged,
    InstalmentChanged,
    InvoiceChanged,
    PaymentChanged,
)
from tests.reports.desk import Desk, money

THEN = "2026-11-02T10:00"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """The 22nd of November, noon in Shanghai."""
    with time_machine.travel("2026-11-22T04:00:00+00:00", tick=True):
        yield


def contract(
    name: str, amount: int, status: int = pb.Contract.SIGNED, version: int = 1, **more: Any
) -> ContractChanged:
    of = pb.Contract(name=f"contracts/{name}", owner="people/li", amount=money(amount), sign_date="2026-11-03", **more)
    of.status = status  # type: ignore[assignment]
    return ContractChanged(contract=of, version=version)


def instalment(name: str, due: str, amount: int, paid: int = 0, version: int = 1, **more: Any) -> InstalmentChanged:
    of = pb.Instalment(name=f"instalments/{name}", contract="contracts/a", owner="people/li", due_date=due, **more)
    of.amount.CopyFrom(money(amount))
    of.paid.CopyFrom(money(paid))
    return InstalmentChanged(instalment=of, version=version)


def payment(name: str, day: str, amount: int, currency: str = "CNY", owner: str = "people/li") -> PaymentChanged:
    of = pb.Payment(name=f"payments/{name}", owner=owner, pay_date=day, amount=money(amount, currency))
    return PaymentChanged(payment=of, version=1)


def test_B14_K12_what_was_signed_and_received_by_owner_less_what_was_paid_back(desk: Desk) -> None:
    desk.hear(
        (contract("a", 5000), THEN),
        (contract("b", 7000, pb.Contract.SUBMITTED), THEN),
        (payment("a", "2026-11-05", 3000), THEN),
        (payment("b", "2026-11-06", -500), THEN),
        (payment("c", "2026-11-06", 900, owner="people/zhao"), THEN),
    )
    assert desk.figure("signed-amount", period="2026-11") == 5000
    assert desk.figure("contracts-signed", period="2026-11") == 1
    assert desk.figures("payments-received", period="2026-11", group_by=["owner"]) == {
        "people/li": 2500,
        "people/zhao": 900,
    }


def test_a_contract_that_becomes_void_was_signed_no_more_and_was_as_was_known_then(desk: Desk) -> None:
    desk.hear((contract("a", 5000), THEN))
    desk.hear((contract("a", 5000, pb.Contract.VOID, 2), "2026-11-10T10:00"))
    assert desk.figure("signed-amount", period="2026-11") == 0
    assert desk.figure("signed-amount", period="2026-11", as_of="2026-11-09T10:00") == 5000


def test_B26_what_is_overdue_what_is_to_come_and_what_came_in(desk: Desk) -> None:
    desk.hear(
        (contract("a", 31_000), THEN),
        (instalment("a", "2026-11-10", 1000, 400), THEN),
        (instalment("b", "2026-11-22", 2000), THEN),
        (instalment("c", "2026-12-05", 4000), THEN),
        (instalment("d", "2026-11-01", 8000, 8000, status=pb.Instalment.PAID), THEN),
        (instalment("e", "2026-11-01", 16000, status=pb.Instalment.CANCELLED), THEN),
    )
    assert desk.figure("overdue-amount") == 600
    assert desk.figure("outstanding-amount") == 6600
    assert desk.figures("payments-expected", period="2026-11-22..2026-12-31", group_by=["month"]) == {
        "2026-11-01": 2000,
        "2026-12-01": 4000,
    }
    assert desk.figure("collection-rate", period="2026-11") == pytest.approx((400 + 8000) / 11000)


def _owed(desk: Desk) -> list[float | None]:
    return [desk.figure(kpi) for kpi in ("overdue-amount", "outstanding-amount")]


@pytest.mark.parametrize("status", [pb.Contract.DRAFT, pb.Contract.SUBMITTED, pb.Contract.RETURNED, pb.Contract.VOID])
def test_B26_K6_nobody_owes_what_is_planned_in_a_contract_that_is_not_signed(desk: Desk, status: int) -> None:
    """In whatever order they come; as of before it was signed, too."""
    desk.hear((instalment("a", "2026-11-10", 1000), THEN))
    assert _owed(desk) == [0, 0]
    desk.hear((contract("a", 1000, status), THEN), (instalment("b", "2026-12-10", 500), THEN))
    assert _owed(desk) == [0, 0]
    assert desk.figure("collection-rate", period="2026") is None
    desk.hear((contract("a", 1000, version=2), "2026-11-05T10:00"))
    assert _owed(desk) == [1000, 1500]
    assert desk.figure("outstanding-amount", as_of="2026-11-04T10:00") == 0
    desk.hear((contract("a", 1000, pb.Contract.COMPLETED, version=3), "2026-11-06T10:00"))
    assert _owed(desk) == [1000, 1500]
    desk.hear((contract("a", 1000, status, version=4), "2026-11-07T10:00"))
    assert _owed(desk) == [0, 0]
    assert desk.figure("outstanding-amount", as_of="2026-11-06T12:00") == 1500


def test_B26_K6_nobody_owes_what_is_planned_in_a_contract_that_was_deleted(desk: Desk) -> None:
    signed = contract("a", 1000)
    desk.hear((signed, THEN), (instalment("a", "2026-11-10", 1000), THEN))
    gone = contract("a", 1000, version=2)
    gone.deleted = True
    desk.hear((gone, "2026-11-05T10:00"))
    assert _owed(desk) == [0, 0]
    desk.hear((contract("a", 1000, version=3), "2026-11-06T10:00"))
    assert _owed(desk) == [1000, 1000]


def test_an_invoice_counts_until_it_is_void(desk: Desk) -> None:
    bill = pb.Invoice(name="invoices/a", owner="people/li", amount=money(700), issue_date="2026-11-04")
    desk.hear((InvoiceChanged(invoice=bill, version=1), THEN))
    assert desk.figure("invoiced-amount", period="2026-11") == 700
    bill.void_time.FromSeconds(1_794_000_000)
    desk.hear((InvoiceChanged(invoice=bill, version=2), THEN))
    assert desk.figure("invoiced-amount", period="2026-11") == 0


def test_amounts_in_other_currencies_count_by_the_rate_of_their_day(desk: Desk) -> None:
    for name, day, rate in (("a", "2026-11-01", "7"), ("b", "2026-11-06", "8")):
        known = quotes_pb2.ExchangeRate(
            name=f"exchangeRates/{name}", from_currency="USD", to_currency="CNY", date=day, rate=rate
        )
        desk.hear((ExchangeRateChanged(exchange_rate=known, version=1), THEN))
    desk.hear(
        (payment("a", "2026-11-05", 100, "USD"), THEN),
        (payment("b", "2026-11-06", 100, "USD"), THEN),
        (payment("c", "2026-11-06", 1), THEN),
    )
    assert desk.figure("payments-received", period="2026-11") == 700 + 800 + 1


def test_what_there_is_now_in_another_currency_counts_by_the_rate_of_today(desk: Desk) -> None:
    for name, day, rate in (("a", "2026-11-01", "7"), ("b", "2026-11-20", "8")):
        known = quotes_pb2.ExchangeRate(
            name=f"exchangeRates/{name}", from_currency="USD", to_currency="CNY", date=day, rate=rate
        )
        desk.hear((ExchangeRateChanged(exchange_rate=known, version=1), THEN))
    left = instalment("a", "2026-11-10", 0)
    left.instalment.amount.CopyFrom(money(100, "USD"))
    desk.hear((contract("a", 5), THEN), (left, THEN), (instalment("b", "2026-11-10", 5), THEN))
    assert desk.figure("outstanding-amount") == 805
    assert desk.figure("overdue-amount") == 805
    assert desk.figures("outstanding-amount", group_by=["owner"]) == {"people/li": 805}
    assert desk.figure("outstanding-amount", as_of="2026-11-21T10:00") == 805
    assert desk.figure("payments-expected", period="2026-11") == 705


def test_news_of_papers_that_comes_late_or_twice_changes_nothing(desk: Desk) -> None:
    desk.hear((instalment("a", "2026-11-10", 1000, 400, 2), THEN), (contract("a", 1000), THEN))
    desk.hear((instalment("a", "2026-11-10", 1000, 0, 1), THEN), (instalment("a", "2026-11-10", 1000, 400, 2), THEN))
    assert desk.figure("overdue-amount") == 600
