"""What comes of an approval: of a contract (Q5, Q6), and of a change of one (Q8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chassis import records
from chassis.transaction import Transaction
from contracts.domain import approval as approvals_domain
from contracts.domain import plan as plans
from contracts.domain.approval import Approval
from contracts.domain.bill import Due
from contracts.domain.contract import HOLDS, ChangeStatus, Contract, ContractChange, Status
from contracts.storage import bills
from contracts.usecases import contract_settings, planning, settling
from contracts.usecases.contract_kinds import CHANGE, CONTRACT, INSTALMENT
from contracts.usecases.contracting import out_of_order

_ENDED = {
    approvals_domain.Status.APPROVED: Status.APPROVED,
    approvals_domain.Status.REJECTED: Status.REJECTED,
    approvals_domain.Status.RETURNED: Status.RETURNED,
    approvals_domain.Status.WITHDRAWN: Status.RETURNED,
}


def contract_ended(tx: Transaction, approval: Approval) -> None:
    """The approval of a contract has ended."""
    before = records.of_names(tx, CONTRACT, [approval.record], lock=True).get(approval.record)
    if before is not None and before.status == Status.SUBMITTED:
        follow_contract(tx, before, approval)


def follow_contract(tx: Transaction, before: Contract, approval: Approval) -> Contract:
    """The contract as its approval leaves it; as it is while somebody is still asked."""
    status = _ENDED.get(approvals_domain.Status(approval.status), Status.SUBMITTED)
    return settling.moved(tx, before, before, status)


def change_ended(tx: Transaction, approval: Approval) -> None:
    """The approval of a change has ended: it takes effect, where it still can."""
    found = records.of_names(tx, CHANGE, [approval.record]).get(approval.record)
    if found is None:
        return
    contract = records.of_names(tx, CONTRACT, [found.contract], lock=True)[found.contract]
    change = records.of_names(tx, CHANGE, [found.name], lock=True)[found.name]
    if change.status == ChangeStatus.PENDING:
        follow_change(tx, contract, change, approval)


def follow_change(tx: Transaction, contract: Contract, change: ContractChange, approval: Approval) -> ContractChange:
    """The change as its approval leaves it; both records are held."""
    if approval.status == approvals_domain.Status.PENDING:
        return change
    outcome, status = "", ChangeStatus.WITHDRAWN
    if approval.status == approvals_domain.Status.REJECTED:
        status = ChangeStatus.REJECTED
    if approval.status == approvals_domain.Status.APPROVED:
        status = ChangeStatus.APPLIED
        wrong = wrong_with(contract, change.content)
        if contract.status not in HOLDS:
            wrong = [("contract.status", "is void", "合同已作废")]
        if wrong:
            status, outcome = ChangeStatus.OVERTAKEN, "; ".join(f"{field}: {chinese}" for field, _, chinese in wrong)
        else:
            _apply(tx, contract, change.content)
    end = replace(change, status=status.value, outcome=outcome, end_time=tx.now)
    return records.save(tx, CHANGE, change, end, status.name.lower())


def wrong_with(of: Contract, values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
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
    every = bills.plan_of(tx, INSTALMENT, of.name)
    plan = [one for one in every if one.status != Due.CANCELLED]
    if more > 0:
        last = max((one.position for one in every), default=0)
        due = max([contract_settings.today(tx).isoformat(), *(one.due_date for one in plan)])
        planning.add(tx, of, [("合同变更 Contract change", more, due)], last)
        return
    lowered = plans.lowered([(one.amount, one.paid) for one in plan], of.amount)
    for one, amount in zip(plan, lowered, strict=True):
        # One that comes to nothing keeps what it was, and is cancelled.
        anew = replace(one, amount=amount) if amount else replace(one, status=Due.CANCELLED.value)
        records.save(tx, INSTALMENT, one, anew)
