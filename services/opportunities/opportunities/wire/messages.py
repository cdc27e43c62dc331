"""Opportunities, moves, shares and pipelines as answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.struct_pb2 import Struct

from chassis.messages import money, stamp
from chassis.money import Money
from dealwright.opportunities.v1 import opportunities_pb2
from opportunities.domain.chain import Link
from opportunities.domain.opportunity import Opportunity, Share, StageChange, Warning
from opportunities.domain.pipeline import Ahead, Gate, Pipeline, Requirement, Stage
from opportunities.domain.related import Part

_SAME = (
    *("name", "number", "title", "customer", "contact", "lead", "pipeline", "stage", "status", "expected_close_date"),
    *("win_probability", "need", "products", "decision_cycle", "blocker", "importance", "owner", "team"),
    *("owner_version", "position", "phone", "email", "source", "industry", "company_size", "follow_up_status"),
    *("checklist_done", "status_reason", "warning", "warning_zh", "approved_quote"),
)


def opportunity(of: Opportunity) -> opportunities_pb2.Opportunity:
    message = opportunities_pb2.Opportunity(
        **{name: getattr(of, name) for name in _SAME},
        amount=money(of.expected),
        budget=money(of.budgeted),
        collaborators=[opportunities_pb2.Opportunity.Collaborator(**one) for one in of.collaborators],
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
        stage_time=stamp(of.stage_time),
        open_time=stamp(of.opened),
        close_time=stamp(of.close_time),
        warned_time=stamp(of.warned_time),
        quote_approve_time=stamp(of.quote_approve_time),
    )
    if of.custom:
        message.custom.CopyFrom(struct(of.custom))
    return message


def seen(of: Opportunity, parts: Sequence[Part], warnings: Sequence[Warning]) -> opportunities_pb2.Opportunity:
    """With how far its collaborators are and what somebody should look at."""
    message = opportunity(of)
    if parts:
        done = sum(one.state == "DONE" for one in parts)
        message.collaborator_progress.CopyFrom(
            opportunities_pb2.Opportunity.Progress(parts=map(_part, parts), done=done, total=len(parts))
        )
    message.warnings.extend(
        opportunities_pb2.Opportunity.Warning(
            kind=one.kind,
            message=one.message,
            message_zh=one.message_zh,
            stage=one.stage,
            raise_time=stamp(one.raise_time),
        )
        for one in warnings
    )
    return message


def _part(of: Part) -> opportunities_pb2.Opportunity.Part:
    status = opportunities_pb2.Opportunity.Part.Status.Value(of.state)
    return opportunities_pb2.Opportunity.Part(person=of.person, team=of.team, part=of.part, status=status, task=of.task)


def ahead(of: Ahead) -> opportunities_pb2.StageGates:
    return opportunities_pb2.StageGates(
        stage=of.stage.id,
        display_name=of.stage.display_name,
        next=of.next,
        ready=of.ready,
        requirements=[requirement for one in of.requirements for requirement in _requirements(one)],
    )


def _requirements(of: Requirement) -> list[opportunities_pb2.StageGates.Requirement]:
    """One for what is met, one for each thing that is missing."""
    gate = _gate(of.gate)
    if not of.missing:
        return [opportunities_pb2.StageGates.Requirement(gate=gate, met=True, have=of.have)]
    return [
        opportunities_pb2.StageGates.Requirement(
            gate=gate, field=one.field, message=one.english, message_zh=one.chinese, have=of.have
        )
        for one in of.missing
    ]


def link(of: Link) -> opportunities_pb2.ChainLink:
    return opportunities_pb2.ChainLink(
        phase=of.phase.value,  # type: ignore[arg-type]
        record=of.record,
        state=of.state,
        begin_time=stamp(of.begin_time),
    )


def struct(plain: dict[str, Any]) -> Struct:
    made = Struct()
    made.update(plain)
    return made


def stage_change(of: StageChange) -> opportunities_pb2.StageChange:
    return opportunities_pb2.StageChange(
        name=f"{of.opportunity}/stages/{of.id}",
        from_stage=of.from_stage,
        to_stage=of.to_stage,
        from_status=of.from_status,  # type: ignore[arg-type]
        to_status=of.to_status,  # type: ignore[arg-type]
        happen_time=stamp(of.happen_time),
        actor=of.actor,
        forced=of.forced,
        reason=of.reason,
    )


def share(of: Share) -> opportunities_pb2.Share:
    return opportunities_pb2.Share(
        person=of.person, shared_by=of.given_by, share_time=stamp(of.start_time), end_time=stamp(of.end_time)
    )


def pipeline(of: Pipeline) -> opportunities_pb2.Pipeline:
    return opportunities_pb2.Pipeline(
        name=of.name,
        display_name=of.display_name,
        is_default=of.is_default,
        stages=map(_stage, of.stages),
        confirm_by=of.confirm_by,
        open_qualified=of.open_qualified,
    )


def _stage(of: Stage) -> opportunities_pb2.Pipeline.Stage:
    return opportunities_pb2.Pipeline.Stage(
        id=of.id,
        display_name=of.display_name,
        kind=of.kind.value,  # type: ignore[arg-type]
        probability=of.probability,
        checklist=[opportunities_pb2.Pipeline.CheckItem(id=item.id, title=item.title) for item in of.checklist],
        gates=map(_gate, of.gates),
    )


def _gate(of: Gate) -> opportunities_pb2.Pipeline.Gate:
    return opportunities_pb2.Pipeline.Gate(
        kind=of.kind.value,  # type: ignore[arg-type]
        from_stage=of.from_stage,
        field=of.field,
        minimum=money(of.minimum),
        expression=of.expression,
        message=of.message,
        message_zh=of.message_zh,
        attachment=of.attachment,
        count=of.count,
        flow=of.flow,
        task=of.task,
    )


def row(
    pipeline: str, stage: str, status: int, count: int, amount: Money | None
) -> opportunities_pb2.SummarizeOpportunitiesResponse.Row:
    return opportunities_pb2.SummarizeOpportunitiesResponse.Row(
        pipeline=pipeline,
        stage=stage,
        status=status,  # type: ignore[arg-type]
        count=count,
        amount=money(amount),
    )
