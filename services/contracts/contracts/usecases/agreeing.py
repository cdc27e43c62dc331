"""Contracts and their changes are submitted for approval (Q5, Q6, Q8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chassis import records
from chassis.errors import Invalid, Refused
from chassis.transaction import Transaction
from contracts.domain.approval import EndReason
from contracts.domain.contract import HOLDS, OPEN, ChangeStatus, Contract, ContractChange, Status
from contracts.storage import contracts as stored
from contracts.usecases import approvals, contract_ends, parties, planning, settling
from contracts.usecases.contract_kinds import CHANGE, CONTRACT, not_signed


def submit(tx: Transaction, name: str, etag: str) -> Contract:
    """Asks for approval. Raises FIXED, and Invalid for a contract that nobody can sign."""
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status not in OPEN:
        raise planning.fixed()
    if before.opportunity:
        parties.going_on(tx, parties.find(tx, before.opportunity, hold=True))
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
    return contract_ends.follow_contract(tx, held, asked)


def _fields(of: Contract) -> dict[str, Any]:
    """What conditions of flows may speak of besides."""
    names = ("number", "title", "finance_mode", "start_date", "expiry_date", "quote", "renews")
    return {**{name: getattr(of, name) for name in names}, "custom": of.custom or {}}


def ask_change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any], reason: str) -> ContractChange:
    """Asks four people to agree to a change of a signed contract. `values` by column; amount comes with currency."""
    before = records.hold(tx, CONTRACT, name, etag)
    if before.status not in HOLDS:
        raise not_signed("contract.status")
    if stored.waiting_changes(tx, CHANGE, name):
        raise Refused("CHANGING", "Another change of this contract waits for approval.", "该合同已有变更待审批。")
    wrong = contract_ends.wrong_with(before, values)
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
    return contract_ends.follow_change(tx, before, made, asked)


def drop_changes(tx: Transaction, contract: str) -> None:
    """The contract is void: nobody is asked about its changes any more."""
    for change in stored.waiting_changes(tx, CHANGE, contract):
        approvals.withdraw_for(tx, change.name, EndReason.CONTRACT_VOID)
        gone = replace(change, status=ChangeStatus.WITHDRAWN.value, end_time=tx.now)
        records.save(tx, CHANGE, change, gone, "withdrawn")


def _shown(of: Contract, field: str, values: Mapping[str, Any]) -> str:
    value = values.get(field, getattr(of, field))
    return f"{of.money(value).amount:f} {of.currency}" if field == "amount" else str(value)


def _plain(of: Contract, values: Mapping[str, Any]) -> dict[str, str]:
    return {field: _shown(of, field, {}) for field in values if field != "currency"}
