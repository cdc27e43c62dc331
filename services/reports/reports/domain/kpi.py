"""KPIs: what is counted, and the formula that makes a figure of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

COUNT, AMOUNT, SECONDS = 1, 2, 3
PERIOD, STOCK, OLDER, LAST = 1, 2, 3, 4
BY_FORMULA, BY_SUM, BY_EVENNESS = 1, 2, 3
COUNTS, MONEY, RATIO, IN_SECONDS, IN_HOURS, IN_DAYS, NUMBER = range(1, 8)


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


def evenness(values: Sequence[float]) -> float | None:
    """How even they are, from 0 to 1: the entropy of their shares over the largest there can be (Shannon, "A
    Mathematical Theory of Communication", 1948). None below two values, or where they sum to nothing."""
    parts = [value for value in values if value > 0]
    whole = sum(parts)
    if len(values) < 2 or not whole:
        return None
    return -sum(part / whole * math.log(part / whole) for part in parts) / math.log(len(values))


def total(kpi: Kpi, groups: Sequence[float | None], whole: float | None) -> float | None:
    """The figure of all groups together; `whole` is the formula's, out of what was counted in all."""
    there = [value for value in groups if value is not None]
    if kpi.total == BY_SUM:
        return math.fsum(there) if there else None
    if kpi.total == BY_EVENNESS:
        return evenness(there)
    return whole


def added(kpi: Kpi) -> tuple[str, ...]:
    """The dimensions by whose groups a sum or an evenness is made: the first, and for a stage the pipeline too, since
    stages of two pipelines may have one id and have nothing else in common. None of a figure that is its formula's."""
    first = () if kpi.total == BY_FORMULA else kpi.dimensions[:1]
    return ("pipeline", *first) if first == ("stage",) and "pipeline" in kpi.dimensions else first


def counted(measures: Sequence[Measure], sums: Mapping[str, tuple[int, float, int]]) -> dict[str, float]:
    """What the formula is given: of each measure its count, its amount in the company's currency, or its seconds."""
    none = (0, 0.0, 0)
    return {one.id: float(sums.get(one.id, none)[one.value - 1]) for one in measures}
