"""Tasks that others ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.domain.known import KINDS, kind_of
from activities.domain.task import Automatic, TaskKind
from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldProblem
from chassis.transaction import Cause
from dealwright.opportunities.v1.events_pb2 import CollaboratorAdded
from dealwright.reports.v1.events_pb2 import TaskRequested
from dealwright.rules.v1.events_pb2 import ActionRequested

_LONGEST_TITLE, _LONGEST_DETAIL = 200, 10_000
_MOST_HOURS = 24 * 366


def collaboration(event: CollaboratorAdded) -> Automatic:
    """One task for each part of each collaborator, person or team."""
    part = event.part or "协作"
    return Automatic(
        origin=f"collaboration/{event.opportunity}/{event.person or event.team}/{event.part}",
        title=f"{part}：{event.title}" if event.title else part,
        title_en=f"{event.part or 'Collaboration'}: {event.title}" if event.title else event.part or "Collaboration",
        owner=event.person,
        record=event.opportunity,
        kind=TaskKind.COLLABORATION,
        detail=event.detail,
        team="" if event.person else event.team,
        due_time=event.due_time.ToDatetime(UTC) if event.HasField("due_time") else None,
        part=event.part,
        deliverable=event.detail,
        creator=event.requested_by or event.owner,
    )


def reported(event: TaskRequested) -> Automatic:
    """A task of a record that a report counted."""
    return Automatic(
        origin=event.origin,
        title=event.title,
        title_en=event.title_en or event.title,
        owner=event.owner,
        record=event.record,
        due_time=event.due_time.ToDatetime(UTC) if event.HasField("due_time") else None,
        creator=event.creator,
    )


def action(event: ActionRequested, parameters: Mapping[str, Any], cause: Cause, now: datetime) -> Automatic:
    """A rule's task: parameters kind, title, titleEn, detail, team, dueHours or dueTime; its origin says which task is
    the same. Raises Invalid for what makes none."""
    said = {_snake(key): value for key, value in parameters.items()}
    title = _text(said, "title", _LONGEST_TITLE) or event.text_zh or event.text_en
    team = _text(said, "team", 80)
    if not title or not (event.person or team):
        raise Invalid(
            [("parameters", "a task needs a title, and a person or a team", "任务须有标题，以及负责人或团队")]
        )
    kind = said.get("kind", "TODO")
    if kind not in TaskKind.__members__:
        raise Invalid([("parameters.kind", "there is no such kind of task", "没有这种任务类型")])
    return Automatic(
        origin=_text(said, "origin", 200) or event.origin or f"action/{cause.id}",
        title=title,
        title_en=_text(said, "title_en", _LONGEST_TITLE) or event.text_en or title,
        owner=event.person,
        record=next((one for one in (event.subject, _text(said, "record", 80)) if kind_of(one) in KINDS), ""),
        kind=TaskKind[kind],
        detail=_text(said, "detail", _LONGEST_DETAIL),
        team="" if event.person else team,
        due_time=_due(said, now),
        creator=cause.actor,
    )


def reason(parameters: Mapping[str, Any]) -> str:
    """Why a task is taken back. Raises Invalid."""
    return _text(parameters, "result", _LONGEST_DETAIL)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _text(said: Mapping[str, Any], name: str, longest: int) -> str:
    try:
        return fields.text(said.get(name) or "", longest, multiline=True)
    except FieldProblem as problem:
        raise Invalid([(f"parameters.{name}", problem.english, problem.chinese)]) from None


def _due(said: Mapping[str, Any], now: datetime) -> datetime | None:
    hours = said.get("due_hours")
    if isinstance(hours, int | float) and 0 <= hours <= _MOST_HOURS:
        return now + timedelta(hours=hours)
    if hours is not None:
        raise Invalid([("parameters.dueHours", f"must be from 0 to {_MOST_HOURS}", f"须为 0 至 {_MOST_HOURS}")])
    if not said.get("due_time"):
        return None
    try:
        return fields.moment(said["due_time"])
    except FieldProblem as problem:
        raise Invalid([("parameters.dueTime", problem.english, problem.chinese)]) from None
