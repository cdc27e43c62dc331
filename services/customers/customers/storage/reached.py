"""How far the deals of customers have come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from customers.domain.customer import Reached
from customers.storage.tables import reached_stages

_COLUMNS = tuple(field.name for field in fields(Reached))
_NEWS = (
    "(record) DO UPDATE SET customer = excluded.customer, stage = excluded.stage"
    " WHERE reached_stages.stage < excluded.stage OR reached_stages.customer <> excluded.customer"
)
_c = reached_stages.c


def know(tx: Transaction, told: Sequence[Reached]) -> list[Reached]:
    """Keeps how far each record has come. Returns those that were news: a later stage, or another customer."""
    furthest = {one.record: one for one in sorted(told, key=lambda one: one.stage)}
    rows = [astuple(furthest[record]) for record in sorted(furthest)]
    written = insert_rows(tx.connection, reached_stages, _COLUMNS, rows, conflict=_NEWS, returning=_COLUMNS)
    return [Reached(*row) for row in written]


def give(tx: Transaction, customer: str, to: str) -> None:
    """All that one customer's deals told is another's."""
    tx.execute(sa.update(reached_stages).where(_c.customer == customer).values(customer=to))


def forget(tx: Transaction, customer: str) -> None:
    tx.execute(sa.delete(reached_stages).where(_c.customer == customer))


def any_of(tx: Transaction, customer: str) -> bool:
    """Whether anything said how far this customer has come."""
    query = sa.select(reached_stages.c.record).where(reached_stages.c.customer == customer)
    return tx.execute(query.limit(1)).first() is not None
