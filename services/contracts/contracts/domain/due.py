"""Until when an instalment may be paid before it is overdue (K6)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from chassis.calendar import china_days


def last_day(due: date, grace: int, working: bool) -> date:
    """The last day on which it is not overdue: the due date and so many days more; with `working`, the first working day
    from the due date on and so many working days more (Monday to Friday, with China's holidays and make-up days)."""
    if not working:
        return due + timedelta(days=grace)
    day, left = due, grace
    while True:
        if _works(day):
            if not left:
                return day
            left -= 1
        day += timedelta(days=1)


def _works(day: date) -> bool:
    off, made_up = _days(day.year)
    return day in made_up or (day.weekday() < 5 and day not in off)


@lru_cache(maxsize=128)
def _days(year: int) -> tuple[frozenset[date], frozenset[date]]:
    return china_days((year,)) if 2001 <= year <= 2100 else (frozenset(), frozenset())
