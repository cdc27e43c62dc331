"""What follow-ups and tasks are among the records that people keep, and who sees them besides their owners: whoever
sees the record that they are about, and whoever is named in them."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from activities.domain.changes import ChangeRequest
from activities.domain.follow_up import FollowUp
from activities.domain.interaction import Interaction
from activities.domain.task import Task
from activities.storage import follow_ups as follow_up_table
from activities.storage.changes import change_requests
from activities.storage.follow_ups import follow_ups
from activities.storage.interactions import interactions
from activities.storage.tables import people
from activities.storage.tasks import tasks
from activities.usecases import known
from activities.wire import events, messages
from chassis import clock
from chassis.access import Principal
from chassis.columns import Column
from chassis.records import Kind
from chassis.transaction import Transaction
from dealwright.activities.v1 import activities_pb2 as pb

_FOLLOW_UP = pb.FollowUp.DESCRIPTOR.enum_types_by_name
_TASK = pb.Task.DESCRIPTOR.enum_types_by_name


def _names(table: sa.Table, *names: str) -> dict[str, Column]:
    return {name: Column(table.c[name], "name") for name in names}


def _times(table: sa.Table, *names: str) -> dict[str, Column]:
    return {name: Column(table.c[name], "time", order=True) for name in names}


def _on_record(table: sa.Table) -> Callable[[Principal], sa.ColumnElement[bool]]:
    return lambda principal: known.on_visible(principal, clock.now(), table.c.record, table.c.customer)


def _follow_ups_also(principal: Principal) -> sa.ColumnElement[bool]:
    named = follow_ups.c.name.in_(follow_up_table.naming(principal.person))
    return sa.or_(_on_record(follow_ups)(principal), named)


def _tasks_also(principal: Principal) -> sa.ColumnElement[bool]:
    """The team's, what he asked for, and what he is named in, too."""
    c = tasks.c
    return sa.or_(
        sa.and_(c.owner == "", c.team != "", c.team.in_(teams_of(principal))),
        sa.and_(c.creator == principal.person, c.creator != ""),
        c.name.in_(follow_up_table.naming(principal.person)),
        _on_record(tasks)(principal),
    )


def teams_of(principal: Principal) -> tuple[str, ...]:
    """The teams whose tasks are his to take: his own, and those he leads."""
    return tuple(dict.fromkeys(team for team in (principal.team, *principal.teams) if team)) or ("",)


def _follow_up_changed(tx: Transaction, before: FollowUp | None, after: FollowUp | None) -> None:
    of = after or before
    assert of is not None, "one of them is there"
    tx.emit(events.follow_up_changed(of, after is None))
    if after is None:
        follow_up_table.mention(tx, of.name, [])


def _change_request_changed(tx: Transaction, before: ChangeRequest | None, after: ChangeRequest | None) -> None:
    of = after or before
    assert of is not None, "one of them is there"
    tx.emit(events.change_request_changed(of, after is None))


def _interaction_changed(tx: Transaction, before: Interaction | None, after: Interaction | None) -> None:
    of = after or before
    assert of is not None, "one of them is there"
    tx.emit(events.interaction_changed(of, after is None))
    if before is None:
        tx.emit(events.interaction_recorded(of))


def _task_changed(tx: Transaction, before: Task | None, after: Task | None) -> None:
    of = after or before
    assert of is not None, "one of them is there"
    tx.emit(events.task_changed(of, after is None))
    if after is not None and after.is_done and not (before is not None and before.is_done):
        tx.emit(events.task_done(after))
    if after is None:
        follow_up_table.mention(tx, of.name, [])


FOLLOW_UPS: Kind[FollowUp] = Kind(
    resource="followUps",
    word="followUp",
    table=follow_ups,
    type=FollowUp,
    people=people,
    order="happen_time desc",
    also=_follow_ups_also,
    announce=_follow_up_changed,
    shown=messages.follow_up,
    columns={
        **_names(follow_ups, "record", "customer", "opportunity", "lead", "owner", "team", "next_owner"),
        "method": Column(follow_ups.c.method, "enum", _FOLLOW_UP["Method"]),
        "outcome": Column(follow_ups.c.outcome, "enum", _FOLLOW_UP["Outcome"]),
        "summary": Column(follow_ups.c.summary, "text"),
        "mentions": Column(follow_ups.c.mentions, "labels"),
        **_times(follow_ups, "happen_time", "next_time", "create_time", "update_time"),
    },
)

TASKS: Kind[Task] = Kind(
    resource="tasks",
    word="task",
    table=tasks,
    type=Task,
    people=people,
    team="team",
    order="due_time",
    also=_tasks_also,
    announce=_task_changed,
    shown=messages.task,
    columns={
        **_names(tasks, "record", "customer", "opportunity", "parent", "owner", "team", "creator", "origin"),
        "kind": Column(tasks.c.kind, "enum", _TASK["Kind"]),
        "status": Column(tasks.c.status, "enum", _TASK["Status"]),
        "title": Column(tasks.c.title, "text"),
        "part": Column(tasks.c.part, "text"),
        "mentions": Column(tasks.c.mentions, "labels"),
        **_times(tasks, "due_time", "done_time", "create_time", "update_time"),
    },
)

CHANGE_REQUESTS: Kind[ChangeRequest] = Kind(
    resource="changeRequests",
    word="changeRequest",
    table=change_requests,
    type=ChangeRequest,
    people=people,
    also=_on_record(change_requests),
    announce=_change_request_changed,
    shown=messages.change_request,
    spelt={"currency": "surcharge"},
    columns={
        **_names(change_requests, "record", "customer", "owner", "team"),
        "type": Column(change_requests.c.type, "enum", pb.ChangeRequest.DESCRIPTOR.enum_types_by_name["Type"]),
        "schedule_days": Column(change_requests.c.schedule_days, "int", order=True),
        **_times(change_requests, "create_time", "update_time"),
    },
)

INTERACTIONS: Kind[Interaction] = Kind(
    resource="interactions",
    word="interaction",
    table=interactions,
    type=Interaction,
    people=people,
    order="happen_time desc",
    also=_on_record(interactions),
    announce=_interaction_changed,
    shown=messages.interaction,
    columns={
        **_names(interactions, "record", "customer", "opportunity", "lead", "system", "external_id", "owner"),
        "kind": Column(interactions.c.kind, "enum", pb.Interaction.DESCRIPTOR.enum_types_by_name["Kind"]),
        "title": Column(interactions.c.title, "text"),
        **_times(interactions, "happen_time", "create_time"),
    },
)
