"""What becomes of a contract: signed, delivered, renewed, void (K1, K13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chassis import records
from chassis.errors import Denied, Invalid, Refused
from chassis.money import Money
from chassis.transaction import Transaction
from contracts.domain import plan as plans
from contracts.domain.approval import EndReason
from contracts.domain.bill import Due
from contracts.domain.contract import HOLDS, Contract, FinanceMode, Status
from contracts.storage import bills
from contracts.usecases import agreeing, approvals, parties, planning, settling
from contracts.usecases.contract_kinds import CONTRACT, INSTALMENT, Unfit, leads, not_signed
from contracts.usecases.contract_settings import zone
from contracts.usecases.contracting import draw_up, no_other, out_of_order
from contracts.wire import contract_messages as told


def sign(tx: Transaction, name: str, etag: str, dates: Mapping[str, str], today: date, historical: bool) -> Contract:
    """It was signed, as it was approved. `dates`: sign_date (today when empty), start_date and expiry_date, which say
    what was left open. Raises FIXED for those that were not."""
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status != Status.APPROVED:
        raise not_approved()
    if before.opportunity and not historical:
        parties.going_on(tx, parties.find(tx, before.opportunity))
    signed = dates["sign_date"] or today.isoformat()
    _as_approved(before, {**dates, "sign_date": signed})
    start = before.start_date or dates["start_date"] or signed
    expiry = before.expiry_date or dates["expiry_date"]
    wrong = _not_later(signed, today, "sign_date")
    if not historical and signed < before.create_time.astimezone(zone()).date().isoformat():
        english = "is before the contract was drawn up; historical takes it"
        wrong.append(("sign_date", english, "早于合同创建日期；历史合同请设置 historical"))
    if expiry and expiry < signed:
        wrong.append(("expiry_date", "must not be before the sign date", "到期日期不能早于签署日期"))
    wrong += out_of_order(start, expiry, "expiry_date") if not wrong else []
    if wrong:
        raise Invalid(wrong)
    after = replace(before, sign_date=signed, start_date=start, expiry_date=expiry)
    held = settling.moved(tx, before, after, Status.SIGNED)
    planning.write(tx, held, planning.dated(tx, held))
    tx.emit(told.signed(held))
    return held


def _as_approved(of: Contract, dates: Mapping[str, str]) -> None:
    """What was approved is what is signed: a date may fill a gap, unless the instalments go by it."""
    wrong: list[tuple[str, str, str]] = []
    goes_by_start = not of.planned_by_hand and of.finance_mode != FinanceMode.MILESTONE
    for field, agreed, otherwise in (
        ("start_date", of.start_date, dates["sign_date"] if goes_by_start else ""),
        ("expiry_date", of.expiry_date, ""),
    ):
        must = agreed or otherwise
        if must and dates[field] not in ("", must):
            english = f"is {must} by what was approved; once it is signed, :change changes it"
            wrong.append((field, english, f"按已审批内容为 {must}，签署后可通过 :change 变更"))
    if wrong:
        raise Unfit("FIXED", wrong)


def not_approved() -> Refused:
    return Refused("NOT_APPROVED", "It is not approved, or not any more.", "尚未审批通过，或状态已变更。")


def void(tx: Transaction, name: str, etag: str, reason: str) -> Contract:
    """It does not hold any more. What was paid is paid back first, and what was invoiced is void first. What is signed
    takes who leads: a change of it takes four people. Raises Denied for others."""
    if not reason:
        raise Invalid([("reason", "is required", "必填")])
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status == Status.VOID:
        raise Unfit("VOID", [("contract.status", "is void", "合同已作废")])
    if before.status in HOLDS and not leads(tx.principal):
        raise Denied("contracts.write (TEAM)")
    if before.paid:
        raise Unfit("PAID", [("contract.paid", "was paid: refund it first", "已有收款，请先退款")])
    if before.invoiced:
        raise Unfit(
            "INVOICED", [("contract.invoiced", "was invoiced: void the invoices first", "已开票，请先作废发票")]
        )
    after = settling.moved(tx, before, before, Status.VOID, reason)
    for one in bills.plan_of(tx, INSTALMENT, name):
        records.save(tx, INSTALMENT, one, replace(one, status=Due.CANCELLED.value))
    approvals.withdraw_for(tx, name, EndReason.CONTRACT_VOID)
    agreeing.drop_changes(tx, name)
    return after


def renew(
    tx: Transaction, name: str, etag: str, dates: Mapping[str, str], amount: Money | None, today: date
) -> Contract:
    """The contract that follows, as a draft. `dates`: start_date and expiry_date, moved on where they are empty."""
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status not in HOLDS:
        raise not_signed("contract.status")
    no_other(tx, "renews", name)
    start, expiry = dates["start_date"], dates["expiry_date"]
    if before.expiry_date and not (start and expiry):
        begun = date.fromisoformat(before.start_date or before.sign_date)
        next_start, next_expiry = plans.following(begun, date.fromisoformat(before.expiry_date))
        if start:
            next_expiry = date.fromisoformat(start) + (next_expiry - next_start)
        start, expiry = start or next_start.isoformat(), expiry or next_expiry.isoformat()
    wrong = out_of_order(start, expiry, "expiry_date")
    if not before.expiry_date and not expiry:
        wrong.append(("expiry_date", "is required: this contract has none", "原合同没有到期日期，必须填写"))
    if amount is not None and amount.currency != before.currency:
        wrong.append(("amount", f"must be in {before.currency}", f"币种须为 {before.currency}"))
    if wrong:
        raise Invalid(wrong)
    again: dict[str, Any] = {
        "name": CONTRACT.new_name(),
        "status": Status.DRAFT.value,
        "amount": before.amount if amount is None else amount.units,
        "start_date": start,
        "expiry_date": expiry,
        "sign_date": "",
        "delivery_date": "",
        "approval": "",
        "renews": name,
        "quote": "",
        "planned_by_hand": False,
        "invoiced": 0,
        "paid": 0,
        "status_reason": "",
        "expiry_told": "",
        "version": 1,
        "create_time": tx.now,
        "update_time": tx.now,
    }
    return draw_up(tx, replace(before, **again), today)


def deliver(tx: Transaction, name: str, etag: str, day: str, today: date) -> Contract:
    """The goods or the service were handed over: invoices may follow (K13)."""
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status != Status.SIGNED:
        raise not_signed("contract.status")
    delivered = day or today.isoformat()
    wrong = _not_later(delivered, today, "delivery_date")
    if delivered < before.sign_date:
        wrong.append(("delivery_date", "must not be before the sign date", "交付日期不能早于签署日期"))
    if wrong:
        raise Invalid(wrong)
    return settling.settle(tx, before, replace(before, delivery_date=delivered))[0]


def reach(tx: Transaction, name: str, etag: str, day: str, today: date) -> Any:
    """The milestone came: it is due, and takes what was paid in advance."""
    of = planning.locked_with(tx, name)
    before = records.hold(tx, INSTALMENT, name, etag)
    if of.status not in HOLDS:
        raise not_signed("instalment.contract")
    if before.due_date or before.status == Due.CANCELLED:
        raise Refused("NOT_A_MILESTONE", "It has a due date, or is cancelled.", "该期款已有到期日期或已取消。")
    due = day or today.isoformat()
    if due < of.sign_date:
        raise Invalid([("due_date", "must not be before the sign date", "不能早于签署日期")])
    records.save(tx, INSTALMENT, before, replace(before, due_date=due), "reached")
    settling.settle(tx, of)
    return records.of_names(tx, INSTALMENT, [name])[name]


def _not_later(day: str, today: date, field: str) -> list[tuple[str, str, str]]:
    return [(field, "must not be after today", "不能晚于今天")] if day > today.isoformat() else []
