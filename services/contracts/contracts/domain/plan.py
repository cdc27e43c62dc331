"""When a contract is to be paid, and how much each time (K10). Sums are exact: the last one takes the rounding."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from chassis.money import coin
from contracts.domain.contract import FinanceMode, Interval

MOST = 400
MONTHS = {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}


class PlanProblem(ValueError):
    """There is no such plan; `field` is the contract's that stands in the way."""

    def __init__(self, field: str, english: str, chinese: str) -> None:
        super().__init__(english)
        self.field = field
        self.english = english
        self.chinese = chinese


@dataclass(frozen=True, slots=True)
class Planned:
    """`due_date` is None for what is due when something happens."""

    title: str
    amount: Decimal
    due_date: date | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan is made of. `base` is the day of the first instalment, None while nobody knows it."""

    amount: Decimal
    currency: str
    mode: FinanceMode
    interval: Interval = Interval.MONTH
    count: int = 2
    base: date | None = None
    expiry: date | None = None


def generate(terms: Terms) -> tuple[Planned, ...]:
    """The instalments of a contract; none where there is nothing to pay. Raises PlanProblem."""
    if not terms.amount:
        return ()
    if terms.mode is FinanceMode.ONE_OFF:
        return (Planned("全款 Full amount", terms.amount, terms.base),)
    due = days(terms)
    amounts = split(terms.amount, [Decimal(1)] * len(due), terms.currency)
    word = "里程碑 {0} Milestone {0}" if terms.mode is FinanceMode.MILESTONE else "第 {0} 期 Instalment {0}"
    return tuple(
        Planned(word.format(number), amount, day)
        for number, (amount, day) in enumerate(zip(amounts, due, strict=True), 1)
    )


def days(terms: Terms) -> list[date | None]:
    """When each is due, None where nobody knows yet. Raises PlanProblem."""
    if terms.mode is FinanceMode.ONE_OFF:
        return [terms.base]
    step = MONTHS[terms.interval]
    if terms.mode is FinanceMode.SUBSCRIPTION:
        if terms.base is None:
            raise PlanProblem("start_date", "a subscription needs it", "订阅模式必须填写开始日期")
        if terms.expiry is None:
            raise PlanProblem("expiry_date", "a subscription needs it", "订阅模式必须填写到期日期")
        found: list[date | None] = []
        while (day := months_after(terms.base, len(found) * step)) <= terms.expiry:
            if len(found) == MOST:
                raise PlanProblem("expiry_date", f"more than {MOST} instalments", f"超过 {MOST} 期")
            found.append(day)
        return found
    if not 1 <= terms.count <= MOST:
        raise PlanProblem("instalment_count", f"must lie from 1 to {MOST}", f"须在 1 至 {MOST} 之间")
    if terms.mode is FinanceMode.MILESTONE or terms.base is None:
        return [None] * terms.count
    return [months_after(terms.base, number * step) for number in range(terms.count)]


def split(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The amount in proportion to these weights, to the smallest coin of its currency; the last takes what rounding
    leaves. Raises PlanProblem where one would get nothing."""
    whole, step = sum(weights), coin(currency)
    parts = [(amount * weight / whole).quantize(step, ROUND_DOWN) for weight in weights[:-1]]
    parts.append(amount - sum(parts))
    if min(parts) <= 0:
        raise PlanProblem("amount", "is too small for so many instalments", "金额不足以分成这么多期")
    return parts


def lowered(parts: Sequence[tuple[int, int]], total: int) -> list[int]:
    """Amounts of instalments, each at least what was paid of it, that come to a lower total: (amount, paid) of each,
    the last gives first. The total is not below what was paid."""
    found = [amount for amount, _ in parts]
    surplus = sum(found) - total
    for place in reversed(range(len(found))):
        less = min(surplus, found[place] - parts[place][1])
        found[place] -= less
        surplus -= less
    return found


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def following(start: date, expiry: date) -> tuple[date, date]:
    """Start and expiry of what follows: as many whole months, or else days."""
    after = expiry + timedelta(days=1)
    months = (after.year - start.year) * 12 + after.month - start.month
    if months > 0 and months_after(start, months) == after:
        return after, months_after(after, months) - timedelta(days=1)
    return after, after + (expiry - start)
