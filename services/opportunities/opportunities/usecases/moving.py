"""Moves through the stages: what is refused, what is recorded, what is announced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from chassis import ids, records
from chassis.errors import Invalid, Refused, Violation
from chassis.transaction import Transaction
from opportunities.domain import pipeline
from opportunities.domain.history import Visit
from opportunities.domain.opportunity import CLOSED, Opportunity, StageChange, Status
from opportunities.domain.pipeline import Pipeline, Stage
from opportunities.storage import moves, warnings
from opportunities.usecases import gates, pipelines
from opportunities.usecases.days import today
from opportunities.usecases.kind import KIND, leading, may_lead
from opportunities.wire import events

HISTORICAL = "HISTORICAL"
"""Why it was closed or put on hold, where nobody knows any more."""


class NotYet(Invalid):
    """A move that cannot be made as things are; every field that stands in its way is named."""

    code = "FAILED_PRECONDITION"

    def __init__(self, reason: str, violations: Sequence[Violation | tuple[str, str, str]]) -> None:
        super().__init__(violations)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants a move: `force` passes over rules, for a reason that is kept."""

    today: date
    force: bool = False
    reason: str = ""

    def checked(self, tx: Transaction) -> Wish:
        """Raises Invalid for force without a reason, Denied for who may not use it."""
        if self.force and not self.reason:
            raise Invalid([("reason", "is required with force", "强制推进时必须填写原因")])
        if self.force:
            leading(tx)
        return self


def not_open() -> Refused:
    return Refused(
        "NOT_OPEN",
        "This opportunity is closed, on hold or not confirmed; reopen, resume or confirm it first.",
        "该商机已关闭、已搁置或待确认，请先重新打开、恢复或确认。",
    )


def to_stage(tx: Transaction, before: Opportunity, after: Opportunity, stage_id: str, wish: Wish) -> Opportunity:
    """`after` moved to a stage of its pipeline; it may carry other changes, which the gates see. Stored, recorded and
    announced."""
    wish.checked(tx)
    way = pipelines.chosen(tx, before.pipeline)
    stage = way.stage(stage_id)
    if stage is None:
        known = ", ".join(one.id for one in way.stages)
        raise Invalid([("opportunity.stage", f"must be one of: {known}", f"须为以下阶段之一：{known}")])
    if stage.kind is Status.LOST:
        return lose(tx, before, after, wish.reason)
    if stage.kind is Status.ON_HOLD:
        return hold(tx, before, after, wish.reason)
    # What was won passes on through the stages of what was won, and comes back by being opened again alone.
    if before.status not in (Status.OPEN, Status.WON) or (before.status == Status.WON and stage.kind is not Status.WON):
        raise not_open()
    if stage.id == before.stage:
        return records.save(tx, KIND, before, after)
    return _move(tx, before, after, stage, _pass(tx, way, before, after, stage, wish), wish.reason)


def _pass(tx: Transaction, way: Pipeline, before: Opportunity, after: Opportunity, stage: Stage, wish: Wish) -> bool:
    """Whether rules stand in the way and are overridden. Raises NotYet when they stand in the way and are not."""
    if pipeline.is_jump(way, before.stage, stage.id):
        if wish.force:
            return True
        raise NotYet(
            "JUMP",
            [("opportunity.stage", "stages cannot be skipped", "不能跳过阶段")],
        )
    asked = pipeline.gates_between(way, before.stage, stage.id)
    lacking = pipeline.missing(way, before.stage, stage.id, gates.facts(tx, after, asked, wish.today))
    if lacking and not wish.force:
        raise NotYet("GATE", [(f"opportunity.{one.field}", one.english, one.chinese) for one in lacking])
    return bool(lacking)


def win(tx: Transaction, name: str, etag: str, wish: Wish) -> Opportunity:
    """The deal is made (O32): into the first stage of what is won."""
    before = records.hold(tx, KIND, name, etag)
    if before.status != Status.OPEN:
        raise not_open()
    won = pipelines.chosen(tx, before.pipeline).of_kind(Status.WON)
    assert won is not None, "every pipeline has one"
    return to_stage(tx, before, before, won.id, wish)


def lose(tx: Transaction, before: Opportunity, after: Opportunity, reason: str) -> Opportunity:
    """The deal is lost, for a reason (O31)."""
    if not reason:
        raise Invalid([("reason", "is required", "必填")])
    if before.status in CLOSED:
        raise not_open()
    return _move(tx, before, after, _stage_for(tx, before, Status.LOST), False, reason)


def hold(tx: Transaction, before: Opportunity, after: Opportunity, reason: str) -> Opportunity:
    """Its clocks stop (V1)."""
    if before.status != Status.OPEN:
        raise not_open()
    return _move(tx, before, after, _stage_for(tx, before, Status.ON_HOLD), False, reason)


def resume(tx: Transaction, name: str, etag: str) -> Opportunity:
    before = records.hold(tx, KIND, name, etag)
    if before.status != Status.ON_HOLD:
        raise Refused("NOT_ON_HOLD", "This opportunity is not on hold.", "该商机未被搁置。")
    return _move(tx, before, before, _back(tx, before), False, "")


def confirm(tx: Transaction, before: Opportunity, after: Opportunity) -> Opportunity:
    """One that awaited it is open."""
    stage = pipelines.chosen(tx, before.pipeline).stage(before.stage)
    assert stage is not None, "no stage goes that opportunities are in"
    return _move(tx, before, after, stage, False, "")


def reopen(tx: Transaction, name: str, etag: str, reason: str) -> Opportunity:
    """One that was closed goes on."""
    if not reason:
        raise Invalid([("reason", "is required", "必填")])
    before = records.hold(tx, KIND, name, etag)
    if before.status not in CLOSED:
        raise Refused("NOT_CLOSED", "This opportunity is not closed.", "该商机未关闭。")
    if before.status == Status.WON:
        leading(tx)  # orders and deliveries have begun
    return _move(tx, before, before, _back(tx, before), False, reason)


def opened(tx: Transaction, of: Opportunity) -> None:
    """Records the opening as the first move."""
    moves.add(tx, replace(_change(tx, of, "", 0, False, ""), happen_time=of.opened))


def passed(
    tx: Transaction, way: Pipeline, opening: Opportunity, past: Sequence[Visit], reason: str
) -> tuple[Opportunity, list[tuple[Opportunity, Visit, Opportunity]]]:
    """One that is new, as it is after all that happened before it was entered; with what each move found and left.
    Each counts as a version, as if it had been made here. `reason` is of the last one that asks for one."""
    now, found = opening, []
    for visit in past[1:]:
        before, status = now, visit.stage.kind
        changes: dict[str, Any] = {"stage": visit.stage.id, "status": status.value, "version": before.version + 1}
        if status is not Status.ON_HOLD:
            changes["win_probability"] = visit.stage.probability
        if visit.stage.id != before.stage:
            changes["stage_time"] = visit.time
        if status != before.status:
            changes["close_time"] = visit.time if status in CLOSED else None
            changes["status_reason"] = "" if status is Status.OPEN else reason or HISTORICAL
            if before.status == Status.OPEN:
                changes["resume_stage"] = before.stage
        now = replace(before, **changes)
        found.append((before, visit, now))
    return now, found


def tell_past(tx: Transaction, way: Pipeline, moved: Sequence[tuple[Opportunity, Visit, Opportunity]]) -> None:
    """Records and announces moves of before, each with the time when it was. Orders and deliveries do not begin for
    what was won then: nobody is told that it was won, or lost, now."""
    for before, visit, after in moved:
        reason = after.status_reason if after.status != before.status else ""
        move = replace(_change(tx, after, before.stage, before.status, False, reason), happen_time=visit.time)
        moves.add(tx, move)
        event = events.moved(after, move, way)
        if not visit.known:
            event.from_place = 0
        tx.emit(event, time=visit.time)


def _stage_for(tx: Transaction, of: Opportunity, status: Status) -> Stage:
    """The stage that shows a status; where the pipeline has none, the one it is in, with that status."""
    way = pipelines.chosen(tx, of.pipeline)
    found = way.of_kind(status)
    if found is not None:
        return found
    here = way.stage(of.stage) or way.first
    return replace(here, kind=status, probability=0 if status is Status.LOST else here.probability)


def _back(tx: Transaction, of: Opportunity) -> Stage:
    """The open stage that it left; one that was lost before it was open awaits the word once more."""
    way = pipelines.chosen(tx, of.pipeline)
    if not of.resume_stage and way.confirm_by and not may_lead(tx.principal):
        return replace(way.first, kind=Status.AWAITING_CONFIRMATION)
    found = way.stage(of.resume_stage)
    return found if found is not None and found.kind is Status.OPEN else way.first


def _move(
    tx: Transaction, before: Opportunity, after: Opportunity, stage: Stage, forced: bool, reason: str
) -> Opportunity:
    status = stage.kind
    changes: dict[str, Any] = {"stage": stage.id, "status": status.value}
    changes.update(warned_time=None, warning="", warning_zh="")  # something happened
    if after.win_probability == before.win_probability and status is not Status.ON_HOLD:
        changes["win_probability"] = stage.probability
    if stage.id != before.stage:
        changes["stage_time"] = tx.now
    if status != before.status:
        changes["status_reason"] = reason
        changes["close_time"] = tx.now if status in CLOSED else None
        if before.status == Status.OPEN:
            changes["resume_stage"] = before.stage
    saved = records.save(tx, KIND, before, replace(after, **changes), "moved")
    move = _change(tx, saved, before.stage, before.status, forced, reason)
    moves.add(tx, move)
    if forced:
        tx.audit("opportunity.forced", saved.name, {"from": before.stage, "to": saved.stage, "move": move.id})
    tx.emit(events.moved(saved, move, pipelines.chosen(tx, saved.pipeline)))
    if stage.id != before.stage:
        warnings.end(tx, saved.name)
    if stage.id != before.stage or before.status in (Status.AWAITING_CONFIRMATION, Status.LOST):
        gates.arrive(tx, saved)
    gates.look(tx, saved, today(tx))
    if status != before.status and status is Status.WON:
        tx.emit(events.won(saved))
    if status != before.status and status is Status.LOST:
        tx.emit(events.lost(saved, saved.resume_stage))
    return saved


def _change(
    tx: Transaction, of: Opportunity, from_stage: str, from_status: int, forced: bool, reason: str
) -> StageChange:
    actor = tx.origin.actor or tx.principal.actor
    return StageChange(
        ids.new_id(), of.name, from_stage, of.stage, from_status, of.status, tx.now, actor, forced, reason
    )
