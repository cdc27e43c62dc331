"""Events of opportunities, as their service tells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from dealwright.activities.v1 import activities_pb2
from dealwright.activities.v1.events_pb2 import FollowUpLogged
from dealwright.opportunities.v1 import opportunities_pb2 as deals_pb2
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged, OpportunityOpened, StageChanged
from tests.reports.desk import moment, money

WAY = ("first-contact", "need", "proposal", "quote", "won")
CALLED = {"first-contact": "初访 First contact", "need": "需求 Need", "won": "成交 Won", "lost": "流失 Lost"}
OPEN, WON, LOST = 1, 2, 3


@dataclass
class Deal:
    """One that moves along WAY; `told` are the events so far, each with when it was learnt."""

    name: str
    opened: str
    amount: int = 1000
    owner: str = "people/li"
    fields: dict[str, Any] = field(default_factory=dict)
    told: list[tuple[Message, str]] = field(default_factory=list)
    version: int = 1
    stage: str = WAY[0]
    status: int = OPEN
    closed: str = ""
    reason: str = ""
    # When it was entered, of one that is history.
    entered: str = ""
    pipeline: str = "pipelines/six-stage"
    currency: str = "CNY"

    def __post_init__(self) -> None:
        opened = OpportunityOpened(opportunity=self.name, stage=self.stage, place=_place(self.stage))
        opened.pipeline, opened.stage_display_name = self.pipeline, CALLED.get(self.stage, "")
        learnt = self.entered or self.opened
        self.told += [(opened, f"{learnt} of {self.opened}"), (self._changed(), learnt)]

    def move(self, stage: str, when: str, status: int = OPEN, forced: bool = False, learnt: str = "") -> Deal:
        was, from_status = self.stage, self.status
        self.version, self.stage, self.status = self.version + 1, stage, status
        moved = StageChanged(
            opportunity=self.name,
            from_stage=was,
            to_stage=stage,
            forced=forced,
            from_status=from_status,  # type: ignore[arg-type]
            to_status=status,  # type: ignore[arg-type]
            version=self.version,
            from_place=_place(was),
            to_place=_place(stage),
        )
        moved.change_time.FromDatetime(moment(when))
        moved.pipeline, moved.to_stage_display_name = self.pipeline, CALLED.get(stage, "")
        if status != OPEN:
            self.closed = when
        moved.state.CopyFrom(self._state())
        self.told.append((moved, learnt or self.entered or when))
        return self

    def win(self, when: str) -> Deal:
        return self.move("won", when, WON)

    def lose(self, when: str, reason: str = "PRICE") -> Deal:
        self.reason = reason
        return self.move("lost", when, LOST)

    def touch(self, when: str, name: str = "followUps/1") -> Deal:
        follow_up = activities_pb2.FollowUp(name=name, opportunity=self.name, owner=self.owner)
        follow_up.happen_time.FromDatetime(moment(when))
        self.told.append((FollowUpLogged(follow_up=follow_up), when))
        return self

    def give(self, owner: str, when: str) -> Deal:
        self.owner, self.version = owner, self.version + 1
        self.told.append((self._changed(), when))
        return self

    def delete(self, when: str) -> Deal:
        self.version += 1
        changed = self._changed()
        changed.deleted = True
        self.told.append((changed, when))
        return self

    def _changed(self) -> OpportunityChanged:
        return OpportunityChanged(opportunity=self._state(), version=self.version)

    def _state(self) -> deals_pb2.Opportunity:
        state = deals_pb2.Opportunity(
            name=self.name,
            owner=self.owner,
            stage=self.stage,
            status=self.status,  # type: ignore[arg-type]
            pipeline=self.pipeline,
            amount=money(self.amount, self.currency),
            status_reason=self.reason,
            **self.fields,
        )
        state.create_time.FromDatetime(moment(self.entered or self.opened))
        state.open_time.FromDatetime(moment(self.opened))
        if self.closed:
            state.close_time.FromDatetime(moment(self.closed))
        return state


def _place(stage: str) -> int:
    return WAY.index(stage) + 1 if stage in WAY else 0
