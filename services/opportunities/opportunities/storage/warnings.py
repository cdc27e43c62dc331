"""What somebody should look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Warning
from opportunities.storage.tables import warnings

_COLUMNS = tuple(field.name for field in fields(Warning))


def put(tx: Transaction, warning: Warning) -> None:
    """The newest of its kind."""
    anew = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])
    insert_rows(
        tx.connection, warnings, _COLUMNS, [astuple(warning)], conflict=f"(opportunity, kind) DO UPDATE SET {anew}"
    )


def end(tx: Transaction, opportunity: str) -> None:
    tx.execute(sa.delete(warnings).where(warnings.c.opportunity == opportunity))


def of(tx: Transaction, names: Sequence[str]) -> dict[str, list[Warning]]:
    found: dict[str, list[Warning]] = {name: [] for name in names}
    if found:
        query = sa.select(*(warnings.c[name] for name in _COLUMNS))
        query = query.where(in_values(warnings.c.opportunity, sorted(found), tx.dialect))
        for row in tx.execute(query.order_by(warnings.c.raise_time)):
            found[row.opportunity].append(Warning(*row))
    return found
