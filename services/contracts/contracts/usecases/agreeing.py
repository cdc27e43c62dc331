"""Contracts and their changes are submitted, and what comes of it (Q5, Q6, Q8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chassis import records
from chassis.errors import Invalid, Refused
from chassis.transaction import Transaction
from contracts.domain import approval as approvals_domain
from contracts.domain import plan as plans
from contracts.domain.approval import Approval
from contracts.domain.bill import Due
from contracts.domain.contract import HOLDS, OPEN, ChangeStatus, Contract, ContractChange, Status
from contracts.storage import bills
from contracts.storage import contracts as stored
from contracts.usecases import approvals, planning, settling
from contracts.usecases.contract_kinds import CHANGE, CONTRACT, INSTALMENT, not_signed
from contracts.usecases.contracting import out_of_order

_ENDED = {
    approvals_domain.Status.APPROVED: Status.APPROVED,
    approvals_domain.Status.REJECTED: Status.REJECTED,
    approvals_domain.Status.RETURNED: Status.RETURNED,
    approvals_domain.Status.WITHDRAWN: Status.RETURNED,
}


def submit(tx: Transaction, name: str, etag: str) -> Contract:
    """Asks for approval. Raises FIXED, and Invalid for a contract that nobody can sign."""
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status not in OPEN:
        raise planning.fixed()
    wrong: list[tuple[str, str, str]] = []
    if not before.customer:
        wrong.append(("contract.customer", "is required", "必填"))
    if not before.amount:
        wrong.append(("contract.amount", "must be above zero", "必须大于零"))
    if wrong:
        raise Invalid(wrong)
    held = settling.moved(tx, before, before, Status.SUBMITTED)
    asked = approvals.request(
        tx,
        "contract",
        name,
        opportunity=before.opportunity,
        customer=before.customer,
        amount=before.money(before.amount),
        facts={"fields": _fields(before)},
    )
    held = records.save(tx, CONTRACT, held, replace(held, approval=asked.name))
    return _ended_contract(tx, held, asked)


def _fields(of: Contract) -> dict[str, Any]:
    """What conditions of flows may speak of besides."""
    names = ("number", "title", "finance_mode", "start_date", "expiry_date", "quote", "renews")
    return {**{name: getattr(of, name) for name in names}, "custom": of.custom or {}}


def contract_ended(tx: Transaction, approval: Approval) -> None:
    """The approval of a contract has ended."""
    before = records.of_names(tx, CONTRACT, [approval.record], lock=True).get(approval.record)
    if before is not None and before.status == Status.SUBMITTED:
        _ended_contract(tx, before, approval)


def _ended_contract(tx: Transaction, before: Contract, approval: Approval) -> Contract:
    status = _ENDED.get(approvals_domain.Status(approval.status), Status.SUBMITTED)
    return settling.moved(tx, before, before, status)


def ask_change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any], reason: str) -> ContractChange:
    """Asks four people to agree to a change of a signed contract. `values` by column; amount comes with currency."""
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status not in HOLDS:
        raise not_signed("contract.status")
    if stored.waiting_changes(tx, CHANGE, name):
        raise Refused("CHANGING", "Another change of this contract waits for approval.", "该合同已有变更待审批。")
    wrong = _wrong(before, values)
    if not reason:
        wrong.append(("reason", "is required", "必填"))
    differences = [
        {"field": field, "before": _shown(before, field, {}), "after": _shown(before, field, values)}
        for field in values
        if field != "currency" and values[field] != getattr(before, field)
    ]
    if not differences and not wrong:
        wrong.append(("update_mask", "changes nothing", "没有任何变更"))
    if wrong:
        raise Invalid(wrong)
    made = ContractChange(
        name=CHANGE.new_name(),
        contract=name,
        customer=before.customer,
        status=ChangeStatus.PENDING.value,
        reason=reason,
        content=dict(values),
        differences=differences,
        approval="",
        owner=tx.principal.person,
        outcome="",
        end_time=None,
        version=1,
        create_time=tx.now,
        update_time=tx.now,
        delete_time=None,
    )
    records.create(tx, CHANGE, made, {"contract": name, "fields": [one["field"] for one in differences]})
    amount = before.money(values.get("amount", before.amount))
    asked = approvals.request(
        tx,
        "contractChange",
        made.name,
        opportunity=before.opportunity,
        customer=before.customer,
        amount=amount,
        facts={"fields": {**_fields(before), "reason": reason, "before": _plain(before, values)}},
    )
    made = records.save(tx, CHANGE, made, replace(made, approval=asked.name))
    return _ended_change(tx, before, made, asked)


def change_ended(tx: Transaction, approval: Approval) -> None:
    """The approval of a change has ended: it takes effect, where it still can."""
    found = records.of_names(tx, CHANGE, [approval.record]).get(approval.record)
    if found is None:
        return
    contract = records.of_names(tx, CONTRACT, [found.contract], lock=True)[found.contract]
    change = records.of_names(tx, CHANGE, [found.name], lock=True)[found.name]
    if change.status == ChangeStatus.PENDING:
        _ended_change(tx, contract, change, approval)


def _ended_change(tx: Transaction, contract: Contract, change: ContractChange, approval: Approval) -> ContractChange:
    if approval.status == approvals_domain.Status.PENDING:
        return change
    outcome, status = "", ChangeStatus.WITHDRAWN
    if approval.status == approvals_domain.Status.REJECTED:
        status = ChangeStatus.REJECTED
    if approval.status == approvals_domain.Status.APPROVED:
        status = ChangeStatus.APPLIED
        wrong = _wrong(contract, change.content)
        if contract.status not in HOLDS:
            wrong = [("contract.status", "is void", "合同已作废")]
        if wrong:
            status, outcome = ChangeStatus.OVERTAKEN, "; ".join(f"{field}: {chinese}" for field, _, chinese in wrong)
        else:
            _apply(tx, contract, change.content)
    end = replace(change, status=status.value, outcome=outcome, end_time=tx.now)
    return records.save(tx, CHANGE, change, end, status.name.lower())


def drop_changes(tx: Transaction, contract: str) -> None:
    """The contract is void: nobody is asked about its changes any more."""
    for change in stored.waiting_changes(tx, CHANGE, contract):
        approvals.withdraw_for(tx, change.name)
        gone = replace(change, status=ChangeStatus.WITHDRAWN.value, end_time=tx.now)
        records.save(tx, CHANGE, change, gone, "withdrawn")


def _wrong(of: Contract, values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What stands in the way of a change as things are."""
    wrong: list[tuple[str, str, str]] = []
    if "amount" in values:
        if values["currency"] != of.currency:
            wrong.append(("contract.amount", f"must be in {of.currency}", f"币种须为 {of.currency}"))
        elif values["amount"] <= 0:
            wrong.append(("contract.amount", "must be above zero", "必须大于零"))
        elif values["amount"] < max(of.paid, of.invoiced):
            wrong.append(("contract.amount", "is less than was paid or invoiced", "不能低于已收款或已开票金额"))
    start, expiry = (values.get(name, getattr(of, name)) for name in ("start_date", "expiry_date"))
    if {"start_date", "expiry_date"} & values.keys():
        wrong += out_of_order(start, expiry)
        if not wrong and expiry and expiry < of.sign_date:
            wrong.append(("contract.expiry_date", "must not be before the sign date", "到期日期不能早于签署日期"))
    return wrong


def _apply(tx: Transaction, before: Contract, values: Mapping[str, Any]) -> None:
    after = replace(before, **values)
    if after.amount != before.amount:
        _amend(tx, after, after.amount - before.amount)
    settling.settle(tx, before, after)


def _amend(tx: Transaction, of: Contract, more: int) -> None:
    """What more there is to pay becomes an instalment of its own; what less, the last ones give."""
    plan = [one for one in bills.plan_of(tx, INSTALMENT, of.name) if one.status != Due.CANCELLED]
    last = max((one.position for one in plan), default=0)
    if more > 0:
        due = max([tx.now.date().isoformat(), *(one.due_date for one in plan)])
        planning.add(tx, of, [("合同变更 Contract change", more, due)], last)
        return
    lowered = plans.lowered([(one.amount, one.paid) for one in plan], of.amount)
    for one, amount in zip(plan, lowered, strict=True):
        # One that comes to nothing keeps what it was, and is cancelled.
        anew = replace(one, amount=amount) if amount else replace(one, status=Due.CANCELLED.value)
        records.save(tx, INSTALMENT, one, anew)


def _shown(of: Contract, field: str, values: Mapping[str, Any]) -> str:
    value = values.get(field, getattr(of, field))
    return f"{of.money(value).amount:f} {of.currency}" if field == "amount" else str(value)


def _plain(of: Contract, values: Mapping[str, Any]) -> dict[str, str]:
    return {field: _shown(of, field, {}) for field in values if field != "currency"}
