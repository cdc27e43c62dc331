"""Working time agrees with a reading of the wall clock, minute by minute, in every kind of zone."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chassis.calendar import (
    CalendarProblem,
    NeverOpen,
    WorkingCalendar,
    always_open,
    china_days,
    from_plain,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = ((540, 720), (810, 1080))
WEEK = WorkingCalendar("Asia/Shanghai", (OFFICE,) * 5 + ((), ()))
# One whole hour, half an hour, at midnight, on to the day before, a skipped day, and no change at all.
ZONES = (
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Beirut",
    "America/Nuuk",
    "Pacific/Apia",
    "Asia/Shanghai",
    "UTC",
)
CHANGES = (
    datetime(2024, 3, 10, tzinfo=UTC),
    datetime(2024, 11, 3, tzinfo=UTC),
    datetime(2024, 4, 7, tzinfo=UTC),
    datetime(2024, 3, 31, tzinfo=UTC),
    datetime(2024, 10, 27, tzinfo=UTC),
    datetime(2011, 12, 30, tzinfo=UTC),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@st.composite
def spans(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    edges = draw(st.lists(st.integers(0, 48).map(lambda n: n * 30), unique=True, max_size=6))
    edges.sort()
    return tuple(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    weekly = tuple(draw(st.lists(spans(), min_size=7, max_size=7)))
    near = st.sampled_from(CHANGES).flatmap(
        lambda start: st.integers(-3, 3).map(lambda days: (start + timedelta(days=days)).date())
    )
    off = draw(st.frozensets(near, max_size=3))
    work = draw(st.frozensets(near, max_size=3)) - off
    hours = draw(st.none() | spans())
    return WorkingCalendar(draw(st.sampled_from(ZONES)), weekly, off, work, hours)


moments = st.builds(
    lambda start, seconds, more: start + timedelta(seconds=seconds, microseconds=more),
    st.sampled_from(CHANGES),
    st.integers(-3 * 86_400, 3 * 86_400),
    st.sampled_from((0, 0, 1, 999_999)),
)
amounts = st.integers(0, 20 * 86_400 * 10**6).map(lambda n: timedelta(microseconds=n))


def open_by_the_wall_clock(calendar: WorkingCalendar, moment: datetime) -> bool:
    """The definition itself, slow and without any of the module's arithmetic."""
    local = moment.astimezone(ZoneInfo(calendar.time_zone))
    day = local.date()
    if day in calendar.off_days:
        hours: tuple[tuple[int, int], ...] = ()
    elif day in calendar.work_days and calendar.work_day_hours is not None:
        hours = calendar.work_day_hours
    elif day in calendar.work_days:
        hours = next((each for each in calendar.weekly if each), ())
    else:
        hours = calendar.weekly[local.weekday()]
    minute = local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in hours)


@given(calendars(), moments)
def test_R9_a_moment_is_open_exactly_when_the_wall_clock_says_so(calendar: WorkingCalendar, moment: datetime) -> None:
    assert calendar.is_open(moment) == open_by_the_wall_clock(calendar, moment)


@given(calendars(), st.sampled_from(CHANGES), st.integers(-40, 40), st.integers(1, 100))
@settings(max_examples=60, deadline=None)
@example(WorkingCalendar("America/New_York", (((0, 1440),),) * 6 + (((60, 90),),)), CHANGES[1], 0, 96)
@example(WorkingCalendar("America/New_York", (((0, 1440),),) * 6 + (((120, 180),),)), CHANGES[0], 0, 96)
@example(WorkingCalendar("Pacific/Apia", (((0, 1440),),) * 6 + ((),)), CHANGES[5], -40, 100)
def test_R9_working_time_between_two_moments_is_the_open_quarter_hours_counted_one_by_one(
    calendar: WorkingCalendar, start: datetime, quarters: int, length: int
) -> None:
    quarter = timedelta(minutes=15)
    begin = start + quarters * quarter
    counted = sum(open_by_the_wall_clock(calendar, begin + n * quarter) for n in range(length))
    assert calendar.working_between(begin, begin + length * quarter) == counted * quarter


@given(calendars(), moments, amounts)
def test_R9_adding_working_time_is_the_inverse_of_counting_it(
    calendar: WorkingCalendar, moment: datetime, amount: timedelta
) -> None:
    try:
        due = calendar.add_working(moment, amount)
    except NeverOpen:
        assert not any(calendar.weekly)
        return
    assert calendar.working_between(moment, due) == amount
    assert calendar.working_between(due, moment) == -amount
    if amount:
        # The first such moment: a microsecond earlier it is not yet up.
        assert calendar.working_between(moment, due - timedelta(microseconds=1)) < amount
    else:
        assert due == moment


@given(calendars(), moments)
def test_R9_the_next_opening_is_open_and_nothing_before_it_is(calendar: WorkingCalendar, moment: datetime) -> None:
    opening = calendar.next_open(moment)
    if opening is None:
        assert not any(calendar.weekly)
        return
    assert opening >= moment
    assert open_by_the_wall_clock(calendar, opening)
    assert not calendar.working_between(moment, opening)
    assert (opening == moment) == calendar.is_open(moment)


def test_R9_a_clock_of_30_working_minutes_skips_lunch_night_weekend_and_make_up_rules() -> None:
    half = timedelta(minutes=30)
    assert WEEK.add_working(at("2026-07-20 09:10"), half) == at("2026-07-20 09:40")
    assert WEEK.add_working(at("2026-07-20 11:45"), half) == at("2026-07-20 13:45")
    assert WEEK.add_working(at("2026-07-20 17:30"), half) == at("2026-07-20 18:00")
    assert WEEK.add_working(at("2026-07-24 17:50"), half) == at("2026-07-27 09:20")
    off, work = china_days([2026])
    china = replace(WEEK, off_days=off, work_days=work)
    # National Day lasts from Thursday 1 to Wednesday 7 October, and Saturday 10 is worked.
    assert china.add_working(at("2026-09-30 17:50"), half) == at("2026-10-08 09:20")
    assert china.add_working(at("2026-10-09 17:50"), half) == at("2026-10-10 09:20")
    assert china.next_open(at("2026-10-03 12:00")) == at("2026-10-08 09:00")


def test_R9_an_hour_the_clock_skips_is_not_worked_and_one_it_repeats_is_worked_twice() -> None:
    night = WorkingCalendar("America/New_York", (((60, 180),),) * 7)
    new_york = ZoneInfo("America/New_York")

    def worked(day: int, month: int) -> timedelta:
        start = datetime(2024, month, day, tzinfo=new_york)
        return night.working_between(start, start.replace(hour=12))

    assert worked(10, 3) == timedelta(hours=1)
    assert worked(3, 11) == timedelta(hours=3)
    assert worked(4, 11) == timedelta(hours=2)


def test_R9_opening_time_is_open_and_closing_time_is_closed() -> None:
    assert WEEK.is_open(at("2026-07-20 09:00"))
    assert not WEEK.is_open(at("2026-07-20 08:59:59.999999"))
    assert not WEEK.is_open(at("2026-07-20 12:00"))
    assert WEEK.is_open(at("2026-07-20 11:59:59.999999"))


def test_R9_only_days_without_any_open_minute_count_as_never_open() -> None:
    # 400 working days of 7.5 hours are 80 weeks, well past the 400 days after which an empty search ends.
    due = WEEK.add_working(at("2026-07-20 09:00"), timedelta(hours=3000))
    assert due == at("2028-01-28 18:00")


def test_R9_an_always_open_calendar_counts_every_second() -> None:
    calendar = always_open()
    moment = at("2026-10-03 03:00")
    assert calendar.is_open(moment)
    assert calendar.next_open(moment) is moment
    assert calendar.add_working(moment, timedelta(days=14)) == moment + timedelta(days=14)
    assert calendar.working_between(moment, moment + timedelta(hours=5)) == timedelta(hours=5)
    off, work = china_days([2026])
    assert not replace(calendar, off_days=off, work_days=work).is_open(moment)
    shorter = WorkingCalendar(
        "UTC", calendar.weekly, work_days=frozenset({date(2026, 1, 4)}), work_day_hours=((540, 600),)
    )
    assert not shorter.is_open(datetime(2026, 1, 4, 8, tzinfo=UTC))


def test_R9_a_calendar_that_never_opens_says_so_instead_of_searching_for_ever() -> None:
    closed = WorkingCalendar("UTC", ((),) * 7)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert closed.next_open(moment) is None
    with pytest.raises(NeverOpen):
        closed.add_working(moment, timedelta(minutes=1))
    once = WorkingCalendar("UTC", ((),) * 7, work_days=frozenset({date(2026, 1, 5)}), work_day_hours=((0, 60),))
    assert once.add_working(moment, timedelta(hours=1)) == datetime(2026, 1, 5, 1, tzinfo=UTC)
    with pytest.raises(NeverOpen):
        once.add_working(moment, timedelta(minutes=61))
    for wrong in (timedelta(microseconds=-1), timedelta(days=3661)):
        with pytest.raises(ValueError, match="cannot add"):
            WEEK.add_working(moment, wrong)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        WEEK.is_open(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_R9_the_table_of_chinas_days_agrees_with_the_holidays_library(year: int) -> None:
    from holidays import country_holidays

    library = country_holidays("CN", years=[year - 1, year, year + 1])
    off, work = china_days([year])
    assert {day for day in library if day.year == year} <= off
    assert {day for day in off if day.weekday() < 5} == {
        day for day in library if day.year == year and day.weekday() < 5
    }
    assert work == {day for day in library.weekend_workdays if day.year == year}
    assert not off & work


def test_R9_years_outside_the_table_come_from_the_library() -> None:
    off, work = china_days([2023, 2027])
    assert {date(2023, 10, 6), date(2027, 10, 1)} <= off
    # 2023-10-07 and 2023-10-08 were worked for the Golden Week.
    assert {date(2023, 10, 7), date(2023, 10, 8)} <= work
    assert not {day for day in work if day.year == 2027}
    for wrong in (2000, 2101):
        with pytest.raises(ValueError, match="no public holidays"):
            china_days([wrong])


@given(calendars())
def test_a_calendar_survives_the_way_out_and_back(calendar: WorkingCalendar) -> None:
    plain = calendar.to_plain()
    if any(calendar.weekly) or (calendar.work_days and calendar.work_day_hours):
        again = from_plain(plain)
        assert again == calendar
        assert hash(again) == hash(calendar)
        assert again.to_plain() == plain
    else:
        with pytest.raises(CalendarProblem, match="no working hours"):
            from_plain(plain)


def test_a_wrong_calendar_names_every_path() -> None:
    wrong = {
        "timeZone": "Mars/Olympus",
        "weekly": {
            "monday": ["09:00-08:00", "9-10", 5],
            "funday": [],
            "tuesday": ["08:00-10:00", "09:00-11:00"],
        },
        "offDays": ["2026-02-30", "1999-12-31", date(2026, 5, 1), None],
        "workDays": ["2026-05-01"],
        "workDayHours": "09:00-10:00",
        "colour": "red",
    }
    with pytest.raises(CalendarProblem) as caught:
        from_plain(wrong, "calendars[0]")
    paths = [path for path, english, chinese in caught.value.problems if english and chinese]
    assert sorted(paths) == sorted(
        "calendars[0]." + name
        for name in (
            "timeZone",
            "weekly.monday[0]",
            "weekly.monday[1]",
            "weekly.monday[2]",
            "weekly.funday",
            "weekly.tuesday",
            "offDays[0]",
            "offDays[1]",
            "offDays[3]",
            "workDays",
            "workDayHours",
            "colour",
        )
    )


tangled = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.integers(), inner),
    max_leaves=6,
)
keys = st.sampled_from(("timeZone", "weekly", "offDays", "workDays", "workDayHours", "monday", "sunday"))


@given(tangled | st.dictionaries(keys, tangled | st.dictionaries(keys, tangled)))
def test_anything_at_all_is_read_or_refused_with_a_path(plain: object) -> None:
    try:
        calendar = from_plain(plain)
    except CalendarProblem:
        return
    assert from_plain(calendar.to_plain()) == calendar


def test_hours_out_of_order_and_days_both_off_and_worked_are_refused() -> None:
    for hours in (((600, 540),), ((0, 60), (30, 90)), ((0, 1441),), ((-1, 5),), ((5, 5),)):
        with pytest.raises(ValueError, match="hours out of order"):
            WorkingCalendar("UTC", (hours,) * 7)
    with pytest.raises(ValueError, match="seven"):
        WorkingCalendar("UTC", ())
    with pytest.raises(ValueError, match="both"):
        WorkingCalendar("UTC", WEEK.weekly, frozenset({date(2026, 1, 1)}), frozenset({date(2026, 1, 1)}))
