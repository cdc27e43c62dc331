"""What others told of: people, customers, contacts."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import people
from chassis.people import Person as Person
from chassis.transaction import Transaction
from opportunities.storage import parties
from opportunities.storage.tables import people as people_table


def know_people(tx: Transaction, told: Sequence[Person]) -> None:
    people.know(tx, people_table, told)


def know_parties(tx: Transaction, told: Sequence[tuple[str, str, bool, int]]) -> None:
    """Customers and contacts as (name, customer of a contact, deleted, version)."""
    parties.know(tx, told)


def known_parties(tx: Transaction, names: Sequence[str]) -> bool:
    """Whether all of these are there."""
    return len(parties.there(tx, names)) == len(set(names))
