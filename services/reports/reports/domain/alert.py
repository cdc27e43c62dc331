"""Rules that look at a KPI when a span of time is over (R11, R12, R13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from reports.domain import periods
from reports.domain.periods import Period

FALLS, BELOW, ABOVE = 1, 2, 3
DAY, WEEK, MONTH = 1, 2, 3
MANAGER = "manager"
TOLD_OF = {"owner": ("owner",), "director": ("region", "owner_region")}
"""By what a rule is grouped that tells each of these."""
LED = ("owner", "team", "manager")
"""What has a manager, each of them."""
BACK = 8
"""What had something in one of so many spans before is looked for."""
_GRAINS = {DAY: "day", WEEK: "week", MONTH: "month"}


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Fields in the order of the columns. `limit_value` and `minimum` are decimals' texts; `looked_at` the first day of
    the span that was looked at last, `look_time` when."""

    name: str
    display_name: str
    display_name_zh: str
    kpi: str
    group_by: str
    condition: int
    limit_value: str
    span: int
    notify: list[str]
    enabled: bool
    minimum: str
    looked_at: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None
    look_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule held for a group, in the span from `begin_date` to `end_date`, both included. `value` is None for whoever
    may not know it; `group_by` is what it was grouped by; `team`: of that one, and those below it, alone. From
    `correct_time` on the corrected figures hold, by which it may be `withdrawn`."""

    name: str
    rule: str
    kpi: str
    title: str
    title_zh: str
    key: str
    label: str
    begin_date: str
    end_date: str
    value: float | None
    previous: float | None
    people: list[str]
    raise_time: datetime
    group_by: str
    corrected_value: float | None = None
    corrected_previous: float | None = None
    correct_time: datetime | None = None
    withdrawn: bool = False
    team: str = ""

    @property
    def latest(self) -> tuple[float | None, float | None]:
        """Its figure and the one before, as they are known now."""
        return (self.corrected_value, self.corrected_previous) if self.correct_time else (self.value, self.previous)


def by_team(rule: AlertRule) -> bool:
    """Whether it looks at each team by itself, for who leads that."""
    return MANAGER in rule.notify and rule.group_by not in LED


def groups(rule: AlertRule) -> set[str]:
    """By what it looks at its KPI."""
    return {*filter(None, [rule.group_by]), *(["team"] if by_team(rule) else [])}


def in_all(rule: AlertRule) -> bool:
    """Whether it looks at what is of all teams together."""
    return not by_team(rule) or set(rule.notify) != {MANAGER}


def over(span: int, today: date) -> Period:
    """The last span that is over."""
    grain = _GRAINS[span]
    end = periods.begin_of(grain, today)
    return Period(periods.begin_of(grain, end - timedelta(days=1)), end)


def span_of(days: int) -> int:
    """Which of them is so long."""
    return {1: DAY, 7: WEEK}.get(days, MONTH)


def before(span: int, of: Period) -> Period:
    """The span before one."""
    assert of.begin is not None
    return over(span, of.begin)


def back(span: int, of: Period) -> Period:
    """The BACK spans before one, together."""
    first = of
    for _ in range(BACK):
        first = before(span, first)
    return Period(first.begin, of.begin)


def holds(rule: AlertRule, value: float | None, previous: float | None) -> bool:
    """Whether it is to be told. What has no figure now, or is compared and had none, alarms nobody: where
    nothing came into a stage, no conversion of it fell. A sum of nothing is a figure."""
    limit, least = Decimal(rule.limit_value), Decimal(rule.minimum or "0")
    if rule.condition == FALLS:
        if value is None or not previous or previous < 0 or Decimal(repr(previous)) < least:
            return False
        return Decimal(repr(value)) < Decimal(repr(previous)) * (1 - limit / 100)
    if value is None or (least and Decimal(repr(value)) < least):
        return False
    return Decimal(repr(value)) < limit if rule.condition == BELOW else Decimal(repr(value)) > limit
