"""The stage of a customer follows its deals, whatever the order in which they are told of."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from dealwright.activities.v1 import events_pb2 as activity_events_pb2
from dealwright.activities.v1 import files_pb2
from dealwright.contracts.v1 import contracts_pb2, quotes_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events_pb2
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import events_pb2
from dealwright.opportunities.v1 import events_pb2 as opportunity_events_pb2
from dealwright.opportunities.v1 import opportunities_pb2
from tests.customers.desk import ADMIN, Desk

LEAD, INTENT, QUOTED, WON = pb.Customer.LEAD, pb.Customer.INTENT, pb.Customer.QUOTED, pb.Customer.WON


def deal(customer: str, name: str = "opportunities/1", version: int = 1, status: str = "OPEN") -> Any:
    of = opportunities_pb2.Opportunity(name=name, customer=customer)
    of.status = opportunities_pb2.Opportunity.Status.Value(status)
    return opportunity_events_pb2.OpportunityChanged(opportunity=of, version=version)


def quote(customer: str, name: str = "quotes/1", version: int = 1) -> Any:
    return contract_events_pb2.QuoteChanged(quote=quotes_pb2.Quote(name=name, customer=customer), version=version)


def signed(customer: str) -> Any:
    return contract_events_pb2.ContractSigned(contract=contracts_pb2.Contract(name="contracts/1", customer=customer))


def uploaded(customer: str, kind: str) -> Any:
    of = files_pb2.Attachment(name=f"attachments/{kind}", customer=customer, kind=kind)
    return activity_events_pb2.AttachmentAdded(attachment=of)


def stage(desk: Desk, name: str) -> int:
    return int(desk.get(name).stage)


def test_C4_the_stage_follows_the_deal_from_lead_to_won(desk: Desk) -> None:
    made = desk.create()
    seen = [stage(desk, made.name)]
    for told in (deal(made.name), uploaded(made.name, "photo"), quote(made.name), signed(made.name)):
        desk.hear("deals", [told])
        seen.append(stage(desk, made.name))
    assert seen == [LEAD, INTENT, INTENT, QUOTED, WON]
    moved = [("services/customers", "customer.cameFurther", made.name)] * 3
    assert [row for row in desk.audited() if row[2] == made.name][1:] == moved
    assert [e.customer.stage for e in desk.announced(events_pb2.CustomerChanged)] == [LEAD, INTENT, QUOTED, WON]


@pytest.mark.parametrize("together", [False, True])
def test_C4_in_whatever_order_the_deal_is_told_of_the_stage_is_the_furthest(desk: Desk, together: bool) -> None:
    for order in itertools.permutations((deal, quote, signed)):
        made = desk.create()
        told = [tell(made.name) for tell in order]
        for n, event in enumerate(told):
            # Each customer has records of its own.
            of = getattr(event, event.DESCRIPTOR.fields[0].name)
            of.name = f"{of.name}/{made.name}/{n}"
        for events in [told] if together else [[one] for one in told]:
            desk.hear("deals", events)
        assert stage(desk, made.name) == WON


def test_C4_a_quotation_as_a_file_is_an_offer_and_a_deal_found_its_customer_later(desk: Desk) -> None:
    offered, late = desk.create(), desk.create()
    desk.hear("deals", [uploaded(offered.name, "quote")])
    assert stage(desk, offered.name) == QUOTED
    desk.hear("deals", [deal("")])
    desk.hear("deals", [deal(late.name, version=2)])
    assert stage(desk, late.name) == INTENT


def test_C4_a_lost_deal_or_a_quote_that_is_gone_takes_nothing_back(desk: Desk) -> None:
    made = desk.create()
    desk.hear("deals", [quote(made.name), deal(made.name)])
    gone = quote(made.name, version=3)
    gone.deleted = True
    desk.hear("deals", [deal(made.name, version=2, status="LOST"), gone])
    assert stage(desk, made.name) == QUOTED


def test_C4_a_person_may_set_it_and_only_what_is_new_moves_it_on(desk: Desk) -> None:
    made = desk.create()
    desk.hear("deals", [deal(made.name), quote(made.name), signed(made.name)])
    assert desk.update(made.name, "stage", stage="LEAD").stage == LEAD
    # The same deal, quote and contract again, as edits and repeats tell of them.
    desk.hear("deals", [deal(made.name, version=7), quote(made.name, version=4), signed(made.name)])
    assert stage(desk, made.name) == LEAD
    desk.hear("deals", [deal(made.name, "opportunities/2")])
    assert stage(desk, made.name) == INTENT
    # By hand it may be ahead of what is told.
    desk.update(made.name, "stage", stage="WON")
    desk.hear("deals", [quote(made.name, "quotes/2")])
    assert stage(desk, made.name) == WON


def test_C4_C20_two_customers_that_become_one_are_as_far_as_the_further_one(desk: Desk) -> None:
    kept, gone = desk.create(), desk.create()
    desk.hear("deals", [deal(gone.name), quote(gone.name)])
    desk.call("MergeCustomer", pb.MergeCustomerRequest(name=kept.name, other=gone.name))
    assert stage(desk, kept.name) == QUOTED
    # What is still told of the other is the one's, and no news for being told of the one.
    desk.update(kept.name, "stage", stage="LEAD")
    desk.hear("deals", [quote(kept.name, version=2), deal(gone.name, version=2)])
    assert stage(desk, kept.name) == LEAD
    desk.hear("deals", [deal(gone.name, version=3, status="WON")])
    assert stage(desk, kept.name) == WON


def test_C24_who_won_is_a_won_customer_and_found_by_industry_region_and_source(desk: Desk) -> None:
    made = desk.create(industry="制造业", region="上海", channel="TRADE_SHOW", stage="QUOTED")
    desk.create(industry="制造业", region="上海", channel="TRADE_SHOW")
    desk.hear("deals", [deal(made.name, status="WON"), deal("", "opportunities/3", status="WON")])
    wanted = 'stage = WON AND industry = "制造业" AND region = "上海" AND channel = TRADE_SHOW'
    assert desk.names(ADMIN, filter=wanted) == [made.name]
    assert stage(desk, made.name) == WON
