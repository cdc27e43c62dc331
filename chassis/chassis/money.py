"""Money: a decimal with a currency, stored as a whole number of ten-thousandths."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

UNITS = 10_000
"""Of the stored number in one of the currency."""
LARGEST = Decimal(10**12)


@dataclass(frozen=True, slots=True)
class Money:
    """`currency` is three capitals (ISO 4217); `amount` has at most four decimals."""

    amount: Decimal
    currency: str

    @property
    def units(self) -> int:
        """The amount in ten-thousandths. Raises ValueError for one that is finer."""
        units = self.amount * UNITS
        if units != units.to_integral_value():
            raise ValueError(f"more than four decimals: {self.amount}")
        return int(units)


def of_units(units: int | None, currency: str) -> Money | None:
    """What was stored; None where there is none."""
    return None if units is None else Money(Decimal(units) / UNITS, currency)
