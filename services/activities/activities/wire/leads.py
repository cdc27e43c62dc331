"""What is announced of leads, as plain values."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.message import Message

from activities.domain.known import LeadSaid, Said
from activities.domain.task import Owned, Status
from activities.wire.happened import moment
from chassis.transaction import Cause
from dealwright.leads.v1.events_pb2 import (
    LeadAssigned,
    LeadCaptured,
    LeadClockSet,
    LeadContacted,
    LeadDeleted,
    LeadDisqualified,
    LeadQualified,
    LeadReleased,
    LeadRemoved,
    LeadUndeleted,
)
from dealwright.leads.v1.leads_pb2 import Lead


def said(event: Message) -> LeadSaid | None:
    """What it says of the lead's owner; None for nothing."""
    if isinstance(event, LeadCaptured):
        return LeadSaid(Said.WANTS, event.lead, event.owner_version, title=event.company)
    if isinstance(event, LeadAssigned | LeadUndeleted):
        return LeadSaid(Said.OWNED, event.lead, event.owner_version, event.owner)
    if isinstance(event, LeadReleased):
        return LeadSaid(Said.RELEASED, event.lead, event.owner_version)
    if isinstance(event, LeadContacted | LeadQualified | LeadDisqualified):
        return LeadSaid(Said.ANSWERED, event.lead, event.owner_version)
    if isinstance(event, LeadDeleted):
        return LeadSaid(Said.DELETED, event.lead, event.owner_version, event.owner)
    if isinstance(event, LeadRemoved):
        return LeadSaid(Said.GONE, event.lead, event.owner_version)
    return None


def begins(event: Message) -> bool:
    """Whether somebody has the lead from now on who is to get in touch."""
    return isinstance(event, LeadAssigned) or (isinstance(event, LeadUndeleted) and event.status == Lead.ASSIGNED)


def owned(event: LeadAssigned | LeadUndeleted, cause: Cause) -> Owned:
    if isinstance(event, LeadUndeleted):
        return Owned(event.lead, event.owner, event.owner_version, moment(event.undelete_time, cause.time), None)
    due = event.respond_by.ToDatetime(UTC) if event.HasField("respond_by") else None
    return Owned(event.lead, event.owner, event.owner_version, moment(event.assign_time, cause.time), due)


def clock(event: Message) -> tuple[str, int, datetime] | None:
    """(lead, owner version, until when to respond)."""
    if isinstance(event, LeadClockSet) and event.HasField("respond_by"):
        return event.lead, event.owner_version, event.respond_by.ToDatetime(UTC)
    return None


def ended(event: Message, status: Status) -> tuple[str, int] | None:
    """The ownership whose task ends so: (lead, owner version). In touch, and it is done; otherwise nobody is to do it
    any more."""
    if isinstance(event, LeadContacted | LeadQualified) and status is Status.DONE:
        return event.lead, event.owner_version
    if isinstance(event, LeadDisqualified) and status is Status.CANCELLED:
        return event.lead, event.owner_version
    if isinstance(event, LeadReleased | LeadDeleted) and status is Status.CANCELLED:
        return event.lead, event.owner_version - 1
    return None
