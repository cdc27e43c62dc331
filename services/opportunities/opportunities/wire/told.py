"""What others announce, as plain values."""

from __future__ import annotations

from chassis.people import Person
from dealwright.customers.v1 import events_pb2 as customers_events_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events_pb2

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
