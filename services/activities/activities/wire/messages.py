"""Follow-ups, tasks, changes and histories as answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from google.protobuf.struct_pb2 import Struct

from activities.domain.changes import ChangeRequest
from activities.domain.entry import Entry
from activities.domain.follow_up import FollowUp
from activities.domain.interaction import Interaction
from activities.domain.known import Known
from activities.domain.task import Parts, Task
from chassis.messages import money, stamp
from dealwright.activities.v1 import activities_pb2 as pb

_FOLLOW_UP = (
    *("name", "record", "customer", "opportunity", "lead", "method", "outcome", "summary", "next_plan", "next_owner"),
    *("owner", "team", "attachments", "mentions"),
)
_TASK = (
    *("name", "kind", "title", "title_en", "detail", "status", "record", "customer", "opportunity", "parent", "owner"),
    *("team", "creator", "part", "deliverable", "mentions", "attachments", "result", "origin"),
)
_CHANGE_REQUEST = ("name", "record", "customer", "type", "detail", "schedule_days", "owner", "team")
_INTERACTION = (
    *("name", "record", "customer", "opportunity", "lead", "kind", "system", "external_id", "title", "text"),
    *("attachments", "owner", "team"),
)
_ENTRY = ("record", "customer", "opportunity", "kind", "title_zh", "title_en", "actor", "source")


def struct(plain: Mapping[str, Any] | None) -> Struct | None:
    if not plain:
        return None
    made = Struct()
    made.update(plain)
    return made


def _same(of: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(of, name) for name in names}


def _kept(of: Any) -> dict[str, Any]:
    return {"etag": str(of.version), "create_time": stamp(of.create_time), "update_time": stamp(of.update_time)}


def follow_up(of: FollowUp) -> pb.FollowUp:
    return pb.FollowUp(
        **_same(of, _FOLLOW_UP),
        **_kept(of),
        next_time=stamp(of.next_time),
        happen_time=stamp(of.happen_time),
        custom=struct(of.custom),
        delete_time=stamp(of.delete_time),
    )


def task(of: Task, parts: Parts | None = None) -> pb.Task:
    return pb.Task(
        **_same(of, _TASK),
        **_kept(of),
        due_time=stamp(of.due_time),
        done_time=stamp(of.done_time),
        custom=struct(of.custom),
        delete_time=stamp(of.delete_time),
        parts=parts.total if parts else 0,
        parts_done=parts.done if parts else 0,
    )


def change_request(of: ChangeRequest) -> pb.ChangeRequest:
    return pb.ChangeRequest(
        **_same(of, _CHANGE_REQUEST), **_kept(of), surcharge=money(of.added), delete_time=stamp(of.delete_time)
    )


def interaction(of: Interaction) -> pb.Interaction:
    return pb.Interaction(
        **_same(of, _INTERACTION),
        **_kept(of),
        detail=struct(of.detail),
        happen_time=stamp(of.happen_time),
        delete_time=stamp(of.delete_time),
    )


def entry(of: Entry) -> pb.TimelineEntry:
    return pb.TimelineEntry(
        **_same(of, _ENTRY),
        name=f"timeline/{of.key}",
        happen_time=stamp(of.happen_time),
        learn_time=stamp(of.learn_time),
        detail=struct(of.detail),
    )


def often(owner: str, outcome: int, found: int, last: datetime) -> pb.SummarizeFollowUpsResponse.Row:
    row = pb.SummarizeFollowUpsResponse.Row(owner=owner, count=found, happen_time=stamp(last))
    row.outcome = outcome  # type: ignore[assignment]
    return row


def latest(of: Known) -> pb.LatestFollowUp:
    return pb.LatestFollowUp(
        record=of.name,
        customer=of.customer,
        owner=of.owner,
        team=of.team,
        follow_up=of.last_follow_up,
        happen_time=stamp(of.last_follow_up_time),
    )
