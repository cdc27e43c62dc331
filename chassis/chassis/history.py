"""What a service told on the bus, from the first event on: of those that it keeps for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from chassis.transaction import Transaction

MOST, USUAL = 200, 50
# Of a page; a message of its own may be larger.
_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """A message on the bus: its id, and its EventBatch."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """`more`: there are others after these already."""

    messages: Sequence[Told]
    more: bool


def page(tx: Transaction, types: Sequence[str], after: str, rows: int = USUAL) -> Page:
    """The messages of these types after an id, in the order of ids. One that is just moved from the outbox to where it
    is kept is there once: it is moved in one transaction, and both are read in one statement."""
    parts = [
        sa.select(table.c.id, table.c.body)
        .where(table.c.id > after, table.c.type.in_(list(types)))
        .order_by(table.c.id)
        .limit(rows)
        .subquery()
        for table in (tx.tables.kept_events, tx.tables.outbox)
    ]
    both = sa.union_all(*(sa.select(part.c.id, part.c.body) for part in parts)).subquery()
    found: list[Told] = []
    size = 0
    for row in tx.execute(sa.select(both.c.id, both.c.body).order_by(both.c.id).limit(rows)):
        size += len(row.body)
        if found and size > _BYTES:
            return Page(found, True)
        found.append(Told(row.id, bytes(row.body)))
    return Page(found, len(found) == rows)
