"""What others announce, as plain values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from google.protobuf import json_format

from chassis.people import Person
from dealwright.activities.v1 import events_pb2 as activity_events_pb2
from dealwright.customers.v1 import events_pb2 as customers_events_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events_pb2
from dealwright.rules.v1 import events_pb2 as rule_events_pb2

Party = tuple[str, str, bool, int]
"""(name, customer of a contact, deleted, version)."""


def person(event: directory_events_pb2.PersonChanged) -> Person:
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    return Person(who.name, who.display_name, who.team, who.manager, who.role, active, event.version)


def customer(event: customers_events_pb2.CustomerChanged) -> Party:
    return event.customer.name, "", event.deleted, event.version


def contact(event: customers_events_pb2.ContactChanged) -> Party:
    return event.contact.name, event.contact.customer, event.deleted, event.version


def follow_up(event: activity_events_pb2.FollowUpLogged) -> tuple[str, datetime]:
    """(opportunity, when)."""
    return event.follow_up.opportunity, event.follow_up.happen_time.ToDatetime(UTC)


def direction(event: rule_events_pb2.ActionRequested) -> dict[str, Any]:
    """What the rules ask for, as the fields of a Direction. A moment that is none is none."""
    given = json_format.MessageToDict(event.parameters)
    version, since = given.get("version"), given.get("last_activity")
    return {
        "action": event.action,
        "opportunity": event.subject,
        "author": event.author,
        "version": int(version) if isinstance(version, float) else 0,
        "last_activity": datetime.fromisoformat(since) if isinstance(since, str) and since else None,
        "english": event.text_en,
        "chinese": event.text_zh,
    }
