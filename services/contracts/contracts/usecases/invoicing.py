"""Invoices against what was signed, and delivered where the company wants that first (K8, K9, K13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chassis import records
from chassis.access import refuse_read_only
from chassis.errors import Invalid, already_exists
from chassis.money import Money
from chassis.numbers import following
from chassis.transaction import Transaction
from contracts.domain.bill import Due, Invoice
from contracts.domain.contract import HOLDS, Contract, Status
from contracts.storage import bills, parties
from contracts.storage.tables import numbers
from contracts.usecases import contract_settings
from contracts.usecases.contract_kinds import CONTRACT, INSTALMENT, INVOICE, Unfit, hold_contract, not_signed
from contracts.usecases.unique import unique
from contracts.wire import contract_messages as told


def issue(tx: Transaction, values: Mapping[str, Any], amount: Money | None, tax: Money | None, today: date) -> Invoice:
    """An invoice with the number that is given, or one of ours."""
    refuse_read_only(tx.principal, "invoices", [name for name, value in values.items() if value])
    of = hold_contract(tx, values["contract"], "invoices")
    _fit(tx, of)
    day = values["issue_date"] or today.isoformat()
    _check(tx, of, values["instalment"], amount, tax, day, today)
    assert amount is not None
    party = parties.find(tx, of.customer)
    number = values["number"]
    if not number:
        stem = f"INV-{today:%Y%m%d}"
        number = f"{stem}-{following(tx, numbers, stem):04}"
    made = Invoice(
        name=INVOICE.new_name(),
        number=number,
        contract=of.name,
        customer=of.customer,
        instalment=values["instalment"],
        amount=amount.units,
        tax=tax.units if tax else 0,
        currency=of.currency,
        issue_date=day,
        title=values["title"] or (party.title if party else ""),
        tax_number=values["tax_number"],
        owner=of.owner,
        void_time=None,
        void_reason="",
        version=1,
        create_time=tx.now,
        update_time=tx.now,
        delete_time=None,
    )
    _room(tx, of, made)
    with unique(already_exists("invoice.number", number)):
        records.create(tx, INVOICE, made, {"number": number, "contract": of.name})
    _sum(tx, of)
    tx.emit(told.issued(made))
    return made


def _fit(tx: Transaction, of: Contract) -> None:
    """Whether the contract may be invoiced as things are."""
    if of.status == Status.VOID:
        raise Unfit("VOID", [("invoice.contract", "is void", "合同已作废")])
    if of.status not in HOLDS:
        raise not_signed("invoice.contract")
    if not of.delivery_date and contract_settings.current(tx).invoice_after_delivery:
        raise Unfit("NOT_DELIVERED", [("invoice.contract", "is not delivered yet", "合同尚未交付，不能开票")])


def _check(
    tx: Transaction, of: Contract, instalment: str, amount: Money | None, tax: Money | None, day: str, today: date
) -> None:
    wrong: list[tuple[str, str, str]] = []
    for field, given in (("amount", amount), ("tax", tax)):
        if given is not None and given.currency != of.currency:
            wrong.append((f"invoice.{field}", f"must be in {of.currency}", f"币种须为 {of.currency}"))
    if amount is None or not amount.units:
        wrong.append(("invoice.amount", "must be above zero", "必须大于零"))
    elif tax is not None and tax.amount > amount.amount:
        wrong.append(("invoice.tax", "must not be more than the amount", "税额不能超过金额"))
    if day > today.isoformat():
        wrong.append(("invoice.issue_date", "must not be after today", "不能晚于今天"))
    if instalment:
        one = records.of_names(tx, INSTALMENT, [instalment]).get(instalment)
        if one is None or one.contract != of.name or one.status == Due.CANCELLED:
            wrong.append(("invoice.instalment", "is none of the contract", "不是该合同的期款"))
    if wrong:
        raise Invalid(wrong)


def _room(tx: Transaction, of: Contract, made: Invoice) -> None:
    """Raises OVER_INVOICED where an invoice that does not count yet is more than is left."""
    if bills.invoiced(tx, of.name) + made.amount > of.amount:
        english = "comes to more than the contract, with what was invoiced"
        raise Unfit("OVER_INVOICED", [("invoice.amount", english, "开票金额合计超过合同金额")])
    if made.instalment:
        one = records.of_names(tx, INSTALMENT, [made.instalment]).get(made.instalment)
        if one is None or bills.invoiced(tx, of.name, made.instalment) + made.amount > one.amount:
            english = "comes to more than the instalment, with what was invoiced"
            raise Unfit("OVER_INVOICED", [("invoice.amount", english, "开票金额合计超过该期金额")])


def _sum(tx: Transaction, of: Contract) -> None:
    """The contract says what was invoiced of it."""
    records.save(tx, CONTRACT, of, replace(of, invoiced=bills.invoiced(tx, of.name)), "invoiced")


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Invoice:
    """Another title or tax number."""
    refuse_read_only(tx.principal, "invoices", list(values))
    before = records.hold(tx, INVOICE, name, etag)
    if before.void_time is not None:
        raise _void()
    return records.save(tx, INVOICE, before, replace(before, **values))


def void(tx: Transaction, name: str, etag: str, reason: str) -> Invoice:
    """It does not count any more. Its number stays taken."""
    if not reason:
        raise Invalid([("reason", "is required", "必填")])
    of = hold_contract(tx, records.find(tx, INVOICE, name).contract, "invoices")
    before = records.hold(tx, INVOICE, name, etag)
    if before.void_time is not None:
        raise _void()
    gone = records.save(tx, INVOICE, before, replace(before, void_time=tx.now, void_reason=reason), "voided")
    _sum(tx, of)
    return gone


def _void() -> Unfit:
    return Unfit("VOID", [("invoice.void_time", "is void", "发票已作废")])


def delete(tx: Transaction, name: str, etag: str) -> Invoice:
    of = hold_contract(tx, records.find(tx, INVOICE, name).contract, "invoices", "delete")
    gone = records.delete(tx, INVOICE, name, etag)
    _sum(tx, of)
    return gone


def undelete(tx: Transaction, name: str) -> Invoice:
    """It counts again, where there is still room for it."""
    of = hold_contract(tx, records.find(tx, INVOICE, name, deleted=True).contract, "invoices", "delete")
    before = records.hold(tx, INVOICE, name, verb="delete", deleted=True)
    if before.delete_time is not None and before.void_time is None:
        _fit(tx, of)
        _room(tx, of, before)
    back = records.undelete(tx, INVOICE, name)
    _sum(tx, of)
    return back
