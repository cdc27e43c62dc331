"""What others announce, as plain values."""

from __future__ import annotations

from chassis.people import Person
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1.events_pb2 import PersonChanged


def person(event: PersonChanged) -> Person:
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    return Person(who.name, who.display_name, who.team, who.manager, who.role, active, event.version)
