"""What changes who may receive: people, presence, calendars, open leads. All of it goes through the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.transaction import Transaction
from dealwright.directory.v1 import events_pb2 as directory_events
from dealwright.leads.v1 import events_pb2 as lead_events
from rules import wire
from rules.domain import Entry, LoadChanged, micros
from rules.usecases import clocks
from rules.usecases.assignment import drain
from rules.usecases.journal import Journal, open_journal


def people_changed(tx: Transaction, events: Sequence[directory_events.PersonChanged]) -> None:
    """Keeps the newest version of each person, his presence included."""
    journal = open_journal(tx)
    entries: list[Entry] = []
    for event in sorted(events, key=lambda e: e.version):
        person = wire.person_changed(event, tx.now)
        known = journal.state.people.get(person.person)
        if known is None or known.version < person.version:
            entries.append(person)
        presence = wire.presence_of(event, tx.now)
        if presence is not None and _says_more(journal, presence.person, presence.version, presence.presence):
            entries.append(presence)
    _record(tx, journal, entries)


def presence_changed(tx: Transaction, events: Sequence[directory_events.PresenceChanged]) -> None:
    journal = open_journal(tx)
    presences = [wire.presence_changed(e, tx.now) for e in sorted(events, key=lambda e: e.version)]
    _record(tx, journal, [p for p in presences if _says_more(journal, p.person, p.version, p.presence)])


def _says_more(journal: Journal, person: str, version: int, presence: str) -> bool:
    """Whether this is news: a newer version that differs (nobody has said anything yet: ONLINE)."""
    known = journal.state.presence.get(person)
    if known is None:
        return presence != "ONLINE"
    return known.version < version and known.presence != presence


def calendars_changed(tx: Transaction, events: Sequence[directory_events.CalendarChanged]) -> None:
    journal = open_journal(tx)
    zone = journal.state.policy.time_zone
    _record(tx, journal, [wire.calendar_changed(e, zone, tx.now) for e in sorted(events, key=lambda e: e.version)])


def loads_changed(tx: Transaction, events: Sequence[Any]) -> None:
    """Open leads that came or went otherwise than by a decision."""
    journal = open_journal(tx)
    entries: list[Entry] = []
    at = micros(tx.now)
    for event in events:
        lead = wire.bare(event.lead)
        if isinstance(event, lead_events.LeadMoved):
            if event.how != "RULES":
                entries.append(LoadChanged(wire.bare(event.owner), 1, _came(event), at, lead))
            if event.previous_owner:
                entries.append(LoadChanged(wire.bare(event.previous_owner), -1, "MOVED_OUT", at, lead))
        elif isinstance(event, lead_events.LeadReleased):
            entries.append(LoadChanged(wire.bare(event.previous_owner), -1, "RELEASED", at, lead))
        elif event.owner:
            qualified = isinstance(event, lead_events.LeadQualified)
            entries.append(
                LoadChanged(wire.bare(event.owner), -1, "QUALIFIED" if qualified else "DISQUALIFIED", at, lead)
            )
    _record(tx, journal, entries)
    moved = [e for e in events if isinstance(e, lead_events.LeadMoved)]
    if moved:
        clocks.moved(tx, moved)
    over = [e for e in events if not isinstance(e, lead_events.LeadMoved)]
    if over:
        clocks.closed(tx, [wire.bare(e.lead) for e in over], "CLOSED")


def _came(event: lead_events.LeadMoved) -> str:
    return "CLAIMED" if event.how == "CLAIM" else "MOVED_IN"


def _record(tx: Transaction, journal: Journal, entries: Sequence[Entry]) -> None:
    """Appends, and lets waiting leads look again: somebody may be free now."""
    journal.record(list(entries))
    drain(tx, journal)
