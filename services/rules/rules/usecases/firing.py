"""The clocks of automations that run out, and the daily looks. Claimed row by row, so that each asks once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chassis.transaction import Transaction
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules import wire
from rules.domain import automation as kinds
from rules.domain import ladder
from rules.domain.asking import Occasion
from rules.domain.automation import Automation
from rules.domain.ladder import Rung
from rules.domain.watching import Watched, silence
from rules.storage import watching as stored
from rules.storage.watching import Fired, Scan
from rules.usecases.book import Desk, company_hours, facts_of

_AT_ONCE = 200


def automations_due(tx: Transaction) -> bool:
    """Fires what is due, counts anew what was counted under older rules, and looks where it is time for a daily look.
    True when there may be more."""
    desk = Desk.open(tx)
    due = stored.claim_due(tx, _AT_ONCE)
    fired = [(watched, *_fire(desk, watched)) for watched in due]
    for watched, _, rungs in fired:
        for rung in rungs:
            _ran_out(desk, watched, rung)
    stored.keep_automations_fired(tx, [_record(w, rung, tx.now) for w, _, rungs in fired for rung in rungs])
    desk.save(after for _, after, _ in fired)
    claimed = {watched.name for watched in due}
    outdated = [w for w in stored.claim_outdated(tx, desk.rules_number, _AT_ONCE) if w.name not in claimed]
    desk.save(outdated)
    more = _look(desk)
    desk.announce()
    return more or len(due) == _AT_ONCE or len(outdated) == _AT_ONCE


def _fire(desk: Desk, watched: Watched) -> tuple[Watched, list[Rung]]:
    hours, holding = company_hours(desk.state), desk.book.holding(watched)
    return ladder.fire(watched, desk.book.automations, holding, hours, desk.tx.now)


def _record(watched: Watched, rung: Rung, now: datetime) -> Fired:
    assert rung.due is not None
    return Fired(watched.name, rung.automation.id, rung.due, watched.owner, now)


def _ran_out(desk: Desk, watched: Watched, rung: Rung) -> None:
    automation, due = rung.automation, rung.due
    assert due is not None
    message = events_pb2.TimerFired(
        timer=wire.automation_timer_name(watched.name, automation.id, due),
        subject=watched.name,
        kind=rules_pb2.Timer.AUTOMATION,
        owner=wire.person_name(watched.owner),
    )
    message.due_time.FromDatetime(due)
    message.fire_time.FromDatetime(desk.tx.now)
    desk.tx.emit(message)
    desk.ask(
        automation,
        Occasion(
            subject=watched.name,
            key=f"{wire.bare(watched.name)}/{int(rung.base.timestamp() * 1_000_000)}/{rung.count}",
            facts=facts_of(watched, automation.on),
            days=ladder.days_since(watched, automation, desk.tx.now),
            version=watched.version,
            since=watched.latest,
        ),
    )


# --- the daily look ---


def _look(desk: Desk) -> bool:
    """Takes a page of each daily automation that is not through with its day. True when there may be more."""
    daily = desk.book.by_trigger[kinds.DAILY]
    if not daily:
        return False
    known, more = stored.scans_known(desk.tx), False
    for automation in daily:
        moment = _last_look(automation, desk.tx.now, desk.state.policy.time_zone)
        day = moment.date().isoformat()
        scan = known.get(automation.id)
        if scan is None:
            # New: it looks for the first time when its hour comes next.
            stored.save_scan(desk.tx, Scan(automation.id, day, done=True), new=True)
        elif scan.day < day or not scan.done:
            more |= _look_on(desk, automation, moment)
    return more


def _last_look(automation: Automation, now: datetime, zone: str) -> datetime:
    """The last moment at which it was time, on the company's clock."""
    local = now.astimezone(ZoneInfo(zone))
    moment = datetime.combine(local.date(), automation.at or time(), ZoneInfo(zone))
    if moment.astimezone(UTC) > now:
        moment = datetime.combine(local.date() - timedelta(days=1), automation.at or time(), ZoneInfo(zone))
    return moment


def _look_on(desk: Desk, automation: Automation, moment: datetime) -> bool:
    scan = stored.claim_scan(desk.tx, automation.id)
    day = moment.date().isoformat()
    if scan is None or (scan.done and scan.day >= day):
        return False
    if scan.day < day:
        scan = Scan(automation.id, day, done=False)
    until = moment.astimezone(UTC) - automation.after.length(None)
    page = stored.silent(desk.tx, until, (scan.since, scan.name), _AT_ONCE)
    for found in page:
        _seen(desk, automation, found.watched, day)
    done = len(page) < _AT_ONCE
    last = (page[-1].silent_since, page[-1].watched.name) if page and not done else (None, "")
    stored.save_scan(desk.tx, Scan(automation.id, day, done, *last))
    return not done


def _seen(desk: Desk, automation: Automation, watched: Watched, day: str) -> None:
    now = desk.tx.now
    quiet = silence(watched.touched or now, watched.turns, now) // timedelta(days=1)
    facts = {
        **facts_of(watched, kinds.DAILY),
        "daysSilent": quiet,
        "daysInStage": silence(watched.staged or now, watched.turns, now) // timedelta(days=1),
    }
    if automation.id in desk.book.conditions.holding(kinds.DAILY, facts):
        key = f"{wire.bare(watched.name)}/{day}"
        occasion = Occasion(watched.name, key, facts, days=quiet, version=watched.version, since=watched.latest)
        desk.ask(automation, occasion)
