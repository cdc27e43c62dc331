"""What rules and directory announce, as plain values."""

from __future__ import annotations

from datetime import datetime

from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events_pb2
from dealwright.rules.v1 import events_pb2, rules_pb2
from leads.domain.ownership import Decided
from leads.wire.times import moment


def decided(event: events_pb2.LeadAssignmentDecided) -> Decided:
    return Decided(
        lead=event.lead,
        owner=event.owner,
        owner_version=event.owner_version,
        decision=event.decision,
        reason=event.reason,
        urgent=event.urgent,
        tags=list(event.add_tags),
        respond_by=moment(event.respond_by) if event.HasField("respond_by") else None,
        step=event.step,
    )


def clock(event: events_pb2.TimerSet) -> tuple[str, int, datetime | None] | None:
    """(lead, owner version, respond by) of a first-response clock; None for another kind of clock."""
    if event.kind != rules_pb2.Timer.FIRST_RESPONSE:
        return None
    return event.subject, event.owner_version, moment(event.due_time)


def timer(event: events_pb2.ActionRequested) -> str:
    """The kind of the clock that led to it; empty where none did."""
    # Looking for a key in a Struct's map would put it there.
    known = event.parameters.fields
    return known["timer"].string_value if "timer" in known else ""


Person = tuple[str, str, str, str, str, bool, int, int | None, int | None]
"""(name, display name, team, manager, role, active, version, open leads at most, leads a day at most)."""


def person(event: directory_events_pb2.PersonChanged) -> Person:
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    most, daily = (getattr(who.capacity, name) if who.capacity.HasField(name) else None for name in ("open", "per_day"))
    return who.name, who.display_name, who.team, who.manager, who.role, active, event.version, most, daily


def presence(
    event: directory_events_pb2.PersonChanged | directory_events_pb2.PresenceChanged,
) -> tuple[str, int, int] | None:
    """(person, presence, version); None where the event says nothing of it."""
    if isinstance(event, directory_events_pb2.PresenceChanged):
        return event.person, event.presence, event.version
    return (event.person.name, event.person.presence, event.version) if event.person.presence else None
