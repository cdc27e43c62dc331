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
from reports.storage.tables import exchange_rates, rate_states

_STATE = tuple(field.name for field in fields(Rate))
_NOW = _STATE[:-1]
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _NOW[1:])
    + " WHERE exchange_rates.version < excluded.version"
)
# What was told before times were kept has one as soon as history tells it again.
_SINCE = "(name, version) DO UPDATE SET learn_time = excluded.learn_time WHERE rate_states.learn_time = 0"


def know(tx: Transaction, told: Sequence[Rate]) -> None:
    """Keeps each state of each, in whatever order they come, and the newest where processes of before read it."""
    states = {(one.name, one.version): astuple(one) for one in told}
    rows = [states[key] for key in sorted(states)]
    newest = {row[0]: row[:-1] for row in rows}
    insert_rows(tx.connection, rate_states, _STATE, rows, conflict=_SINCE)
    insert_rows(tx.connection, exchange_rates, _NOW, list(newest.values()), conflict=_NEWER)


def at(tx: Transaction, currency: str, home: str, day: str, as_of: int | None = None) -> tuple[Decimal, str] | None:
    """The latest rate of a day or before it and its date, as `contracts` finds it: the other way round where that is
    newer. `as_of`: as it was known then (microseconds since 1970)."""

    def ask() -> tuple[Decimal, str] | None:
        return money.later(_at(tx, currency, home, day, as_of), _at(tx, home, currency, day, as_of))

    return tx.once(("rate", currency, home, day, as_of), ask)


def known(
    tx: Transaction, home: str, wanted: Collection[tuple[str, int]], as_of: int | None = None
) -> dict[tuple[str, int], Decimal]:
    """The rates of currencies on days (counted since 1970; 0: needs no rate). Those of which none is known are not
    among them."""
    days = {one: (EPOCH + timedelta(days=one[1])).isoformat() for one in sorted(wanted) if one[1]}
    found = {one: at(tx, one[0], home, day, as_of) for one, day in days.items()}
    return {one: rate[0] for one, rate in found.items() if rate}


def turner(rates: Mapping[tuple[str, int], Decimal]) -> Callable[[int, str, int], Decimal]:
    """What turns ten-thousandths of a currency on a day into the company's, by `known` rates. An amount without a rate
    comes to nothing."""

    def turn(amount: int, currency: str, day: int) -> Decimal:
        whole = Decimal(amount) / money.UNITS
        return money.EXACT.multiply(whole, rates.get((currency, day), Decimal(0))) if day else whole

    return turn


def _at(tx: Transaction, currency: str, to: str, day: str, as_of: int | None) -> tuple[str, str] | None:
    """Of today by what processes of before write, too: they know of no states."""
    c = exchange_rates.c
    then: list[sa.ColumnElement[bool]] = []
    if as_of is not None:
        c, newer = rate_states.c, rate_states.alias().c
        corrected = sa.exists().where(newer.name == c.name, newer.version > c.version, newer.learn_time <= as_of)
        then = [c.learn_time <= as_of, ~corrected]
    query = sa.select(c.rate, c.date).where(
        c.from_currency == currency, c.to_currency == to, c.date <= day, c.gone.is_(False), *then
    )
    row = tx.execute(query.order_by(c.date.desc()).limit(1)).first()
    return (row.rate, row.date) if row else None
