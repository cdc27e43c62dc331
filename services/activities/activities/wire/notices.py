"""What happened elsewhere, as who is to be told of it in which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from google.protobuf.message import Message

from activities.domain.notice import Kind, Told, Words
from chassis.transaction import Cause
from dealwright.activities.v1 import events_pb2 as ours
from dealwright.activities.v1.activities_pb2 import Task
from dealwright.contracts.v1 import approvals_pb2
from dealwright.contracts.v1 import events_pb2 as contracts
from dealwright.opportunities.v1 import events_pb2 as opportunities
from dealwright.rules.v1 import events_pb2 as rules

_LONGEST = 300
_STATUS = {
    approvals_pb2.Approval.APPROVED: ("已通过", "approved"),
    approvals_pb2.Approval.REJECTED: ("已驳回", "rejected"),
    approvals_pb2.Approval.RETURNED: ("已退回修改", "sent back to be changed"),
    approvals_pb2.Approval.WITHDRAWN: ("已撤回", "withdrawn"),
}
_END = {
    approvals_pb2.Approval.DEAL_LOST: ("：商机已输单", " by the system: its opportunity was lost"),
    approvals_pb2.Approval.DEAL_DELETED: ("：商机已删除", " by the system: its opportunity was deleted"),
    approvals_pb2.Approval.CONTRACT_VOID: ("：合同已作废", " by the system: its contract is void"),
}
_WHY = {
    "": ("有一项审批待您处理", "Something waits for your approval"),
    "REMINDER": ("审批提醒：请尽快处理", "A reminder: your approval is waited for"),
    "ESCALATED": ("审批已超时并升级给您", "An approval was not given in time and comes to you"),
    "DELEGATED": ("有一项审批转交给您", "An approval was handed to you"),
}
_ACTIONS = {"NOTIFY": Kind.NOTIFY, "MAIL": Kind.MAIL, "ESCALATE": Kind.ESCALATED}
# What a rule's notice is about, where people choose by that what goes by mail.
_ABOUT = {"CONTRACT_EXPIRING": Kind.CONTRACT_EXPIRING, "INSTALMENT_DUE": Kind.PAYMENT_OVERDUE}


def _mentioned(event: ours.Mentioned, cause: Cause) -> list[Told]:
    text = event.text[:_LONGEST]
    words = Words("有人在跟进或任务中提到了您", "Somebody mentioned you", text, text)
    key = f"mentioned {event.source} {cause.id}"
    return [Told(event.person, Kind.MENTIONED, event.record or event.source, words, event.actor, key)]


def _task(event: ours.TaskChanged, cause: Cause) -> list[Told]:
    task = event.task
    of_share = task.kind == Task.COLLABORATION and task.origin  # CollaboratorAdded has told of it
    if event.deleted or of_share or not task.owner or task.owner == task.creator:
        return []
    if task.status not in (Task.OPEN, Task.IN_PROGRESS):
        return []
    words = Words("有一项新任务分配给您", "A task is yours", task.title, task.title)
    return [Told(task.owner, Kind.TASK_ASSIGNED, task.name, words, cause.actor, f"task {task.name}")]


def _approval_requested(event: contracts.ApprovalRequested, cause: Cause) -> list[Told]:
    of = event.approval
    zh, en = _WHY.get(event.reason, _WHY[""])
    asked = [
        Told(one, Kind.APPROVAL_REQUESTED, of.name, Words(zh, en), of.owner, f"{cause.id} asked", about=of.record)
        for one in event.approvers
    ]
    words = Words("一项审批抄送给您", "You are copied on an approval")
    return asked + [
        Told(one, Kind.APPROVAL_COPIED, of.name, words, of.owner, f"{cause.id} copied", about=of.record)
        for one in event.copied
        if one not in event.approvers
    ]


def _approval_decided(event: contracts.ApprovalDecided, cause: Cause) -> list[Told]:
    of = event.approval
    zh, en = _STATUS.get(of.status, ("已结束", "over"))
    why_zh, why_en = _END.get(of.end_reason, ("", ""))
    words = Words(f"您提交的审批{zh}{why_zh}", f"What you asked for was {en}{why_en}")
    # Its asker is told although he withdrew it himself: it ended.
    return [Told(of.owner, Kind.APPROVAL_DECIDED, of.name, words, "", f"decided {of.name} {of.etag}", about=of.record)]


def _quote_opened(event: contracts.QuoteOpened, cause: Cause) -> list[Told]:
    of = event.quote
    if not event.first:
        return []
    zh, en = f"客户刚刚打开了报价单 {of.number}", f"The customer has just opened quote {of.number}"
    return [Told(of.owner, Kind.QUOTE_OPENED, of.name, Words(zh, en, zh, en), "", f"opened {of.name}")]


def _shared(event: opportunities.OpportunityShared, cause: Cause) -> list[Told]:
    words = Words("有一个商机共享给您", "An opportunity is shared with you")
    key = f"shared {cause.id}"
    return [Told(event.person, Kind.OPPORTUNITY_SHARED, event.opportunity, words, event.shared_by, key)]


def _collaborator(event: opportunities.CollaboratorAdded, cause: Cause) -> list[Told]:
    part = event.part
    zh, en = f"您的分工：{part}" if part else "", f"Your part: {part}" if part else ""
    words = Words("您被加为商机协作人", "You work on an opportunity", zh, en)
    key = f"collaborator {cause.id}"
    return [Told(event.person, Kind.COLLABORATOR_ADDED, event.opportunity, words, cause.actor, key)]


def _action(event: rules.ActionRequested, cause: Cause) -> list[Told]:
    kind = _ACTIONS.get(event.action)
    if kind is None or not event.person:
        return []
    said = {key: value for key, value in event.parameters.items() if isinstance(value, str)}
    zh, en = said.get("text_zh") or event.text_zh, said.get("text_en") or event.text_en
    template = said.get("template", "")
    # With a template, its words stand where the rule has none of its own.
    title_zh = said.get("subject_zh") or ("" if template else zh[:_LONGEST])
    title_en = said.get("subject_en") or ("" if template else en[:_LONGEST])
    words = Words(title_zh, title_en, zh, en)
    of = event.origin or blake2b(f"{zh}{en}".encode(), digest_size=8).hexdigest() + cause.id
    actor = f"automations/{event.automation}" if event.automation else "services/rules"
    if kind is Kind.NOTIFY:
        kind = _ABOUT.get(said.get("on", ""), kind)
    record = said.get("contract") or event.subject
    return [Told(event.person, kind, record, words, actor, f"{event.action} {of}", template)]


READERS: Mapping[type[Message], Callable[[Any, Cause], list[Told]]] = {
    ours.Mentioned: _mentioned,
    ours.TaskChanged: _task,
    contracts.ApprovalRequested: _approval_requested,
    contracts.ApprovalDecided: _approval_decided,
    contracts.QuoteOpened: _quote_opened,
    opportunities.OpportunityShared: _shared,
    opportunities.CollaboratorAdded: _collaborator,
    rules.ActionRequested: _action,
}


def told(event: Message, cause: Cause) -> list[Told]:
    return [one for one in READERS[type(event)](event, cause) if one.person]
