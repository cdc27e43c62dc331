"""A customer that is merged into another takes its opportunities along (C20)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from chassis.transaction import Origin
from dealwright.api.v1 import bringing_pb2
from dealwright.customers.v1 import customers_pb2
from dealwright.customers.v1 import events_pb2 as customer_events_pb2
from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from tests.opportunities.desk import LI, WANG, Desk, refused

OTHER, STAYS, LAST = (f"customers/{number:032x}" for number in (1, 2, 3))
CONTACT = f"contacts/{9:032x}"


def merge(desk: Desk, name: str = OTHER, into: str = STAYS) -> None:
    of = customers_pb2.Customer(name=name, owner="people/li", merged_into=into)
    desk.hear("customers", customer_events_pb2.CustomerChanged(customer=of, version=9, deleted=True))


@pytest.fixture
def known(desk: Desk) -> Desk:
    desk.know((OTHER, ""), (STAYS, ""), (LAST, ""), (CONTACT, OTHER))
    return desk


def test_C20_the_opportunities_of_a_merged_customer_are_the_one_that_stays(known: Desk) -> None:
    desk = known
    made, gone, another = desk.open(customer=OTHER, contact=CONTACT), desk.open(customer=OTHER), desk.open()
    desk.call("DeleteOpportunity", pb.DeleteOpportunityRequest(name=gone.name))
    desk.announced()
    merge(desk)
    now = desk.get(made.name)
    assert (now.customer, now.contact, now.etag) == (STAYS, CONTACT, "2")
    told = {one.opportunity.name: one for one in desk.announced(events_pb2.OpportunityChanged)}
    assert {name: (one.opportunity.customer, one.deleted) for name, one in told.items()} == {
        made.name: (STAYS, False),
        gone.name: (STAYS, True),
    }
    assert desk.listed(filter=f'customer = "{STAYS}"') == [made.title]
    merge(desk)
    assert desk.announced() == [], "heard again it changes nothing"
    merge(desk, STAYS, LAST)
    assert (desk.get(made.name).customer, desk.get(another.name).customer) == (LAST, "")


def test_C20_many_of_them_and_merges_of_merged_ones_in_any_order(known: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = known
    monkeypatch.setattr("opportunities.usecases.keeping._AT_ONCE", 2)
    every = [desk.open(customer=OTHER) for _ in range(5)]
    merge(desk, STAYS, LAST)
    merge(desk)
    assert {desk.get(one.name).customer for one in every} == {LAST}


def test_C20_whoever_still_names_the_merged_one_means_the_one_that_stays(known: Desk) -> None:
    desk = known
    merge(desk)
    made = desk.open(customer=OTHER, contact=CONTACT)
    assert (made.customer, made.contact) == (STAYS, CONTACT)
    assert desk.change(made.name, customer=OTHER, contact=CONTACT).customer == STAYS
    bare = desk.open()
    assert desk.change(bare.name, customer=OTHER).customer == STAYS
    # A sheet that brings it finds what is known of the one that stays.
    request = pb.CreateOpportunityRequest(opportunity=pb.Opportunity(title=made.title, customer=OTHER))
    request.on_conflict = bringing_pb2.SKIP
    assert desk.call("CreateOpportunity", request).name == made.name
    with refused("INVALID", "opportunity.customer"):
        desk.open(WANG, customer=OTHER)


@pytest.mark.parametrize("merged_first", [True, False])
def test_C20_L25_a_lead_that_was_welcomed_under_the_merged_name_is_the_one_that_stays(
    desk: Desk, merged_first: bool
) -> None:
    lead = customer_events_pb2.LeadWelcomed(
        customer=OTHER, lead="leads/1", owner="people/li", opportunity=True, customer_display_name="华兴"
    )
    acts: list[Callable[[], None]] = [lambda: merge(desk), lambda: desk.hear("welcomed", lead)]
    for act in acts if merged_first else reversed(acts):
        act()
    (found,) = desk.call("ListOpportunities", pb.ListOpportunitiesRequest(), LI).opportunities
    assert found.customer == STAYS


def test_C20_what_is_opened_in_the_moment_of_a_merge_is_the_one_that_stays(known: Desk) -> None:
    desk = known
    request = pb.CreateOpportunityRequest(opportunity=pb.Opportunity(title="年度采购", customer=OTHER))
    news = threading.Thread(target=lambda: merge(desk))
    with desk.runtime.transaction(LI, Origin(LI.actor)) as tx:
        made = desk.servicer.CreateOpportunity(tx, request)
        news.start()
        news.join(0.3)
        assert news.is_alive(), "it waits until that is stored"
    news.join(10)
    assert desk.get(made.name).customer == STAYS
