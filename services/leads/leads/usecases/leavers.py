"""What somebody who left the company has not finished waits for a manager's word (C16), in whatever order we hear that
he left and that he was given it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chassis.people import left
from chassis.transaction import Transaction
from leads.domain.lead import AT_WORK, Lead
from leads.storage import leads as stored
from leads.storage import people
from leads.storage.tables import people as people_table
from leads.wire import events

# For so long after he left, what he was given in so long is looked at again and again: hours of a bus that was down,
# and transactions that nobody saw yet.
_LEFT_SINCE, _GIVEN_SINCE = timedelta(days=1), timedelta(minutes=10)


def leave(tx: Transaction, names: Sequence[str]) -> None:
    """These people left just now."""
    if names:
        people.save_leaving(tx, names)
        _wait(tx, stored.in_hand(tx, names))


def list_given(tx: Transaction) -> bool:
    """Whoever decided had not heard that he left. Nobody asks on the hot path; the same told twice is told once."""
    recent = people.leavers(tx, tx.now - _LEFT_SINCE)
    _wait(tx, stored.in_hand(tx, recent, tx.now - _GIVEN_SINCE))
    return False


def _wait(tx: Transaction, leads: Sequence[Lead]) -> None:
    for lead in leads:
        tx.emit(events.left_behind(lead, lead.owner))


def move(tx: Transaction, moved: Sequence[tuple[Lead, Lead]]) -> None:
    """Leads that were somebody's, as read and as they are now: who left waits no longer for a word about his; whoever
    has it now and left, too, does."""
    had = [(lead, now) for lead, now in moved if lead.owner and lead.status in AT_WORK]
    if not had:
        return  # a first assignment: no statement is even made
    gone = left(tx, people_table, [owner for lead, now in had for owner in (lead.owner, now.owner) if owner])
    for lead, now in had if gone else ():
        if now.owner in gone and now.status in AT_WORK:
            tx.emit(events.left_behind(now, now.owner))
        elif lead.owner in gone:
            tx.emit(events.left_behind(now, lead.owner, settled=True))


def close(tx: Transaction, lead: Lead) -> None:
    """What is closed waits for nobody any more; its owner's version is as it was."""
    if lead.owner and left(tx, people_table, [lead.owner]):
        tx.emit(events.left_behind(replace(lead, owner_version=lead.owner_version + 1), lead.owner, settled=True))
