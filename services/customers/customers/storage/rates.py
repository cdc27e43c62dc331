"""Exchange rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from decimal import Decimal

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.money import later
from chassis.transaction import Transaction
from customers.domain.customer import Rate
from customers.storage.tables import exchange_rates

_COLUMNS = tuple(field.name for field in fields(Rate))
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    + " WHERE exchange_rates.version < excluded.version"
)
_c = exchange_rates.c


def wait(tx: Transaction) -> None:
    """What is signed abroad and what is told of rates come one after the other: the second sees the first."""
    if tx.dialect == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("exchangeRates", 0))))


def know(tx: Transaction, told: Sequence[Rate]) -> list[Rate]:
    """Keeps the newest state of each. Returns those that were news."""
    newest = {one.name: one for one in sorted(told, key=lambda one: one.version)}
    rows = [astuple(newest[name]) for name in sorted(newest)]
    written = insert_rows(tx.connection, exchange_rates, _COLUMNS, rows, conflict=_NEWER, returning=("name",))
    return [newest[row[0]] for row in written]


def at(tx: Transaction, currency: str, to: str, day: str) -> Decimal | None:
    """The latest rate of a day or before it, as `contracts` finds it: the other way round where that is newer."""
    found = later(_at(tx, currency, to, day), _at(tx, to, currency, day))
    return found[0] if found else None


def _at(tx: Transaction, currency: str, to: str, day: str) -> tuple[str, str] | None:
    query = sa.select(_c.rate, _c.date).where(
        _c.from_currency == currency, _c.to_currency == to, _c.date <= day, _c.gone.is_(False)
    )
    row = tx.execute(query.order_by(_c.date.desc()).limit(1)).first()
    return (row.rate, row.date) if row else None
