"""What the rules announce, as the domain knows it."""

from __future__ import annotations

from dealwright.rules.v1 import events_pb2

from leads.domain.ownership import Decided


def decided(event: events_pb2.LeadAssignmentDecided) -> Decided:
    return Decided(
        lead=event.lead,
        owner=event.owner,
        owner_version=event.owner_version,
        decision=event.decision,
        reason=event.reason,
        urgent=event.urgent,
        tags=list(event.add_tags),
    )
