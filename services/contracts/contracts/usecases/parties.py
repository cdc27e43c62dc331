"""What others told of customers, contacts and opportunities."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.transaction import Transaction
from contracts.domain.party import Party as Party
from contracts.storage import parties


def know(tx: Transaction, told: Sequence[Party]) -> list[str]:
    """Keeps the newest state of each. Returns the names of those that were news."""
    return parties.know(tx, told)


def find(tx: Transaction, name: str) -> Party | None:
    """One customer, contact or opportunity that is known and not deleted."""
    return parties.find(tx, name)


def find_all(tx: Transaction, names: Sequence[str]) -> dict[str, Party]:
    """Those of these names that are known and not deleted."""
    return parties.find_all(tx, names)
