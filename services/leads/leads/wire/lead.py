"""Leads and touchpoints as answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.struct_pb2 import Struct

from dealwright.leads.v1 import leads_pb2
from leads.domain.attention import Case, attention
from leads.domain.lead import Lead
from leads.wire.times import stamp


def lead(of: Lead, cases: list[Case]) -> leads_pb2.Lead:
    """The whole lead; `cases` is the attention rule at this moment."""
    phone, extension = _parted(of.phone)
    message = leads_pb2.Lead(
        name=of.name,
        full_name=of.full_name,
        phone=phone,
        phone_extension=extension,
        email=of.email,
        company=of.company,
        licence=of.licence,
        region=of.region,
        industry=of.industry,
        category=of.category,
        channel=of.channel,  # type: ignore[arg-type]
        intent=of.intent,  # type: ignore[arg-type]
        text=of.text,
        capture_time=stamp(of.capture_time),
        receive_time=stamp(of.receive_time),
        status=of.status,  # type: ignore[arg-type]
        status_reason=of.status_reason,
        owner=of.owner,
        owner_version=of.owner_version,
        last_activity_time=stamp(of.last_activity_time),
        etag=str(of.version),
        escalated_to=of.escalated_to,
        review_with=of.review_with,
        missed_responses=of.missed_responses,
        attention=attention(of.status, of.intent, of.last_activity_time, cases),  # type: ignore[arg-type]
        tags=of.tags,
        skills=of.skills,
        assign_time=stamp(of.assign_time),
        respond_by=stamp(of.respond_by),
        first_response_time=stamp(of.first_response_time),
        delete_time=stamp(of.delete_time),
    )
    if of.latitude is not None:
        message.location.latitude, message.location.longitude = of.latitude, of.longitude or 0.0
    if of.custom:
        message.custom.CopyFrom(struct(of.custom))
    return message


def _parted(line: str) -> tuple[str, str]:
    """Number and extension of "+862162345678;ext=801"."""
    number, _, extension = line.partition(";ext=")
    return number, extension


def brought(left: Mapping[str, Any]) -> leads_pb2.Lead:
    """What a capture said and the lead did not take, under the names of a lead's fields."""
    plain = dict(left)
    custom = plain.pop("custom", None)
    plain["phone"], plain["phone_extension"] = _parted(plain.get("phone", ""))
    message = leads_pb2.Lead(**plain)
    if custom:
        message.custom.CopyFrom(struct(custom))
    return message


def outline(of: Lead) -> leads_pb2.Lead:
    """What a caller may know of a lead that is not his to see: that it is known, and whose it is (L31)."""
    return leads_pb2.Lead(name=of.name, status=of.status, owner=of.owner)  # type: ignore[arg-type]


def captured(of: leads_pb2.Lead, created: bool) -> leads_pb2.CaptureLeadResponse:
    outcome = leads_pb2.CaptureLeadResponse.CREATED if created else leads_pb2.CaptureLeadResponse.TOUCHED
    return leads_pb2.CaptureLeadResponse(lead=of, outcome=outcome)


def struct(plain: Any) -> Struct:
    made = Struct()
    made.update(plain)
    return made


def touchpoint(row: Any) -> leads_pb2.Touchpoint:
    """A row of the chain as storage selects it."""
    message = leads_pb2.Touchpoint(
        name=f"{row.lead}/touchpoints/{row.id}",
        kind=row.kind,
        channel=row.channel,
        text=row.text,
        actor=row.actor,
        owner=row.owner,
        reason=row.reason,
        happen_time=stamp(row.happen_time),
        receive_time=stamp(row.receive_time),
        source=row.source,
        decision=row.decision or 0,
    )
    if row.latitude is not None:
        message.location.latitude, message.location.longitude = row.latitude, row.longitude
    if row.brought:
        message.brought.CopyFrom(brought(row.brought))
    return message


def row(
    keys: Sequence[str], count: int, responded: int, mean_seconds: float | None, overdue: int
) -> leads_pb2.SummarizeLeadsResponse.Row:
    message = leads_pb2.SummarizeLeadsResponse.Row(keys=keys, leads=count, responded=responded, overdue=overdue)
    if mean_seconds is not None:
        message.mean_response.FromMicroseconds(round(mean_seconds * 1_000_000))
    return message
