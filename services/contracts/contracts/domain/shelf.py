"""What can be sold and for how much: products, price lists, exchange rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.money import Money, of_units


@dataclass(frozen=True, slots=True)
class Product:
    """Fields in the order of the columns. `price` is in ten-thousandths of `currency`, or None; `tax` is percent in
    ten-thousandths."""

    name: str
    code: str
    display_name: str
    display_name_en: str
    unit: str
    category: str
    tax: int
    price: int | None
    currency: str
    active: bool
    custom: dict[str, Any] | None
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None

    @property
    def unit_price(self) -> Money | None:
        return of_units(self.price, self.currency)


@dataclass(frozen=True, slots=True)
class PriceList:
    """Fields in the order of the columns. `prices` is product to price, in ten-thousandths; days are ISO text or empty;
    `tier` is "A", "B", "C" or empty."""

    name: str
    display_name: str
    currency: str
    valid_from: str
    valid_until: str
    tier: str
    region: str
    is_default: bool
    prices: dict[str, int]
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """One of `from_currency` was `rate` (decimal text) of `to_currency` on `date`."""

    name: str
    from_currency: str
    to_currency: str
    date: str
    rate: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None


@dataclass(frozen=True, slots=True)
class ListHead:
    """A price list without its prices."""

    name: str
    currency: str
    valid_from: str
    valid_until: str
    tier: str
    region: str
    is_default: bool


def in_order(lists: Sequence[ListHead], named: str, tier: str, region: str, day: str) -> list[ListHead]:
    """Those that count for a customer on a day, the one to ask first at the front: the one that is named, then what
    knows the customer best, then the default ones; of equals, the one that began last."""
    found: list[tuple[int, ListHead]] = []
    for one in lists:
        if (one.valid_from and day < one.valid_from) or (one.valid_until and day > one.valid_until):
            continue
        known = (2 if one.region else 0) + (1 if one.tier else 0)
        if one.name == named:
            found.append((9, one))
        elif known and one.tier in ("", tier) and one.region in ("", region):
            found.append((known, one))
        elif one.is_default and not known:
            found.append((0, one))
    # Twice: the sort is stable, and days of text do not turn round.
    found.sort(key=lambda ranked: (ranked[1].valid_from, ranked[1].name), reverse=True)
    found.sort(key=lambda ranked: ranked[0], reverse=True)
    return [one for _, one in found]
