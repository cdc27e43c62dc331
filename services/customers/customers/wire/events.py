"""What leads and directory announce, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.people import Person
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events_pb2
from dealwright.leads.v1 import events_pb2


@dataclass(frozen=True, slots=True)
class Qualified:
    """A lead that became business, with its owner and what is known of the contact."""

    lead: str
    owner: str
    full_name: str
    phone: str
    email: str
    company: str
    licence: str
    region: str
    industry: str
    channel: int
    tags: tuple[str, ...]


def qualified(event: events_pb2.LeadQualified) -> Qualified:
    known = event.contact
    return Qualified(
        lead=event.lead,
        owner=event.owner,
        full_name=known.full_name,
        phone=known.phone,
        email=known.email,
        company=known.company,
        licence=known.licence,
        region=known.region,
        industry=known.industry,
        channel=known.channel,
        tags=tuple(known.tags),
    )


def person(event: directory_events_pb2.PersonChanged) -> Person:
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    return Person(who.name, who.display_name, who.team, who.manager, who.role, active, event.version)
