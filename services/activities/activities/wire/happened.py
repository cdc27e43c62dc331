"""What other services announce, as entries of timelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from activities.domain.entry import Entry
from activities.domain.known import KINDS, kind_of
from activities.wire.entries import plain
from chassis.transaction import Cause
from dealwright.activities.v1.activities_pb2 import TimelineEntry as E
from dealwright.api.v1.bringing_pb2 import Brought
from dealwright.contracts.v1.approvals_pb2 import Approval
from dealwright.leads.v1 import leads_pb2
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity

_DECIDED = {
    Approval.APPROVED: ("审批通过", "Approved"),
    Approval.REJECTED: ("审批驳回", "Rejected"),
    Approval.RETURNED: ("审批退回", "Returned by approvers"),
    Approval.WITHDRAWN: ("审批撤回", "Approval withdrawn"),
}
_GONE_ON = {
    False: ("已同意，转下一步", "Agreed, on to the next step"),
    True: ("已填写，转下一步", "Filled in, on to the next step"),
}
_ENDED = {
    Opportunity.WON: ("赢单", "Won"),
    Opportunity.LOST: ("输单", "Lost"),
    Opportunity.ON_HOLD: ("商机搁置", "Put on hold"),
}
_CHANNELS = {
    leads_pb2.WEB_FORM: ("官网表单", "Web form"),
    leads_pb2.TRADE_SHOW: ("展会", "Trade show"),
    leads_pb2.DOUYIN: ("抖音", "Douyin"),
    leads_pb2.WECHAT: ("微信", "WeChat"),
    leads_pb2.PHONE_400: ("400 电话", "400 phone"),
    leads_pb2.REFERRAL: ("转介绍", "Referral"),
    leads_pb2.IMPORT: ("导入", "Import"),
    leads_pb2.API: ("接口", "API"),
}


def moment(stamp: Timestamp, otherwise: datetime) -> datetime:
    return stamp.ToDatetime(UTC) if stamp.seconds else otherwise


def entry(event: Message, cause: Cause) -> Entry | None:
    """The event as an entry; None for one that is about nothing that has a timeline."""
    read = _READERS.get(event.DESCRIPTOR.name)
    made = read(event, cause) if read is not None else None
    return made if made is not None and kind_of(made.record) in KINDS else None


def _entry(cause: Cause, record: str, resource: str, kind: int, titles: tuple[str, str], **more: Any) -> Entry:
    """`more`: happened, actor, source, and what it says."""
    return Entry(
        key=cause.id,
        record=record,
        resource=resource,
        kind=kind,
        title_zh=titles[0],
        title_en=titles[1],
        actor=more.pop("actor", "") or cause.actor,
        happen_time=more.pop("happened", None) or cause.time,
        learn_time=cause.receive_time,
        source=more.pop("source", record),
        detail=plain(more),
    )


def _lead(event: Any, cause: Cause, zh: str, en: str, **more: Any) -> Entry:
    return _entry(cause, event.lead, "leads", E.LEAD, (zh, en), **more)


def _channel(channel: int) -> str:
    return leads_pb2.Channel.Name(channel) if channel in _CHANNELS else ""  # type: ignore[arg-type]


def _captured(event: Any, cause: Cause) -> Entry:
    zh, en = _CHANNELS.get(event.channel, ("线索", "Lead"))
    if event.owner_version:
        return _lead(event, cause, "线索重新分配", "Lead to be assigned anew", reason=event.cause)
    said = {"channel": _channel(event.channel), "text": event.text, "region": event.region, "company": event.company}
    return _lead(
        event, cause, f"{zh}：线索录入", f"{en}: captured", happened=moment(event.capture_time, cause.time), **said
    )


def _touched(event: Any, cause: Cause) -> Entry:
    zh, en = _CHANNELS.get(event.channel, ("触点", "Touchpoint"))
    said = {"channel": _channel(event.channel), "text": event.text}
    happened = moment(event.happen_time, cause.time)
    return _lead(event, cause, f"{zh}：再次联系我们", f"{en}: in touch again", happened=happened, **said)


def _assigned(event: Any, cause: Cause) -> Entry:
    happened = moment(event.assign_time, cause.time)
    return _lead(event, cause, "线索分配", "Lead assigned", happened=happened, owner=event.owner)


def _contacted(event: Any, cause: Cause) -> Entry:
    zh, en = ("首次联系", "First contact") if event.first else ("联系客户", "Contacted")
    return _lead(event, cause, zh, en, happened=moment(event.happen_time, cause.time))


def _opened(event: Any, cause: Cause) -> Entry:
    said = {"number": event.number, "stage": event.stage, "amount": event.amount if event.HasField("amount") else None}
    return _entry(cause, event.opportunity, "opportunities", E.STAGE, ("商机创建", "Opportunity opened"), **said)


def _moved(event: Any, cause: Cause) -> Entry:
    ended = _ENDED.get(event.to_status) if event.to_status != event.from_status else None
    said = {"from_stage": event.from_stage, "stage": event.to_stage, "status_reason": event.reason}
    titles = ended or ("阶段变更", "Stage changed")
    return _entry(cause, event.opportunity, "opportunities", E.STAGE, titles, **said)


def _quote_taken(event: Any, cause: Cause) -> Entry:
    titles = ("报价获批，预计金额更新为报价总额", "Quote approved: its total is the expected amount")
    said = {"approved_quote": event.quote, "amount": event.amount}
    return _entry(cause, event.opportunity, "opportunities", E.QUOTE, titles, source=event.quote, **said)


def _quote_opened(event: Any, cause: Cause) -> Entry:
    quote, happened = event.quote, moment(event.open_time, cause.time)
    titles = (
        ("客户首次打开报价", "Quote opened for the first time") if event.first else ("客户打开报价", "Quote opened")
    )
    return _entry(
        cause, quote.name, "quotes", E.QUOTE, titles, happened=happened, actor="anonymous", number=quote.number
    )


def _approval_of(approval: Any) -> str:
    """The record on whose timeline it stands: what is to be approved, or the deal that this is a part of."""
    candidates = (approval.record, approval.opportunity, approval.customer)
    return next((str(name) for name in candidates if kind_of(name) in KINDS), "")


def _approval_requested(event: Any, cause: Cause) -> Entry | None:
    """It is asked for once, by who asked; every further step begins because somebody agreed to the one before."""
    if event.reason or (event.copied and not event.approvers):
        return None  # the same step again, or people who are told and not asked
    of = event.approval
    before = [(step, seat) for step in of.steps[:-1] for seat in step.seats if seat.person and not seat.automatic]
    titles, actor = ("提交审批", "Approval requested"), of.owner
    if before:
        last, seat = max(before, key=lambda one: one[1].decide_time.ToNanoseconds())
        if cause.actor != seat.person:
            return None  # a seat that was empty is filled; nobody went on
        titles, actor = _GONE_ON[last.kind == Approval.Step.FILL_IN], seat.person
    said = {"flow": of.flow, "approvers": list(event.approvers), "amount": of.amount if of.HasField("amount") else None}
    return _entry(cause, _approval_of(of), "approvals", E.APPROVAL, titles, actor=actor, source=of.name, **said)


def _approval_decided(event: Any, cause: Cause) -> Entry:
    of = event.approval
    titles = _DECIDED.get(of.status, ("审批结束", "Approval ended"))
    happened = moment(of.end_time, cause.time)
    return _entry(
        cause, _approval_of(of), "approvals", E.APPROVAL, titles, source=of.name, happened=happened, flow=of.flow
    )


def _signed(event: Any, cause: Cause) -> Entry:
    of = event.contract
    said = {"number": of.number, "title": of.title, "amount": of.amount, "sign_date": of.sign_date}
    return _entry(cause, of.name, "contracts", E.CONTRACT, ("合同签署", "Contract signed"), **said)


def _invoiced(event: Any, cause: Cause) -> Entry:
    of = event.invoice
    said = {"number": of.number, "amount": of.amount, "issue_date": of.issue_date}
    return _entry(cause, of.contract, "invoices", E.INVOICE, ("开具发票", "Invoice issued"), source=of.name, **said)


def _paid(event: Any, cause: Cause) -> Entry:
    of = event.payment
    refund = event.DESCRIPTOR.name == "PaymentRefunded"
    titles = ("退款", "Refunded") if refund else ("收到回款", "Payment received")
    said = {"amount": of.amount, "pay_date": of.pay_date, "method": of.method}
    return _entry(cause, of.contract, "payments", E.PAYMENT, titles, source=of.name, **said)


def _overdue(event: Any, cause: Cause) -> Entry:
    of = event.instalment
    said = {"title": of.title, "amount": of.amount, "due_date": of.due_date}
    return _entry(cause, of.contract, "instalments", E.PAYMENT, ("回款逾期", "Payment overdue"), source=of.name, **said)


def _transferred(event: Any, cause: Cause) -> Entry:
    said = {"owner": event.customer.owner}
    return _entry(cause, event.customer.name, "customers", E.CUSTOMER, ("客户转移", "New owner"), **said)


def _merged(event: Any, cause: Cause) -> Entry:
    return _entry(cause, event.customer.name, "customers", E.CUSTOMER, ("客户合并", "Merged with another record"))


_BROUGHT = {
    Brought.MERGED: ("导入：与已有资料不同，未采用", "Import: said otherwise, not taken"),
    Brought.UPDATED: ("导入：覆盖了原有资料", "Import: replaced what was there"),
    Brought.TOUCHED: ("导入：再次提到", "Import: mentioned again"),
}


def _brought_again(event: Any, cause: Cause) -> Entry:
    titles = _BROUGHT.get(event.outcome, ("导入", "Import"))
    said = {one.field: {"ours": one.ours, "theirs": one.theirs} for one in event.differences}
    resource = kind_of(event.record)
    made = _entry(cause, event.record, resource, E.IMPORT, titles, source=event.source or event.record)
    return replace(made, detail=said)


_READERS: Mapping[str, Callable[[Any, Cause], Entry | None]] = {
    "LeadCaptured": _captured,
    "LeadTouched": _touched,
    "LeadAssigned": _assigned,
    "LeadContacted": _contacted,
    "LeadReleased": lambda e, cause: _lead(e, cause, "线索退回公海", "Lead back in the pool", status_reason=e.reason),
    "LeadQualified": lambda e, cause: _lead(e, cause, "线索转为商机", "Lead qualified"),
    "LeadDisqualified": lambda e, cause: _lead(e, cause, "线索无效", "Lead disqualified", status_reason=e.reason),
    "LeadDeleted": lambda e, cause: _lead(e, cause, "线索已删除", "Lead deleted"),
    "LeadUndeleted": lambda e, cause: _lead(e, cause, "线索已恢复", "Lead brought back"),
    "OpportunityOpened": _opened,
    "StageChanged": _moved,
    "QuoteTaken": _quote_taken,
    "QuoteOpened": _quote_opened,
    "ApprovalRequested": _approval_requested,
    "ApprovalDecided": _approval_decided,
    "ContractSigned": _signed,
    "InvoiceIssued": _invoiced,
    "PaymentReceived": _paid,
    "PaymentRefunded": _paid,
    "PaymentOverdue": _overdue,
    "OwnerTransferred": _transferred,
    "CustomersMerged": _merged,
    "RecordBroughtAgain": _brought_again,
}
