"""What is known of a currency's exchange rates: by them a purchase that was made in it is compared with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from chassis import money
from reports.domain.folding import Folding, News

LAST = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Known:
    """One that was told. `straight`: of one of the currency in the company's, else the other way round. `rate` is a
    decimal's text, which holds from `date` on until there is another."""

    name: str
    version: int
    gone: bool
    straight: bool
    date: str
    rate: str


@dataclass(frozen=True, slots=True)
class Rates:
    """The newest state of each, by name."""

    known: tuple[Known, ...] = ()


def fold(rates: Rates, news: News) -> Rates:
    """What is known with this as well."""
    if news.what != "told":
        raise ValueError(news.what)
    said = Known(**news.values)
    before = {one.name: one for one in rates.known}
    if said.name in before and before[said.name].version >= said.version:
        return rates
    before[said.name] = said
    return Rates(tuple(before[name] for name in sorted(before)))


def tells(rates: Rates) -> Mapping[str, Any]:
    """Pairs of (date, rate), the oldest first: those that are told straight, and those the other way round."""
    there = [one for one in rates.known if not one.gone]
    return {
        "straight": tuple(sorted((one.date, one.rate) for one in there if one.straight)),
        "back": tuple(sorted((one.date, one.rate) for one in there if not one.straight)),
    }


def on(told: Mapping[str, Any], day: str) -> str:
    """The rate of a day as a decimal's text, as `contracts` finds it: the latest of that day or before it; "" where
    there is none."""

    def latest(pairs: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
        found = [(rate, date) for date, rate in pairs if date <= day]
        return found[-1] if found else None

    found = money.later(latest(told["straight"]), latest(told["back"]))
    return str(found[0]) if found else ""


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, str]:
    """From which day on, and until before which, the rate may be another."""
    was, new = ({(way, *pair) for way in told for pair in told[way]} for told in (before, now))
    dates = [date for _, date, _ in was ^ new]
    after = [date for _, date, _ in was & new if date > max(dates, default="")]
    return min(dates, default=LAST), min(after, default=LAST)


def worth(amount: int, abroad: str, rate: str) -> int:
    """Ten-thousandths in the company's currency; `abroad` is the day whose rate it needs, "" where it needs none.
    Without a rate it comes to nothing."""
    if not abroad:
        return amount
    turned = money.EXACT.multiply(Decimal(amount), Decimal(rate or 0))
    return int(turned.quantize(Decimal(1), ROUND_HALF_UP, money.EXACT))


def link(currency: str, abroad: str) -> str:
    """What tells the rate."""
    return f"rates/{currency}/{abroad}" if abroad else ""


def _plain(rates: Rates) -> list[Any]:
    return [[one.name, one.version, one.gone, one.straight, one.date, one.rate] for one in rates.known]


def _read(plain: Sequence[Sequence[Any]]) -> Rates:
    return Rates(tuple(Known(*one) for one in plain))


FOLDING = Folding(Rates(), fold, lambda rates: (), _plain, _read, tells=tells)
