"""A lead that comes back soon after it was given away: to somebody else, and to who gave it away only at need."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.leads.v1 import leads_pb2
from dealwright.rules.v1 import events_pb2, rules_pb2
from tests.rules.house import House, bare, lead

BACK: dict[str, Any] = {"cause": "RETURNED", "owner_version": 2}


def test_L21_L22_who_gave_a_lead_away_gets_it_back_only_when_nobody_else_may(house: House) -> None:
    house.hire("li", "wang", region="east")
    for number in range(1, 7):
        assert house.capture(number, region="east", excluded=["people/li"], **BACK) == ["wang"]
    house.presence("wang", "OFFLINE")
    assert house.capture(7, region="east", excluded=["people/li"], **BACK) == ["li"]
    house.presence("li", "OFFLINE")
    assert house.capture(8, region="east", excluded=["people/li"], **BACK) == [""]
    house.announced()
    house.presence("li", "ONLINE")
    decided = house.announced(events_pb2.LeadAssignmentDecided)
    assert [event.owner for event in decided] == ["people/li"]


def test_L18_who_was_to_lose_a_lead_never_gets_it_though_nobody_else_may(house: House) -> None:
    house.hire("li", region="east")
    asked = {"cause": "REASSIGNED", "owner_version": 1, "excluded": ["people/li"]}
    assert house.capture(1, region="east", **asked) == [""]


def test_R21_what_came_back_and_waits_is_decided_once_however_often_it_is_said(house: House) -> None:
    house.hire("li", region="east")
    house.presence("li", "OFFLINE")
    assert house.capture(1, region="east", excluded=["people/li"], **BACK) == [""]
    once = len(house.entries())
    for _ in range(2):
        assert house.capture(1, region="east", excluded=["people/li"], **BACK) == [""]
    assert len(house.entries()) == once
    house.assert_sound()


def deleted(number: int, owner: str, version: int) -> lead_events.LeadDeleted:
    return lead_events.LeadDeleted(lead=lead(number), owner=owner and f"people/{owner}", owner_version=version)


def undeleted(house: House, number: int, owner: str, version: int, status: int) -> lead_events.LeadUndeleted:
    event = lead_events.LeadUndeleted(
        lead=lead(number),
        owner=owner and f"people/{owner}",
        owner_version=version,
        status=status,  # type: ignore[arg-type]
        contacted=status == leads_pb2.Lead.CONTACTED,
    )
    event.undelete_time.FromDatetime(house.now)
    return event


def running(house: House, number: int) -> set[str]:
    row = house.ownership(number)
    return {kind for kind, _ in row.running()} if row is not None else set()


def test_L17_L20_L21_a_deleted_lead_is_nobodys_load_and_its_clocks_begin_anew_when_it_comes_back(house: House) -> None:
    house.hire("li", capacity={"open": 1})
    assert house.capture(1, 2) == ["li", ""]
    house.announced()
    house.tell(deleted(1, "li", 2))
    assert running(house, 1) == set()
    # His place went to the one that waited.
    assert [e.lead for e in house.announced(events_pb2.LeadAssignmentDecided)] == [lead(2)]
    house.now += timedelta(days=3)
    house.tell(undeleted(house, 1, "li", 3, leads_pb2.Lead.ASSIGNED))
    clocks = house.announced(events_pb2.TimerSet)
    assert [(c.subject, c.owner_version, c.kind) for c in clocks] == [(lead(1), 3, rules_pb2.Timer.FIRST_RESPONSE)]
    assert clocks[0].due_time.ToDatetime(UTC) > house.now
    assert running(house, 1) == {"FIRST_RESPONSE", "RECLAIM"}
    assert house.open_leads == {"li": 2}
    house.assert_sound()


def test_L21_what_comes_back_contacted_pooled_or_closed_has_the_clocks_of_that(house: House) -> None:
    house.hire("li")
    house.capture(1, 2, 3)
    for number in (1, 2, 3):
        house.tell(deleted(number, "li", 2))
    assert house.open_leads == {}
    house.tell(
        undeleted(house, 1, "li", 3, leads_pb2.Lead.CONTACTED),
        undeleted(house, 2, "li", 3, leads_pb2.Lead.QUALIFIED),
        undeleted(house, 3, "", 3, leads_pb2.Lead.POOLED),
    )
    assert [running(house, number) for number in (1, 2, 3)] == [{"RECLAIM"}, set(), set()]
    assert house.open_leads == {"li": 1}
    house.assert_sound()


def test_L16_a_deleted_lead_waits_for_nobody_and_is_decided_anew_when_it_comes_back(house: House) -> None:
    house.capture(1)
    assert house.waiting == {lead(1): "NO_PEOPLE"}
    house.tell(deleted(1, "", 1))
    assert house.waiting == {}
    house.announced()
    house.hire("li")
    assert house.announced(events_pb2.LeadAssignmentDecided) == []
    house.tell(undeleted(house, 1, "", 2, leads_pb2.Lead.WAITING))
    assert house.capture(1, owner_version=2) == ["li"]
    house.assert_sound()


def test_L16_a_decision_that_was_under_way_comes_back_after_the_deletion_and_another_gets_the_lead(
    house: House,
) -> None:
    house.hire("li", "wang")
    house.announced()
    house.tell(house.captured(1))
    (decided,) = house.announced(events_pb2.LeadAssignmentDecided)
    first = bare(decided.owner)
    (other,) = {"li", "wang"} - {first}
    house.tell(deleted(1, "", 1))
    assert house.open_leads == {}
    refused = {"owner": decided.owner, "decision": decided.decision, "reason": "CLOSED"}
    house.tell(lead_events.AssignmentRefused(lead=lead(1), **refused))
    assert house.open_leads == {}
    house.presence(first, "OFFLINE")
    house.tell(undeleted(house, 1, "", 2, leads_pb2.Lead.WAITING))
    assert house.capture(1, owner_version=2) == [other]
    assert house.open_leads == {other: 1}
    house.assert_sound()
