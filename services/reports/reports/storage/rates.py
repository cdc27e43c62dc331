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
# What was told before times were kept has one as soon as history tells it again.
_SINCE = "(name, version) DO UPDATE SET learn_time = excluded.learn_time WHERE exchange_rates.learn_time = 0"
_c = exchange_rates.c


def know(tx: Transaction, told: Sequence[Rate]) -> None:
    """Keeps each state of each, in whatever order they come."""
    states = {(one.name, one.version): astuple(one) for one in told}
    insert_rows(tx.connection, exchange_rates, _COLUMNS, [states[key] for key in sorted(states)], conflict=_SINCE)


def at(tx: Transaction, currency: str, home: str, day: str, as_of: int | None = None) -> tuple[Decimal, str] | None:
    """The latest rate of a day or before it and its date, as `contracts` finds it: the other way round where that is
    newer. `as_of`: as it was known then (microseconds since 1970)."""
    return money.later(_at(tx, currency, home, day, as_of), _at(tx, home, currency, day, as_of))


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
    newer = exchange_rates.alias()
    told = [] if as_of is None else [_c.learn_time <= as_of]
    told_anew = [] if as_of is None else [newer.c.learn_time <= as_of]
    query = sa.select(_c.rate, _c.date).where(
        *(_c.from_currency == currency, _c.to_currency == to, _c.date <= day, _c.gone.is_(False), *told),
        ~sa.exists().where(newer.c.name == _c.name, newer.c.version > _c.version, *told_anew),
    )
    row = tx.execute(query.order_by(_c.date.desc()).limit(1)).first()
    return (row.rate, row.date) if row else None
