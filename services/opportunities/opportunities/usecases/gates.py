"""What a stage needs and what of it is there (O16 to O21)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import pairwise

from chassis.transaction import Transaction
from opportunities.domain import conditions, pipeline
from opportunities.domain.opportunity import Opportunity, Status
from opportunities.domain.pipeline import EVIDENT, Ahead, Facts, Gate, GateKind, Pipeline, Stage
from opportunities.domain.related import NONE, Related, Sort, evidence
from opportunities.storage import related
from opportunities.usecases import pipelines
from opportunities.wire import asking, events


def facts(tx: Transaction, of: Opportunity, gates: Iterable[Gate], today: date) -> Facts:
    """What these gates look at."""
    asked = list(gates)
    known = NONE
    if any(gate.kind in EVIDENT for gate in asked):
        known = evidence(related.of(tx, [of.name])[of.name])
    sources = [gate.expression for gate in asked if gate.expression]
    return Facts(
        conditions.filled(of),
        frozenset(of.checklist_done),
        of.expected,
        conditions.outcomes(sources, of, tx.now, today),
        known,
    )


def ahead(tx: Transaction, of: Opportunity, today: date) -> list[Ahead]:
    """Each stage that is still to come with what it needs, as if the one before it had been reached."""
    way = pipelines.chosen(tx, of.pipeline)
    ids = way.way
    left = ids[ids.index(of.stage) :] if of.stage in ids else ()
    steps = list(pairwise(left))
    gates = [gate for here, there in steps for gate in pipeline.gates_between(way, here, there)]
    known = facts(tx, of, gates, today)
    found = []
    for here, there in steps:
        stage = way.stage(there)
        assert stage is not None
        found.append(Ahead(stage, here == of.stage, pipeline.requirements(way, here, there, known)))
    return found


def look(tx: Transaction, of: Opportunity, today: date) -> None:
    """Announces that nothing is missing for the next stage any more, once, and reminds the owner (O21)."""
    if of.status != Status.OPEN or of.delete_time is not None:
        return
    way = pipelines.chosen(tx, of.pipeline)
    stage = way.after(of.stage)
    gates = pipeline.gates_between(way, of.stage, stage.id) if stage else ()
    if stage is None or not gates:
        return
    known = facts(tx, of, gates, today)
    if not pipeline.missing(way, of.stage, stage.id, known) and related.ready(tx, of.name, stage.id):
        tx.emit(events.ready(of, stage))
        tx.emit(asking.ready(of, stage))
        tx.audit("opportunity.stageReady", of.name, {"stage": stage.id})


def arrive(tx: Transaction, of: Opportunity) -> None:
    """Whoever comes into a stage, or back to it, gets the tasks of the next one's gates, and approvals whose papers lie
    there begin (O19), unless there is a yes."""
    way, stage = _next(tx, of)
    if stage is None:
        return
    there = related.of(tx, [of.name])[of.name]
    known = evidence(there)
    for place, gate in enumerate(pipeline.gates_between(way, of.stage, stage.id)):
        if gate.task and not (gate.kind is GateKind.ATTACHMENT and known.attachments.get(gate.attachment)):
            tx.emit(asking.task(of, gate.task, f"{of.name}/gates/{stage.id}/{place}"))
    submit(tx, of, [one for one in there if one.sort == Sort.ATTACHMENT and not one.gone], known.approved)


def submit(tx: Transaction, of: Opportunity, papers: Sequence[Related], agreed: Collection[str] = frozenset()) -> None:
    """Asks for the approvals that the next stage needs of these attachments (O19), except by flows that `agreed`."""
    way, stage = _next(tx, of)
    if stage is None:
        return
    for gate in pipeline.gates_between(way, of.stage, stage.id):
        wanted = gate.kind is GateKind.APPROVAL and gate.flow not in agreed
        mine = [one for one in papers if wanted and one.label == gate.attachment]
        for paper in mine[-1:]:
            tx.emit(events.approval_requested(of, gate.flow, stage.id, paper.name, paper.person))
            tx.audit("opportunity.approvalRequested", of.name, {"flow": gate.flow, "attachment": paper.name})


def _next(tx: Transaction, of: Opportunity) -> tuple[Pipeline, Stage | None]:
    way = pipelines.chosen(tx, of.pipeline)
    return way, way.after(of.stage) if of.status == Status.OPEN and of.delete_time is None else None


def lacks(tx: Transaction, of: Opportunity, stage_id: str, today: date) -> bool:
    """Whether a move to a stage, to won where it is empty, would be refused for something that another service may have
    told of a moment later."""
    way = pipelines.chosen(tx, of.pipeline)
    stage = way.stage(stage_id) if stage_id else way.of_kind(Status.WON)
    if stage is None or of.status != Status.OPEN:
        return False
    if pipeline.is_jump(way, of.stage, stage.id):
        return True  # a follow-up moves the stage, too (F6)
    gates = [gate for gate in pipeline.gates_between(way, of.stage, stage.id) if gate.kind in EVIDENT]
    if not gates:
        return False
    found = pipeline.requirements(way, of.stage, stage.id, facts(tx, of, gates, today))
    return any(one.missing for one in found if one.gate.kind in EVIDENT)
