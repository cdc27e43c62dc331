"""What is done to a lead leaves exactly these rows in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import clock
from chassis.access import Principal
from chassis.transaction import Origin
from dealwright.leads.v1 import leads_pb2
from leads.domain.ownership import Decided
from leads.usecases import directed
from tests.leads.desk import ADMIN, LI, MANAGER, WANG, Desk

PHONE = "13812345678"
Row = tuple[str, str, str, Any]
"""(action, subject, actor, detail)."""

pytestmark = pytest.mark.usefixtures("staff")


def rows(desk: Desk) -> list[Row]:
    log = desk.runtime.service.tables.audit_log
    with desk.runtime.reading() as tx:
        found = tx.execute(sa.select(log.c.action, log.c.subject, log.c.actor, log.c.detail).order_by(log.c.id))
        return [(row[0], row[1], row[2], row[3]) for row in found]


def left_by(desk: Desk, action: Callable[[], object]) -> list[Row]:
    before = rows(desk)
    action()
    after = rows(desk)
    assert after[: len(before)] == before
    return after[len(before) :]


def ready(desk: Desk, standing: str) -> str:
    name: str = desk.capture(phone=PHONE).lead.name
    if standing != "waiting":
        desk.assign(name, "people/li")
    if standing == "pooled":
        desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name))
    return name


ASSIGNED, CONTACTED = {"status": "ASSIGNED", "owner": "people/li"}, {"status": "CONTACTED", "owner": "people/li"}
COMMANDS: dict[str, tuple[str, str, Principal, dict[str, Any], str, dict[str, Any]]] = {
    "contact": ("assigned", "ContactLead", LI, {"note": "secret"}, "lead.contacted", CONTACTED),
    "claim": (
        *("pooled", "ClaimLead", WANG, {}, "lead.assigned"),
        {"status": "ASSIGNED", "owner": "people/wang"},
    ),
    "qualify": (
        *("assigned", "QualifyLead", LI, {"note": "secret"}, "lead.qualified"),
        {"status": "QUALIFIED", "owner": "people/li"},
    ),
    "disqualify": (
        *("assigned", "DisqualifyLead", LI, {"reason": "secret"}, "lead.disqualified"),
        {"status": "DISQUALIFIED", "owner": "people/li"},
    ),
    "release": (
        *("assigned", "ReleaseLead", LI, {"reason": "secret"}, "lead.released"),
        {"status": "POOLED", "owner": ""},
    ),
    "hand over": (
        *("assigned", "ReassignLead", MANAGER, {"owner": "people/wang"}, "lead.assigned"),
        {"status": "ASSIGNED", "owner": "people/wang"},
    ),
    "ask the rules": ("assigned", "ReassignLead", MANAGER, {}, "lead.changed", ASSIGNED),
    "ask the rules for one that nobody has": (
        *("waiting", "ReassignLead", MANAGER, {}, "lead.changed"),
        {"status": "WAITING", "owner": ""},
    ),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_P5_each_thing_that_people_do_with_a_lead_is_in_the_audit_log(desk: Desk, what: str) -> None:
    standing, method, who, fields, action, detail = COMMANDS[what]
    name = ready(desk, standing)
    request = getattr(leads_pb2, f"{method}Request")(name=name, **fields)
    ((*row, said),) = left_by(desk, lambda: desk.call(method, request, who))
    assert (row, said) == ([action, name, who.actor], {**detail, "version": said["version"], "fields": said["fields"]})
    assert str(said["version"]) == desk.get(name).etag
    assert ("status" in said["fields"]) == (
        what not in ("ask the rules", "hand over", "ask the rules for one that nobody has")
    )


def test_P5_a_capture_a_touch_and_a_correction_are_in_the_audit_log(desk: Desk) -> None:
    (captured,) = left_by(desk, lambda: desk.capture(phone=PHONE, channel="DOUYIN"))
    name = captured[1]
    assert captured == ("lead.captured", name, ADMIN.actor, {"channel": leads_pb2.DOUYIN})
    touched = left_by(desk, lambda: desk.capture(phone=PHONE, channel="WECHAT"))
    assert [row[:3] for row in touched] == [("lead.touched", name, ADMIN.actor)]
    lead = leads_pb2.Lead(name=name, company="secret")
    correct = left_by(desk, lambda: desk.call("UpdateLead", leads_pb2.UpdateLeadRequest(lead=lead), MANAGER))
    said = {"status": "WAITING", "owner": "", "version": 3, "fields": ["company"]}
    assert correct == [("lead.changed", name, MANAGER.actor, said)]
    assert left_by(desk, lambda: desk.call("UpdateLead", leads_pb2.UpdateLeadRequest(lead=lead), MANAGER)) == []


def test_P5_a_lead_that_comes_back_from_the_pool_is_in_the_audit_log(desk: Desk) -> None:
    name = ready(desk, "pooled")
    actions = {row[0]: row for row in left_by(desk, lambda: desk.capture(phone=PHONE))}
    assert actions.keys() == {"lead.touched", "lead.returned"}
    _, subject, actor, detail = actions["lead.returned"]
    assert (subject, actor, detail["from"]) == (name, ADMIN.actor, "POOLED")


@pytest.mark.parametrize(
    ("standing", "owner", "action", "detail"),
    [
        ("waiting", "people/li", "lead.assigned", {"owner": "people/li", "decision": 7}),
        ("waiting", "", "lead.unassigned", {"reason": "ALL_AWAY", "decision": 7}),
        ("assigned", "people/wang", "lead.assignmentRefused", {"owner": "people/wang", "reason": "OWNER_CHANGED"}),
        ("asked", "", "lead.kept", {"reason": "ALL_AWAY", "decision": 7}),
        ("asked", "people/wang", "lead.assigned", {"owner": "people/wang", "decision": 7}),
    ],
    ids=["assigned", "unassigned", "refused", "kept", "reassigned"],
)
def test_P5_what_comes_of_a_decision_is_in_the_audit_log(
    desk: Desk, standing: str, owner: str, action: str, detail: dict[str, Any]
) -> None:
    name = ready(desk, standing)
    if standing == "asked":
        desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name), MANAGER)
    version = desk.get(name).owner_version
    decided = Decided(name, owner, version, 7, reason="" if owner else "ALL_AWAY")
    assert left_by(desk, lambda: desk.decide(decided)) == [(action, name, "services/rules", detail)]
    assert left_by(desk, lambda: desk.decide(decided)) == ([] if action != "lead.assignmentRefused" else [
        (action, name, "services/rules", detail)
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("order", "action", "detail"),
    [
        ("REASSIGN", "lead.firstResponseMissed", {"owner": "people/li"}),
        ("ESCALATE", "lead.escalated", {"manager": "people/boss"}),
        ("RECLAIM", "lead.released", {"status": "POOLED", "owner": ""}),
    ],
)
def test_P5_what_clocks_order_is_in_the_audit_log(desk: Desk, order: str, action: str, detail: dict[str, Any]) -> None:
    name = ready(desk, "assigned")

    def act() -> None:
        with desk.runtime.transaction(origin=Origin("services/rules")) as tx:
            directed.act(tx, order, name, 1, "people/boss")

    assert left_by(desk, act) == [(action, name, "services/rules", detail)]


def test_P5_a_clock_that_is_shown_is_in_the_audit_log(desk: Desk) -> None:
    name = ready(desk, "assigned")

    def show(version: int) -> None:
        with desk.runtime.transaction(origin=Origin("services/rules")) as tx:
            directed.set_clocks(tx, [directed.Clock(name, version, clock.now() + timedelta(hours=2))])

    assert left_by(desk, lambda: show(1)) == [("lead.clockSet", name, "services/rules", {"ownerVersion": 1})]
    assert left_by(desk, lambda: show(0)) == []


def test_P5_the_audit_log_holds_no_word_that_a_person_wrote(desk: Desk) -> None:
    name = ready(desk, "assigned")
    for method, fields in (("ContactLead", {"note": "secret"}), ("ReleaseLead", {"reason": "secret"})):
        desk.call(method, getattr(leads_pb2, f"{method}Request")(name=name, **fields))
    assert "secret" not in str(rows(desk))
    assert PHONE not in str(rows(desk))
