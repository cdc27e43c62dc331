"""What the rules decide is recorded once, and what their clocks order is carried out."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from chassis import clock
from chassis.transaction import Origin
from dealwright.leads.v1 import events_pb2, leads_pb2
from leads.domain.ownership import Decided
from leads.storage.tables import leads as leads_table
from leads.usecases import directed
from leads.usecases.waiting import announce_again
from tests.leads.desk import LI, Desk

Status = leads_pb2.Lead
PHONE = "13812345678"

pytestmark = pytest.mark.usefixtures("staff")


def act(desk: Desk, action: str, name: str, version: int, person: str = "") -> None:
    with desk.runtime.transaction(origin=Origin("services/rules")) as tx:
        directed.act(tx, action, name, version, person)


def test_L19_a_decision_that_comes_twice_in_one_delivery_is_recorded_and_never_refused(desk: Desk) -> None:
    """A refusal would return the turn of a lead that was taken."""
    lead = desk.capture(phone=PHONE).lead
    desk.announced()
    desk.decide(*(Decided(lead.name, "people/li", 0, 7) for _ in range(2)))
    assert [type(event) for event in desk.announced()] == [events_pb2.LeadAssigned]


def test_L19_a_recorded_decision_makes_the_owner_and_is_announced_once(desk: Desk) -> None:
    lead = desk.capture(phone=PHONE, region="上海", tags=["vip"]).lead
    desk.announced()
    desk.decide(Decided(lead.name, "people/li", 0, 7, urgent=True, tags=["urgent", "vip"]))
    now = desk.get(lead.name)
    assert (now.owner, now.status, now.owner_version, list(now.tags)) == (
        "people/li",
        Status.ASSIGNED,
        1,
        ["vip", "urgent"],
    )
    (event,) = desk.announced()
    assert isinstance(event, events_pb2.LeadAssigned)
    assert (event.owner, event.owner_version, event.how, event.decision, event.urgent, list(event.owners)) == (
        "people/li",
        1,
        "RULES",
        7,
        True,
        ["people/li"],
    )
    # The same decision once more, as a new event: nothing happens, and its turn does not return.
    desk.decide(Decided(lead.name, "people/li", 0, 7))
    assert desk.announced() == []
    # The etag that a person read is still good: the rules alone did something.
    assert now.etag == lead.etag


def test_L31_of_two_decisions_one_wins_and_the_other_is_refused(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.announced()
    desk.decide(Decided(name, "people/wang", 0, 8), Decided(name, "people/li", 0, 7))
    assert desk.get(name).owner == "people/li"
    assigned, lost = desk.announced()
    assert isinstance(assigned, events_pb2.LeadAssigned)
    assert lost == events_pb2.AssignmentRefused(lead=name, owner="people/wang", decision=8, reason="OWNER_CHANGED")


def test_L31_a_decision_for_a_closed_or_unknown_lead_is_refused(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.call("DisqualifyLead", leads_pb2.DisqualifyLeadRequest(name=name, reason="test"))
    desk.announced()
    gone = "leads/" + "0" * 32
    desk.decide(Decided(name, "people/li", 0, 7), Decided(gone, "people/li", 0, 8))
    assert [(e.lead, e.reason) for e in desk.announced()] == [(name, "CLOSED"), (gone, "GONE")]


def test_L17_nobody_may_take_it_so_it_is_unassigned_with_the_reason_until_somebody_may(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.announced()
    desk.decide(Decided(name, "", 0, 7, reason="ALL_AWAY"))
    desk.decide(Decided(name, "", 0, 8, reason="ALL_AWAY"))
    lead = desk.get(name)
    assert (lead.status, lead.status_reason, lead.owner_version) == (Status.UNASSIGNED, "ALL_AWAY", 0)
    assert desk.announced() == [events_pb2.LeadUnassigned(lead=name, reason="ALL_AWAY", decision=7)]
    desk.decide(Decided(name, "people/li", 0, 9))
    assert desk.get(name).owner == "people/li"


def test_L18_a_missed_first_response_goes_to_somebody_who_has_not_had_it(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.announced()
    act(desk, "REASSIGN", name, 1)
    (event,) = desk.announced()
    assert (event.cause, event.owner_version, list(event.excluded)) == ("FIRST_RESPONSE_MISSED", 1, ["people/li"])
    # The owner stays until the decision is recorded, and when nobody is left.
    desk.decide(Decided(name, "", 1, 8, reason="NOBODY"))
    assert desk.get(name).owner == "people/li"
    assert desk.announced() == [
        events_pb2.LeadKept(lead=name, owner="people/li", owner_version=1, reason="NOBODY", decision=8)
    ]
    desk.decide(Decided(name, "people/wang", 1, 9))
    assigned, moved = desk.announced()
    assert (moved.how, moved.previous_owner, moved.owner, moved.decision) == ("RULES", "people/li", "people/wang", 9)
    assert moved.assign_time == assigned.assign_time
    assert (assigned.previous_owner, assigned.owner_version, list(assigned.owners)) == (
        "people/li",
        2,
        ["people/li", "people/wang"],
    )


def test_L18_L30_a_response_in_the_meantime_keeps_the_owner(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    act(desk, "REASSIGN", name, 1)
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    desk.announced()
    desk.decide(Decided(name, "people/wang", 1, 9))
    assert desk.get(name).owner == "people/li"
    assert [e.reason for e in desk.announced()] == ["OWNER_CHANGED"]
    act(desk, "REASSIGN", name, 1)
    act(desk, "ESCALATE", name, 1, "people/boss")
    assert desk.announced() == []


def test_R20_a_decision_for_the_supervisor_shows_that_the_lead_was_escalated(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    due = clock.now() + timedelta(hours=2)
    desk.decide(Decided(name, "people/li", 0, 7, respond_by=due))
    assert desk.get(name).respond_by.ToDatetime(due.tzinfo) == due
    act(desk, "REASSIGN", name, 1)
    desk.announced()
    desk.decide(Decided(name, "people/boss", 1, 8, reason="ESCALATED"))
    lead = desk.get(name)
    assert (lead.owner, lead.escalated_to, lead.HasField("respond_by")) == ("people/boss", "people/boss", False)
    assert [type(e).__name__ for e in desk.announced()] == ["LeadAssigned", "LeadMoved", "LeadEscalated"]


def test_R20_an_escalation_is_shown_and_announced_once(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.announced()
    act(desk, "ESCALATE", name, 0, "people/boss")
    assert desk.announced() == []
    for _ in range(2):
        act(desk, "ESCALATE", name, 1, "people/boss")
    assert desk.announced() == [
        events_pb2.LeadEscalated(lead=name, owner="people/li", manager="people/boss", owner_version=1)
    ]
    assert desk.get(name).escalated_to == "people/boss"


def test_L21_a_reclaimed_lead_lies_in_the_pool(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.announced()
    act(desk, "RECLAIM", name, 1)
    act(desk, "RECLAIM", name, 1)
    lead = desk.get(name)
    assert (lead.status, lead.owner, lead.status_reason) == (Status.POOLED, "", "INACTIVE")
    (event,) = desk.announced()
    assert (event.previous_owner, event.owner_version, event.reason) == ("people/li", 2, "INACTIVE")


def test_L20_the_owner_sees_until_when_to_respond(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    due = clock.now() + timedelta(hours=2)
    with desk.runtime.transaction() as tx:
        directed.set_clocks(tx, [directed.Clock(name, 1, due), directed.Clock(name, 0, due + timedelta(1))])
    assert desk.get(name).respond_by.ToDatetime(due.tzinfo) == due
    desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/wang"))
    assert not desk.get(name).HasField("respond_by")


def test_L6_a_lead_that_waits_long_is_announced_again_so_that_a_lost_broker_loses_none(desk: Desk) -> None:
    old, new, done = (desk.capture(phone=f"1381234567{n}").lead.name for n in range(3))
    desk.assign(done, "people/li")
    desk.announced()

    def rounds() -> list[str]:
        with desk.runtime.transaction() as tx:
            tx.execute(
                sa.update(leads_table)
                .where(leads_table.c.name.in_([old, done]))
                .values(status_time=tx.now - timedelta(seconds=31))
            )
        with desk.runtime.transaction() as tx:
            announce_again(tx)
        with desk.runtime.transaction() as tx:
            announce_again(tx)
        return [event.lead for event in desk.announced()]

    assert rounds() == [old]
    desk.assign(old, "people/li", 2)
    desk.announced()
    assert rounds() == []
    assert new
