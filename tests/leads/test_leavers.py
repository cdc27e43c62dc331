"""What a leaver had waits for a manager's word (C16); a qualified lead may be wanted as an opportunity (L25)."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import Stale
from chassis.transaction import Origin
from dealwright.customers.v1 import events_pb2 as customer_events_pb2
from dealwright.leads.v1 import events_pb2, leads_pb2
from leads import subscribers
from leads.domain.ownership import Decided
from leads.usecases import leavers
from tests.leads.desk import LI, MANAGER, WANG, Desk

Status = leads_pb2.Lead

pytestmark = pytest.mark.usefixtures("staff")


def owned(desk: Desk, phone: str, owner: str = "people/wang") -> str:
    name: str = desk.capture(phone=phone, company=f"公司{phone}").lead.name
    desk.assign(name, owner)
    return name


def leave(desk: Desk, version: int = 2) -> None:
    desk.hire(("people/wang", "teams/west", "sales"), active=False, version=version)


def left_behind(desk: Desk) -> list[tuple[str, str, bool, str]]:
    told = desk.announced(events_pb2.LeadLeftBehind)
    return [(e.lead, e.person, e.settled, e.owner) for e in told]


def list_given(desk: Desk) -> None:
    with desk.runtime.transaction() as tx:
        leavers.list_given(tx)


def hand_over(desk: Desk, lead: str, owner: str = "people/li", person: str = "people/wang") -> None:
    event = customer_events_pb2.HandOverConfirmed(record=lead, person=person, owner=owner)
    with desk.runtime.transaction(origin=Origin("services/leads")) as tx:
        subscribers.hand_overs(tx, event)


@pytest.fixture
def wang(desk: Desk) -> None:
    desk.hire(("people/wang", "teams/west", "sales"))


@pytest.mark.usefixtures("wang")
def test_C16_what_a_leaver_has_not_finished_is_told_of_and_stays_with_him(desk: Desk) -> None:
    fresh, contacted, done, other = (
        *(owned(desk, f"1381234567{number}") for number in range(3)),
        owned(desk, "13812345679", "people/li"),
    )
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=contacted), WANG)
    desk.call("DisqualifyLead", leads_pb2.DisqualifyLeadRequest(name=done, reason="x"), WANG)
    desk.announced()
    leave(desk)
    leave(desk, 3)
    told = desk.announced(events_pb2.LeadLeftBehind)
    assert sorted((e.lead, e.settled) for e in told) == sorted((name, False) for name in (fresh, contacted))
    assert {(e.person, e.owner_version) for e in told} == {("people/wang", 1)}
    assert all(e.title.startswith("公司") for e in told)
    assert {desk.get(name).owner for name in (fresh, contacted, done)} == {"people/wang"}
    assert desk.get(other).owner == "people/li"


@pytest.mark.usefixtures("wang")
def test_C16_a_confirmed_hand_over_moves_the_lead_by_the_compare_and_set_unless_another_has_it(desk: Desk) -> None:
    mine, taken = owned(desk, "13812345670"), owned(desk, "13812345671")
    leave(desk)
    desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=taken, owner="people/li"), MANAGER_OF_ALL)
    desk.announced()
    with pytest.raises(Stale):
        hand_over(desk, mine, "people/stranger")
    for name in (mine, taken, mine):
        hand_over(desk, name)
    now = desk.get(mine)
    assert (now.owner, now.owner_version, now.status) == ("people/li", 2, Status.ASSIGNED)
    assert desk.get(taken).owner_version == 2
    events = desk.announced()
    assert [e.lead for e in events if isinstance(e, events_pb2.LeadAssigned)] == [mine]
    assert [e.lead for e in events if isinstance(e, events_pb2.LeadMoved)] == [mine]
    (settled,) = [e for e in events if isinstance(e, events_pb2.LeadLeftBehind)]
    assert (settled.lead, settled.settled, settled.owner, settled.owner_version) == (mine, True, "people/li", 2)


@pytest.mark.usefixtures("wang")
def test_C16_however_a_leavers_lead_gets_away_the_hand_over_is_settled(desk: Desk) -> None:
    names = [owned(desk, f"1381234567{number}") for number in range(4)]
    leave(desk)
    desk.announced()
    acts: list[tuple[str, Any]] = [
        ("ReassignLead", leads_pb2.ReassignLeadRequest(name=names[0], owner="people/li")),
        ("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=names[1])),
        ("QualifyLead", leads_pb2.QualifyLeadRequest(name=names[2])),
    ]
    for (method, request), owner in zip(acts, ("people/li", "", ""), strict=True):
        desk.call(method, request)
        assert left_behind(desk) == [(request.name, "people/wang", True, owner)]
    # The contact comes again: the rules decide anew, and say so.
    desk.capture(phone="13812345673")
    assert left_behind(desk) == [(names[3], "people/wang", True, "")]
    desk.decide(Decided(names[3], "people/li", 2, 9))
    assert left_behind(desk) == []


@pytest.mark.usefixtures("wang")
def test_C16_what_a_leaver_is_given_waits_in_whatever_order_we_hear_of_the_two(desk: Desk) -> None:
    taken, late = owned(desk, "13812345670", "people/li"), desk.capture(phone="13812345671").lead.name
    leave(desk)
    desk.announced()
    # The rules had not heard of it.
    desk.decide(Decided(late, "people/wang", 0, 9))
    list_given(desk)
    assert left_behind(desk) == [(late, "people/wang", False, "")]
    # Nor had the manager.
    hand_over(desk, taken, "people/wang", "people/li")
    assert desk.get(taken).owner == "people/wang"
    assert left_behind(desk) == [(taken, "people/wang", False, "")]
    # From one who left to another who has: it waits on, for the second.
    desk.hire(("people/li", "teams/east", "sales"), active=False, version=2)
    hand_over(desk, late, "people/li", "people/wang")
    assert left_behind(desk) == [(late, "people/li", False, "")]


def test_C16_nothing_is_told_of_those_who_are_here(desk: Desk) -> None:
    name = owned(desk, "13812345670", "people/li")
    desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name), LI)
    assert left_behind(desk) == []


@pytest.mark.parametrize("wanted", [True, False])
def test_L25_whoever_qualifies_a_lead_says_whether_it_is_to_be_an_opportunity(desk: Desk, wanted: bool) -> None:
    name: str = desk.capture(phone="13812345670", text="三个仓库").lead.name
    desk.assign(name, "people/li")
    desk.call("QualifyLead", leads_pb2.QualifyLeadRequest(name=name, opportunity=wanted), LI)
    (told,) = desk.announced(events_pb2.LeadQualified)
    assert (told.opportunity, told.contact.text, told.owner) == (wanted, "三个仓库", "people/li")


MANAGER_OF_ALL = type(MANAGER)("people/boss", "manager", "teams/east", ("teams/east", "teams/west"), MANAGER.grants)
