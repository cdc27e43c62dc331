"""The company as its papers show it: the key "company" of the blueprint."""

from __future__ import annotations

from chassis.transaction import Transaction
from contracts.domain.company import Company, read
from contracts.usecases.settings import PART


def current(tx: Transaction) -> Company:
    document, _ = PART.read(tx)
    return read(document["company"])
