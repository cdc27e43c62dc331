"""What others told of: people, customers, contacts."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import people
from chassis.people import Person as Person
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Party as Party
from opportunities.storage import parties
from opportunities.storage.tables import people as people_table
from opportunities.usecases import keeping, ownership


def know_people(tx: Transaction, told: Sequence[Person]) -> None:
    """What those had who left waits for a manager's word (C16)."""
    ownership.left(tx, people.know(tx, people_table, told))


def know_parties(tx: Transaction, told: Sequence[Party]) -> None:
    """Customers and contacts. What was a customer's that was merged is the other's from now on (C20)."""
    parties.know(tx, told)
    keeping.follow(tx, [one.name for one in told if one.merged])


def known_parties(tx: Transaction, names: Sequence[str]) -> bool:
    """Whether all of these are there."""
    return len(parties.there(tx, names)) == len(set(names))
