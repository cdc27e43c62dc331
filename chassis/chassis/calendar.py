"""Working time: when somebody is open, and how much open time lies between two moments.

A span of hours is read off the wall clock of the calendar's zone: a moment is open when the local clock shows
a minute of one of that day's spans. Where a zone skips an hour it is not worked, where it repeats one it is
worked twice. Every method costs O(days), not O(minutes), and O(1) for a calendar that is always open.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from chassis.china_days import china_days as china_days
from chassis.clock import DEFAULT_ZONE, company_zone

Spans = tuple[tuple[int, int], ...]
"""Minutes of a local day, (start, end) with end excluded: 0 <= start < end <= 1440, rising, disjoint."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_GAP = 400
"""Days in a row without an open minute after which a calendar counts as never open."""
LONGEST_AMOUNT = timedelta(days=3660)

Found = list[tuple[str, str, str]]
"""What is wrong with a calendar: (path, English, Chinese)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY, _MINUTE, _SECOND = 86_400_000_000, 60_000_000, 1_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_ALL_DAY: Spans = ((0, 1440),)
_KEPT_DAYS = 4096


class NeverOpen(ValueError):
    """The calendar has no open minute within the next 400 days."""


class CalendarProblem(ValueError):
    """A calendar from outside is wrong; `problems` holds (path, English, Chinese) as `Invalid` takes it."""

    def __init__(self, problems: Iterable[tuple[str, str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{path}: {english}" for path, english, _ in self.problems))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Hours per weekday (Monday first) in one IANA zone, days off, and make-up days that are worked.

    A make-up day has `work_day_hours`; without these, Monday's, or those of the first weekday that has any.
    Raises ValueError when the zone is unknown, spans are out of order, or a day is both off and worked.
    """

    time_zone: str
    weekly: tuple[Spans, ...]
    off_days: frozenset[date] = frozenset()
    work_days: frozenset[date] = frozenset()
    work_day_hours: Spans | None = None
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)
    _always: bool = field(init=False, repr=False, compare=False)
    _days: dict[int, Spans] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.weekly) != 7:
            raise ValueError("weekly needs seven days")
        for spans in (*self.weekly, self.work_day_hours or ()):
            last = 0
            for start, end in spans:
                if not last <= start < end <= 1440:
                    raise ValueError(f"hours out of order or outside of the day: {spans}")
                last = end
        if self.off_days & self.work_days:
            raise ValueError("a day cannot be both off and worked")
        object.__setattr__(self, "_zone", company_zone(self.time_zone))
        always = not self.off_days and all(map(_covers_day, self.weekly))
        if self.work_days and self.work_day_hours is not None:
            always = always and _covers_day(self.work_day_hours)
        object.__setattr__(self, "_always", always)
        object.__setattr__(self, "_days", {})

    def is_open(self, moment: datetime) -> bool:
        """Whether `moment` (aware) is working time."""
        if self._always:
            return True
        at = _microseconds(moment)
        return any(start <= at < end for start, end in self._open(self._ordinal(moment)))

    def next_open(self, moment: datetime) -> datetime | None:
        """`moment` itself while open, else the next opening in UTC; None when there is none in 400 days."""
        if self._always:
            return moment
        at, first = _microseconds(moment), self._ordinal(moment)
        for ordinal in range(first, first + LONGEST_GAP + 1):
            for start, end in self._open(ordinal):
                if at < end:
                    return moment if start <= at else _moment(start)
        return None

    def add_working(self, moment: datetime, amount: timedelta) -> datetime:
        """The first moment (UTC) by which `amount` of working time has passed since `moment`; 0 is `moment`.

        So 30 minutes from half an hour before closing are up at closing, not at the next opening.
        Raises NeverOpen, and ValueError for an amount below zero or above ten years.
        """
        if not timedelta(0) <= amount <= LONGEST_AMOUNT:
            raise ValueError(f"cannot add {amount} of working time")
        if self._always or not amount:
            return moment.astimezone(UTC) + amount
        at, ordinal, left = _microseconds(moment), self._ordinal(moment), amount // _MICROSECOND
        limit = ordinal + LONGEST_GAP
        while ordinal <= limit:
            for start, end in self._open(ordinal):
                if end > at:
                    start = max(start, at)
                    if left <= end - start:
                        return _moment(start + left)
                    left -= end - start
                    limit = ordinal + LONGEST_GAP
            ordinal += 1
        raise NeverOpen(f"no working time within {LONGEST_GAP} days")

    def working_between(self, earlier: datetime, later: datetime) -> timedelta:
        """How much working time lies between the two moments; below zero if they are the other way round."""
        if later < earlier:
            return -self.working_between(later, earlier)
        if self._always:
            return later - earlier
        begin, until = _microseconds(earlier), _microseconds(later)
        total = 0
        for ordinal in range(self._ordinal(earlier), self._ordinal(later) + 1):
            for start, end in self._open(ordinal):
                total += max(0, min(end, until) - max(start, begin))
        return timedelta(microseconds=total)

    def to_plain(self) -> dict[str, Any]:
        """The calendar as JSON or YAML holds it; `from_plain` reads it back to an equal value."""
        plain: dict[str, Any] = {
            "timeZone": self.time_zone,
            "weekly": {name: _write_spans(spans) for name, spans in zip(WEEKDAYS, self.weekly, strict=True)},
            "offDays": [day.isoformat() for day in sorted(self.off_days)],
            "workDays": [day.isoformat() for day in sorted(self.work_days)],
        }
        if self.work_day_hours is not None:
            plain["workDayHours"] = _write_spans(self.work_day_hours)
        return plain

    def _ordinal(self, moment: datetime) -> int:
        return moment.astimezone(self._zone).toordinal()

    def _spans(self, day: date) -> Spans:
        if day in self.off_days:
            return ()
        if day in self.work_days:
            hours = self.work_day_hours
            return next(filter(None, self.weekly), ()) if hours is None else hours
        return self.weekly[day.weekday()]

    def _open(self, ordinal: int) -> Spans:
        """The open spans of a local day in microseconds since 1970 UTC."""
        known = self._days.get(ordinal)
        if known is None:
            if len(self._days) >= _KEPT_DAYS:
                self._days.clear()
            known = self._days[ordinal] = self._compute(ordinal)
        return known

    def _compute(self, ordinal: int) -> Spans:
        day = date.fromordinal(ordinal)
        spans = self._spans(day)
        if not spans:
            return ()
        midnight = (ordinal - _EPOCH_DAY) * _DAY
        local = [(midnight + start * _MINUTE, midnight + end * _MINUTE) for start, end in spans]
        offset = _offset(datetime(day.year, day.month, day.day, tzinfo=self._zone))
        after_day = day + timedelta(days=1)
        later = _offset(datetime(after_day.year, after_day.month, after_day.day, tzinfo=self._zone))
        before = [(start - offset, end - offset) for start, end in local]
        if offset == later:
            return tuple(before)
        change = self._change(midnight - offset, midnight + _DAY - later, offset)
        after = [(max(start - later, change), end - later) for start, end in local]
        before = [(start, min(end, change)) for start, end in before]
        return tuple((start, end) for start, end in (*before, *after) if start < end)

    def _change(self, low: int, high: int, offset: int) -> int:
        """The first second in (low, high] whose offset is no longer `offset`."""
        while high - low > _SECOND:
            middle = (low + high) // 2 // _SECOND * _SECOND
            if _offset(_moment(middle).astimezone(self._zone)) == offset:
                low = middle
            else:
                high = middle
        return high


def always_open(time_zone: str = DEFAULT_ZONE) -> WorkingCalendar:
    """The calendar of whoever has set no hours. Raises ValueError when the zone is unknown."""
    return WorkingCalendar(time_zone, (_ALL_DAY,) * 7)


def from_plain(plain: object, path: str = "calendar") -> WorkingCalendar:
    """Reads what `to_plain` writes: {timeZone, weekly: {monday: ["09:00-12:00", ...]}, offDays, workDays,
    workDayHours}. A weekday not named is closed; days are ISO text or dates (which YAML makes of them).

    Raises CalendarProblem that names every wrong path, "calendar.weekly.monday[0]" for example.
    """
    found: list[tuple[str, str, str]] = []
    if not isinstance(plain, Mapping):
        raise CalendarProblem([(path, "must be an object", "必须是对象")])
    for key in plain:
        if key not in ("timeZone", "weekly", "offDays", "workDays", "workDayHours"):
            found.append((f"{path}.{str(key)[:40]}", "unknown field", "未知字段"))
    zone = plain.get("timeZone", DEFAULT_ZONE)
    try:
        company_zone(zone)
    except (ValueError, TypeError):
        found.append((f"{path}.timeZone", "unknown IANA time zone", "未知的 IANA 时区"))
    weekly = _read_weekly(plain.get("weekly", {}), f"{path}.weekly", found)
    off = _read_days(plain.get("offDays", []), f"{path}.offDays", found)
    work = _read_days(plain.get("workDays", []), f"{path}.workDays", found)
    for day in sorted(off & work):
        found.append((f"{path}.workDays", f"{day} is also a day off", f"{day} 同时是休息日"))
    hours = plain.get("workDayHours")
    spans = None if hours is None else _read_spans(hours, f"{path}.workDayHours", found)
    if not found and not any(weekly) and not (work and spans):
        found.append((f"{path}.weekly", "has no working hours at all", "没有任何工作时间"))
    if found:
        raise CalendarProblem(found)
    return WorkingCalendar(zone, weekly, off, work, spans)


def _covers_day(spans: Spans) -> bool:
    """Whether the spans leave no minute of a day out (touching spans count as one)."""
    return sum(end - start for start, end in spans) == 1440


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _offset(moment: datetime) -> int:
    return (moment.utcoffset() or timedelta(0)) // _MICROSECOND


def _write_spans(spans: Spans) -> list[str]:
    return [f"{s // 60:02}:{s % 60:02}-{e // 60:02}:{e % 60:02}" for s, e in spans]


def _read_weekly(value: object, path: str, found: Found) -> tuple[Spans, ...]:
    if not isinstance(value, Mapping):
        found.append((path, "must be an object of weekdays", "必须是以星期为键的对象"))
        return ((),) * 7
    for key in value:
        if key not in WEEKDAYS:
            name = f"{path}.{str(key)[:40]}"
            found.append((name, "is no weekday (monday to sunday)", "不是星期（monday 至 sunday）"))
    return tuple(_read_spans(value.get(name) or [], f"{path}.{name}", found) for name in WEEKDAYS)


def _minutes(text: str) -> int:
    hours, colon, minutes = text.strip().partition(":")
    wrong = not colon or not (hours + minutes).isascii() or not (hours.isdigit() and minutes.isdigit())
    if wrong or len(hours) > 2 or len(minutes) != 2 or int(minutes) > 59:
        raise ValueError(text)
    return int(hours) * 60 + int(minutes)


def _read_spans(value: object, path: str, found: Found) -> Spans:
    if not isinstance(value, list | tuple) or len(value) > 24:
        found.append((path, "must be a list of at most 24 spans", "必须是最多 24 个时段的列表"))
        return ()
    spans: list[tuple[int, int]] = []
    for index, item in enumerate(value):
        try:
            start, _, end = item.partition("-")
            span = (_minutes(start), _minutes(end))
            if not 0 <= span[0] < span[1] <= 1440:
                raise ValueError(item)
            spans.append(span)
        except (ValueError, AttributeError, TypeError):
            english = 'must look like "09:00-12:00", the end after the start and not past 24:00'
            found.append((f"{path}[{index}]", english, "格式应为“09:00-12:00”，结束晚于开始且不超过 24:00"))
    spans.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        found.append((path, "spans overlap", "时段重叠"))
    return tuple(spans)


def _read_days(value: object, path: str, found: Found) -> frozenset[date]:
    if not isinstance(value, list | tuple) or len(value) > 5000:
        found.append((path, "must be a list of at most 5000 days", "必须是最多 5000 个日期的列表"))
        return frozenset()
    days: set[date] = set()
    for index, item in enumerate(value):
        try:
            if isinstance(item, datetime):
                raise ValueError(item)
            day = item if isinstance(item, date) else date.fromisoformat(item)
            if not 2000 <= day.year <= 2100:
                raise ValueError(item)
            days.add(day)
        except (ValueError, TypeError):
            english = "must be a day such as 2026-10-01, from 2000 to 2100"
            found.append((f"{path}[{index}]", english, "必须是 2000 至 2100 年间的日期，如 2026-10-01"))
    return frozenset(days)
