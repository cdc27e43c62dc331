"""Tasks: asked for, taken, done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from activities.domain.entry import key_of
from activities.domain.task import Parts, Status, Task, TaskKind
from activities.storage import known as stored
from activities.storage import tasks as table
from activities.storage.tasks import tasks
from activities.usecases import automatic, known, mentions, staff, timeline
from activities.usecases.kinds import TASKS, teams_of
from activities.wire import entries
from chassis import custom, records
from chassis.access import refuse_read_only
from chassis.errors import Denied, Invalid, NotFound, Refused
from chassis.transaction import Transaction

_RESOURCE = TASKS.resource
_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("title_en", "detail", "record", "customer", "opportunity", "parent", "owner", "team", "part"), ""),
    **dict.fromkeys(("deliverable", "result", "origin"), ""),
    **dict.fromkeys(("due_time", "done_time", "custom")),
    "kind": TaskKind.TODO.value,
    "status": Status.OPEN.value,
    "mentions": [],
    "attachments": [],
    "version": 1,
}


def closed() -> Refused:
    return Refused("TASK_CLOSED", "This task is done or cancelled.", "该任务已完成或已取消。")


def create(tx: Transaction, values: Mapping[str, Any]) -> Task:
    """Asks somebody to do something. Anybody may be asked: what the caller needs for it is to see the record, or the
    task that it is a part of. Raises NotFound where he does not, Invalid, Denied."""
    refuse_read_only(tx.principal, _RESOURCE, [name for name, value in values.items() if value])
    given = {**_EMPTY, **values}
    given["kind"] = given["kind"] or TaskKind.TODO.value
    if not given["owner"] and not given["team"]:
        given["owner"] = tx.principal.person
    wrong: list[tuple[str, str, str]] = []
    if not given["owner"] and not given["team"]:
        wrong.append(("task.owner", "is required", "必填"))
    if given["parent"]:
        whole = records.find(tx, TASKS, given["parent"])
        given["record"] = given["record"] or whole.record
    seen = known.seen(tx, [given["record"]], known.ADD) if given["record"] else {}
    if given["record"] and given["record"] not in seen:
        raise NotFound(given["record"])
    people = staff.active(tx, [name for name in (given["owner"], *given["mentions"]) if name])
    wrong += staff.unknown([given["owner"]], people, "task.owner")
    wrong += staff.unknown(given["mentions"], people, "task.mentions")
    if given["kind"] == TaskKind.TICKET and not any(one.customer for one in seen.values()):
        wrong.append(("task.record", "must be a customer, or something of one", "须为客户或其下的记录"))
    if wrong:
        raise Invalid(wrong)
    if given["owner"]:
        given["team"] = people[given["owner"]].team
    made = Task(
        **{**given, "name": TASKS.new_name(), "creator": tx.principal.actor},
        create_time=tx.now,
        update_time=tx.now,
    )
    if made.record:
        of = stored.hold(tx, [made.record])[made.record]
        made = replace(made, customer=of.customer, opportunity=of.opportunity)
    records.create(tx, TASKS, made, {"kind": TaskKind(made.kind).name})
    mentions.named(tx, made.name, made.mentions, made.record, made.title)
    return made


def parts(tx: Transaction, of: Sequence[Task]) -> dict[str, Parts]:
    """How far the parts of these tasks are, by name."""
    return table.parts(tx, [one.name for one in of])


def hold(tx: Transaction, name: str, etag: str = "") -> Task:
    """The task, held until the commit: for its owner, who may write what he has, who asked for it, and while it is the
    whole team's, everybody in it. Raises NotFound out of reach, Denied for one that he may only see, Stale."""
    records.find(tx, TASKS, name)
    caller = tx.principal
    writable = records.criteria(TASKS, caller, "write")
    task = records.of_names(tx, TASKS, [name], lock=True).get(name)
    if task is None or task.delete_time is not None:
        raise NotFound(name)
    asked = bool(caller.person) and task.creator == caller.person
    if not asked and not _is_for_team_of(tx, task):
        mine = sa.select(sa.literal(1)).where(tasks.c.name == name, writable)
        if tx.execute(mine).first() is None:
            raise Denied(f"{_RESOURCE}.write")
    records.refuse_stale(tx, TASKS, task, etag)
    return task


def _is_for_team_of(tx: Transaction, task: Task) -> bool:
    return not task.owner and task.team in teams_of(tx.principal)


def update(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Task:
    """Writes these values, of the company's own fields key by key. Raises Stale, Invalid, Denied."""
    refuse_read_only(tx.principal, _RESOURCE, list(values))
    before = hold(tx, name, etag)
    after = replace(before, **custom.laid(before.custom, values, "task"))
    if "mentions" in values:
        staff.require(tx, after.mentions, "task.mentions")
    saved = records.save(tx, TASKS, before, after)
    mentions.changed(tx, name, before.mentions, saved.mentions, saved.record, saved.title)
    return _shown(tx, saved)


def claim(tx: Transaction, name: str, etag: str) -> Task:
    """Takes a task of the whole team."""
    before = hold(tx, name, etag)
    if before.is_closed:
        raise closed()
    if before.owner == tx.principal.person:
        return before
    if before.owner:
        raise Refused("TAKEN", "Somebody has this task.", "该任务已被他人领取。")
    if not _is_for_team_of(tx, before):
        raise Denied(f"{_RESOURCE}.claim")
    return records.save(tx, TASKS, before, _taken(tx, before), "claimed")


def _taken(tx: Transaction, task: Task) -> Task:
    """What nobody of a team has is his who works on it."""
    if task.owner or not tx.principal.person or task.team not in teams_of(tx.principal):
        return task
    return replace(task, owner=tx.principal.person)


def start(tx: Transaction, name: str, etag: str) -> Task:
    before = hold(tx, name, etag)
    if before.status != Status.OPEN:
        raise Refused("NOT_OPEN", "This task is not open.", "该任务不是待办状态。")
    return records.save(tx, TASKS, before, replace(_taken(tx, before), status=Status.IN_PROGRESS), "started")


def complete(tx: Transaction, name: str, etag: str, result: str) -> Task:
    """It is done, once: whoever comes second hears that it is closed."""
    before = hold(tx, name, etag)
    if before.is_closed:
        raise closed()
    after = replace(_taken(tx, before), status=Status.DONE, done_time=tx.now, result=result or before.result)
    return _shown(tx, records.save(tx, TASKS, before, after, "completed"))


def cancel(tx: Transaction, name: str, etag: str, result: str) -> Task:
    before = hold(tx, name, etag)
    if before.is_closed:
        raise closed()
    return automatic.finish(tx, before, Status.CANCELLED, result)


def reopen(tx: Transaction, name: str, etag: str) -> Task:
    before = hold(tx, name, etag)
    if not before.is_closed:
        raise Refused("NOT_CLOSED", "This task is not closed.", "该任务未关闭。")
    timeline.drop(tx, key_of(name))
    return records.save(tx, TASKS, before, replace(before, status=Status.OPEN, done_time=None), "reopened")


def assign(tx: Transaction, name: str, etag: str, owner: str, team: str) -> Task:
    """Gives it to a person, or to a whole team. Raises Invalid, TASK_CLOSED."""
    if bool(owner) == bool(team):
        raise Invalid([("owner", "or team is to be given, not both", "须指定负责人或团队之一")])
    before = hold(tx, name, etag)
    if before.is_closed:
        raise closed()
    of = staff.require(tx, [owner], "owner")[owner].team if owner else team
    return records.save(tx, TASKS, before, replace(before, owner=owner, team=of), "assigned")


def delete(tx: Transaction, name: str, etag: str) -> Task:
    gone = records.delete(tx, TASKS, name, etag)
    timeline.drop(tx, key_of(name))
    return gone


def undelete(tx: Transaction, name: str) -> Task:
    return _shown(tx, records.undelete(tx, TASKS, name))


def _shown(tx: Transaction, task: Task) -> Task:
    """What is done stands on the timeline of its record."""
    if task.is_done and task.record:
        timeline.put(tx, [entries.task(task, tx.principal.actor)])
    return task
