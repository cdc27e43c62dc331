"""Flows, people and answers for the tests of approvals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chassis import calendar
from chassis.access import Grant, Principal, Scope
from chassis.fields import FieldCheck
from chassis.money import Money
from chassis.people import Person
from chassis.transaction import Origin
from contracts.domain import approval_form
from contracts.domain.approval import Approval
from contracts.domain.approval_flow import Flow
from contracts.domain.approval_run import World
from contracts.domain.approvers import Colleague, House
from contracts.usecases import approvals, staff
from contracts.usecases.settings import PART
from dealwright.contracts.v1 import approvals_pb2 as pb
from tests.contracts.desk import Desk

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
AGREE, REJECT, RETURN = pb.Approval.APPROVE, pb.Approval.REJECT, pb.Approval.RETURN


def node(id: str, *approvers: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "displayName": id, "kind": "APPROVE", "approvers": list(approvers), **more}


def written(*nodes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A flow as a company writes it."""
    return {"displayName": {"zh": "试行", "en": "Trial"}, "for": "trial", "nodes": list(nodes), **more}


def flow(*nodes: Mapping[str, Any], **more: Any) -> Flow:
    check = FieldCheck()
    made = approval_form.flow("trial", written(*nodes, **more), check, "flow")
    assert not check.violations, check.violations
    return made


def wrong(*nodes: Mapping[str, Any], **more: Any) -> list[tuple[str, str]]:
    """What is wrong with a flow: paths and English."""
    check = FieldCheck()
    approval_form.flow("trial", written(*nodes, **more), check, "flow")
    return [(path, english) for path, english, _ in check.violations]


def world(*people: Colleague, now: datetime = NOW) -> World:
    return World(House({one.name: one for one in people}), calendar.always_open(), now)


def staffed(desk: Desk, *people: tuple[str, str, str], active: bool = True, version: int = 2) -> None:
    """Makes people known as (short name, role, manager's short name)."""
    with desk.runtime.transaction() as tx:
        named = [
            Person(f"people/{name}", name, "teams/east", f"people/{manager}" if manager else "", role, active, version)
            for name, role, manager in people
        ]
        staff.know(tx, named)


def as_(name: str, role: str = "sales", scope: Scope = Scope.OWN) -> Principal:
    grant = Grant(scope, scope, scope, scope)
    deals = dict.fromkeys(("approvals", "opportunities", "customers", "blueprint"), grant)
    return Principal(f"people/{name}", role, "teams/east", ("teams/east",), deals)


def asked(
    desk: Desk, kind: str, record: str = "quotes/1", who: str = "li", amount: Money | None = None, **facts: Any
) -> Approval:
    """An approval that somebody asked for, as a quote or a contract does."""
    caller = as_(who)
    with desk.runtime.transaction(caller, Origin(caller.actor)) as tx:
        spoken = {"discount": 0, **facts}
        return approvals.request(tx, kind, record, opportunity="", customer="", amount=amount, facts=spoken)


def say(desk: Desk, name: str, who: str, verdict: Any = AGREE, comment: str = "", **more: Any) -> pb.Approval:
    request = pb.DecideApprovalRequest(name=name, verdict=verdict, comment=comment, **more)
    answer: pb.Approval = desk.call("DecideApproval", request, as_(who))
    return answer


def got(desk: Desk, name: str) -> pb.Approval:
    answer: pb.Approval = desk.call("GetApproval", pb.GetApprovalRequest(name=name), as_("admin", "admin", Scope.ALL))
    return answer


def path(of: pb.Approval) -> list[tuple[str, str]]:
    """The nodes that it came to, and how each came out."""
    return [(step.node, pb.Approval.Step.Outcome.Name(step.outcome)) for step in of.steps]


def applied(desk: Desk, **content: Any) -> None:
    """Changes documents of the blueprint: each key by the ids within it."""
    with desk.runtime.transaction(ADMIN, Origin(ADMIN.actor)) as tx:
        now, version = PART.read(tx)
        PART.apply(tx, {key: {**now[key], **value} for key, value in content.items()}, version)


def cny(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def people(of: pb.Approval) -> str:
    """The short names of those whose turn it is."""
    return " ".join(one.removeprefix("people/") for one in of.pending)


ADMIN = as_("admin", "admin", Scope.ALL)
