"""Pipelines: the stages an opportunity passes, and what it takes to come into each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from chassis.money import Money
from opportunities.domain import related
from opportunities.domain.opportunity import Status
from opportunities.domain.related import Evidence


class GateKind(IntEnum):
    FILLED = 1
    CHECKLIST = 2
    AMOUNT = 3
    CONDITION = 4
    ATTACHMENT = 5
    FOLLOW_UPS = 6
    APPROVAL = 7
    QUOTE = 8


# Those that look at what other services keep.
EVIDENT = frozenset({GateKind.ATTACHMENT, GateKind.FOLLOW_UPS, GateKind.APPROVAL, GateKind.QUOTE})


@dataclass(frozen=True, slots=True)
class Gate:
    """What a move into a stage needs; with `from_stage`, only a move out of that one. FILLED uses `field`, AMOUNT
    `minimum`, CONDITION `expression`, ATTACHMENT `attachment` and `count`, FOLLOW_UPS `count`, APPROVAL `flow` and,
    where an upload asks for it, `attachment`. The two messages take the place of the usual ones. `task` is the title of
    a task for whoever comes into the stage before."""

    kind: GateKind
    from_stage: str = ""
    field: str = ""
    minimum: Money | None = None
    expression: str = ""
    message: str = ""
    message_zh: str = ""
    attachment: str = ""
    count: int = 0
    flow: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True)
class CheckItem:
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Stage:
    """`kind` is the status of what stands in it; `probability` in percent."""

    id: str
    display_name: str
    kind: Status = Status.OPEN
    probability: int = 0
    checklist: tuple[CheckItem, ...] = ()
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`id` is "six-stage", the resource name "pipelines/six-stage". The first stage is an open one. `confirm_by` is
    "manager" where new opportunities await the word of whoever leads (O35); `open_qualified`: every qualified lead
    becomes one (L25)."""

    id: str
    display_name: str
    is_default: bool
    stages: tuple[Stage, ...]
    confirm_by: str = ""
    open_qualified: bool = False

    @property
    def name(self) -> str:
        return f"pipelines/{self.id}"

    @property
    def first(self) -> Stage:
        return self.stages[0]

    def stage(self, id: str) -> Stage | None:
        return next((stage for stage in self.stages if stage.id == id), None)

    def after(self, id: str) -> Stage | None:
        """The stage that follows; None for the last, and for one that is aside."""
        way = self.way
        place = way.index(id) + 1 if id in way else len(way)
        return self.stage(way[place]) if place < len(way) else None

    def of_kind(self, kind: Status) -> Stage | None:
        """The first stage of a kind; None where the pipeline shows that status in no stage of its own."""
        return next((stage for stage in self.stages if stage.kind is kind), None)

    @property
    def way(self) -> tuple[str, ...]:
        """The stages that are passed one after the other: the open ones, then those of what is won."""
        return tuple(stage.id for stage in self.stages if stage.kind in (Status.OPEN, Status.WON))

    def place(self, id: str) -> int:
        """Where on the way a stage stands, from 1; 0 where it does not."""
        return self.way.index(id) + 1 if id in self.way else 0

    def called(self, id: str) -> str:
        """A stage's display name, empty for one that is none."""
        found = self.stage(id)
        return found.display_name if found else ""

    @property
    def items(self) -> frozenset[str]:
        """Every item of every checklist, "stage/item"."""
        return frozenset(f"{stage.id}/{item.id}" for stage in self.stages for item in stage.checklist)


@dataclass(frozen=True, slots=True)
class Facts:
    """What gates look at. `filled` are the names of fields that have a value, `done` the items "stage/item",
    `conditions` the outcome of each expression."""

    filled: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    amount: Money | None = None
    conditions: Mapping[str, bool] | None = None
    evidence: Evidence = related.NONE


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is not there; `field` is its path within the opportunity."""

    field: str
    english: str
    chinese: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a gate asks for, and what of it is missing. `have`: of what is counted, how many there are."""

    gate: Gate
    missing: tuple[Missing, ...]
    have: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """A stage that is still to come. `next`: it follows on the present one."""

    stage: Stage
    next: bool
    requirements: tuple[Requirement, ...]

    @property
    def ready(self) -> bool:
        return not any(one.missing for one in self.requirements)


def is_jump(pipeline: Pipeline, from_stage: str, to_stage: str) -> bool:
    """Whether the move passes over a stage. Back is no jump: what was done stays done."""
    return _step(pipeline, from_stage, to_stage) > 1


def _step(pipeline: Pipeline, from_stage: str, to_stage: str) -> int:
    """How many stages forward; 0 or less is back, or aside."""
    way = pipeline.way
    if from_stage not in way or to_stage not in way:
        return 0
    return way.index(to_stage) - way.index(from_stage)


def gates_between(pipeline: Pipeline, from_stage: str, to_stage: str) -> tuple[Gate, ...]:
    """The gates that a move passes: those of the stage it leads to, where it leads forward."""
    stage = pipeline.stage(to_stage)
    if stage is None or _step(pipeline, from_stage, to_stage) < 1:
        return ()
    return tuple(gate for gate in stage.gates if gate.from_stage in ("", from_stage))


def missing(pipeline: Pipeline, from_stage: str, to_stage: str, facts: Facts) -> tuple[Missing, ...]:
    """Everything that the gates between two stages need and that is not there, in the order of the gates."""
    return tuple(one for need in requirements(pipeline, from_stage, to_stage, facts) for one in need.missing)


def requirements(pipeline: Pipeline, from_stage: str, to_stage: str, facts: Facts) -> tuple[Requirement, ...]:
    """What each of the gates between two stages asks for, in their order."""
    gates = gates_between(pipeline, from_stage, to_stage)
    return tuple(_required(pipeline, gate, from_stage, facts) for gate in gates)


def _required(pipeline: Pipeline, gate: Gate, from_stage: str, facts: Facts) -> Requirement:
    have = _counted(gate, facts.evidence)
    found = _missing(pipeline, gate, from_stage, facts, have)
    if gate.kind is not GateKind.CHECKLIST and (gate.message or gate.message_zh):
        english, chinese = gate.message or gate.message_zh, gate.message_zh or gate.message
        found = [Missing(one.field, english, chinese) for one in found]
    return Requirement(gate, tuple(found), have)


def _counted(gate: Gate, known: Evidence) -> int:
    if gate.kind is GateKind.ATTACHMENT:
        return known.attachments.get(gate.attachment, 0)
    if gate.kind is GateKind.FOLLOW_UPS:
        return known.follow_ups
    if gate.kind is GateKind.APPROVAL:
        return int(gate.flow in known.approved)
    return int(known.quoted) if gate.kind is GateKind.QUOTE else 0


def _missing(pipeline: Pipeline, gate: Gate, from_stage: str, facts: Facts, have: int) -> list[Missing]:
    if gate.kind in EVIDENT:
        return [] if have >= max(gate.count, 1) else [_not_evident(gate, have)]
    if gate.kind is GateKind.FILLED and gate.field not in facts.filled:
        return [Missing(gate.field, "must be filled in before this stage", "进入该阶段前必须填写")]
    if gate.kind is GateKind.CHECKLIST:
        left = pipeline.stage(from_stage)
        return [
            Missing(
                "checklist_done", f"to be done first: {item.title} ({from_stage}/{item.id})", f"请先完成：{item.title}"
            )
            for item in (left.checklist if left else ())
            if f"{from_stage}/{item.id}" not in facts.done
        ]
    if gate.kind is GateKind.AMOUNT and gate.minimum is not None and not _reaches(facts.amount, gate.minimum):
        least = f"{gate.minimum.amount:f} {gate.minimum.currency}"
        return [Missing("amount", f"must be at least {least}", f"不得低于 {least}")]
    if gate.kind is GateKind.CONDITION and (facts.conditions or {}).get(gate.expression) is not True:
        return [Missing("stage", f"must hold: {gate.expression}", f"须满足：{gate.expression}")]
    return []


def _not_evident(gate: Gate, have: int) -> Missing:
    count = max(gate.count, 1)
    if gate.kind is GateKind.ATTACHMENT:
        english = f"{count} of the kind {gate.attachment} must be uploaded first; there are {have}"
        return Missing(
            f"attachments.{gate.attachment}",
            english,
            f"请先上传 {count} 份“{gate.attachment}”附件，现有 {have} 份",
        )
    if gate.kind is GateKind.FOLLOW_UPS:
        english = f"{count} follow-ups must be logged first; there are {have}"
        return Missing("followUps", english, f"须至少有 {count} 条跟进记录，现有 {have} 条")
    if gate.kind is GateKind.APPROVAL:
        return Missing(f"approvals.{gate.flow}", f"{gate.flow} must be approved first", f"须先通过审批：{gate.flow}")
    return Missing("quotes", "needs an approved quote", "须有已审批通过的报价")


def _reaches(amount: Money | None, minimum: Money) -> bool:
    """Amounts of another currency do not: there is no rate here to compare by."""
    if amount is None:
        return minimum.amount <= Decimal(0)
    return amount.currency == minimum.currency and amount.amount >= minimum.amount
