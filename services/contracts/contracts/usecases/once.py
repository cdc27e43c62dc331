"""One click makes one paper, however often somebody clicks."""

from __future__ import annotations

from typing import Any, TypeVar

from chassis.records import Kind
from chassis.transaction import Transaction
from contracts.domain.contract import Contract
from contracts.domain.quote import Quote

Paper = TypeVar("Paper", Contract, Quote)
# What differs between two papers that say the same.
_ITS_OWN = frozenset({"name", "number", "author", "version", "create_time", "update_time"})


def untouched(tx: Transaction, kind: Kind[Paper], made: Paper) -> Paper | None:
    """The draft of the same opportunity that the caller drew up, that says what `made` says, and that nobody did
    anything with since. The caller holds the opportunity, so that two clicks come one after the other."""
    of = kind.table.c
    query = kind.select.where(
        *(of.opportunity == made.opportunity, of.author == tx.principal.person),
        *(of.version == 1, of.status == made.status, of.delete_time.is_(None)),
    )
    drafts = (kind.type(*row) for row in tx.execute(query.order_by(of.name)))
    return next((draft for draft in drafts if _says(kind, draft) == _says(kind, made)), None)


def _says(kind: Kind[Paper], of: Paper) -> list[Any]:
    return [getattr(of, name) for name in kind.names if name not in _ITS_OWN]
