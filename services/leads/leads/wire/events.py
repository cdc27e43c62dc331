"""What `leads` announces, made from the domain's values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dealwright.leads.v1 import events_pb2, leads_pb2
from dealwright.leads.v1.events_pb2 import LeadCaptured as LeadCaptured
from leads.domain.lead import Capture, Lead
from leads.domain.ownership import Decided
from leads.wire import lead as lead_wire
from leads.wire.times import stamp


def captured(
    of: Lead, cause: str = "", previous_owner: str = "", excluded: Sequence[str] = (), by: Capture | None = None
) -> events_pb2.LeadCaptured:
    """A lead that wants an owner. `by` is the touch that brought it back: its words and its place are the news."""
    latitude, longitude, text = of.latitude, of.longitude, of.text
    if by is not None:
        text = by.text or text
        if by.latitude is not None:
            latitude, longitude = by.latitude, by.longitude
    message = events_pb2.LeadCaptured(
        lead=of.name,
        region=of.region,
        industry=of.industry,
        category=of.category,
        channel=of.channel,  # type: ignore[arg-type]
        intent=of.intent,  # type: ignore[arg-type]
        company=of.company,
        text=text,
        tags=of.tags,
        skills=of.skills,
        capture_time=stamp(of.capture_time),
        owner_version=of.owner_version,
        previous_owner=previous_owner,
        excluded=excluded,
        cause=cause,
        without_name=not of.full_name,
        without_phone=not of.phone,
    )
    if latitude is not None:
        message.location.CopyFrom(leads_pb2.Location(latitude=latitude, longitude=longitude or 0.0))
    return message


def changed(of: Lead) -> events_pb2.LeadChanged:
    """The whole lead; how soon it wants attention is for whoever looks at it."""
    return events_pb2.LeadChanged(lead=lead_wire.lead(of, []), version=of.version)


def touched(of: Lead, capture: Capture) -> events_pb2.LeadTouched:
    return events_pb2.LeadTouched(
        lead=of.name,
        owner=of.owner,
        channel=capture.channel,  # type: ignore[arg-type]
        happen_time=stamp(capture.capture_time or of.last_activity_time),
        status=of.status,  # type: ignore[arg-type]
        text=capture.text,
    )


def assigned(of: Lead, previous_owner: str, how: str, decided: Decided | None = None) -> events_pb2.LeadAssigned:
    return events_pb2.LeadAssigned(
        lead=of.name,
        owner=of.owner,
        previous_owner=previous_owner,
        owner_version=of.owner_version,
        how=how,
        decision=decided.decision if decided else 0,
        channel=of.channel,  # type: ignore[arg-type]
        intent=of.intent,  # type: ignore[arg-type]
        capture_time=stamp(of.capture_time),
        assign_time=stamp(of.assign_time),
        urgent=decided.urgent if decided else False,
        region=of.region,
        owners=of.owners,
        respond_by=stamp(of.respond_by),
    )


def moved(before: Lead, now: Lead, how: str, decided: Decided | None = None) -> events_pb2.LeadMoved:
    """Open leads are counted by this one: it is announced for every ownership but one by a first decision."""
    return events_pb2.LeadMoved(
        lead=now.name,
        owner=now.owner,
        previous_owner=before.owner,
        owner_version=now.owner_version,
        how=how,
        intent=now.intent,  # type: ignore[arg-type]
        contacted=now.first_response_time is not None,
        decision=decided.decision if decided else 0,
        respond_by=stamp(now.respond_by),
        assign_time=stamp(now.assign_time),
    )


def unassigned(of: Lead, decided: Decided) -> events_pb2.LeadUnassigned:
    return events_pb2.LeadUnassigned(
        lead=of.name, reason=decided.reason, decision=decided.decision, owner_version=of.owner_version
    )


def kept(of: Lead, decided: Decided) -> events_pb2.LeadKept:
    return events_pb2.LeadKept(
        lead=of.name,
        owner=of.owner,
        owner_version=of.owner_version,
        reason=decided.reason,
        decision=decided.decision,
    )


def refused(decided: Decided, reason: str) -> events_pb2.AssignmentRefused:
    return events_pb2.AssignmentRefused(
        lead=decided.lead, owner=decided.owner, decision=decided.decision, reason=reason
    )


def contacted(of: Lead, first: bool) -> events_pb2.LeadContacted:
    return events_pb2.LeadContacted(
        lead=of.name,
        owner=of.owner,
        happen_time=stamp(of.last_activity_time),
        owner_version=of.owner_version,
        first=first,
        channel=of.channel,  # type: ignore[arg-type]
    )


def released(of: Lead, previous_owner: str) -> events_pb2.LeadReleased:
    return events_pb2.LeadReleased(
        lead=of.name, previous_owner=previous_owner, owner_version=of.owner_version, reason=of.status_reason
    )


def left_behind(of: Lead, person: str, settled: bool = False) -> events_pb2.LeadLeftBehind:
    """`person` left; `of` as it is now."""
    return events_pb2.LeadLeftBehind(
        lead=of.name,
        person=person,
        owner_version=of.owner_version,
        settled=settled,
        owner=of.owner if settled and of.owner != person else "",
        title=of.company or of.full_name,
    )


def qualified(of: Lead, opportunity: bool = False) -> events_pb2.LeadQualified:
    """`opportunity`: one is wanted of it."""
    known = leads_pb2.Lead(
        name=of.name,
        full_name=of.full_name,
        phone=of.phone,
        email=of.email,
        company=of.company,
        licence=of.licence,
        region=of.region,
        industry=of.industry,
        channel=of.channel,  # type: ignore[arg-type]
        tags=of.tags,
        text=of.text,
    )
    return events_pb2.LeadQualified(
        lead=of.name, owner=of.owner, owner_version=of.owner_version, contact=known, opportunity=opportunity
    )


def disqualified(of: Lead) -> events_pb2.LeadDisqualified:
    return events_pb2.LeadDisqualified(
        lead=of.name, owner=of.owner, owner_version=of.owner_version, reason=of.status_reason
    )


def escalated(of: Lead) -> events_pb2.LeadEscalated:
    return events_pb2.LeadEscalated(
        lead=of.name, owner=of.owner, manager=of.escalated_to, owner_version=of.owner_version
    )


def clock_set(of: Lead) -> events_pb2.LeadClockSet:
    return events_pb2.LeadClockSet(lead=of.name, respond_by=stamp(of.respond_by), owner_version=of.owner_version)


def deleted(of: Lead) -> events_pb2.LeadDeleted:
    return events_pb2.LeadDeleted(lead=of.name, owner=of.owner, owner_version=of.owner_version)


def undeleted(of: Lead, now: datetime) -> events_pb2.LeadUndeleted:
    return events_pb2.LeadUndeleted(
        lead=of.name,
        owner=of.owner,
        owner_version=of.owner_version,
        status=of.status,  # type: ignore[arg-type]
        intent=of.intent,  # type: ignore[arg-type]
        contacted=of.first_response_time is not None,
        undelete_time=stamp(now),
        status_reason=of.status_reason,
        status_time=stamp(of.status_time),
    )


def removed(of: Lead, reason: str, source: str = "") -> events_pb2.LeadRemoved:
    return events_pb2.LeadRemoved(
        lead=of.name, owner=of.owner, owner_version=of.owner_version, reason=reason, source=source
    )
