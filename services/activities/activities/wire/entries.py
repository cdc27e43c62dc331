"""What our own records say on a timeline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.protobuf import json_format
from google.type.money_pb2 import Money as MoneyMessage

from activities.domain.attachment import Attachment
from activities.domain.changes import ChangeRequest, ChangeType
from activities.domain.check_in import CheckIn
from activities.domain.entry import Entry, key_of
from activities.domain.follow_up import FollowUp, Method, Outcome
from activities.domain.interaction import Interaction, InteractionKind
from activities.domain.task import Task, TaskKind
from chassis.messages import money
from dealwright.activities.v1.activities_pb2 import TimelineEntry as E

_METHODS = {
    Method.CALL: ("电话", "Call"),
    Method.VISIT: ("拜访", "Visit"),
    Method.MAIL: ("邮件", "Mail"),
    Method.MESSAGE: ("消息", "Message"),
    Method.MEETING: ("会议", "Meeting"),
}
_OUTCOMES = {
    Outcome.PAID: ("已付款", "paid"),
    Outcome.REVISIT: ("待回访", "to be seen again"),
    Outcome.REFUSED: ("已拒绝", "refused"),
    Outcome.REFERRAL: ("转介绍", "referred"),
    Outcome.NOT_REACHED: ("未接通", "not reached"),
    Outcome.PROGRESS: ("有进展", "progress"),
}
_TASKS = {
    TaskKind.TODO: ("待办已完成", "To-do done"),
    TaskKind.COLLABORATION: ("协作任务已完成", "Collaboration done"),
    TaskKind.TICKET: ("工单已完成", "Ticket done"),
    TaskKind.REVISIT: ("回访已完成", "Revisit done"),
}
_CHANGES = {
    ChangeType.SPECIFICATION: ("规格变更", "Change of specification"),
    ChangeType.QUANTITY: ("数量变更", "Change of quantity"),
    ChangeType.SCHEDULE: ("工期变更", "Change of schedule"),
    ChangeType.DELIVERY: ("交付变更", "Change of delivery"),
}
_INTERACTIONS = {
    InteractionKind.ORDER: ("订单", "Order"),
    InteractionKind.MAIL: ("邮件", "Mail"),
    InteractionKind.CONVERSATION: ("会话", "Conversation"),
    InteractionKind.DIAGNOSIS_REPORT: ("远程诊断报告", "Remote diagnosis report"),
    InteractionKind.CALL_SUMMARY: ("通话摘要", "Summary of a call"),
    InteractionKind.SNAPSHOT: ("快照", "Snapshot"),
}


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """What there is of these, as JSON has it: moments as text, money as an object."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, datetime):
            found[name] = value.isoformat()
        elif isinstance(value, MoneyMessage):
            found[name] = json_format.MessageToDict(value)
        elif value:
            found[name] = list(value) if isinstance(value, list | tuple) else value
    return found


def follow_up(of: FollowUp) -> Entry:
    zh, en = _METHODS.get(Method(of.method), ("跟进", "Follow-up"))
    zh_outcome, en_outcome = _OUTCOMES.get(Outcome(of.outcome), ("", ""))
    return Entry(
        key=key_of(of.name),
        record=of.record,
        resource="followUps",
        kind=E.FOLLOW_UP,
        title_zh=f"{zh}：{zh_outcome}" if zh_outcome else zh,
        title_en=f"{en}: {en_outcome}" if en_outcome else en,
        actor=of.owner,
        happen_time=of.happen_time,
        learn_time=of.create_time,
        source=of.name,
        detail=plain(
            {
                "method": Method(of.method).name if of.method else "",
                "outcome": Outcome(of.outcome).name if of.outcome else "",
                "summary": of.summary,
                "next_plan": of.next_plan,
                "next_time": of.next_time,
                "next_owner": of.next_owner,
                "attachments": of.attachments,
            }
        ),
    )


def task(of: Task, actor: str) -> Entry:
    zh, en = _TASKS[TaskKind(of.kind)]
    done = of.done_time or of.update_time
    said = {"title": of.title, "title_en": of.title_en, "part": of.part, "result": of.result, "owner": of.owner}
    return Entry(key_of(of.name), of.record, "tasks", E.TASK, zh, en, actor, done, done, of.name, detail=plain(said))


def attachment(of: Attachment) -> Entry:
    said = {"kind": of.kind, "file_name": of.file_name, "content_type": of.content_type, "size_bytes": of.size_bytes}
    return Entry(
        key=key_of(of.name),
        record=of.record,
        resource="attachments",
        kind=E.ATTACHMENT,
        title_zh="上传附件",
        title_en="File added",
        actor=of.owner,
        happen_time=of.create_time,
        learn_time=of.create_time,
        source=of.name,
        detail=plain(said),
    )


def check_in(of: CheckIn) -> Entry:
    said = {"address": of.address, "note": of.note, "photo": of.photo, "signature": of.signature}
    return Entry(
        key=key_of(of.name),
        record=of.record,
        resource="checkIns",
        kind=E.CHECK_IN,
        title_zh="外勤签到",
        title_en="Checked in",
        actor=of.owner,
        happen_time=of.happen_time,
        learn_time=of.create_time,
        source=of.name,
        detail=plain(said),
    )


def change_request(of: ChangeRequest) -> Entry:
    zh, en = _CHANGES.get(ChangeType(of.type), ("需求变更", "Change of requirement"))
    said = {
        "type": ChangeType(of.type).name if of.type else "",
        "detail": of.detail,
        "schedule_days": of.schedule_days,
        "surcharge": money(of.added),
    }
    return Entry(
        key=key_of(of.name),
        record=of.record,
        resource="changeRequests",
        kind=E.CHANGE_REQUEST,
        title_zh=zh,
        title_en=en,
        actor=of.owner,
        happen_time=of.create_time,
        learn_time=of.create_time,
        source=of.name,
        detail=plain(said),
    )


def interaction(of: Interaction, actor: str) -> Entry:
    zh, en = _INTERACTIONS.get(InteractionKind(of.kind), ("互动记录", "Interaction"))
    said = {
        "kind": InteractionKind(of.kind).name,
        "system": of.system,
        "external_id": of.external_id,
        "title": of.title,
        "text": of.text,
        "detail": dict(of.detail),
        "attachments": of.attachments,
    }
    return Entry(
        key=key_of(of.name),
        record=of.record,
        resource="interactions",
        kind=E.INTERACTION,
        title_zh=zh,
        title_en=en,
        actor=actor,
        happen_time=of.happen_time,
        learn_time=of.create_time,
        source=of.name,
        detail=plain(said),
    )
