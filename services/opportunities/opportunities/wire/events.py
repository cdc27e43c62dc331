"""What is announced."""

from __future__ import annotations

from chassis.messages import money, stamp
from dealwright.opportunities.v1 import events_pb2
from opportunities.domain.opportunity import Opportunity, Share, StageChange
from opportunities.wire.messages import opportunity


def changed(of: Opportunity, deleted: bool) -> events_pb2.OpportunityChanged:
    return events_pb2.OpportunityChanged(opportunity=opportunity(of), version=of.version, deleted=deleted)


def opened(of: Opportunity) -> events_pb2.OpportunityOpened:
    return events_pb2.OpportunityOpened(
        opportunity=of.name,
        number=of.number,
        customer=of.customer,
        contact=of.contact,
        lead=of.lead,
        owner=of.owner,
        team=of.team,
        pipeline=of.pipeline,
        stage=of.stage,
        amount=money(of.expected),
    )


def moved(of: Opportunity, move: StageChange) -> events_pb2.StageChanged:
    return events_pb2.StageChanged(
        opportunity=of.name,
        from_stage=move.from_stage,
        to_stage=move.to_stage,
        forced=move.forced,
        customer=of.customer,
        owner=of.owner,
        amount=money(of.expected),
        pipeline=of.pipeline,
        from_status=move.from_status,  # type: ignore[arg-type]
        to_status=move.to_status,  # type: ignore[arg-type]
        reason=move.reason,
        state=opportunity(of),
        version=of.version,
        change_time=stamp(move.happen_time),
    )


def won(of: Opportunity) -> events_pb2.OpportunityWon:
    return events_pb2.OpportunityWon(
        opportunity=of.name,
        number=of.number,
        customer=of.customer,
        contact=of.contact,
        owner=of.owner,
        team=of.team,
        amount=money(of.expected),
        products=of.products,
    )


def lost(of: Opportunity, stage: str) -> events_pb2.OpportunityLost:
    return events_pb2.OpportunityLost(
        opportunity=of.name,
        customer=of.customer,
        owner=of.owner,
        stage=stage,
        reason=of.status_reason,
        amount=money(of.expected),
    )


def shared(of: Share) -> events_pb2.OpportunityShared:
    return events_pb2.OpportunityShared(
        opportunity=of.opportunity, person=of.person, shared_by=of.given_by, end_time=stamp(of.end_time)
    )


def share_ended(opportunity: str, person: str, expired: bool) -> events_pb2.ShareEnded:
    return events_pb2.ShareEnded(opportunity=opportunity, person=person, expired=expired)


def collaborator_added(of: Opportunity, person: str, part: str) -> events_pb2.CollaboratorAdded:
    return events_pb2.CollaboratorAdded(opportunity=of.name, person=person, part=part, owner=of.owner)
