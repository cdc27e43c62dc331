"""A lead that is deleted and comes back: its task, its timeline, whose it is, in whatever order that is told."""

from __future__ import annotations

import itertools

import pytest

from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.leads.v1 import leads_pb2
from dealwright.leads.v1.events_pb2 import LeadAssigned, LeadDeleted, LeadReleased, LeadRemoved, LeadUndeleted
from tests.activities.desk import LI, ZHAO, refused
from tests.activities.office import Office

OPEN, CANCELLED = pb.Task.OPEN, pb.Task.CANCELLED


def tasks(desk: Office, lead: str) -> list[int]:
    return sorted(one.status for one in desk.tasks(f"record = {lead}"))


def undeleted(lead: str, version: int = 3, status: int = leads_pb2.Lead.ASSIGNED) -> LeadUndeleted:
    return LeadUndeleted(lead=lead, owner="people/li", owner_version=version, status=status)  # type: ignore[arg-type]


def test_L20_nobody_is_to_call_a_deleted_lead_and_its_owner_is_when_it_comes_back(desk: Office) -> None:
    lead = desk.lead("people/li")
    before = len(desk.timeline(lead, LI))
    desk.tell(LeadDeleted(lead=lead, owner="people/li", owner_version=2))
    assert tasks(desk, lead) == [CANCELLED]
    with refused("NOT_FOUND"):
        desk.timeline(lead, LI)
    desk.tell(undeleted(lead))
    assert tasks(desk, lead) == sorted([OPEN, CANCELLED])
    found = desk.timeline(lead, LI)
    assert len(found) == before + 2
    assert {("线索已删除", "Lead deleted"), ("线索已恢复", "Lead brought back")} <= {
        (entry.title_zh, entry.title_en) for entry in found
    }


def test_L20_what_was_contacted_already_comes_back_without_a_task(desk: Office) -> None:
    lead = desk.lead("people/li")
    desk.tell(LeadDeleted(lead=lead, owner="people/li", owner_version=2))
    desk.tell(undeleted(lead, status=leads_pb2.Lead.CONTACTED))
    assert tasks(desk, lead) == [CANCELLED]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_L12_the_newest_number_counts_whatever_is_told_first(desk: Office, order: tuple[int, ...]) -> None:
    lead = desk.lead("people/li")
    facts = (
        LeadDeleted(lead=lead, owner="people/li", owner_version=2),
        undeleted(lead),
        LeadReleased(lead=lead, owner_version=4, previous_owner="people/li"),
        LeadAssigned(lead=lead, owner="people/zhao", owner_version=5),
    )
    for number in order:
        desk.tell(facts[number])
    assert [(t.owner, t.status) for t in desk.tasks(f"record = {lead} AND status = OPEN")] == [("people/zhao", OPEN)]
    assert desk.timeline(lead, ZHAO)


def test_I3_what_is_gone_for_good_stays_so_whatever_is_told_late(desk: Office) -> None:
    lead = desk.lead("people/li")
    desk.tell(LeadRemoved(lead=lead, owner="people/li", owner_version=4, reason="DELETED"))
    desk.tell(LeadDeleted(lead=lead, owner="people/li", owner_version=2), undeleted(lead))
    desk.tell(LeadDeleted(lead=lead, owner="people/li", owner_version=4))
    assert desk.tasks(f"record = {lead}", show_deleted=True) == []
    assert desk.rows("timeline") == 0
    with refused("NOT_FOUND"):
        desk.timeline(lead, LI)
