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
    )


def clock(event: events_pb2.TimerSet) -> tuple[str, int, datetime | None] | None:
    """(lead, owner version, respond by) of a first-response clock; None for another kind of clock."""
    if event.kind != rules_pb2.Timer.FIRST_RESPONSE:
        return None
    return event.subject, event.owner_version, moment(event.due_time)


def person(event: directory_events_pb2.PersonChanged) -> tuple[str, str, str, str, str, bool, int]:
    """(name, display name, team, manager, role, active, version)."""
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    return who.name, who.display_name, who.team, who.manager, who.role, active, event.version
