"""Payments: recorded once, matched with instalments, reversed and refunded (K5, K6, K12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from chassis import records
from chassis.access import refuse_read_only
from chassis.errors import Invalid, Refused
from chassis.money import Money
from chassis.transaction import Again, Transaction
from contracts.domain.bill import Payment
from contracts.domain.contract import HOLDS, Contract, Status
from contracts.storage import bills
from contracts.usecases import rates, settling
from contracts.usecases.contract_kinds import INSTALMENT, PAYMENT, Unfit, hold_contract, not_signed
from contracts.wire import contract_messages as told

Shares = Sequence[tuple[str, Money]]


def record(tx: Transaction, values: Mapping[str, Any], amount: Money | None, shares: Shares, today: date) -> Payment:
    """What came, or with an amount below zero what was paid back. The bank's reference makes it one payment, however
    often it is told."""
    refuse_read_only(tx.principal, "payments", [name for name, value in values.items() if value])
    if amount is None or not amount.units:
        raise Invalid([("payment.amount", "must not be zero", "不能为零")])
    of = hold_contract(tx, values["contract"], "payments")
    reference = values["reference"]
    known = bills.by_reference(tx, PAYMENT, reference) if reference else None
    if known is not None:
        return _same(known, of, amount)
    _fit(of)
    day = _day(values["pay_date"] or today.isoformat(), today)
    mine, rate = _converted(tx, amount, of.currency, day)
    _stands(of, of.paid + mine.units)
    made = Payment(
        name=PAYMENT.new_name(),
        contract=of.name,
        customer=of.customer,
        amount=mine.units,
        currency=of.currency,
        pay_date=day,
        method=values["method"],
        reference=reference,
        shares=[],
        given=_given(tx, of, mine, shares),
        unmatched=0,
        received=amount.units if rate else None,
        received_currency=amount.currency if rate else "",
        exchange_rate=rate,
        owner=of.owner,
        team=of.team,
        note=values["note"],
        version=1,
        create_time=tx.now,
        update_time=tx.now,
        delete_time=None,
    )
    try:
        _, stored = settling.settle(tx, of, fresh=made)
    except sa.exc.IntegrityError as problem:
        raise Again from problem  # the same reference on another contract, a moment ago
    assert stored is not None
    tx.emit(told.received(stored))
    return stored


def not_paid(field: str) -> Unfit:
    return Unfit("NOT_PAID", [(field, "is more than was paid", "退款超过已收款金额")])


def _same(known: Payment, of: Contract, amount: Money) -> Payment:
    """The payment that has the reference. Raises REVERSED, REFERENCE_USED."""
    if known.delete_time is not None:
        raise Unfit("REVERSED", [("payment.reference", "is of a payment that was reversed", "该流水号的收款已冲销")])
    came = (known.amount, known.currency)
    if known.received is not None:
        came = (known.received, known.received_currency)
    if known.contract != of.name or came != (amount.units, amount.currency):
        raise Unfit("REFERENCE_USED", [("payment.reference", "is of another payment", "该流水号已用于另一笔收款")])
    return known


def _fit(of: Contract) -> None:
    if of.status == Status.VOID:
        raise _void()
    if of.status not in HOLDS:
        raise not_signed("payment.contract")


def _void() -> Unfit:
    return Unfit("VOID", [("payment.contract", "is void", "合同已作废")])


def _stands(of: Contract, paid: int) -> None:
    """Whether so much may be what was paid of it: of what is void, nothing. Raises VOID, NOT_PAID."""
    if of.status == Status.VOID and paid:
        raise _void()
    if paid < 0:
        raise not_paid("payment.amount")


def _day(day: str, today: date) -> str:
    if day > today.isoformat():
        raise Invalid([("payment.pay_date", "must not be after today", "不能晚于今天")])
    return day


def _converted(tx: Transaction, amount: Money, currency: str, day: str) -> tuple[Money, str]:
    """The amount in the contract's currency, and the rate; no rate where it is in that. Raises NO_RATE."""
    if amount.currency == currency:
        return amount, ""
    try:
        mine, rate, _ = rates.convert(tx, amount, currency, day)
    except Refused as problem:
        raise Unfit(problem.reason, [("payment.amount", problem.english, problem.chinese)]) from None
    if not mine.units:
        raise Invalid([("payment.amount", "comes to nothing in the contract's currency", "折算为合同币种后为零")])
    return mine, f"{rate:f}"


def _given(tx: Transaction, of: Contract, amount: Money, shares: Shares) -> list[dict[str, str | int]]:
    """What somebody said that it pays. Raises Invalid for more than the amount, than is open, or than was paid."""
    plan = {one.name: one for one in settling.payable(bills.plan_of(tx, INSTALMENT, of.name))} if shares else {}
    sign = 1 if amount.units > 0 else -1
    wrong: list[tuple[str, str, str]] = []
    for place, (name, share) in enumerate(shares):
        path, one = f"payment.shares[{place}]", plan.get(name)
        units = share.units * sign
        if one is None:
            wrong.append((f"{path}.instalment", "is none of the contract that is to be paid", "不是该合同的应收期款"))
        elif share.currency != of.currency:
            wrong.append((f"{path}.amount", f"must be in {of.currency}", f"币种须为 {of.currency}"))
        elif units <= 0 or units > (one.amount - one.paid if sign > 0 else one.paid):
            wrong.append((f"{path}.amount", "is not above zero, or more than is open", "须大于零且不超过该期未收金额"))
    if not wrong and sum(share.units for _, share in shares) * sign > abs(amount.units):
        wrong.append(("payment.shares", "come to more than the amount", "分摊合计超过收款金额"))
    if wrong:
        raise Invalid(wrong)
    return [{"instalment": name, "amount": share.units} for name, share in shares]


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any], today: date) -> Payment:
    """Another date, method or note."""
    refuse_read_only(tx.principal, "payments", list(values))
    if "pay_date" in values:
        if not values["pay_date"]:
            raise Invalid([("payment.pay_date", "is required", "必填")])
        _day(values["pay_date"], today)
    hold_contract(tx, records.find(tx, PAYMENT, name).contract, "payments")
    before = records.hold(tx, PAYMENT, name, etag)
    return records.save(tx, PAYMENT, before, replace(before, **values))


def reverse(tx: Transaction, name: str, etag: str) -> Payment:
    """It did not come after all: what it paid is open again."""
    of = hold_contract(tx, records.find(tx, PAYMENT, name).contract, "payments", "delete")
    before = records.hold(tx, PAYMENT, name, etag, "delete")
    _stands(of, of.paid - before.amount)
    gone = records.delete(tx, PAYMENT, name)
    settling.settle(tx, of)
    return gone


def bring_back(tx: Transaction, name: str) -> Payment:
    """It came all the same."""
    of = hold_contract(tx, records.find(tx, PAYMENT, name, deleted=True).contract, "payments", "delete")
    before = records.hold(tx, PAYMENT, name, verb="delete", deleted=True)
    if before.delete_time is not None:
        _stands(of, of.paid + before.amount)
    records.undelete(tx, PAYMENT, name)
    settling.settle(tx, of)
    return records.of_names(tx, PAYMENT, [name])[name]
