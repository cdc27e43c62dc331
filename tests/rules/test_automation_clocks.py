"""The clocks of automations as plain functions: holds, working time, repeats, facts in any order."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from chassis.calendar import WorkingCalendar, always_open, from_plain
from rules.domain import ladder, watching
from rules.domain.automation import Automation, Span, working_day
from rules.domain.ladder import rungs
from rules.domain.watching import FollowUp, Watched, due, pauses, silence

START = datetime(2026, 11, 23, 1, tzinfo=UTC)
"""Monday, 9 in the morning in Shanghai."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OFFICE = from_plain(
    {
        "weekly": {
            day: ["09:00-12:00", "13:00-18:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
        }
    }
)
minutes = st.integers(0, 60 * 24 * 40).map(lambda n: START + timedelta(minutes=n))
calendars: st.SearchStrategy[WorkingCalendar | None] = st.sampled_from([None, OFFICE, always_open()])


@st.composite
def turns(draw: st.DrawFn, ended: bool = False) -> watching.Turns:
    moments = sorted(draw(st.sets(minutes, max_size=8)))
    if ended and len(moments) % 2:
        moments.pop()
    return tuple((at, number % 2 == 0) for number, at in enumerate(moments))


def open_time(base: datetime, until: datetime, held: watching.Turns, hours: WorkingCalendar | None) -> timedelta:
    """What has passed of the calendar's time, minute by minute: slow, and plain to see."""
    found, step = timedelta(), timedelta(minutes=30)
    at = base
    while at < until:
        on_hold = any(start <= at and (end is None or at < end) for start, end in pauses(held))
        if not on_hold and (hours is None or hours.is_open(at)):
            found += step
        at += step
    return found


halves = st.integers(0, 2 * 24 * 20).map(lambda n: START + timedelta(minutes=30 * n))


@given(halves, st.integers(1, 2 * 24 * 5), st.lists(halves, max_size=6, unique=True), calendars)
def test_V1_a_clock_is_due_when_so_much_open_time_without_holds_has_passed(
    base: datetime, wait: int, moments: list[datetime], hours: WorkingCalendar | None
) -> None:
    moments = sorted(moments)[: len(moments) // 2 * 2]
    held = tuple((at, number % 2 == 0) for number, at in enumerate(moments))
    span = timedelta(minutes=30 * wait)
    moment = due(base, span, held, hours)
    assert moment is not None
    assert open_time(base, moment, held, hours) == span
    assert open_time(base, moment - timedelta(minutes=30), held, hours) < span


@given(minutes, st.integers(1, 90), turns(), calendars)
def test_V1_while_it_is_on_hold_nothing_is_due_that_was_not_before(
    base: datetime, days: int, held: watching.Turns, hours: WorkingCalendar | None
) -> None:
    moment = due(base, days * DAY, held, hours)
    open_ = [start for start, end in pauses(held) if end is None]
    if moment is None:
        assert open_
    elif open_:
        assert moment <= open_[0] or base > open_[0] or moment <= base
    for start, end in pauses(held):
        assert moment is None or not start < moment <= (end or start)


@given(minutes, turns(), minutes)
def test_silence_is_never_below_zero_nor_more_than_the_time_that_has_passed(
    base: datetime, held: watching.Turns, now: datetime
) -> None:
    assert timedelta(0) <= silence(base, held, now) <= max(timedelta(0), now - base)


def test_working_days_are_as_long_as_the_company_works() -> None:
    assert working_day(OFFICE) == 8 * HOUR
    week = Span(days=5).length(OFFICE)
    friday_evening = START + 4 * DAY + 9 * HOUR
    assert due(START, week, (), OFFICE) == friday_evening
    assert due(START, Span(days=5, hours=1).length(OFFICE), (), OFFICE) == START + 7 * DAY + HOUR
    assert Span(days=2).length(always_open()) == Span(days=2).length(None) == 2 * DAY
    never = from_plain(
        {"weekly": {"monday": ["09:00-10:00"]}, "offDays": [(START + w * 7 * DAY).date() for w in range(70)]}
    )
    assert due(START, DAY, (), never) == START + DAY, "hours that never come again are no reason to wait for ever"


def automation(id: str, on: str, days: int, repeat: int = 0, **more: Any) -> Automation:
    return Automation(id, on, after=Span(days), repeat=Span(repeat), **more)


EVERY = [
    automation("warn", "OPPORTUNITY_SILENT", 7, 7),
    automation("tell", "OPPORTUNITY_SILENT", 14),
    automation("lose", "OPPORTUNITY_SILENT", 90, 1),
    automation("stuck", "STAGE_CHANGED", 30),
    automation("new", "OPPORTUNITY_OPENED", 3),
    automation("answer", "FOLLOW_UP_LOGGED", 2),
    Automation("visit", "REVISIT_DUE"),
    automation("tier", "CUSTOMER_SILENT", 14, 14),
    Automation("daily", "DAILY", at=time(9), after=Span(7)),
    automation("off", "OPPORTUNITY_SILENT", 1, enabled=False),
]
ALL_HOLD = {one.id for one in EVERY}
NAME = "opportunities/" + "1" * 32


def a_deal(**fields: Any) -> Watched:
    told = watching.told(Watched(NAME), 1, "li", {}, True, START, START)
    for key, value in fields.items():
        told = getattr(watching, key)(told, *value)
    return told


def names(watched: Watched, moment: datetime) -> list[str]:
    return [r.automation.id for r in ladder.fire(watched, EVERY, ALL_HOLD, None, moment)[1]]


@given(st.lists(st.integers(1, 60 * 24 * 30), min_size=1, max_size=30))
def test_R5_however_often_one_looks_each_rung_asks_once_for_each_of_its_times(steps: list[int]) -> None:
    watched, now = a_deal(), START
    asked: list[tuple[str, int]] = []
    for step in steps:
        now += timedelta(minutes=step)
        watched, fired = ladder.fire(watched, EVERY, ALL_HOLD, None, now)
        for rung in fired:
            assert rung.due is not None
            assert rung.due <= now, "never early"
            asked.append((rung.automation.id, rung.count))
        next_ = ladder.next_due(rungs(watched, EVERY, ALL_HOLD, None))
        assert next_ is None or next_ > now, "what is due has asked"
    assert len(asked) == len(set(asked))
    passed = (now - START) // DAY
    once = {id for id, days in (("tell", 14), ("stuck", 30), ("new", 3)) if passed >= days}
    assert {id for id, _ in asked if id not in ("warn", "lose")} == once
    assert (("warn", 0) in asked) is (passed >= 7)


def test_what_was_due_several_times_meanwhile_asks_once_and_goes_on_by_its_own_steps() -> None:
    watched, fired = ladder.fire(a_deal(), EVERY[:1], ALL_HOLD, None, START + 30 * DAY)
    assert [(r.automation.id, r.count) for r in fired] == [("warn", 0)]
    (next_,) = rungs(watched, EVERY[:1], ALL_HOLD, None)
    assert (next_.count, next_.due) == (4, START + 35 * DAY)


def test_a_rung_is_not_early_by_a_microsecond() -> None:
    assert names(a_deal(), START + 7 * DAY - timedelta(microseconds=1)) == ["new"]
    assert names(a_deal(), START + 7 * DAY) == ["new", "warn"]


def test_a_condition_that_begins_to_hold_late_asks_at_once_and_one_that_does_not_never() -> None:
    watched = a_deal()
    assert ladder.fire(watched, EVERY, set(), None, START + 99 * DAY)[1] == []
    assert [r.automation.id for r in ladder.fire(watched, EVERY, {"tell"}, None, START + 20 * DAY)[1]] == ["tell"]


def test_an_automation_that_is_switched_off_and_on_does_not_ask_again() -> None:
    tell = EVERY[1]
    off = Automation(tell.id, tell.on, after=tell.after, enabled=False)
    watched, _ = ladder.fire(a_deal(), [tell], ALL_HOLD, None, START + 14 * DAY)
    watched, _ = ladder.fire(watched, [off], ALL_HOLD, None, START + 15 * DAY)
    assert ladder.fire(watched, [tell], ALL_HOLD, None, START + 16 * DAY)[1] == []


def test_F7_a_day_that_was_agreed_on_does_not_move_with_a_hold_but_waits_for_its_end() -> None:
    visit = FollowUp("followUps/1", 1, START, START + 3 * DAY)
    deal = a_deal(followed_up=(visit,), turned=(START + DAY, True))
    assert names(deal, START + 9 * DAY) == []
    gone_on = watching.turned(deal, START + 2 * DAY, False)
    assert "visit" in names(gone_on, START + 3 * DAY)
    assert "visit" not in names(gone_on, START + 3 * DAY - HOUR)


# Facts in any order.

follow_ups = st.builds(
    FollowUp,
    st.sampled_from(["followUps/a", "followUps/b"]),
    st.integers(1, 3),
    minutes,
    st.none() | minutes,
)
facts = st.one_of(
    st.tuples(st.just("touched"), st.tuples(minutes)),
    st.tuples(st.just("moved"), st.tuples(minutes)),
    st.tuples(st.just("turned"), st.tuples(minutes, st.booleans())),
)


@given(st.lists(facts, max_size=5), st.randoms(use_true_random=False))
@example([("turned", (START, True)), ("turned", (START + DAY, False)), ("moved", (START + HOUR,))], None)
def test_V2_moments_come_to_the_same_in_whatever_order_and_however_often_they_are_told(
    told: list[tuple[str, Any]], random: Any
) -> None:
    def after(order: list[tuple[str, Any]]) -> Watched:
        watched = watching.told(Watched(NAME), 1, "li", {}, True, START - DAY, START - DAY)
        for how, args in order:
            watched = getattr(watching, how)(watched, *args)
        return watched

    first = after(told)
    for order in itertools.islice(itertools.permutations(told), 24):
        assert after([*order, *order]) == first


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=6, unique_by=lambda s: s[0]))
def test_the_newest_state_wins_whatever_comes_when(states: list[tuple[int, bool]]) -> None:
    watched = Watched(NAME)
    for version, runs in states:
        watched = watching.told(watched, version, f"o{version}", {"v": version}, runs, START, START)
    if states:
        newest = max(states)
        assert (watched.version, watched.runs, watched.owner) == (*newest, f"o{newest[0]}")


@given(st.lists(follow_ups, max_size=5, unique_by=lambda f: (f.name, f.version)))
def test_the_newest_version_of_a_follow_up_is_the_one_that_reminds(told: list[FollowUp]) -> None:
    told = [f for f in told if f.name == "followUps/a"]
    watched = Watched(NAME)
    for one in told:
        watched = watching.followed_up(watched, one)
    assert watched.follow_up == max(told, key=lambda f: f.version, default=None)
    assert watching.withdrawn(watched, "followUps/a").follow_up is None
    assert watching.withdrawn(watched, "followUps/b") == watched
