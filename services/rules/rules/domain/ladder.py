"""The clocks of what is watched: one ladder of automations on the same moments, each rung due after its own span."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.calendar import WorkingCalendar
from rules.domain import automation as kinds
from rules.domain import watching
from rules.domain.automation import Automation
from rules.domain.watching import Watched, due, silence

_OF_KIND: Mapping[str, str] = {
    kinds.STAGE_CHANGED: "opportunities",
    kinds.OPPORTUNITY_OPENED: "opportunities",
    kinds.OPPORTUNITY_SILENT: "opportunities",
    kinds.CUSTOMER_SILENT: "customers",
    kinds.TASK_OPENED: "tasks",
    kinds.TASK_OVERDUE: "tasks",
}
_MOST_SKIPPED = 100_000


@dataclass(frozen=True, slots=True)
class Rung:
    """An automation that waits for this moment: for the `count`th time, from 0, counted from `base`. None: it stands
    still while the opportunity is on hold."""

    automation: Automation
    base: datetime
    count: int
    due: datetime | None


def base_of(automation: Automation, watched: Watched) -> datetime | None:
    """The moment from which an automation counts; None where it does not wait for anything here."""
    on, kind = automation.on, _OF_KIND.get(automation.on)
    if kind is not None and kind != watched.kind:
        return None
    if kind == "tasks" and not watching.starts(watched.facts, automation):
        return None
    if on == kinds.REVISIT_DUE:
        return watched.follow_up.due if watched.follow_up is not None else None
    if on == kinds.TASK_OVERDUE:
        return datetime.fromisoformat(due_time) if (due_time := watched.facts.get("dueTime")) else None
    if not automation.after:
        return None  # at once: it never waits
    if on == kinds.FOLLOW_UP_LOGGED:
        return watched.follow_up.at if watched.follow_up is not None else None
    if on in kinds.SILENT:
        return watched.touched
    if on == kinds.STAGE_CHANGED:
        return watched.staged
    return watched.opened if on in (kinds.OPPORTUNITY_OPENED, kinds.TASK_OPENED) else None


def stopped(watched: Watched) -> bool:
    """Closed or deleted: nothing waits any more. What we know no state of (a lead, a contact) is never closed."""
    return not watched.runs and (watched.version > 0 or watched.kind in ("opportunities", "customers", "tasks"))


def rungs(
    watched: Watched, automations: Iterable[Automation], holding: Container[str], hours: WorkingCalendar | None
) -> list[Rung]:
    """The rungs that wait, the next first. `holding`: ids of the automations whose condition holds."""
    if stopped(watched):
        return []
    found: list[Rung] = []
    for automation in automations:
        base = base_of(automation, watched)
        if base is None or not automation.enabled or automation.id not in holding:
            continue
        before = watched.fired.get(automation.id)
        count = before[1] if before is not None and before[0] == base else 0
        if count and not automation.repeat:
            continue
        found.append(Rung(automation, base, count, _due(watched, automation, base, count, hours)))
    return sorted(found, key=lambda rung: (rung.due is None, rung.due or rung.base, rung.automation.id))


def _due(
    watched: Watched, automation: Automation, base: datetime, count: int, hours: WorkingCalendar | None
) -> datetime | None:
    used = hours if automation.working else None
    # A day that was agreed on does not move with a hold, but nobody is reminded of it meanwhile.
    turns = () if automation.on == kinds.REVISIT_DUE else watched.turns
    if watched.held:
        return None
    return due(base, automation.waits(count).length(used), turns, used)


def next_due(found: Iterable[Rung]) -> datetime | None:
    return min((rung.due for rung in found if rung.due is not None), default=None)


def fire(
    watched: Watched,
    automations: Iterable[Automation],
    holding: Container[str],
    hours: WorkingCalendar | None,
    now: datetime,
) -> tuple[Watched, list[Rung]]:
    """What has run out, the earliest first. One that was due several times meanwhile asks once."""
    known = {automation.id: automation for automation in automations}
    fired = [r for r in rungs(watched, known.values(), holding, hours) if r.due is not None and r.due <= now]
    marks = {id: mark for id, mark in watched.fired.items() if (a := known.get(id)) and base_of(a, watched) == mark[0]}
    for rung in fired:
        marks[rung.automation.id] = (rung.base, _count_after(watched, rung, hours, now))
    return (replace(watched, fired=marks) if marks != watched.fired else watched), fired


def _count_after(watched: Watched, rung: Rung, hours: WorkingCalendar | None, now: datetime) -> int:
    """How often it has asked by now, this time included: the first count that is not due yet."""

    def over(count: int) -> bool:
        at = _due(watched, rung.automation, rung.base, count, hours)
        return at is not None and at <= now

    if not rung.automation.repeat:
        return rung.count + 1
    step = 1
    while over(rung.count + step) and step < _MOST_SKIPPED:
        step *= 2
    counts = range(rung.count, rung.count + step + 1)
    return counts[min(bisect_left(counts, True, key=lambda count: not over(count)), step)]


def days_since(watched: Watched, automation: Automation, now: datetime) -> int:
    """Whole days that have passed since what the automation counts from, holds left out."""
    base = base_of(automation, watched) or watched.touched
    turns = () if automation.on == kinds.REVISIT_DUE else watched.turns
    return silence(base, turns, now) // timedelta(days=1) if base is not None else 0


def silent_since(watched: Watched, now: datetime) -> datetime | None:
    """Of an opportunity whose clocks run: the moment since which it would be silent, had it never been on hold."""
    if watched.kind != "opportunities" or stopped(watched) or watched.held or watched.touched is None:
        return None
    return now - silence(watched.touched, watched.turns, now)
