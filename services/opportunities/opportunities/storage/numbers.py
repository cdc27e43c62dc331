"""Numbers: one row a day, raised by whoever opens an opportunity."""

from __future__ import annotations

from datetime import date

from chassis.database import insert_rows
from chassis.transaction import Transaction
from opportunities.storage.tables import numbers


def following(tx: Transaction, day: date) -> int:
    """The next number of a day, from 1. Others wait for the row until the commit, so take it last: who holds it waits
    for nobody."""
    raised = insert_rows(
        tx.connection,
        numbers,
        ("day", "last"),
        [(day.isoformat(), 1)],
        conflict="(day) DO UPDATE SET last = numbers.last + 1",
        returning=("last",),
    )
    return int(raised[0][0])
