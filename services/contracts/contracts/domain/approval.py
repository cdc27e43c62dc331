"""An approval: one run of a flow, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from chassis.money import Money, of_units
from contracts.domain.approval_flow import Flow, Node


class Status(IntEnum):
    PENDING = 1
    APPROVED = 2
    REJECTED = 3
    # Sent back to who asked, to be changed.
    RETURNED = 4
    WITHDRAWN = 5


class EndReason(IntEnum):
    """Why one was withdrawn although nobody took it back."""

    DEAL_LOST = 1
    DEAL_DELETED = 2
    CONTRACT_VOID = 3


class Verdict(IntEnum):
    APPROVE = 1
    REJECT = 2
    RETURN = 3


class Outcome(IntEnum):
    """How a step came out."""

    WAITING = 1
    PASSED = 2
    REJECTED = 3
    RETURNED = 4
    # Its condition was false.
    SKIPPED = 5
    COPIED = 6
    BRANCHED = 7
    # The run ended while it waited.
    CLOSED = 8


class Why(IntEnum):
    """Why a seat went to somebody else, or somebody more was asked."""

    DELEGATED = 1
    ESCALATED = 2
    LEFT = 3


@dataclass(frozen=True, slots=True)
class Pass:
    """`to` is empty where others of the seat were enough."""

    giver: str
    to: str
    why: Why
    at: datetime


@dataclass(frozen=True, slots=True)
class Seat:
    """One say at a step: any one of `people` has it. `person` is who used it, and `verdict` what he said; `automatic`:
    he had agreed earlier in the same run and was not asked again."""

    line: str
    people: tuple[str, ...]
    verdict: Verdict | None = None
    person: str = ""
    comment: str = ""
    at: datetime | None = None
    automatic: bool = False
    passes: tuple[Pass, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A node that the run came to. `needed` of its seats have to agree; `reason` tells why it was passed over, or which
    branch was taken; `values` are what was filled in; `rings` counts how often its clock rang."""

    node: str
    outcome: Outcome
    start: datetime
    seats: tuple[Seat, ...] = ()
    needed: int = 0
    copied: tuple[str, ...] = ()
    end: datetime | None = None
    reason: str = ""
    rings: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """The state of one run. `due` is when the clock of the step that waits rings; None where there is none."""

    flow: Flow
    asker: str
    facts: Mapping[str, Any]
    status: Status = Status.PENDING
    steps: tuple[Step, ...] = ()
    due: datetime | None = None

    @property
    def current(self) -> Step | None:
        """The step that waits."""
        return self.steps[-1] if self.steps and self.steps[-1].outcome is Outcome.WAITING else None

    @property
    def node(self) -> Node | None:
        return self.flow.node(self.current.node) if self.current else None

    @property
    def waiting(self) -> frozenset[str]:
        """Those whose turn it is."""
        seats = self.current.seats if self.current else ()
        return frozenset(one for seat in seats if seat.verdict is None for one in seat.people)

    @property
    def sitting(self) -> frozenset[str]:
        """Those who have, or had, a say in it, while it lasts."""
        seats = [seat for step in self.steps for seat in step.seats] if self.status is Status.PENDING else []
        return frozenset(one for seat in seats for one in (*seat.people, seat.person)) - {""}

    @property
    def involved(self) -> frozenset[str]:
        """Everybody who was asked or told."""
        found: set[str] = set()
        for step in self.steps:
            found.update(step.copied)
            for seat in step.seats:
                found.update(seat.people, (passed.giver for passed in seat.passes))
                found.add(seat.person)
        return frozenset(found - {""})

    @property
    def answered(self) -> frozenset[str]:
        """Everybody who said something."""
        return frozenset(seat.person for step in self.steps for seat in step.seats if seat.person)


@dataclass(frozen=True)
class Approval:
    """A run as it is kept, in the order of the columns. `amount` is in ten-thousandths of `currency`; `flow_content`
    is the flow as it was when the run began, `facts` what its conditions speak of, `steps` as `approval_plain` writes
    them; `end_reason` is 0 unless it was withdrawn by itself."""

    name: str
    kind: str
    record: str
    opportunity: str
    customer: str
    flow: str
    flow_version: int
    flow_content: dict[str, Any]
    status: int
    owner: str
    team: str
    amount: int | None
    currency: str
    facts: dict[str, Any]
    steps: list[Any]
    due_time: datetime | None
    remind_time: datetime | None
    end_time: datetime | None
    end_reason: int
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None

    @property
    def money(self) -> Money | None:
        return of_units(self.amount, self.currency)
