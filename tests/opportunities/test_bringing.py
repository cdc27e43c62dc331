"""Opportunities that a batch brings: what is said of known ones, and the way back."""

from __future__ import annotations

from typing import Any

from google.type.money_pb2 import Money

from chassis.belongings import found
from dealwright.api.v1 import bringing_pb2
from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from opportunities.usecases.bringing import PLACES
from tests.opportunities.desk import ADMIN, LI, Desk

_SOURCE = "imports/1"


def _bring(desk: Desk, on: int, **fields: Any) -> Any:
    request = pb.BatchCreateOpportunitiesRequest(source=_SOURCE)
    request.requests.add(opportunity=pb.Opportunity(**{"title": "年度采购", **fields}), on_conflict=on)
    (one,) = desk.call("BatchCreateOpportunities", request, LI).results
    assert not one.HasField("error"), one.error
    return one


def _back(desk: Desk, one: Any) -> list[str]:
    request = pb.TakeBackOpportunitiesRequest(source=_SOURCE)
    request.records.add(name=one.opportunity.name, left=one.brought.left, before=one.brought.before)
    return list(desk.call("TakeBackOpportunities", request, ADMIN).kept)


def _yuan(units: int) -> Money:
    return Money(currency_code="CNY", units=units)


def test_I3_what_a_row_says_otherwise_is_told_and_done_as_chosen(desk: Desk) -> None:
    held = {"amount": _yuan(80_000), "need": "十台", "importance": pb.Opportunity.IMPORTANT}
    made = desk.open(**held)
    said = {"amount": _yuan(120_000), "blocker": "预算", "stage": "报价"}
    for on, amount, blocker, told in (
        (bringing_pb2.SKIP, 80_000, "", None),
        (bringing_pb2.TOUCH, 80_000, "", {"amount", "blocker", "stage"}),
        (bringing_pb2.MERGE, 80_000, "预算", {"amount", "stage"}),
        (bringing_pb2.UPDATE, 120_000, "预算", {"amount", "stage"}),
    ):
        desk.announced()
        one = _bring(desk, on, **said)
        assert (one.opportunity.name, one.opportunity.amount.units, one.opportunity.blocker) == (
            *(made.name, amount, blocker),
        )
        differences = {of.field: (of.ours, of.theirs) for of in one.brought.differences}
        assert differences["amount"] == ("80,000.00 CNY", "120,000.00 CNY")
        events = desk.announced(events_pb2.RecordBroughtAgain)
        assert [{of.field for of in event.differences} for event in events] == ([told] if told else []), on
    # What the row does not speak of stays: it has no importance of its own.
    assert (one.opportunity.importance, one.opportunity.need) == (pb.Opportunity.IMPORTANT, "十台")


def test_I3_a_merge_fills_single_keys_of_own_values(desk: Desk) -> None:
    made = desk.open()
    for on, values in ((bringing_pb2.UPDATE, {"城市": "上海"}), (bringing_pb2.MERGE, {"城市": "北京", "批次": "二"})):
        opportunity = pb.Opportunity(title="年度采购")
        opportunity.custom.update(values)
        one = _bring(desk, on, custom=opportunity.custom)
        assert one.opportunity.name == made.name
    assert dict(one.opportunity.custom.items()) == {"城市": "上海", "批次": "二"}
    assert [(of.field, of.ours, of.theirs) for of in one.brought.differences] == [("custom.城市", "上海", "北京")]


def test_I3_one_that_was_shared_or_moved_since_stays_and_one_that_nobody_touched_is_gone(desk: Desk) -> None:
    brought = [_bring(desk, bringing_pb2.MERGE, title=f"第{n}单") for n in range(3)]
    names = [one.opportunity.name for one in brought]
    desk.act("Share", names[0], person="people/zhao")
    desk.change(names[1], need="改")
    with desk.runtime.reading() as tx:
        assert found(tx, PLACES, names) == {names[0]: ["shares"]}
    desk.announced()
    assert [_back(desk, one) for one in brought] == [[names[0]], [names[1]], []]
    assert sorted(desk.listed()) == ["第0单", "第1单"]
    assert [(e.record, e.gone) for e in desk.announced(events_pb2.RecordTakenBack)] == [(names[2], True)]


def test_I3_customers_and_contacts_of_opportunities_are_told_to_whoever_asks(desk: Desk) -> None:
    customer, contact, other = f"customers/{1:032x}", f"contacts/{2:032x}", f"contacts/{3:032x}"
    desk.know((customer, ""), (contact, customer), (other, customer))
    desk.open(customer=customer, contact=contact)
    with desk.runtime.reading() as tx:
        assert found(tx, PLACES, [customer, contact, other]) == {
            customer: ["opportunities"],
            contact: ["opportunities"],
        }
