"""What other services told of that belongs to opportunities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from opportunities.domain.related import Related
from opportunities.storage.tables import ready_stages, related

_COLUMNS = tuple(field.name for field in fields(Related))
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    + " WHERE related.version < excluded.version"
)
_SELECT = sa.select(*(related.c[name] for name in _COLUMNS))


def know(tx: Transaction, told: Sequence[Related]) -> list[Related]:
    """Keeps the newest state of each. Returns those that were news."""
    newest = {one.name: one for one in sorted(told, key=lambda one: one.version)}
    rows = [astuple(newest[name]) for name in sorted(newest)]
    written = insert_rows(tx.connection, related, _COLUMNS, rows, conflict=_NEWER, returning=("name",))
    return [newest[row[0]] for row in written]


def of(tx: Transaction, names: Sequence[str], *sorts: int) -> dict[str, list[Related]]:
    """What belongs to each of these opportunities, oldest first; of these sorts, if any are named."""
    found: dict[str, list[Related]] = {name: [] for name in names}
    if found:
        query = _SELECT.where(in_values(related.c.opportunity, sorted(found), tx.dialect))
        if sorts:
            query = query.where(related.c.sort.in_(sorts))
        for row in tx.execute(query.order_by(related.c.begin_time, related.c.name)):
            found[row.opportunity].append(Related(*row))
    return found


def forget(tx: Transaction, opportunity: str) -> None:
    tx.execute(sa.delete(related).where(related.c.opportunity == opportunity))


def ready(tx: Transaction, opportunity: str, stage: str) -> bool:
    """Remembers that a stage is ready; False where that is known."""
    row = insert_rows(
        tx.connection,
        ready_stages,
        ("opportunity", "stage"),
        [(opportunity, stage)],
        conflict="(opportunity, stage) DO NOTHING",
        returning=("stage",),
    )
    return bool(row)
