"""Exchange rates by date, and amounts in other currencies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from chassis import records
from chassis.columns import Column
from chassis.errors import Invalid, Refused
from chassis.money import Money, exchanged, later
from chassis.records import Kind
from chassis.transaction import Transaction
from contracts.domain.shelf import ExchangeRate
from contracts.storage import shelf
from contracts.storage.tables import people
from contracts.usecases.unique import unique
from contracts.wire import shelf_messages

_c = shelf.exchange_rates.c


def _announce(tx: Transaction, before: ExchangeRate | None, after: ExchangeRate | None) -> None:
    """Others sum by our rates."""
    if after is not None:
        tx.emit(shelf_messages.exchange_rate_changed(after))
    elif before is not None:
        tx.emit(shelf_messages.exchange_rate_changed(before, gone=True))


RATES: Kind[ExchangeRate] = Kind(
    resource="exchangeRates",
    word="exchange_rate",
    table=shelf.exchange_rates,
    type=ExchangeRate,
    people=people,
    shown=shelf_messages.exchange_rate,
    owner="",
    order="date desc",
    announce=_announce,
    columns={
        "from_currency": Column(_c.from_currency, "name"),
        "to_currency": Column(_c.to_currency, "name"),
        "date": Column(_c.date, "name", order=True),
        "create_time": Column(_c.create_time, "time", order=True),
        "update_time": Column(_c.update_time, "time", order=True),
    },
)


def _taken() -> Refused:
    return Refused("RATE_TAKEN", "The pair has a rate of that day.", "该币种对当日已有汇率。", code="ALREADY_EXISTS")


def create(tx: Transaction, values: Mapping[str, Any]) -> ExchangeRate:
    """Raises Invalid for a pair of one currency, RATE_TAKEN."""
    if values["from_currency"] == values["to_currency"]:
        raise Invalid([("exchange_rate.to_currency", "must be another one", "须为另一币种")])
    made = ExchangeRate(RATES.new_name(), **values, version=1, create_time=tx.now, update_time=tx.now, delete_time=None)
    with unique(_taken()):
        return records.create(tx, RATES, made)


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> ExchangeRate:
    before = records.hold(tx, RATES, name, etag)
    return records.save(tx, RATES, before, replace(before, **values))


def undelete(tx: Transaction, name: str) -> ExchangeRate:
    """Raises RATE_TAKEN."""
    with unique(_taken()):
        return records.undelete(tx, RATES, name)


def purge(tx: Transaction) -> bool:
    return records.purge(tx, RATES)


def rate(tx: Transaction, from_currency: str, to_currency: str, day: str) -> tuple[Decimal, str] | None:
    """The latest rate of a day or before it and its date; the other way round where that is known of a later day, or
    alone. None where there is none."""
    if from_currency == to_currency:
        return Decimal(1), day
    straight = shelf.rate_at(tx, from_currency, to_currency, day)
    return later(straight, shelf.rate_at(tx, to_currency, from_currency, day))


def converted(tx: Transaction, amount: Money | None, currency: str, day: str) -> Money | None:
    """An amount in a currency, by the rate of a day (ISO text), rounded half up to the currency's smallest coin. None
    where there is no amount, or no rate."""
    if amount is None or amount.currency == currency:
        return amount
    found = rate(tx, amount.currency, currency, day)
    return exchanged(amount, found[0], currency) if found else None


def convert(tx: Transaction, amount: Money, currency: str, day: str) -> tuple[Money, Decimal, str]:
    """The amount, the rate and of which day it is. Raises NO_RATE."""
    found = rate(tx, amount.currency, currency, day)
    if found is None:
        raise Refused(
            "NO_RATE",
            f"There is no rate from {amount.currency} to {currency} of {day} or before.",
            f"{day} 及之前没有 {amount.currency} 到 {currency} 的汇率。",
        )
    return exchanged(amount, found[0], currency), *found
