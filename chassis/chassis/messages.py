"""Moments and money as protobuf has them, in and out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money as MoneyMessage

from chassis.database import to_micros
from chassis.fields import FieldProblem, currency
from chassis.money import LARGEST, UNITS, Money, coins, rounded

_NANOS = 1_000_000_000
# Of a stored unit.
_STEP = _NANOS // UNITS


def stamp(moment: datetime | None) -> Timestamp | None:
    """None where there is no moment."""
    if moment is None:
        return None
    seconds, micros = divmod(to_micros(moment), 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def told_money(given: MoneyMessage) -> Money:
    """An amount as another service keeps it, who checked it when it came in: currencies end."""
    return Money(Decimal(given.units) + Decimal(given.nanos) / _NANOS, given.currency_code)


def read_money(given: MoneyMessage, signed: bool = False) -> Money:
    """An amount of at least zero, or any where it is `signed`. Raises FieldProblem."""
    try:
        currency(given.currency_code)
    except FieldProblem as problem:
        raise FieldProblem(f"currencyCode {problem.english}", f"币种 currencyCode {problem.chinese}") from None
    if not signed and (given.units < 0 or given.nanos < 0):
        raise FieldProblem("must not be negative", "不能为负数")
    if given.units and given.nanos and (given.units < 0) != (given.nanos < 0):
        raise FieldProblem("has units and nanos of two signs", "units 与 nanos 的正负号须一致")
    if abs(given.nanos) >= _NANOS or given.nanos % _STEP:
        raise FieldProblem("must have at most four decimals (nanos below 10^9)", "最多四位小数（nanos 小于 10^9）")
    if abs(given.units) >= LARGEST:
        raise FieldProblem(f"must be less than {LARGEST}", f"须小于 {LARGEST}")
    return told_money(given)


def read_amount(given: MoneyMessage, signed: bool = False) -> Money:
    """What somebody can pay: no part of the currency's smallest coin. Raises FieldProblem as `read_money` does."""
    found = read_money(given, signed)
    if found.amount != rounded(found.amount, found.currency):
        most = coins(found.currency)
        raise FieldProblem(
            f"must have at most {most} decimals: {found.currency} has no smaller coin",
            f"最多 {most} 位小数：{found.currency} 没有更小的货币单位",
        )
    return found


def money(value: Money | None) -> MoneyMessage | None:
    """None where there is no amount."""
    if value is None:
        return None
    whole = int(value.amount)
    return MoneyMessage(currency_code=value.currency, units=whole, nanos=int((value.amount - whole) * _NANOS))
