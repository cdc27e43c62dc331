"""A stage's gate asks for an approval by itself (O19)."""

from __future__ import annotations

from typing import Any

from contracts import subscribers
from dealwright.contracts.v1 import approvals_pb2 as pb
from dealwright.contracts.v1 import events_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events_pb2
from dealwright.opportunities.v1 import events_pb2 as opportunity_events_pb2
from tests.contracts.desk import BOSS, CUSTOMER, OPPORTUNITY, Desk, money


def ask(desk: Desk, **fields: Any) -> None:
    event = opportunity_events_pb2.StageApprovalRequested(
        **{
            "opportunity": OPPORTUNITY,
            "flow": "requirements",
            "stage": "need-confirmation",
            "owner": "people/li",
            "customer": CUSTOMER,
            "amount": money(80_000),
            "attachment": "attachments/1",
            "requested_by": "people/li",
            **fields,
        }
    )
    with desk.runtime.transaction() as tx:
        subscribers.stage_approvals(tx, event)


def test_O19_an_uploaded_report_goes_to_the_uploaders_manager_once(desk: Desk) -> None:
    desk.deal()
    for name, role, manager in (("people/boss", "manager", ""), ("people/li", "sales", "people/boss")):
        person = directory_pb2.Person(name=name, role=role, manager=manager, team="teams/east", display_name=name)
        desk.tell(subscribers.people, directory_events_pb2.PersonChanged(person=person, version=9))
    ask(desk)
    ask(desk)
    (asked,) = desk.announced(events_pb2.ApprovalRequested)
    assert list(asked.approvers) == ["people/boss"]
    assert (asked.approval.flow, asked.approval.record, asked.approval.opportunity) == (
        "requirements",
        OPPORTUNITY,
        OPPORTUNITY,
    )
    assert (asked.approval.owner, asked.approval.amount.units) == ("people/li", 80_000)
    request = pb.DecideApprovalRequest(name=asked.approval.name, verdict=pb.Approval.APPROVE)
    decided = desk.call("DecideApproval", request, BOSS)
    assert decided.status == pb.Approval.APPROVED
    (told,) = desk.announced(events_pb2.ApprovalDecided)
    assert (told.approval.opportunity, told.approval.flow) == (OPPORTUNITY, "requirements")
    # Another upload, another run.
    ask(desk, attachment="attachments/2")
    assert len(desk.announced(events_pb2.ApprovalRequested)) == 1
