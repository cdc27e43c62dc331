"""Our copy of the exchange rates, by which amounts in other currencies are turned into the company's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, fields
from datetime import timedelta
from decimal import Decimal

import sqlalchemy as sa

from chassis import money
from chassis.database import insert_rows
from chassis.transaction import Transaction
from reports.domain.known import Rate
from reports.domain.periods import EPOCH
from reports.storage.tables import exchange_rates

_COLUMNS = tuple(field.name for field in fields(Rate))
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    + " WHERE exchange_rates.version < excluded.version"
)
_c = exchange_rates.c


def know(tx: Transaction, told: Sequence[Rate]) -> None:
    """Keeps the newest state of each."""
    newest = {one.name: one for one in sorted(told, key=lambda one: one.version)}
    rows = [astuple(newest[name]) for name in sorted(newest)]
    insert_rows(tx.connection, exchange_rates, _COLUMNS, rows, conflict=_NEWER)


def at(tx: Transaction, currency: str, home: str, day: str) -> tuple[Decimal, str] | None:
    """The latest rate of a day or before it and its date, as `contracts` finds it: the other way round where that is
    newer."""
    return money.later(_at(tx, currency, home, day), _at(tx, home, currency, day))


def known(tx: Transaction, home: str, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Decimal]:
    """The rates of currencies on days (counted since 1970; 0: needs no rate). Those of which none is known are not
    among them."""
    days = {one: at(tx, one[0], home, (EPOCH + timedelta(days=one[1])).isoformat()) for one in sorted(wanted) if one[1]}
    return {one: found[0] for one, found in days.items() if found}


def turner(rates: Mapping[tuple[str, int], Decimal]) -> Callable[[int, str, int], Decimal]:
    """What turns ten-thousandths of a currency on a day into the company's, by `known` rates. An amount without a rate
    comes to nothing."""

    def turn(amount: int, currency: str, day: int) -> Decimal:
        whole = Decimal(amount) / money.UNITS
        return money.EXACT.multiply(whole, rates.get((currency, day), Decimal(0))) if day else whole

    return turn


def _at(tx: Transaction, currency: str, to: str, day: str) -> tuple[str, str] | None:
    query = sa.select(_c.rate, _c.date).where(
        _c.from_currency == currency, _c.to_currency == to, _c.date <= day, _c.gone.is_(False)
    )
    row = tx.execute(query.order_by(_c.date.desc()).limit(1)).first()
    return (row.rate, row.date) if row else None
