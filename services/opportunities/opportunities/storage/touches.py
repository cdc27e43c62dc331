"""When opportunities were last followed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from opportunities.storage.tables import touches

_NEWER = (
    '("opportunity") DO UPDATE SET "happen_time" = excluded."happen_time" '
    'WHERE touches."happen_time" < excluded."happen_time"'
)


def keep(tx: Transaction, told: Mapping[str, datetime]) -> None:
    """Keeps the latest moment of each; they must be there."""
    insert_rows(tx.connection, touches, ("opportunity", "happen_time"), sorted(told.items()), conflict=_NEWER)


def latest(tx: Transaction, names: Sequence[str]) -> dict[str, datetime]:
    query = sa.select(touches.c.opportunity, touches.c.happen_time)
    rows = tx.execute(query.where(in_values(touches.c.opportunity, sorted(set(names)), tx.dialect)))
    return {row[0]: row[1] for row in rows} if names else {}
