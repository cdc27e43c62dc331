"""Leads that wait for an owner, announced once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chassis.transaction import Transaction
from leads.domain.lead import Lead
from leads.storage import leads as stored
from leads.storage import settings
from leads.wire import events
from leads.wire.events import LeadCaptured


def announce_again(tx: Transaction, most: int = 256) -> bool:
    """Announces leads that have waited long for a decision once more, so that even a lost broker loses none.

    The rules answer a repeat as they answered first. Returns whether there may be more.
    """
    wait = timedelta(seconds=settings.load(tx)[0].announce_again_seconds)
    waiting = stored.waiting_since(tx, tx.now - wait, most)
    stored.save_standing(tx, [replace(lead, status_time=tx.now) for lead in waiting])
    tx.emit_all(repeated(tx, waiting))
    return len(waiting) == most


def repeated(tx: Transaction, leads: Sequence[Lead]) -> list[LeadCaptured]:
    """The announcements of undecided leads, once more, as they are now."""
    return [
        events.captured(lead, "RETURNED" if lead.owners else "", previous, excluded)
        for lead, (previous, excluded) in zip(leads, previous(tx, leads), strict=True)
    ]


def previous(tx: Transaction, leads: Sequence[Lead]) -> list[tuple[str, list[str]]]:
    """For each lead that comes back who had it and may keep it, and who must not have it.

    Whoever gave it back, or let it lie until it was reclaimed, waits for the cool-down to claim it, so it does not come
    to them by itself either.
    """
    unowned = [lead.name for lead in leads if lead.owners and not lead.owner]
    cooling: set[str] = set()
    if unowned:
        cooling = stored.released_since(tx, unowned, tx.now - timedelta(hours=settings.recent(tx).cool_down_hours))
    last = [lead.owner or (lead.owners[-1] if lead.owners else "") for lead in leads]
    return [("", [owner]) if lead.name in cooling else (owner, []) for lead, owner in zip(leads, last, strict=True)]
