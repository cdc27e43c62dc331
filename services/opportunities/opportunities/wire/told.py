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
from opportunities.domain.opportunity import Party, Welcomed


def person(event: directory_events_pb2.PersonChanged) -> Person:
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    return Person(who.name, who.display_name, who.team, who.manager, who.role, active, event.version)


def customer(event: customers_events_pb2.CustomerChanged) -> Party:
    of = event.customer
    return Party(of.name, of.merged_into, event.deleted, event.version, of.owner, of.team, of.shared_with_team)


def contact(event: customers_events_pb2.ContactChanged) -> Party:
    return Party(event.contact.name, event.contact.customer, event.deleted, event.version)


def follow_up(event: activity_events_pb2.FollowUpLogged) -> tuple[str, datetime]:
    """(opportunity, when)."""
    return event.follow_up.opportunity, event.follow_up.happen_time.ToDatetime(UTC)


def welcomed(event: customers_events_pb2.LeadWelcomed) -> Welcomed:
    return Welcomed(
        lead=event.lead,
        owner=event.owner,
        wanted=event.opportunity,
        title=(event.customer_display_name or event.contact_full_name)[:200],
        customer=event.customer,
        contact=event.contact,
        phone=event.phone,
        email=event.email,
        source=event.source,
        industry=event.industry,
        need=event.need,
    )


def direction(event: rule_events_pb2.ActionRequested) -> dict[str, Any]:
    """What the rules ask for, as the fields of a Direction. A moment that is none is none."""
    given = json_format.MessageToDict(event.parameters)
    version, since = given.get("version"), given.get("last_activity")
    return {
        "action": event.action,
        "opportunity": event.subject,
        "author": event.author,
        "automation": event.automation,
        "version": int(version) if isinstance(version, float) else 0,
        "last_activity": datetime.fromisoformat(since) if isinstance(since, str) and since else None,
        "english": event.text_en,
        "chinese": event.text_zh,
    }
