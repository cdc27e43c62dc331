"""What other services keep of an opportunity, as they announce it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.deciders import Decision
from chassis.messages import read_money
from dealwright.activities.v1 import activities_pb2, files_pb2
from dealwright.activities.v1 import events_pb2 as activity_events_pb2
from dealwright.contracts.v1 import approvals_pb2, contracts_pb2, quotes_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events_pb2
from opportunities.domain.opportunity import Agreed
from opportunities.domain.related import Related, Sort

_OURS = "opportunities/"
_Task = activities_pb2.Task


def attachment(event: Any) -> Related:
    """Of AttachmentChanged, AttachmentAdded, AttachmentRemoved; a file on another record belongs to none."""
    of: files_pb2.Attachment = event.attachment
    opportunity = of.record if of.record.startswith(_OURS) else ""
    gone = _deleted(event) or isinstance(event, activity_events_pb2.AttachmentRemoved)
    return _related(event, of, Sort.ATTACHMENT, opportunity, of.kind, "", of.owner, gone=gone)


def follow_up(event: Any) -> Related:
    """Of FollowUpChanged, FollowUpLogged."""
    of: activities_pb2.FollowUp = event.follow_up
    opportunity = of.opportunity or (of.record if of.record.startswith(_OURS) else "")
    return _related(event, of, Sort.FOLLOW_UP, opportunity, "", "", of.owner, gone=_deleted(event), at=of.happen_time)


def paper(event: Any) -> Related:
    """Of QuoteChanged, ApprovalChanged, ApprovalDecided, ContractChanged."""
    gone = _deleted(event)
    if isinstance(event, contract_events_pb2.QuoteChanged):
        quote = event.quote
        state = quotes_pb2.Quote.Status.Name(quote.status)
        return _related(event, quote, Sort.QUOTE, quote.opportunity, quote.number, state, quote.owner, gone=gone)
    if isinstance(event, contract_events_pb2.ContractChanged):
        contract = event.contract
        state = contracts_pb2.Contract.Status.Name(contract.status)
        of = contract.opportunity
        return _related(event, contract, Sort.CONTRACT, of, contract.number, state, contract.owner, gone=gone)
    approval: approvals_pb2.Approval = event.approval
    state = approvals_pb2.Approval.Status.Name(approval.status)
    opportunity = approval.opportunity or (approval.record if approval.record.startswith(_OURS) else "")
    return _related(event, approval, Sort.APPROVAL, opportunity, approval.flow, state, approval.owner, gone=gone)


def decision(event: contract_events_pb2.ApprovalChanged) -> Decision:
    return Decision(event.approval.name, event.approval.record, event.reads, event.version)


def agreed(event: contract_events_pb2.ApprovalDecided) -> Agreed | None:
    """A quote of an opportunity that was approved."""
    of = event.approval
    approved = of.status == approvals_pb2.Approval.APPROVED and of.HasField("amount")
    if not approved or not of.record.startswith("quotes/") or not of.opportunity:
        return None
    said = [seat for step in of.steps for seat in step.seats if seat.verdict == approvals_pb2.Approval.APPROVE]
    return Agreed(
        opportunity=of.opportunity,
        quote=of.record,
        approval=of.name,
        total=read_money(of.amount),
        at=_moment(of.end_time),
        asker=of.owner,
        approvers=tuple(dict.fromkeys(seat.person for seat in said)),
    )


def task(event: Any) -> Related:
    """Of TaskChanged, TaskDone: a collaborator's part, or a ticket; other tasks belong to none."""
    of: _Task = event.task
    sort = {_Task.COLLABORATION: Sort.PART, _Task.TICKET: Sort.TICKET}.get(of.kind)
    opportunity = of.opportunity or (of.record if of.record.startswith(_OURS) else "")
    state = _Task.Status.Name(of.status or _Task.OPEN)
    opportunity = opportunity if sort else ""
    return _related(event, of, sort or Sort.PART, opportunity, of.part, state, of.owner, of.team, gone=_deleted(event))


def _deleted(event: Any) -> bool:
    return bool(getattr(event, "deleted", False))


def _related(
    event: Any,
    of: Any,
    sort: Sort,
    opportunity: str,
    label: str,
    state: str,
    person: str,
    team: str = "",
    *,
    gone: bool,
    at: Timestamp | None = None,
) -> Related:
    """A fact has the version of the record that it carries."""
    version = getattr(event, "version", 0) or (int(of.etag) if of.etag.isdigit() else 0)
    begin = _moment(at or of.create_time)
    return Related(of.name, opportunity, int(sort), label, state, person, team, begin, gone, version)


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
