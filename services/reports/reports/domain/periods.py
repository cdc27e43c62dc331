"""Periods, as people name them, in days of the company's clock."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

EPOCH = date(1970, 1, 1)
GRAINS = ("hour", "day", "week", "month", "quarter", "year")
WIDEST = 366 * 30
FAR = date(9999, 1, 1)
"""Where time ends: of the days, months and years before it the next one has a name, too."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `begin` to before `end`; both None: all time. `hour`: of that one day, one hour."""

    begin: date | None
    end: date | None
    hour: int | None = None

    @property
    def hours(self) -> tuple[int | None, int | None]:
        """The hours since 1970 of the company's clock, the end excluded."""
        if self.hour is not None and self.begin is not None:
            first = (self.begin - EPOCH).days * 24 + self.hour
            return first, first + 1
        return tuple(None if day is None else (day - EPOCH).days * 24 for day in (self.begin, self.end))  # type: ignore[return-value]


ALL = Period(None, None)


def read(text: str, today: date) -> Period:
    """ "this_month", "last_7_days", "next_90_days", "2026-Q4", "2026-11-01..2026-11-15", "2026-11-22T15", "all". Raises
    ValueError, and OverflowError for what calendars do not have."""
    found = _read(text, today)
    if found.end is not None and found.end > FAR:
        raise ValueError(text)
    return found


def _read(text: str, today: date) -> Period:
    if text in ("", "this_month"):
        return _month(today.year, today.month)
    if text == "all":
        return ALL
    if match := re.fullmatch(r"last_(\d{1,4})_days", text):
        days = int(match[1])
        if days < 1:
            raise ValueError(text)
        return Period(today - timedelta(days=days - 1), today + timedelta(days=1))
    if match := re.fullmatch(r"next_(\d{1,4})_days", text):
        days = int(match[1])
        if days < 1:
            raise ValueError(text)
        return Period(today, today + timedelta(days=days))
    if text in _NAMED:
        return _NAMED[text](today)
    if match := re.fullmatch(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)", text):
        begin, end = date.fromisoformat(match[1]), date.fromisoformat(match[2])
        if end < begin or (end - begin).days > WIDEST:
            raise ValueError(text)
        return Period(begin, end + timedelta(days=1))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return _days(date.fromisoformat(text), 1)
    if match := re.fullmatch(r"(\d{4}-\d\d-\d\d)T([01]\d|2[0-3])", text):
        day = date.fromisoformat(match[1])
        return Period(day, day + timedelta(days=1), int(match[2]))
    if match := re.fullmatch(r"(\d{4})-(\d\d)", text):
        return _month(int(match[1]), int(match[2]))
    if match := re.fullmatch(r"(\d{4})-Q([1-4])", text):
        return _quarter(int(match[1]), int(match[2]))
    if re.fullmatch(r"\d{4}", text):
        return Period(date(int(text), 1, 1), date(int(text) + 1, 1, 1))
    raise ValueError(text)


def before(of: Period, today: date) -> Period | None:
    """The span before: of whole months as many months, else as many days (of an hour that of the day before); of one
    that is not over, as many days of it as are begun. None where there is none: all time, or what is yet to begin."""
    if of.begin is None or of.end is None:
        return None
    months = (of.end.year - of.begin.year) * 12 + of.end.month - of.begin.month
    whole = months and of.begin.day == of.end.day == 1
    try:
        begin = _months_earlier(of.begin, months) if whole else of.begin - (of.end - of.begin)
    except (ValueError, OverflowError):  # before there were years
        return None
    over = today + timedelta(days=1) >= of.end
    end = of.begin if over else min(of.begin, begin + (today + timedelta(days=1) - of.begin))
    return Period(begin, end, of.hour) if end > begin else None


def _months_earlier(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 - months, 12)
    return date(year, month + 1, 1)


def both(one: Period, other: Period) -> Period:
    """What is in both, of which `other` has an end."""
    begin = max(day for day in (one.begin, other.begin) if day is not None)
    end = min(day for day in (one.end, other.end) if day is not None)
    hours = {period.hour for period in (one, other)} - {None}
    return Period(begin, begin) if end <= begin or len(hours) > 1 else Period(begin, end, *hours)


def begin_of(grain: str, day: date) -> date:
    """The first day of the week (Monday), month, quarter or year in which a day lies."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    if grain == "month":
        return day.replace(day=1)
    if grain == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1) if grain == "year" else day


def names(period: Period) -> list[str]:
    """What a period is called where it is a month, a quarter or a year: "2026-11", "2026-Q4", "2026"."""
    if period.begin is None or period.end is None:
        return []
    year, month = period.begin.year, period.begin.month
    called = {f"{year}-{month:02}": _month(year, month), f"{year}": Period(date(year, 1, 1), date(year + 1, 1, 1))}
    if month % 3 == 1:
        called[f"{year}-Q{month // 3 + 1}"] = _quarter(year, month // 3 + 1)
    return [name for name, days in called.items() if days == period]


def months(period: Period) -> list[str]:
    """The months that a period is made of, where those are more than one and whole: "2026-10", "2026-11"."""
    if period.begin is None or period.end is None or period.begin.day != 1 or period.end.day != 1:
        return []
    first, last = (day.year * 12 + day.month - 1 for day in (period.begin, period.end))
    return [f"{at // 12}-{at % 12 + 1:02}" for at in range(first, last)] if 1 < last - first <= 12 else []


def key_of(grain: str, bucket: int) -> str:
    """What a bucket of cells (an hour, or a day) is called in its grain: "2026-11-22T15", "2026-11-22"."""
    if grain == "hour":
        return f"{EPOCH + timedelta(days=bucket // 24)}T{bucket % 24:02}"
    return begin_of(grain, EPOCH + timedelta(days=bucket)).isoformat()


def spans(grain: str, first: int, last: int) -> list[str]:
    """The keys of the spans that have something of the hours from `first` to before `last`, in their order."""
    if grain == "hour":
        return [key_of(grain, hour) for hour in range(first, last)]
    # A day of each week is one of these, whatever it begins with.
    days = {
        *range(first // 24, -(-last // 24), 1 if grain == "day" else 7),
        *([(last - 1) // 24] if last > first else []),
    }
    return sorted({key_of(grain, day) for day in days})


def of_key(grain: str, key: str) -> Period:
    """What `key_of` called so: all of it. Raises ValueError."""
    found = read(key, EPOCH)
    if found.begin is None or found.end is None or (grain == "hour") != (found.hour is not None):
        raise ValueError(key)
    if (
        key_of("day", (found.begin - EPOCH).days) != key.partition("T")[0]
        or begin_of(grain, found.begin) != found.begin
    ):
        raise ValueError(key)
    if grain in ("hour", "day"):
        return found
    # The first day of the next of them: none is longer than a year.
    longest = {"week": 7, "month": 31, "quarter": 95, "year": 370}[grain]
    return Period(found.begin, begin_of(grain, found.begin + timedelta(days=longest)))


def _days(begin: date, days: int) -> Period:
    return Period(begin, begin + timedelta(days=days))


def _month(year: int, month: int) -> Period:
    begin = date(year, month, 1)
    return _days(begin, calendar.monthrange(year, month)[1])


def _quarter(year: int, quarter: int) -> Period:
    begin = date(year, 3 * quarter - 2, 1)
    return Period(begin, date(year + quarter // 4, quarter % 4 * 3 + 1, 1))


def _last(grain: str, today: date) -> Period:
    end = begin_of(grain, today)
    return Period(begin_of(grain, end - timedelta(days=1)), end)


def _this(grain: str, today: date) -> Period:
    begin = begin_of(grain, today)
    return Period(begin, begin_of(grain, begin + timedelta(days={"week": 7, "quarter": 95, "year": 370}[grain])))


_NAMED = {
    "today": lambda today: _days(today, 1),
    "yesterday": lambda today: _days(today - timedelta(days=1), 1),
    "this_week": lambda today: _this("week", today),
    "last_week": lambda today: _last("week", today),
    "last_month": lambda today: _last("month", today),
    "this_quarter": lambda today: _this("quarter", today),
    "last_quarter": lambda today: _last("quarter", today),
    "this_year": lambda today: _this("year", today),
    "last_year": lambda today: _last("year", today),
}
