"""What automations' clocks run for: an opportunity, a customer, another record with a follow-up. What facts in any
order come to.

A state of a higher version replaces one of a lower; moments of activity and of holds are kept by when they were, not by
when we heard of them. So the outcome is the same in whatever order facts arrive, and how often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chassis.calendar import NeverOpen, WorkingCalendar
from rules.domain.automation import TASK_OPENED, Automation

_MOST_TURNS = 64

Turns = tuple[tuple[datetime, bool], ...]
"""(when, whether it was put on hold then; else it went on), by time."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The latest follow-up of a record. `due`: when to come back, None if nobody said. `facts`: outcome, channel and,
    of whom to remind, owner and team."""

    name: str
    version: int
    at: datetime
    due: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watched:
    """`version` is the state's, 0 while only moments are known. `owner` is an id without its collection. `facts` are
    what conditions and texts see. `runs`: it is open, on hold or not. `opened`, `staged`, `touched`: when it was
    opened, came into its stage, and when anything last happened. `fired`: automation -> (what it was counted from, how
    often it asked since)."""

    name: str
    version: int = 0
    owner: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    runs: bool = False
    opened: datetime | None = None
    staged: datetime | None = None
    touched: datetime | None = None
    turns: Turns = ()
    follow_up: FollowUp | None = None
    fired: Mapping[str, tuple[datetime, int]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]

    @property
    def latest(self) -> datetime | None:
        """The last thing that we know to have happened to it, holds as well."""
        known = [at for at in (self.touched, self.turns[-1][0] if self.turns else None) if at is not None]
        return max(known, default=None)

    @property
    def held(self) -> bool:
        return bool(self.turns) and self.turns[-1][1]


def told(
    known: Watched,
    version: int,
    owner: str,
    facts: Mapping[str, Any],
    runs: bool,
    opened: datetime,
    staged: datetime,
) -> Watched:
    """A state of it, whole. `staged` counts where nothing better is known: a move tells it exactly."""
    if version <= known.version:
        return known
    return replace(
        known,
        version=version,
        owner=owner,
        facts=dict(facts),
        runs=runs,
        opened=opened,
        staged=known.staged or staged,
        touched=known.touched or max(opened, staged),
    )


def starts(task: Mapping[str, Any], automation: Automation) -> bool:
    """Whether a task may start an automation: not the one that asked for it, and that it is there starts none where any
    did, or they would ask one another without end."""
    asked_by = task.get("automation", "")
    return not asked_by or (automation.on != TASK_OPENED and asked_by != automation.id)


def with_facts(known: Watched, more: Mapping[str, Any]) -> Watched:
    return replace(known, facts={**known.facts, **more})


def moved(known: Watched, at: datetime) -> Watched:
    """It came into another stage, or was opened again: something happened, and its stage begins."""
    staged = at if known.staged is None else max(known.staged, at)
    return touched(replace(known, staged=staged), at)


def touched(known: Watched, at: datetime) -> Watched:
    """Something happened to it at this moment, which may be long ago."""
    return known if known.touched is not None and known.touched >= at else replace(known, touched=at)


def turned(known: Watched, at: datetime, held: bool) -> Watched:
    """It was put on hold, or went on."""
    turns = tuple(sorted({*known.turns, (at, held)}))[-_MOST_TURNS:]
    return known if turns == known.turns else replace(known, turns=turns)


def followed_up(known: Watched, follow_up: FollowUp) -> Watched:
    """The latest follow-up of this record, in its newest version."""
    before = known.follow_up
    if before is not None and before.name != follow_up.name:
        newer = (follow_up.at, follow_up.name) > (before.at, before.name)
    else:
        newer = before is None or follow_up.version > before.version
    return replace(known, follow_up=follow_up) if newer else known


def withdrawn(known: Watched, follow_up: str) -> Watched:
    """This follow-up was deleted: nobody is reminded of it."""
    same = known.follow_up is not None and known.follow_up.name == follow_up
    return replace(known, follow_up=None) if same else known


def pauses(turns: Turns) -> list[tuple[datetime, datetime | None]]:
    """The times on hold; the last one may have no end yet."""
    found: list[tuple[datetime, datetime | None]] = []
    for at, held in turns:
        open_ = bool(found) and found[-1][1] is None
        if held and not open_:
            found.append((at, None))
        elif not held and open_:
            found[-1] = (found[-1][0], at)
    return found


def due(base: datetime, wait: timedelta, turns: Turns, hours: WorkingCalendar | None) -> datetime | None:
    """The moment by which so much time has passed since `base`, holds left out; in working time of `hours` unless None.
    None while it stands still."""
    at, left = base, wait
    for start, end in pauses(turns):
        if end is not None and end <= at:
            continue
        run = max(timedelta(0), _between(at, start, hours))
        if left <= run and start > at:
            break
        left -= run
        if end is None:
            return None
        at = end
    return _after(at, left, hours)


def silence(base: datetime, turns: Turns, now: datetime) -> timedelta:
    """How long it is since `base`, holds left out."""
    total = max(timedelta(0), now - base)
    for start, end in pauses(turns):
        lost = min(end or now, now) - max(start, base)
        total -= max(timedelta(0), lost)
    return total


def _between(earlier: datetime, later: datetime, hours: WorkingCalendar | None) -> timedelta:
    return later - earlier if hours is None else hours.working_between(earlier, later)


def _after(at: datetime, wait: timedelta, hours: WorkingCalendar | None) -> datetime:
    if hours is None:
        return at + wait
    try:
        return hours.add_working(at, wait)
    except (NeverOpen, ValueError):  # hours that never come again are no reason to wait for ever
        return at + wait
