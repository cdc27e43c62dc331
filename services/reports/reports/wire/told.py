"""What others tell that is kept as it is."""

from __future__ import annotations

from chassis.people import Person
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events
from reports.domain.known import Label


def person(event: directory_events.PersonChanged) -> Person:
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    return Person(who.name, who.display_name, who.team, who.manager, who.role, active, event.version)


def region(event: directory_events.PersonChanged) -> tuple[str, str, int]:
    """A person's region, with the version of what told it."""
    return event.person.name, event.person.region, event.version


def team(event: directory_events.TeamChanged) -> Label:
    return Label(event.team.name, event.team.display_name, event.version)


def parent(event: directory_events.TeamChanged) -> tuple[str, str, int]:
    """The team above a team, with the version of what told it."""
    return event.team.name, event.team.parent, event.version


def role(event: directory_events.RoleChanged) -> Label:
    return Label(event.role.name, event.role.display_name or event.role.name, event.version)
