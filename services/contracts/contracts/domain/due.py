"""Until when an instalment may be paid before it is overdue (K6)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from chassis.calendar import LONGEST_GAP, WorkingCalendar
from chassis.clock import company_zone


def last_day(due: date, grace: int, hours: WorkingCalendar) -> date:
    """The last day on which it is not overdue: the first working day from the due date on, and so many working days
    more. Where nobody works for more than a year, calendar days count."""
    day = _working(due, hours)
    for _ in range(grace):
        day = _working(day + timedelta(days=1), hours)
    return day


def _working(day: date, hours: WorkingCalendar) -> date:
    """This day or the next one on which the company works."""
    return next((d for d in (day + timedelta(days=n) for n in range(LONGEST_GAP)) if _is_open(d, hours)), day)


def _is_open(day: date, hours: WorkingCalendar) -> bool:
    zone = company_zone(hours.time_zone)
    begin, end = (datetime.combine(day + timedelta(days=n), time(), zone) for n in (0, 1))
    return hours.working_between(begin, end) > timedelta(0)
