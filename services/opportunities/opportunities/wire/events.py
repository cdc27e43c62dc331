"""What is announced."""

from __future__ import annotations

from datetime import datetime

from chassis.messages import money, stamp
from dealwright.opportunities.v1 import events_pb2
from opportunities.domain.opportunity import Opportunity, Share, StageChange
from opportunities.domain.pipeline import Pipeline, Stage
from opportunities.wire.messages import opportunity


def changed(of: Opportunity, deleted: bool) -> events_pb2.OpportunityChanged:
    return events_pb2.OpportunityChanged(opportunity=opportunity(of), version=of.version, deleted=deleted)


def opened(of: Opportunity, way: Pipeline) -> events_pb2.OpportunityOpened:
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
        place=way.place(of.stage),
        stage_display_name=way.called(of.stage),
    )


def moved(of: Opportunity, move: StageChange, way: Pipeline) -> events_pb2.StageChanged:
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
        from_place=way.place(move.from_stage),
        to_place=way.place(move.to_stage),
        to_stage_display_name=way.called(move.to_stage),
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


def collaborator_added(
    of: Opportunity, who: dict[str, str], asker: str, detail: str = "", due: datetime | None = None
) -> events_pb2.CollaboratorAdded:
    return events_pb2.CollaboratorAdded(
        opportunity=of.name,
        person=who["person"],
        team=who.get("team", ""),
        part=who["part"],
        owner=of.owner,
        detail=detail,
        due_time=stamp(due),
        requested_by=asker,
        customer=of.customer,
        title=of.title,
        number=of.number,
    )


def confirmed(of: Opportunity, by: str, previous: str) -> events_pb2.OpportunityConfirmed:
    return events_pb2.OpportunityConfirmed(
        opportunity=of.name, owner=of.owner, confirmed_by=by, previous_owner=previous
    )


def ready(of: Opportunity, stage: Stage) -> events_pb2.StageReady:
    return events_pb2.StageReady(
        opportunity=of.name,
        stage=stage.id,
        stage_display_name=stage.display_name,
        owner=of.owner,
        customer=of.customer,
        pipeline=of.pipeline,
    )


def quote_taken(of: Opportunity, approval: str) -> events_pb2.QuoteTaken:
    return events_pb2.QuoteTaken(
        opportunity=of.name,
        quote=of.approved_quote,
        approval=approval,
        amount=money(of.expected),
        owner=of.owner,
        customer=of.customer,
    )


def approval_requested(
    of: Opportunity, flow: str, stage: str, attachment: str, asker: str
) -> events_pb2.StageApprovalRequested:
    return events_pb2.StageApprovalRequested(
        opportunity=of.name,
        flow=flow,
        stage=stage,
        owner=of.owner,
        team=of.team,
        customer=of.customer,
        amount=money(of.expected),
        title=of.title,
        attachment=attachment,
        requested_by=asker or of.owner,
        version=of.version,
    )


def left_behind(of: Opportunity, person: str = "", settled: bool = False) -> events_pb2.OpportunityLeftBehind:
    """`person` left; its owner unless said."""
    return events_pb2.OpportunityLeftBehind(
        opportunity=of.name,
        person=person or of.owner,
        owner_version=of.owner_version,
        settled=settled,
        owner=of.owner if settled else "",
        title=of.title,
        customer=of.customer,
    )
