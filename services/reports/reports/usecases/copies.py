"""What others keep, and figures are grouped by and turned with."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import people
from chassis.people import Person
from chassis.transaction import Transaction
from reports.domain.folding import News
from reports.domain.known import Label, Rate
from reports.settings import company_currency
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


def know_rates(tx: Transaction, told: Sequence[News]) -> None:
    """Keeps what news of a currency's rates tell (wire.rates), and since when; of other records' nothing."""
    home = company_currency()
    known = []
    for one in told:
        kind, _, currency = one.record.partition("/")
        if kind == "rates":
            of = one.values
            pair = (currency, home) if of["straight"] else (home, currency)
            known.append(Rate(of["name"], of["version"], *pair, of["date"], of["rate"], of["gone"], one.time))
    rates.know(tx, known)
