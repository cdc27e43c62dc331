"""Opportunities and leads of those who left: on one list with the customers, confirmed by a manager, moved by their own
services."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, NotFound, Refused
from chassis.people import Person
from chassis.transaction import Origin
from customers.servicer import CustomerServicer
from customers.usecases import hand_overs
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import events_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events_pb2
from dealwright.leads.v1 import events_pb2 as lead_events_pb2
from dealwright.opportunities.v1 import events_pb2 as opportunity_events_pb2
from tests.customers.desk import ADMIN, LI, MANAGER, WANG, Desk, principal

DEAL, LEAD = "opportunities/1", "leads/1"


def widened(who: Principal, scope: Scope) -> Principal:
    """With rights on opportunities and leads, too."""
    more = dict.fromkeys(("opportunities", "leads"), Grant(scope, scope, scope, scope))
    return Principal(who.person, who.role, who.team, who.teams, {**who.grants, **more})


BOSS, ROOT = widened(MANAGER, Scope.TEAM), widened(ADMIN, Scope.ALL)


def deal(desk: Desk, version: int = 1, settled: bool = False, owner: str = "") -> None:
    event = opportunity_events_pb2.OpportunityLeftBehind(
        opportunity=DEAL,
        person="people/li",
        owner_version=version,
        settled=settled,
        owner=owner,
        title="仓储系统",
        customer="customers/1",
    )
    desk.hear("left_behind", event)


def lead(desk: Desk) -> None:
    desk.hear(
        "left_behind", lead_events_pb2.LeadLeftBehind(lead=LEAD, person="people/li", owner_version=4, title="华东")
    )


def waiting(desk: Desk, who: Principal = ROOT) -> dict[str, Any]:
    return {one.record: one for one in desk.hand_overs(who, filter="state = OPEN")}


def confirm(desk: Desk, who: Principal, *names: str, owner: str = "people/wang") -> Any:
    return desk.call("BatchConfirmHandOvers", pb.BatchConfirmHandOversRequest(names=names, owner=owner), who)


def test_C16_customers_opportunities_and_leads_wait_on_one_list_and_are_confirmed_together(desk: Desk) -> None:
    made = desk.create(owner="people/li")
    desk.hire(("people/li", "teams/east", "sales"), active=False, version=2)
    deal(desk)
    lead(desk)
    found = waiting(desk, BOSS)
    assert set(found) == {made.name, DEAL, LEAD}
    assert (found[DEAL].customer, found[DEAL].title, found[DEAL].person) == ("customers/1", "仓储系统", "people/li")
    assert (found[made.name].customer, found[made.name].title) == (made.name, made.display_name)
    assert [one.record for one in desk.hand_overs(BOSS, filter="kind = leads")] == [LEAD]
    desk.announced()
    confirm(desk, BOSS, *(one.name for one in found.values()))
    assert waiting(desk) == {}
    told = {e.record: e for e in desk.announced(events_pb2.HandOverConfirmed)}
    assert set(told) == {DEAL, LEAD}
    assert (told[LEAD].person, told[LEAD].owner, told[LEAD].owner_version) == ("people/li", "people/wang", 4)
    assert told[LEAD].confirmed_by == "people/boss"
    assert desk.get(made.name).owner == "people/wang"
    done = {one.record: (one.state, one.owner, one.confirmed_by) for one in desk.hand_overs(ROOT)}
    assert set(done.values()) == {(pb.HandOver.CONFIRMED, "people/wang", "people/boss")}
    # Their services say so, too: the same word, not another.
    deal(desk, 2, settled=True, owner="people/wang")
    assert len(desk.hand_overs(ROOT)) == 3


def test_C16_what_was_confirmed_does_not_wait_again_because_it_is_told_of_again(desk: Desk) -> None:
    deal(desk)
    confirm(desk, ROOT, waiting(desk)[DEAL].name)
    deal(desk)
    assert waiting(desk) == {}


def test_C16_each_kind_is_seen_and_confirmed_by_its_own_right(desk: Desk) -> None:
    deal(desk)
    lead(desk)
    found = waiting(desk)
    assert desk.hand_overs(MANAGER) == []
    assert desk.hand_overs(widened(WANG, Scope.OWN)) == []
    with pytest.raises(NotFound):
        confirm(desk, MANAGER, found[DEAL].name)
    with pytest.raises(Denied):
        confirm(desk, widened(LI, Scope.OWN), found[DEAL].name)
    half = {"leads": Grant(Scope.TEAM), "opportunities": Grant(Scope.TEAM, Scope.TEAM)}
    leading = Principal("people/boss", "manager", "teams/east", ("teams/east",), {**MANAGER.grants, **half})
    assert set(waiting(desk, leading)) == {DEAL, LEAD}
    with pytest.raises(NotFound):
        confirm(desk, leading, found[LEAD].name)
    confirm(desk, leading, found[DEAL].name)
    with pytest.raises(Refused):
        confirm(desk, ROOT, found[DEAL].name, found[LEAD].name)
    assert set(waiting(desk)) == {LEAD}
    nobody = principal("people/x", "sales", Scope.NONE)
    with pytest.raises(Denied):
        desk.hand_overs(nobody)


def test_C16_whoever_gave_it_away_by_hand_settles_it_in_whatever_order_that_is_heard(desk: Desk) -> None:
    deal(desk, 2, settled=True, owner="people/wang")
    deal(desk, 1)
    assert waiting(desk) == {}
    # He left, too.
    deal(desk, 3)
    deal(desk, 3)
    assert set(waiting(desk)) == {DEAL}
    deal(desk, 4, settled=True, owner="people/boss")
    deal(desk, 3)
    assert waiting(desk) == {}
    last = max(desk.hand_overs(ROOT), key=lambda one: one.name)
    assert (last.state, last.owner) == (pb.HandOver.CONFIRMED, "people/boss")
    # And who got it then left before his services said so.
    deal(desk, 5)
    found = waiting(desk)[DEAL]
    desk.hear(
        "left_behind",
        opportunity_events_pb2.OpportunityLeftBehind(opportunity=DEAL, person="people/wang", owner_version=6),
    )
    assert waiting(desk)[DEAL].person == "people/wang"
    assert waiting(desk)[DEAL].name != found.name
    deal(desk, 5, settled=True, owner="people/wang")
    assert set(waiting(desk)) == {DEAL}


GONE = principal("people/li", "sales", Scope.OWN, "teams/east")


def test_C16_whatever_a_leaver_is_given_or_makes_waits_in_whatever_order_that_is_heard(desk: Desk) -> None:
    early = desk.create(owner="people/li")
    deleted = desk.create(owner="people/li")
    desk.call("DeleteCustomer", pb.DeleteCustomerRequest(name=deleted.name))
    desk.hire(("people/li", "teams/east", "sales"), active=False, version=2)
    # His session is good for a moment more.
    late = desk.create(GONE)
    assert late.owner == "people/li"
    desk.call("UndeleteCustomer", pb.UndeleteCustomerRequest(name=deleted.name))
    assert {early.name, late.name, deleted.name} <= set(waiting(desk))
    desk.transfer(late.name, "people/wang")
    assert late.name not in waiting(desk)
    # Whom we do not know yet may turn out to have left.
    stranger = principal("people/new", "sales", Scope.OWN, "teams/east")
    his = desk.create(stranger)
    assert his.name not in waiting(desk)
    desk.hire(("people/new", "teams/east", "sales"), active=False)
    assert his.name in waiting(desk)


@pytest.mark.parametrize("given_first", [True, False])
def test_C16_one_who_leaves_in_the_same_moment_is_either_seen_or_sees(desk: Desk, given_first: bool) -> None:
    left, done = threading.Event(), threading.Event()

    def leave() -> None:
        with desk.runtime.transaction() as tx:
            hand_overs.know_people(tx, [Person("people/li", "Li", "teams/east", "", "sales", False, 2)])
            left.set()
            done.wait(0.5)

    thread = threading.Thread(target=leave)
    if given_first:
        with desk.runtime.transaction(GONE, Origin("people/li")) as tx:
            made = CustomerServicer().CreateCustomer(
                tx, pb.CreateCustomerRequest(customer=pb.Customer(display_name="同时"))
            )
            thread.start()
            assert not left.wait(0.3)  # he waits for the commit
    else:
        thread.start()
        assert left.wait(5)
        made = desk.create(GONE)
    done.set()
    thread.join(5)
    assert set(waiting(desk)) == {made.name}


def role(desk: Desk, name: str, *writes: str) -> None:
    grants = [directory_pb2.Grant(resource=one, write=directory_pb2.Grant.OWN) for one in writes]
    grants.append(directory_pb2.Grant(resource="payments", read=directory_pb2.Grant.ALL))
    desk.hear("roles", [directory_events_pb2.RoleChanged(role=directory_pb2.Role(name=f"roles/{name}", grants=grants))])


def test_C16_nobody_is_given_what_his_role_may_not_write(desk: Desk) -> None:
    desk.hire(("people/zhou", "teams/east", "finance"))
    made = desk.create(owner="people/li")
    role(desk, "finance", "payments")
    role(desk, "sales", "customers", "opportunities", "leads")
    desk.hire(("people/li", "teams/east", "sales"), active=False, version=2)
    deal(desk)
    found = waiting(desk, BOSS)
    for record, right in ((DEAL, "opportunities.write"), (made.name, "customers.write")):
        with pytest.raises(Refused) as problem:
            confirm(desk, BOSS, found[record].name, owner="people/zhou")
        assert problem.value.reason == "CANNOT_RECEIVE"
        assert right in problem.value.english
        assert right in problem.value.chinese
    with pytest.raises(Refused):
        desk.transfer(made.name, "people/zhou")
    confirm(desk, BOSS, *(one.name for one in found.values()))
    assert waiting(desk) == {}
