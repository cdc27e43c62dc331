"""Shares: a colleague sees an opportunity for some days, then no longer (O34)."""

from __future__ import annotations

from datetime import timedelta

from chassis import records
from chassis.errors import Invalid, Refused
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Opportunity, Share
from opportunities.storage import readers
from opportunities.usecases import collaborating
from opportunities.usecases.kind import KIND, staff
from opportunities.wire import events

DAYS, MOST_DAYS = 7, 90
_ENDED_AT_ONCE = 200


def share(tx: Transaction, name: str, person: str, days: int) -> Share:
    """Raises Invalid for the owner himself, for who is not known or has left, for a wrong number of days."""
    if not 0 <= days <= MOST_DAYS:
        raise Invalid([("days", f"must lie from 1 to {MOST_DAYS}", f"须在 1 至 {MOST_DAYS} 之间")])
    of = records.hold(tx, KIND, name)
    if person == of.owner:
        raise Invalid([("person", "owns it", "该人员已是负责人")])
    staff(tx, [person], "person")
    made = Share(name, person, tx.principal.actor, tx.now, tx.now + timedelta(days=days or DAYS))
    readers.share(tx, made)
    tx.audit("opportunity.shared", name, {"person": person, "until": made.end_time.isoformat()})
    tx.emit(events.shared(made))
    return made


def unshare(tx: Transaction, name: str, person: str) -> Opportunity:
    """Ends whatever lets this person, or team, read it beyond his role: a share, his part as a collaborator. Raises
    NOT_SHARED."""
    of = records.hold(tx, KIND, name)
    end = readers.unshare(tx, name, person)
    shared = end is not None and end > tx.now
    collaborates = person in readers.asked(tx, name)
    if not shared and not collaborates:
        raise Refused("NOT_SHARED", "It is not shared with this person.", "未共享给该人员。")
    if shared:
        _ended(tx, name, person, expired=False)
    return collaborating.end(tx, of, [person]) if collaborates else of


def end_shares(tx: Transaction) -> bool:
    """Ends the shares whose time is over. Returns whether there may be more."""
    ended = readers.take_ended(tx, _ENDED_AT_ONCE)
    for one in ended:
        _ended(tx, one.opportunity, one.person, expired=True)
    return len(ended) == _ENDED_AT_ONCE


def _ended(tx: Transaction, name: str, person: str, expired: bool) -> None:
    tx.audit("opportunity.unshared", name, {"person": person, "expired": expired})
    tx.emit(events.share_ended(name, person, expired))
