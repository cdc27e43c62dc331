"""google.type.Money in and out."""

from __future__ import annotations

import re
from decimal import Decimal

from google.type.money_pb2 import Money as MoneyMessage

from chassis.fields import FieldProblem
from opportunities.domain.money import LARGEST, UNITS, Money

_CURRENCY = re.compile(r"[A-Z]{3}")
_NANOS = 1_000_000_000
# Of a stored unit.
_STEP = _NANOS // UNITS


def read(given: MoneyMessage) -> Money:
    """An amount of at least zero (O7). Raises FieldProblem."""
    if not _CURRENCY.fullmatch(given.currency_code):
        raise FieldProblem(
            "needs a currencyCode of three capitals, such as CNY", "须有三个大写字母的币种 currencyCode，如 CNY"
        )
    if given.units < 0 or given.nanos < 0:
        raise FieldProblem("must not be negative", "不能为负数")
    if given.nanos >= _NANOS or given.nanos % _STEP:
        raise FieldProblem("must have at most four decimals (nanos below 10^9)", "最多四位小数（nanos 小于 10^9）")
    if given.units >= LARGEST:
        raise FieldProblem(f"must be less than {LARGEST}", f"须小于 {LARGEST}")
    return Money(Decimal(given.units) + Decimal(given.nanos) / _NANOS, given.currency_code)


def message(money: Money | None) -> MoneyMessage | None:
    """None where there is no amount."""
    if money is None:
        return None
    whole = int(money.amount)
    return MoneyMessage(currency_code=money.currency, units=whole, nanos=int((money.amount - whole) * _NANOS))
