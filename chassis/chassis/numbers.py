"""Numbers that people read out: counted by the day, each given once, with gaps where a transaction came to nothing."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction


def table(metadata: sa.MetaData) -> sa.Table:
    """The last number of each day; of each kind and day where there are several kinds ("Q-20260131")."""
    return sa.Table(
        "numbers",
        metadata,
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
    )


def following(tx: Transaction, numbers: sa.Table, day: str) -> int:
    """The next number of a day, from 1. Others wait for the row until the commit, so take it last: who holds it waits
    for nobody."""
    raised = insert_rows(
        tx.connection,
        numbers,
        ("day", "last"),
        [(day, 1)],
        conflict="(day) DO UPDATE SET last = numbers.last + 1",
        returning=("last",),
    )
    return int(raised[0][0])
