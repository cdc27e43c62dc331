"""The people whom the directory told of."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import people
from chassis.people import Person
from chassis.transaction import Transaction
from contracts.storage.tables import people as people_table
from contracts.usecases import approval_clocks


def know(tx: Transaction, told: Sequence[Person]) -> None:
    """Keeps the newest of each; what waits for approval of those who left goes to others."""
    left = people.know(tx, people_table, told)
    approval_clocks.leave(tx, [person.name for person in left])
