"""Packs plain values into messages: answers and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dealwright.directory.v1 import directory_pb2 as pb
from dealwright.directory.v1 import events_pb2
from directory.domain.hours import Calendar
from directory.domain.people import Person
from directory.domain.rights import Grant, Role
from directory.domain.teams import Team


def person(value: Person) -> pb.Person:
    packed = pb.Person(
        name=value.name,
        display_name=value.display_name,
        login=value.login,
        role=value.role,
        team=value.team,
        manager=value.manager,
        region=value.region,
        skills=value.skills,
        industries=value.industries,
        seniority=value.seniority,
        weight=value.weight,
        presence=pb.Person.Presence.Value(value.presence),
        state=pb.Person.State.Value(value.state),
        calendar=value.calendar,
        email=value.email,
        etag=value.etag,
    )
    if value.open_limit is not None:
        packed.capacity.open = value.open_limit
    if value.day_limit is not None:
        packed.capacity.per_day = value.day_limit
    if value.latitude is not None and value.longitude is not None:
        packed.location.latitude, packed.location.longitude = value.latitude, value.longitude
    packed.create_time.FromDatetime(value.created_at)
    packed.update_time.FromDatetime(value.updated_at)
    return packed


def person_changed(value: Person, manager: str = "") -> events_pb2.PersonChanged:
    """`manager`: the team's, for one who has none of his own."""
    event = events_pb2.PersonChanged(person=person(value), version=value.version)
    event.person.manager = value.manager or manager
    return event


def presence_changed(value: Person) -> events_pb2.PresenceChanged:
    return events_pb2.PresenceChanged(
        person=value.name, presence=pb.Person.Presence.Value(value.presence), version=value.version
    )


def person_left(name: str, manager: str) -> events_pb2.PersonLeft:
    return events_pb2.PersonLeft(person=name, manager=manager)


def sessions_ended(person: str) -> events_pb2.SessionsEnded:
    return events_pb2.SessionsEnded(person=person)


def team(value: Team) -> pb.Team:
    packed = pb.Team(
        name=value.name,
        display_name=value.display_name,
        parent=value.parent,
        manager=value.manager,
        etag=value.etag,
    )
    if value.delete_time is not None:
        packed.delete_time.FromDatetime(value.delete_time)
    return packed


def team_changed(value: Team) -> events_pb2.TeamChanged:
    deleted = value.delete_time is not None
    return events_pb2.TeamChanged(team=team(value), version=value.version, deleted=deleted)


def grant(value: Grant) -> pb.Grant:
    return pb.Grant(
        resource=value.resource,
        read=value.read,  # type: ignore[arg-type]
        write=value.write,  # type: ignore[arg-type]
        delete=value.delete,  # type: ignore[arg-type]
        export=value.export,  # type: ignore[arg-type]
        hidden_fields=value.hidden,
        read_only_fields=value.read_only,
    )


def role(value: Role) -> pb.Role:
    return pb.Role(
        name=value.name,
        display_name=value.display_name,
        grants=[grant(g) for g in value.grants],
        etag=value.etag,
    )


def role_changed(value: Role) -> events_pb2.RoleChanged:
    return events_pb2.RoleChanged(role=role(value), version=value.version)


def calendar(value: Calendar) -> pb.Calendar:
    packed = pb.Calendar(
        name=value.name,
        display_name=value.display_name,
        time_zone=value.time_zone,
        spans=[pb.Calendar.Span(weekday=s.weekday, start=s.start, end=s.end) for s in value.spans],
        off_days=value.off_days,
        work_days=value.work_days,
        etag=value.etag,
    )
    if value.delete_time is not None:
        packed.delete_time.FromDatetime(value.delete_time)
    return packed


def calendar_changed(value: Calendar) -> events_pb2.CalendarChanged:
    deleted = value.delete_time is not None
    return events_pb2.CalendarChanged(calendar=calendar(value), version=value.version, deleted=deleted)


def principal(value: Person, role: Role, teams: Sequence[str], session: str) -> pb.Principal:
    return pb.Principal(
        person=value.name,
        role=value.role,
        team=value.team,
        teams=teams,
        grants=[grant(g) for g in role.grants],
        session=session,
    )


def session(token: str, value: Person, role_: Role, expires: datetime) -> pb.Session:
    packed = pb.Session(token=token, person=person(value), role=role(role_))
    packed.expire_time.FromDatetime(expires)
    return packed
