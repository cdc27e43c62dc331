"""A quote as it is kept: one version of an offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

from chassis.money import UNITS, Money
from contracts.domain.amounts import Priced, Totals, totals

MOST_LINES = 200


class Status(IntEnum):
    DRAFT = 1
    SUBMITTED = 2
    APPROVED = 3
    REJECTED = 4
    ACCEPTED = 5
    REPLACED = 6
    RETURNED = 7


# Still the seller's to change; decided; what a customer may see.
EDITABLE = frozenset({Status.DRAFT, Status.RETURNED})
DECIDED = frozenset({Status.APPROVED, Status.REJECTED})
OFFERED = frozenset({Status.APPROVED, Status.ACCEPTED})


@dataclass(frozen=True, slots=True)
class Line:
    """Everything in ten-thousandths: `quantity`, prices of the quote's currency, percents. `list_price` is None for
    what has none. `amount` is computed."""

    product: str
    description: str
    unit: str
    quantity: int
    unit_price: int
    discount: int
    tax: int
    list_price: int | None
    amount: int = 0

    @property
    def priced(self) -> Priced:
        listed = None if self.list_price is None else plain(self.list_price)
        return Priced(plain(self.quantity), plain(self.unit_price), plain(self.discount), plain(self.tax), listed)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line as somebody wrote it, in ten-thousandths. None: not said, so the product's."""

    product: str
    description: str
    unit: str
    quantity: int
    unit_price: int | None
    currency: str
    discount: int
    tax: int | None


@dataclass(frozen=True, slots=True)
class Quote:
    """Fields in the order of the columns. `lines` are Lines as plain data; totals and percents are in ten-thousandths;
    `valid_until` is ISO text or empty; `author` drew it up."""

    name: str
    number: str
    revision: int
    opportunity: str
    customer: str
    contact: str
    status: int
    lines: list[dict[str, Any]]
    currency: str
    discount: int
    list_total: int
    subtotal: int
    net_total: int
    tax_total: int
    total: int
    total_discount: int
    valid_until: str
    terms: str
    price_list: str
    owner: str
    team: str
    author: str
    approval: str
    first_open_time: datetime | None
    open_count: int
    custom: dict[str, Any] | None
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None

    @property
    def items(self) -> list[Line]:
        return [Line(**one) for one in self.lines]

    def money(self, units: int) -> Money:
        return Money(plain(units), self.currency)

    def has_expired(self, today: str) -> bool:
        return bool(self.valid_until) and self.valid_until < today


def plain(units: int) -> Decimal:
    """Ten-thousandths as a decimal."""
    return Decimal(units) / UNITS


def units(amount: Decimal) -> int:
    """A decimal of at most four places in ten-thousandths."""
    return int(amount * UNITS)


def unlisted(lines: Sequence[Line]) -> Decimal:
    """How many percent of what the lines come to stand in those that have no list price, rounded up to four places:
    how much those give away nobody can tell."""
    whole = sum(line.amount for line in lines)
    free = sum(line.amount for line in lines if line.list_price is None)
    return plain(-(-free * 100 * UNITS // whole)) if whole else Decimal(0)


def summed(lines: Sequence[Line], discount: int, currency: str) -> Totals:
    """What the lines come to; `discount` is percent off the whole in ten-thousandths."""
    return totals([line.priced for line in lines], plain(discount), currency)
