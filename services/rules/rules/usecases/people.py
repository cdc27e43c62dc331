"""What changes who may receive: people, presence, calendars. All of it goes through the journal."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.transaction import Transaction
from dealwright.directory.v1 import events_pb2 as directory_events
from rules import wire
from rules.domain.entries import CalendarChanged, Entry, PresenceChanged
from rules.domain.state import State
from rules.usecases.assignment import drain
from rules.usecases.journal import Journal, open_journal


def people_changed(tx: Transaction, events: Sequence[directory_events.PersonChanged]) -> None:
    """Keeps the newest version of each person, his presence included."""
    journal = open_journal(tx)
    entries: list[Entry] = []
    people, presences = dict(journal.state.people), dict(journal.state.presence)
    for event in sorted(events, key=lambda e: e.version):
        person = wire.person_changed(event, journal.now)
        known = people.get(person.person)
        if known is not None and known.version >= person.version:
            continue
        said = presences.get(person.person)
        presence = wire.presence_of(event, journal.now)
        # Both are of one version; what is journalled of the person outdates any older word on his presence.
        if presence is not None and (said is None or said.version < person.version):
            if presence.presence != (said.presence if said else "ONLINE"):
                entries.append(presence)
            presences[person.person] = presence
        people[person.person] = person
        entries.append(person)
    _record(tx, journal, entries)


def presence_changed(tx: Transaction, events: Sequence[directory_events.PresenceChanged]) -> None:
    """Keeps the newest word on each person's presence, whichever event it came with."""
    journal = open_journal(tx)
    newest: dict[str, PresenceChanged] = {}
    for event in sorted(events, key=lambda e: e.version):
        presence = wire.presence_changed(event, journal.now)
        newest[presence.person] = presence
    _record(tx, journal, [p for p in newest.values() if p.version > _heard(journal.state, p.person)])


def _heard(state: State, person: str) -> int:
    """The version of the newest word on a person's presence. A person's whole state holds it too."""
    known, said = state.people.get(person), state.presence.get(person)
    return max(known.version if known else 0, said.version if said else 0)


def calendars_changed(tx: Transaction, events: Sequence[directory_events.CalendarChanged]) -> None:
    """Keeps the newest version of each calendar."""
    journal = open_journal(tx)
    zone = journal.state.policy.time_zone
    newest: dict[str, CalendarChanged] = {}
    for event in sorted(events, key=lambda e: e.version):
        calendar = wire.calendar_changed(event, zone, journal.now)
        newest[calendar.calendar] = calendar
    known = journal.state.calendars
    _record(
        tx, journal, [c for c in newest.values() if c.calendar not in known or known[c.calendar].version < c.version]
    )


def _record(tx: Transaction, journal: Journal, entries: Sequence[Entry]) -> None:
    """Appends, and lets waiting leads look again: somebody may be free now."""
    if entries:
        journal.record(entries)
        drain(tx, journal)
        journal.close()
