"""The people whom the directory told of."""

from __future__ import annotations

from collections.abc import Sequence

from activities.storage.tables import people as people_table
from chassis import people
from chassis.people import Person
from chassis.transaction import Transaction


def know(tx: Transaction, told: Sequence[Person]) -> None:
    people.know(tx, people_table, told)
