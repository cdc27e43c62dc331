"""What the directory announces, as entries."""

from __future__ import annotations

from datetime import datetime

from chassis import calendar as working
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events
from rules.domain.entries import CalendarChanged, PersonChanged, PresenceChanged, cell
from rules.domain.state import micros
from rules.wire.names import bare

COMPANY_CALENDAR = "company"


def person_changed(event: directory_events.PersonChanged, at: datetime) -> PersonChanged:
    person = event.person
    capacity = person.capacity
    return PersonChanged(
        person=bare(person.name),
        version=event.version,
        role=person.role,
        state=directory_pb2.Person.State.Name(person.state or directory_pb2.Person.ACTIVE),
        team=bare(person.team),
        manager=bare(person.manager),
        region=person.region,
        skills=tuple(sorted(person.skills)),
        industries=tuple(sorted(person.industries)),
        seniority=person.seniority or "junior",
        weight=1000 * (person.weight or 1),
        open_limit=capacity.open if capacity.HasField("open") else None,
        day_limit=capacity.per_day if capacity.HasField("per_day") else None,
        cell=cell(person.location.latitude, person.location.longitude) if person.HasField("location") else None,
        calendar=bare(person.calendar) or COMPANY_CALENDAR,
        at=micros(at),
    )


def presence_of(event: directory_events.PersonChanged, at: datetime) -> PresenceChanged | None:
    person = event.person
    if not person.presence:
        return None
    return PresenceChanged(
        bare(person.name), event.version, directory_pb2.Person.Presence.Name(person.presence), micros(at)
    )


def presence_changed(event: directory_events.PresenceChanged, at: datetime) -> PresenceChanged:
    name = directory_pb2.Person.Presence.Name(event.presence or directory_pb2.Person.OFFLINE)
    return PresenceChanged(bare(event.person), event.version, name, micros(at))


def calendar_changed(event: directory_events.CalendarChanged, zone: str, at: datetime) -> CalendarChanged:
    calendar = event.calendar
    always = event.deleted or not calendar.spans
    if always:
        hours = working.always_open(calendar.time_zone or zone)
    else:
        weekly: dict[str, list[str]] = {}
        for span in calendar.spans:
            weekly.setdefault(working.WEEKDAYS[span.weekday - 1], []).append(f"{span.start}-{span.end}")
        hours = working.from_plain(
            {
                "timeZone": calendar.time_zone or zone,
                "weekly": weekly,
                "offDays": list(calendar.off_days),
                "workDays": list(calendar.work_days),
            }
        )
    return CalendarChanged(bare(calendar.name), event.version, hours, micros(at))
