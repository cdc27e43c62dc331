"""What follows when an approval has ended, by what it was about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chassis.transaction import Transaction
from contracts.domain.approval import Approval
from contracts.usecases import contract_ends, quote_ends

# By the collection of the record: "quotes", "contracts", "contractChanges".
_FOLLOWS: Mapping[str, Callable[[Transaction, Approval], None]] = {
    "contractChanges": contract_ends.change_ended,
    "contracts": contract_ends.contract_ended,
    "quotes": quote_ends.ended,
}


def ended(tx: Transaction, approval: Approval) -> None:
    """The record learns how its approval came out."""
    follow = _FOLLOWS.get(approval.record.partition("/")[0])
    if follow is not None:
        follow(tx, approval)
