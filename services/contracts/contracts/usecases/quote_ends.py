"""What becomes of a quote when its approval ends (Q4)."""

from __future__ import annotations

from dataclasses import replace

from chassis import records
from chassis.transaction import Transaction
from contracts.domain import approval as approvals
from contracts.domain.approval import Approval
from contracts.domain.quote import Status
from contracts.usecases.quotes import QUOTES

_ENDED = {
    approvals.Status.APPROVED: Status.APPROVED,
    approvals.Status.REJECTED: Status.REJECTED,
    approvals.Status.RETURNED: Status.RETURNED,
    approvals.Status.WITHDRAWN: Status.RETURNED,
}


def ended(tx: Transaction, approval: Approval) -> None:
    """Whoever decided: he needs no right on the quote. What is no longer under this approval stays as it is."""
    before = records.of_names(tx, QUOTES, [approval.record], lock=True).get(approval.record)
    if before is None or before.status != Status.SUBMITTED or before.approval != approval.name:
        return
    status = _ENDED[approvals.Status(approval.status)]
    records.save(tx, QUOTES, before, replace(before, status=status.value), status.name.lower())
