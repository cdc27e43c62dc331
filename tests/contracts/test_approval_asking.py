"""Who asks for an approval by himself, what begins one by itself, and what whoever decides sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis.access import Grant
from chassis.transaction import Origin, Transaction
from contracts import subscribers
from contracts.storage.contracts import contracts
from contracts.usecases import approvals
from dealwright.api.v1.belongings_pb2 import FindBelongingsRequest
from dealwright.contracts.v1 import approvals_pb2 as pb
from dealwright.contracts.v1 import events_pb2
from dealwright.opportunities.v1.events_pb2 import StageApprovalRequested
from tests.contracts.approving import applied, as_, got, node, people, staffed, written
from tests.contracts.desk import ADMIN, CUSTOMER, OPPORTUNITY, Desk, refused


@pytest.fixture(autouse=True)
def staff(desk: Desk) -> None:
    staffed(
        desk,
        *(("li", "sales", "boss"), ("zhao", "sales", "boss"), ("boss", "manager", "chief"), ("chief", "manager", "")),
        *(("money", "finance", ""), ("gold", "finance", ""), ("law", "backoffice", ""), ("admin", "admin", "")),
    )


def test_O19_O20_O35_who_may_change_an_opportunity_asks_for_its_approval(desk: Desk) -> None:
    desk.deal(amount=1_200_000_0000, currency="CNY")
    regional = written(node("head", "manager:2", when="fields.region == '华东'"), **{"for": "region"})
    applied(desk, approvalFlows={"regional-head": regional})

    def ask(who: str, flow: str = "", record: str = OPPORTUNITY, **facts: Any) -> pb.Approval:
        given = Struct()
        given.update(facts)
        of = pb.Approval(record=record, flow=flow, facts=given)
        answer: pb.Approval = desk.call("CreateApproval", pb.CreateApprovalRequest(approval=of), as_(who))
        return answer

    made = ask("li", report="attachments/1")
    assert (made.kind, made.opportunity, made.customer, people(made)) == ("opportunity", OPPORTUNITY, CUSTOMER, "boss")
    assert (made.amount.units, json_format.MessageToDict(made.facts)["fields"]) == (
        1_200_000,
        {"report": "attachments/1"},
    )
    hanging = desk.call("FindBelongings", FindBelongingsRequest(names=[OPPORTUNITY]), ADMIN).found
    assert [list(one.kinds) for one in hanging] == [["approvals"]], "nobody takes it away from under its approvers"
    with refused("PENDING"):
        ask("li")
    # Another question about the same one, at the same time.
    assert people(ask("li", "regional-head", region="华东")) == "chief"
    with refused("NOT_FOUND"):
        ask("zhao")
    with refused("NO_FLOW"):
        ask("li", "none")
    with refused("NOT_FOUND"):
        ask("li", record=f"opportunities/{9:032x}")
    for record in ("", "quotes/1", "people/li", f"quotes/{1:032x}"):
        with refused("INVALID", "approval.record"):
            ask("li", record=record)


def test_Q14_who_decides_sees_what_the_company_has_done_with_the_customer(desk: Desk) -> None:
    desk.deal()
    caller = as_("li")
    with desk.runtime.transaction(caller, Origin(caller.actor)) as tx:
        made = approvals.request(
            tx, "quote", "quotes/1", opportunity=OPPORTUNITY, customer=CUSTOMER, amount=None, facts={}
        )
    for number, (status, amount) in enumerate([(5, 300_000), (8, 200_000), (1, 999_999)]):
        with desk.runtime.transaction() as tx:
            insert_contract(tx, number, status, amount)
    seen = desk.call("GetApproval", pb.GetApprovalRequest(name=made.name), as_("chief"))
    history = seen.customer_history
    assert (seen.customer, history.customer, history.display_name, history.tier) == (
        *(CUSTOMER, CUSTOMER),
        *("华东物流有限公司", "A"),
    )
    assert (history.contract_count, [(one.currency_code, one.units) for one in history.contract_amounts]) == (
        *(2, [("CNY", 500_000)]),
    )
    assert [(one.number, one.status, one.amount.units) for one in history.last_deals] == [
        *(("C-2", "DRAFT", 999_999), ("C-1", "COMPLETED", 200_000), ("C-0", "SIGNED", 300_000)),
    ]
    with refused("NOT_FOUND"):
        desk.call("GetApproval", pb.GetApprovalRequest(name=made.name), as_("law"))
    # Who only asks learns nothing of others' contracts with the customer.
    seen = desk.call("GetApproval", pb.GetApprovalRequest(name=made.name), as_("li"))
    assert (seen.name, seen.HasField("customer_history")) == (made.name, False)
    # A role that may not know what contracts are worth does not know it when it decides, either.
    blind = as_("chief")
    grants = {**blind.grants, "contracts": Grant(hidden=frozenset({"amount"}))}
    seen = desk.call("GetApproval", pb.GetApprovalRequest(name=made.name), replace(blind, grants=grants))
    assert (seen.customer_history.contract_count, len(seen.customer_history.contract_amounts)) == (2, 0)
    assert not any(one.HasField("amount") for one in seen.customer_history.last_deals)


def insert_contract(tx: Transaction, number: int, status: int, amount: int) -> None:
    """A contract of the customer, as it is kept."""
    empty = {column.name: "" for column in contracts.c if isinstance(column.type, sa.Text)}
    zero = {column.name: 0 for column in contracts.c if isinstance(column.type, sa.Integer)}
    row = {
        **empty,
        **zero,
        "name": f"contracts/{number:032x}",
        "number": f"C-{number}",
        "customer": CUSTOMER,
        "status": status,
        "amount": amount * 10_000,
        "currency": "CNY",
        "planned_by_hand": False,
        "create_time": tx.now,
        "update_time": tx.now,
    }
    tx.execute(sa.insert(contracts).values(row))


def test_O19_an_uploaded_paper_begins_the_run_that_its_gate_needs_and_is_seen_by_who_decides(desk: Desk) -> None:
    event = StageApprovalRequested(
        opportunity=OPPORTUNITY, flow="opportunity", stage="need-clear", owner="people/li", customer=CUSTOMER,
        title="年度采购", attachment="attachments/1", requested_by="people/zhao",
    )  # fmt: skip
    for _ in range(2):
        with desk.runtime.transaction() as tx:
            subscribers.stage_approvals(tx, event)
    (told,) = desk.announced(events_pb2.ApprovalRequested)
    seen = got(desk, told.approval.name)
    fields = json_format.MessageToDict(seen.facts)["fields"]
    assert (list(told.approvers), seen.owner, fields["attachment"]) == (["people/boss"], "people/zhao", "attachments/1")
