"""What customers signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from customers.domain.customer import Signed
from customers.storage.tables import signed_contracts

_COLUMNS = tuple(field.name for field in fields(Signed))
_NEWER = (
    "(contract) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    + " WHERE signed_contracts.version < excluded.version"
)
_c = signed_contracts.c


def know(tx: Transaction, told: Sequence[Signed]) -> set[str]:
    """Keeps the newest state of each contract. Returns the customers of those that were news."""
    newest = {one.contract: one for one in sorted(told, key=lambda one: one.version)}
    rows = [astuple(newest[name]) for name in sorted(newest)]
    written = insert_rows(tx.connection, signed_contracts, _COLUMNS, rows, conflict=_NEWER, returning=("customer",))
    return {row[0] for row in written}


def sums(tx: Transaction, customers: Sequence[str], currency: str) -> dict[str, int]:
    """What each of these customers signed in a currency, in ten-thousandths."""
    found = dict.fromkeys(customers, 0)
    query = sa.select(_c.customer, sa.func.sum(_c.amount)).where(
        in_values(_c.customer, sorted(found), tx.dialect), _c.counts.is_(True), _c.currency == currency
    )
    if found:
        found.update({row[0]: int(row[1]) for row in tx.execute(query.group_by(_c.customer))})
    return found


def give(tx: Transaction, customer: str, to: str) -> None:
    """All contracts of one customer become another's."""
    tx.execute(sa.update(signed_contracts).where(_c.customer == customer).values(customer=to))
