"""KPIs: what is counted, and the formula that makes a figure of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

COUNT, AMOUNT, SECONDS = 1, 2, 3
PERIOD, STOCK, OLDER, LAST = 1, 2, 3, 4
BY_FORMULA, BY_SUM, BY_EVENNESS, BY_COUNTED, BY_SHARE = range(1, 6)
COUNTS, MONEY, RATIO, IN_SECONDS, IN_HOURS, IN_DAYS, NUMBER = range(1, 8)

Amounts = tuple[int, Decimal, int]
"""How many, their amount in the company's currency, and their seconds."""
MOST = 2.0**63
"""From which on, above and below nothing, there is no figure: an amount of money has whole units of 64 bits."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`where`: of each dimension, one of the values; sorted by dimension."""

    id: str
    fact: str
    value: int = COUNT
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    span: int = PERIOD
    days: int = 0


@dataclass(frozen=True, slots=True)
class Kpi:
    """`version` counts the changes of what it counts, `revision` those of all: it is the etag."""

    name: str
    display_name: str
    display_name_zh: str
    description: str
    description_zh: str
    unit: int
    measures: tuple[Measure, ...]
    formula: str
    dimensions: tuple[str, ...]
    total: int = BY_FORMULA
    version: int = 1
    owner: str = ""
    lower_is_better: bool = False
    revision: int = 1
    create_time: datetime | None = field(default=None)
    update_time: datetime | None = field(default=None)
    delete_time: datetime | None = field(default=None)


def standing(kpi: Kpi) -> tuple[Measure, ...]:
    """Those of its measures that are of now, beside others of a period: by time, each row has the whole of them."""
    if all(one.span != PERIOD for one in kpi.measures):
        return ()
    return tuple(one for one in kpi.measures if one.span in (STOCK, OLDER))


def experience(kpi: Kpi) -> tuple[Measure, ...]:
    """Of one that is summed up, those of its measures that are of the last days, beside others that are not: how it
    went, by which the rest is weighed. Each group of `added` has it as a whole, of all that the caller sees, whatever
    the figures are grouped or narrowed by: else each of them would have one of its own, and another sum."""
    lately = tuple(one for one in kpi.measures if one.span == LAST)
    return lately if kpi.total == BY_SUM and len(lately) < len(kpi.measures) else ()


def has_times(kpi: Kpi) -> bool:
    """Whether its figures can be told by time: each row is then what the figure of that span is, or of what there is
    now the part that is since then. Not where its measures go by clocks of their own."""
    spans = {one.span for one in kpi.measures}
    clocks = {(STOCK, one.fact) if one.span in (STOCK, OLDER) else (one.span, one.days) for one in kpi.measures}
    return len(clocks) == 1 or (PERIOD in spans and LAST not in spans and kpi.total == BY_FORMULA)


def adds_up(kpi: Kpi) -> bool:
    """Whether its figure of a quarter is the sum of those of its months."""
    return len(kpi.measures) == 1 and kpi.measures[0].span == PERIOD and kpi.formula.strip() == kpi.measures[0].id


def rated(kpi: Kpi, measure: Measure) -> bool:
    """Whether what has no exchange rate is not in what a measure counts: where another takes the amounts of the same
    fact, so that an average is of those whose amounts are in it."""
    return measure.value != AMOUNT and any(one.fact == measure.fact and one.value == AMOUNT for one in kpi.measures)


def held(value: float | None) -> float | None:
    """A figure; None where it is larger than one can be."""
    return value if value is not None and abs(value) < MOST else None


def evenness(values: Sequence[float]) -> float | None:
    """How even they are, from 0 to 1: the entropy of their shares over the largest there can be (Shannon, "A
    Mathematical Theory of Communication", 1948). None below two values, or where they sum to nothing."""
    parts = [value for value in values if value > 0]
    whole = sum(parts)
    if len(values) < 2 or not whole:
        return None
    shares = [share for part in parts if (share := part / whole)]
    return -sum(share * math.log(share) for share in shares) / math.log(len(values))


def stands(kpi: Kpi) -> bool:
    """Whether it tells of what there is on a day."""
    return any(one.span in (STOCK, OLDER) for one in kpi.measures)


def happens(kpi: Kpi) -> bool:
    """Whether it tells of what happened in a period, or before its end, and not of what there is alone."""
    return any(one.span == PERIOD for one in kpi.measures) or not stands(kpi)


def added(kpi: Kpi) -> tuple[str, ...]:
    """The dimensions of whose groups the figure of several is made: the first, and for a stage that is summed up or
    weighed the pipeline too, since stages of two pipelines may have one id and have nothing else in common. None of a
    figure that is its formula's."""
    first = () if kpi.total == BY_FORMULA else kpi.dimensions[:1]
    apart = first == ("stage",) and "pipeline" in kpi.dimensions and kpi.total != BY_COUNTED
    return ("pipeline", *first) if apart else first


def monthly(kpi: Kpi) -> bool:
    """Whether it is made of the months of its groups, too: where those alone make it in which its first measure counted
    something, a quarter of which one month's cost is known is that month."""
    return kpi.total == BY_COUNTED and all(one.span == PERIOD for one in kpi.measures)


def counted(measures: Sequence[Measure], sums: Mapping[str, Amounts]) -> dict[str, float]:
    """What the formula is given: of each measure its count, its amount in the company's currency, or its seconds."""
    none = (0, Decimal(0), 0)
    return {one.id: float(sums.get(one.id, none)[one.value - 1]) for one in measures}
