"""Reports that go out by mail: which are due, to whom, and what became of each.

A mail is a row for its schedule, its person and its span, so there is one of it. It is WAITING until its file is made;
SENDING from just before a server is asked to take it; what is found SENDING after whoever sent it has ended may have
gone out, and is never sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from chassis import mail as letters
from chassis.transaction import Transaction
from reports.domain import schedule as domain
from reports.domain.schedule import FAILED, SENDING, SENT, UNCERTAIN, WAITING, ExportSchedule, Mail
from reports.settings import company_zone
from reports.storage import alerts as staff
from reports.storage import schedules as stored

log = structlog.get_logger(__name__)
_AT_ONCE = 5
# Whoever has had one in hand for so long has ended.
_HELD = timedelta(minutes=10)
_PATIENCE = timedelta(days=1)
_KEPT = timedelta(days=400)


def plan(tx: Transaction) -> None:
    """Rows for all that get a report whose span is over."""
    now = tx.now.astimezone(company_zone())
    for one in stored.enabled(tx):
        begin, end = domain.days(domain.due(one.span, one.hour, now))
        if one.sent_until < begin:
            rows = [Mail(one.name, who, begin, end, WAITING, "", 0, tx.now, tx.now) for who in _people(tx, one)]
            stored.plan(tx, rows)
            stored.sent(tx, one.name, begin)
    stored.forget(tx, tx.now - _KEPT)


def take(tx: Transaction) -> list[tuple[Mail, ExportSchedule]]:
    """Some that are due, for whoever makes them now."""
    taken = []
    for one in stored.due(tx, tx.now, _AT_ONCE):
        schedule = stored.of_name(tx, one.schedule)
        if one.state == SENDING:
            settle(tx, one, UNCERTAIN, "its sender ended")
        elif tx.now - one.create_time > _PATIENCE:
            settle(tx, one, FAILED, one.why or "too late")
        elif schedule is None or schedule.delete_time is not None:
            settle(tx, one, FAILED, "the schedule is gone")
        else:
            held = replace(one, tries=one.tries + 1, due_time=tx.now + _HELD)
            stored.keep(tx, held, WAITING)
            taken.append((held, schedule))
    return taken


def sending(tx: Transaction, of: Mail) -> Mail | None:
    """Just before a server is asked; None where another has come first."""
    after = replace(of, state=SENDING, due_time=tx.now + _HELD)
    return after if stored.keep(tx, after, WAITING) else None


def sent(tx: Transaction, of: Mail) -> None:
    settle(tx, of, SENT, "")


def put_off(tx: Transaction, of: Mail, why: str) -> None:
    """It did not go out, and may at another time."""
    log.warning("a report waits to be mailed", schedule=of.schedule, person=of.person, why=why)
    stored.keep(tx, replace(of, state=WAITING, why=why, due_time=tx.now + letters.wait(of.tries)), of.state)


def settle(tx: Transaction, of: Mail, state: str, why: str) -> None:
    if state != SENT:
        log.error("a report was not mailed", schedule=of.schedule, person=of.person, state=state, why=why)
    stored.keep(tx, replace(of, state=state, why=why), of.state)


def _people(tx: Transaction, of: ExportSchedule) -> Sequence[str]:
    found: list[str] = []
    for who in of.people:
        found += staff.of_role(tx, who.removeprefix("roles/")) if who.startswith("roles/") else [who]
    return list(dict.fromkeys(found))
