"""A calendar as directory keeps it: spans of work, days off, make-up days, all explicit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chassis.calendar import WEEKDAYS, CalendarProblem, from_plain
from chassis.china_days import china_days

COMPANY = "calendars/company"
MOST_YEARS = 20
Found = list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Span:
    """Work from `start` to `end` ("09:00") on `weekday`, 1 Monday to 7 Sunday."""

    weekday: int
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """No spans: always open, but for the days off. Days are ISO texts, sorted. `delete_time` is None while it is
    there."""

    name: str
    display_name: str
    time_zone: str
    spans: tuple[Span, ...] = ()
    off_days: tuple[str, ...] = ()
    work_days: tuple[str, ...] = ()
    version: int = 1
    delete_time: datetime | None = None

    @property
    def id(self) -> str:
        return self.name.removeprefix("calendars/")

    @property
    def etag(self) -> str:
        return str(self.version)


def checked(
    name: str,
    display_name: str,
    time_zone: str,
    spans: Sequence[Span],
    off_days: Sequence[str],
    work_days: Sequence[str],
    china_years: Iterable[int] = (),
    path: str = "calendar",
) -> Calendar:
    """The calendar in its one spelling, China's days written out. Raises CalendarProblem naming every wrong path."""
    found: Found = []
    weekly: dict[str, list[str]] = {}
    places: dict[str, int] = {}
    if len(spans) > 7 * 24:
        found.append((f"{path}.spans", "at most 168 spans", "最多 168 个时段"))
        spans = ()
    for index, span in enumerate(spans):
        if not 1 <= span.weekday <= 7:
            at = f"{path}.spans[{index}].weekday"
            found.append((at, "must be 1 (Monday) to 7 (Sunday)", "必须是 1（周一）至 7（周日）"))
            continue
        day = WEEKDAYS[span.weekday - 1]
        places[f"{path}.weekly.{day}[{len(weekly.setdefault(day, []))}]"] = index
        weekly[day].append(f"{span.start}-{span.end}")
    plain: dict[str, Any] = {"timeZone": time_zone, "offDays": list(off_days), "workDays": list(work_days)}
    plain["weekly"] = weekly or {day: ["00:00-24:00"] for day in WEEKDAYS}
    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()
    try:
        calendar = from_plain(plain, path)
        off, work = calendar.off_days, calendar.work_days
    except CalendarProblem as problem:
        found.extend((_spelled(where, path, places), en, zh) for where, en, zh in problem.problems)
    added = _china(china_years, path, found)
    if found:
        raise CalendarProblem(found)
    # Days the calendar names itself keep what it says of them.
    off, work = off | (added[0] - work), work | (added[1] - off)
    written = [
        Span(weekday, *text.split("-"))
        for weekday, texts in enumerate(calendar.to_plain()["weekly"].values(), start=1)
        for text in texts
    ]
    return Calendar(name, display_name, time_zone, tuple(written) if spans else (), _texts(off), _texts(work))


def _china(years: Iterable[int], path: str, found: Found) -> tuple[frozenset[date], frozenset[date]]:
    wanted = sorted(set(years))
    if len(wanted) > MOST_YEARS:
        found.append((f"{path}.china_years", f"at most {MOST_YEARS} years", f"最多 {MOST_YEARS} 年"))
    elif any(not 2001 <= year <= 2100 for year in wanted):
        found.append((f"{path}.china_years", "must be years from 2001 to 2100", "必须是 2001 至 2100 年"))
    else:
        return china_days(wanted)
    return frozenset(), frozenset()


def _texts(days: Iterable[date]) -> tuple[str, ...]:
    return tuple(day.isoformat() for day in sorted(days))


def _spelled(where: str, path: str, places: Mapping[str, int]) -> str:
    """The path as the API spells it: weekly.monday[0] is one of the spans."""
    if where in places:
        return f"{path}.spans[{places[where]}]"
    if where.startswith(f"{path}.weekly"):
        return f"{path}.spans"
    for theirs, ours in (("timeZone", "time_zone"), ("offDays", "off_days"), ("workDays", "work_days")):
        where = where.replace(f"{path}.{theirs}", f"{path}.{ours}")
    return where
