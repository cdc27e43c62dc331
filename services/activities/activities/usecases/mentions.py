"""People named with "@" hear of it, and may read what they are named in (F14)."""

from __future__ import annotations

from collections.abc import Sequence

from activities.storage import follow_ups as stored
from activities.wire import events
from chassis.transaction import Transaction

_SHOWN = 200


def named(tx: Transaction, source: str, people: Sequence[str], record: str, text: str) -> None:
    """The people named in something new."""
    stored.mention_all(tx, [(source, person) for person in people])
    _tell(tx, source, people, record, text)


def changed(tx: Transaction, source: str, before: Sequence[str], after: Sequence[str], record: str, text: str) -> None:
    """The people named in something that was changed: those who are new there are told."""
    if set(before) != set(after):
        stored.mention(tx, source, after)
        _tell(tx, source, [person for person in after if person not in before], record, text)


def _tell(tx: Transaction, source: str, people: Sequence[str], record: str, text: str) -> None:
    for person in dict.fromkeys(people):
        if person != tx.principal.person:
            tx.emit(events.mentioned(source, person, record, tx.principal.actor, text[:_SHOWN]))
