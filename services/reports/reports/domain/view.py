"""What is asked of a KPI, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from reports.domain.periods import Period

DERIVED = {"manager": "owner", "team": "owner", "owner_region": "owner"}
"""What figures are grouped by that is known of a dimension now: of owners, their manager, team and region."""


@dataclass(frozen=True, slots=True)
class View:
    """`group` are dimensions, grains of time and derived ones; `where` dimension to the values that count; `as_of` in
    microseconds; `today` by the company's clock."""

    period: Period
    today: date
    group: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    as_of: int | None = None
    # Of one cell of the groups: its keys, and the hours that its time means.
    keys: tuple[str, ...] = ()
    hours: tuple[int | None, int | None] = (None, None)
    # What such a cell is made of, where that is several parts.
    parts: tuple[View, ...] = ()
    # As they were written.
    period_text: str = ""
    filter_text: str = ""
    # What a board was filtered by and this KPI has not.
    not_filtered_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """None: nothing was counted that it could be made of. `inputs` are what the formula was given. `left_out`: of a
    mean by shares, what its weight counted in groups that have no figure; of a sum, what its first measure did."""

    value: float | None
    inputs: Mapping[str, float]
    left_out: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """`teams_below`: of a team and all that are below it."""

    keys: tuple[str, ...]
    figure: Figure
    teams_below: bool = False


@dataclass(frozen=True, slots=True)
class Unrated:
    """So much that a measure counted of a currency, in ten-thousandths and so many times, of which no exchange rate is
    known: it is in no figure."""

    measure: str
    currency: str
    amount: int
    count: int


@dataclass(frozen=True, slots=True)
class Table:
    rows: Sequence[Row]
    total: Figure
    unrated: Sequence[Unrated] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """The figures of the span before, by the keys of rows, () of all together."""

    period: Period
    figures: Mapping[tuple[str, ...], Figure]
