"""What was paid of a contract: its payments are matched with its instalments, and sums follow, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chassis import ids, records
from chassis.transaction import Transaction
from contracts.domain.bill import Due, Instalment, Payment, standing
from contracts.domain.contract import Contract, Status, StatusChange
from contracts.domain.matching import Matched, Receipt
from contracts.domain.matching import settle as match
from contracts.storage import bills
from contracts.storage import contracts as stored
from contracts.usecases.contract_kinds import CONTRACT, INSTALMENT, PAYMENT


def payable(plan: list[Instalment]) -> list[Instalment]:
    """What takes money, the oldest first: neither what was cancelled nor milestones that have not come."""
    return sorted((one for one in plan if one.status != Due.CANCELLED and one.due_date), key=lambda one: one.order)


def settle(
    tx: Transaction, before: Contract, after: Contract | None = None, fresh: Payment | None = None
) -> tuple[Contract, Payment | None]:
    """Matches every payment of a contract that the caller holds, and `fresh`, which is stored, too. `after` has further
    changes of the contract. Its status follows: COMPLETED when it is wholly delivered and paid, else SIGNED."""
    plan = bills.plan_of(tx, INSTALMENT, before.name)
    payments = bills.payments_of(tx, PAYMENT, before.name)
    receipts = [*payments, fresh] if fresh else payments
    open_ones = payable(plan)
    found = match([(one.name, one.amount) for one in open_ones], [_receipt(one) for one in receipts])
    settled: list[Instalment] = []
    for one in plan:
        paid = found.paid.get(one.name, 0)
        status = one.status
        if status != Due.CANCELLED:
            overdue = bool(one.due_date) and one.overdue_told == one.due_date
            status = standing(one.amount, paid, overdue).value
        settled.append(records.save(tx, INSTALMENT, one, replace(one, paid=paid, status=status)))
    for payment in payments:
        records.save(tx, PAYMENT, payment, _matched(payment, found.payments[payment.name]), "matched")
    if fresh is not None:
        fresh = records.create(tx, PAYMENT, _matched(fresh, found.payments[fresh.name]))
    after = replace(after or before, paid=sum(payment.amount for payment in receipts))
    if after.status in (Status.SIGNED, Status.COMPLETED):
        done = after.delivery_date and after.paid >= after.amount
        done = done and all(one.status in (Due.PAID, Due.CANCELLED) for one in settled)
        return moved(tx, before, after, Status.COMPLETED if done else Status.SIGNED), fresh
    return records.save(tx, CONTRACT, before, after), fresh


def _receipt(of: Payment) -> Receipt:
    return Receipt(of.name, of.amount, {str(one["instalment"]): int(one["amount"]) for one in of.given})


def _matched(of: Payment, found: Matched) -> Payment:
    shares: list[dict[str, str | int]] = [
        {"instalment": name, "amount": amount} for name, amount in found.shares.items()
    ]
    return replace(of, shares=shares, unmatched=found.unmatched)


def moved(tx: Transaction, before: Contract, after: Contract, status: Status, reason: str = "") -> Contract:
    """Stores a contract with a status; a new one goes into its history."""
    if status == before.status:
        return records.save(tx, CONTRACT, before, after)
    changes: Mapping[str, Any] = {"status": status.value, "status_reason": reason}
    saved = records.save(tx, CONTRACT, before, replace(after, **changes), status.name.lower())
    remember(tx, saved, before.status, reason)
    return saved


def remember(tx: Transaction, of: Contract, from_status: int, reason: str = "") -> None:
    """A line of the contract's history."""
    actor = tx.origin.actor or tx.principal.actor
    stored.add_status(tx, StatusChange(ids.new_id(), of.name, from_status, of.status, tx.now, actor, reason))
