"""Approvals as messages, and what is announced of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.struct_pb2 import Struct

from chassis.messages import money, stamp
from contracts.domain import approval_plain
from contracts.domain.approval import Approval, Pass, Run, Seat, Step
from contracts.domain.approval_flow import Blank, Flow
from contracts.domain.approval_history import History
from contracts.domain.approval_run import Asked
from dealwright.contracts.v1 import approvals_pb2 as pb
from dealwright.contracts.v1 import events_pb2

_SAME = ("name", "record", "opportunity", "customer", "flow", "flow_version", "status", "owner", "team", "kind")


def struct(plain: Mapping[str, Any]) -> Struct:
    made = Struct()
    made.update(plain)
    return made


def approval(of: Approval, history: History | None = None) -> pb.Approval:
    run = approval_plain.run_of(of)
    return pb.Approval(
        **{name: getattr(of, name) for name in _SAME},
        amount=money(of.money),
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        end_time=stamp(of.end_time),
        end_reason=of.end_reason,  # type: ignore[arg-type]
        facts=struct(of.facts),
        steps=[step(run.flow, one) for one in run.steps],
        pending=sorted(run.waiting),
        due_time=stamp(of.due_time),
        customer_history=_history(history) if history else None,
    )


def step(flow: Flow, of: Step) -> pb.Approval.Step:
    node = flow.node(of.node)
    return pb.Approval.Step(
        node=node.id,
        display_name=node.display_name.english,
        display_name_zh=node.display_name.chinese,
        kind=node.kind.value,  # type: ignore[arg-type]
        mode=node.mode.value if of.seats else 0,  # type: ignore[arg-type]
        needed=of.needed,
        outcome=of.outcome.value,  # type: ignore[arg-type]
        seats=[_seat(one) for one in of.seats],
        copied=of.copied,
        reason=of.reason,
        start_time=stamp(of.start),
        end_time=stamp(of.end),
        blanks=[_blank(one) for one in node.fields],
        values=struct(of.values) if of.values else None,
        reminders=of.rings,
    )


def _blank(of: Blank) -> pb.Approval.Blank:
    words = of.display_name
    return pb.Approval.Blank(id=of.id, display_name=words.english, display_name_zh=words.chinese, required=of.required)


def _seat(of: Seat) -> pb.Approval.Seat:
    return pb.Approval.Seat(
        line=of.line,
        people=of.people,
        person=of.person,
        verdict=of.verdict.value if of.verdict else 0,  # type: ignore[arg-type]
        comment=of.comment,
        decide_time=stamp(of.at),
        automatic=of.automatic,
        passes=[_pass(one) for one in of.passes],
    )


def _pass(of: Pass) -> pb.Approval.Pass:
    return pb.Approval.Pass(giver=of.giver, to=of.to, reason=of.why.value, pass_time=stamp(of.at))  # type: ignore[arg-type]


def _history(of: History) -> pb.CustomerHistory:
    return pb.CustomerHistory(
        customer=of.customer,
        display_name=of.display_name,
        tier=of.tier,
        contract_count=of.contracts,
        contract_amounts=[money(one) for one in of.signed],
        quote_count=of.quotes,
        last_deals=[
            pb.CustomerHistory.Deal(
                name=one.name,
                number=one.number,
                title=one.title,
                status=one.status,
                amount=money(one.amount),
                create_time=stamp(one.create_time),
            )
            for one in of.last
        ],
    )


# --- events ---


def changed(of: Approval, deleted: bool) -> events_pb2.ApprovalChanged:
    run = approval_plain.run_of(of)
    reads = {person: not deleted and person in run.sitting | run.answered for person in run.involved}
    return events_pb2.ApprovalChanged(approval=approval(of), version=of.version, deleted=deleted, reads=reads)


def requested(of: Approval, asked: Asked) -> events_pb2.ApprovalRequested:
    return events_pb2.ApprovalRequested(
        approval=approval(of),
        approvers=asked.people,
        copied=asked.copied,
        due_time=stamp(asked.due),
        reason=asked.reason,
    )


def decided(of: Approval) -> events_pb2.ApprovalDecided:
    return events_pb2.ApprovalDecided(approval=approval(of))


# --- simulated runs ---


def simulated(
    problems: Sequence[tuple[str, str, str]],
    runs: Iterable[tuple[int, str, Run, Sequence[str]]],
    visits: Iterable[tuple[str, int, int]],
) -> pb.SimulateApprovalFlowResponse:
    """`runs` are (number of the sample, approval, run, vacant nodes)."""
    return pb.SimulateApprovalFlowResponse(
        problems=[
            pb.SimulateApprovalFlowResponse.Problem(field=path, message=english, message_zh=chinese)
            for path, english, chinese in problems
        ],
        runs=[
            pb.SimulateApprovalFlowResponse.Run(
                sample=number, approval=name, steps=[step(run.flow, one) for one in run.steps], vacant=vacant
            )
            for number, name, run, vacant in runs
        ],
        nodes=[
            pb.SimulateApprovalFlowResponse.Node(node=node, visits=came, asked=asked) for node, came, asked in visits
        ],
    )
