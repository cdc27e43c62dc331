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
    # As they were written.
    period_text: str = ""
    filter_text: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """None: nothing was counted that it could be made of. `inputs` are what the formula was given."""

    value: float | None
    inputs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    keys: tuple[str, ...]
    figure: Figure


@dataclass(frozen=True, slots=True)
class Table:
    rows: Sequence[Row]
    total: Figure
