"""What others keep, and figures are grouped by and turned with."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import people
from chassis.people import Person
from chassis.transaction import Transaction
from reports.domain.known import Label, Rate
from reports.storage import names, rates
from reports.storage.tables import people as people_table


def know_people(tx: Transaction, told: Sequence[Person], regions: Sequence[tuple[str, str, int]]) -> None:
    people.know(tx, people_table, told)
    names.know_regions(tx, regions)


def people_known(tx: Transaction) -> list[str]:
    return names.owners(tx, {})


def know_teams(tx: Transaction, told: Sequence[Label], parents: Sequence[tuple[str, str, int]]) -> None:
    names.know(tx, told)
    names.know_parents(tx, parents)


def know_labels(tx: Transaction, told: Sequence[Label]) -> None:
    names.know(tx, told)


def know_rates(tx: Transaction, told: Sequence[Rate]) -> None:
    rates.know(tx, told)
