"""What the company has done with a customer so far (Q14), from our own tables."""

from __future__ import annotations

from chassis.transaction import Transaction
from contracts.domain.approval_history import History
from contracts.storage import parties


def of(tx: Transaction, customer: str) -> History | None:
    """None without a customer."""
    if not customer:
        return None
    known = parties.find(tx, customer)
    return History(customer, known.title if known else "", known.tier if known else "")
