"""What amounts in other currencies come to in the company's."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import date
from fractions import Fraction

from embedded.owners import Owners


class Rates:
    """Exchange rates by pair, each in the order of its days."""

    def __init__(self, owners: Owners, home: str) -> None:
        self.home = home
        self._days: dict[tuple[str, str], list[tuple[str, Fraction]]] = defaultdict(list)
        for one in owners.all("contracts", "ListExchangeRates"):
            self._days[one.from_currency, one.to_currency].append((one.date, Fraction(one.rate)))
        for days in self._days.values():
            days.sort()

    def of(self, currency: str, day: date) -> Fraction:
        """What one of a currency was worth on a day. 0 where no rate is known."""
        return self.known(currency, day) or Fraction(0)

    def known(self, currency: str, day: date) -> Fraction | None:
        """By the latest rate until then, in whichever direction it is known."""
        if currency in ("", self.home):
            return Fraction(1)
        there, back = self._until(currency, self.home, day), self._until(self.home, currency, day)
        if there and (not back or there[0] >= back[0]):
            return there[1]
        return 1 / back[1] if back else None

    def _until(self, currency: str, to: str, day: date) -> tuple[str, Fraction] | None:
        days = self._days[currency, to]
        place = bisect_right(days, day.isoformat(), key=lambda one: one[0])
        return days[place - 1] if place else None
