"""ApprovalService."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis import arrivals, custom, fields, records
from chassis.errors import Invalid
from chassis.fields import FieldCheck
from chassis.messages import read_amount
from chassis.rpc import Call, command, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from contracts.domain.approval import Approval, Verdict
from contracts.domain.approval_history import History
from contracts.domain.approvers import is_line
from contracts.usecases import approval_asking, approval_history, approval_trial, approvals, parties
from contracts.usecases.approval_kind import KIND
from contracts.wire import approvals as wire
from dealwright.contracts.v1 import approvals_pb2 as pb

LONGEST_COMMENT = 2000
MOST_SAMPLES = 200
_LONGEST_REQUEST_ID = 128
_LONGEST_FLOW_ID = 64


def _wait_for_record(servicer: ApprovalServicer, call: Call[pb.CreateApprovalRequest]) -> None:
    """Until it was opened, or opened again."""
    name = call.request.approval.record

    def arrived(tx: Transaction) -> bool:
        party = parties.find(tx, name)
        return party is not None and not party.lost

    if name.startswith(("opportunities/", "customers/")):
        arrivals.wait_for(servicer.runtime, call, [name], arrived)


class ApprovalServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["ApprovalService"]

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    @command(fetch=_wait_for_record)
    def CreateApproval(self, tx: Transaction, request: pb.CreateApprovalRequest) -> pb.Approval:
        check, of = _begun(request), request.approval
        amount = check.take("approval.amount", read_amount, of.amount) if of.HasField("amount") else None
        facts = check.take("approval.facts", custom.values, of.facts)
        flow = check.take("approval.flow", fields.text, of.flow, _LONGEST_FLOW_ID)
        record = check.take("approval.record", fields.text, of.record, 200, required=True)
        _refuse(check)
        return _shown(tx, approval_asking.ask(tx, record or "", flow or "", amount, facts or {}))

    @query
    def GetApproval(self, tx: Transaction, request: pb.GetApprovalRequest) -> pb.Approval:
        found = records.find(tx, KIND, request.name)
        return _shown(tx, found, approval_history.shown(tx, found))

    @query
    def ListApprovals(self, tx: Transaction, request: pb.ListApprovalsRequest) -> pb.ListApprovalsResponse:
        found, token, total = records.page(tx, KIND, request)
        return pb.ListApprovalsResponse(
            approvals=[_shown(tx, one) for one in found], next_page_token=token, total_size=total or 0
        )

    @command
    def DecideApproval(self, tx: Transaction, request: pb.DecideApprovalRequest) -> pb.Approval:
        check = _begun(request)
        if request.verdict not in [verdict.value for verdict in Verdict]:
            check.refuse("verdict", "must be APPROVE, REJECT or RETURN", "须为 APPROVE、REJECT 或 RETURN")
        comment = check.take("comment", fields.text, request.comment, LONGEST_COMMENT, multiline=True)
        values = check.take("values", custom.values, request.values)
        _refuse(check)
        verdict = Verdict(request.verdict)
        return _shown(tx, approvals.decide(tx, request.name, request.etag, verdict, comment or "", values or {}))

    @command
    def DelegateApproval(self, tx: Transaction, request: pb.DelegateApprovalRequest) -> pb.Approval:
        check = _begun(request)
        if not request.to.startswith("people/") or not is_line(request.to):
            check.refuse("to", 'must be "people/..."', "须为 “people/…”")
        _refuse(check)
        return _shown(tx, approvals.delegate(tx, request.name, request.etag, request.to))

    @command
    def WithdrawApproval(self, tx: Transaction, request: pb.WithdrawApprovalRequest) -> pb.Approval:
        _refuse(_begun(request))
        return _shown(tx, approvals.withdraw(tx, request.name, request.etag))

    @command
    def RemindApproval(self, tx: Transaction, request: pb.RemindApprovalRequest) -> pb.Approval:
        _refuse(_begun(request))
        return _shown(tx, approvals.remind(tx, request.name))

    @query
    def SimulateApprovalFlow(
        self, tx: Transaction, request: pb.SimulateApprovalFlowRequest
    ) -> pb.SimulateApprovalFlowResponse:
        check = FieldCheck()
        if bool(request.flow_id) == request.HasField("flow"):
            check.refuse("flow", "give a flow, or the id of one", "须给出流程或流程编号，且只给其一")
        if len(request.samples) > MOST_SAMPLES or not 0 <= request.last <= MOST_SAMPLES:
            check.refuse("samples", f"at most {MOST_SAMPLES}", f"最多 {MOST_SAMPLES} 个")
        flow = check.take("flow", _plain, request.flow) if request.HasField("flow") else None
        samples = [
            check.take(f"samples[{place}]", custom.values, sample) or {}
            for place, sample in enumerate(request.samples[:MOST_SAMPLES])
        ]
        _refuse(check)
        return wire.simulated(*approval_trial.simulate(tx, flow, request.flow_id, samples, request.last))


def _shown(tx: Transaction, of: Approval, history: History | None = None) -> pb.Approval:
    return wire.approval(approval_history.masked(tx, of), history)


def _plain(given: Struct) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json_format.MessageToDict(given)
    except (ValueError, RecursionError) as problem:
        raise fields.FieldProblem("is not plain data", "不是有效的数据") from problem
    return plain


def _begun(request: Any) -> FieldCheck:
    check = FieldCheck()
    if request.request_id:
        check.take("request_id", fields.text, request.request_id, _LONGEST_REQUEST_ID)
    return check


def _refuse(check: FieldCheck) -> None:
    if check.violations:
        raise Invalid(check.violations)
