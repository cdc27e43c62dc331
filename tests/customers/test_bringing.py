"""Customers and contacts that a batch brings: what is said of known ones, and the way back."""

from __future__ import annotations

from typing import Any

from chassis.access import Scope
from chassis.belongings import found
from customers.usecases.bringing import PLACES
from dealwright.api.v1 import bringing_pb2
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import events_pb2
from tests.customers.desk import ADMIN, Desk, principal

_On, _B = pb.CreateCustomerRequest, bringing_pb2.Brought
_SOURCE = "imports/1"


def _bring(desk: Desk, *rows: dict[str, Any], on: int = _On.MERGE, who: Any = ADMIN, preview: bool = False) -> Any:
    requests = [
        pb.CreateCustomerRequest(customer=pb.Customer(**row), on_conflict=on, match_name=True)  # type: ignore[arg-type]
        for row in rows
    ]
    request = pb.BatchCreateCustomersRequest(requests=requests, source=_SOURCE, validate_only=preview)
    return desk.call("BatchCreateCustomers", request, who).results


def _back(desk: Desk, results: Any) -> list[str]:
    request = pb.TakeBackCustomersRequest(source=_SOURCE)
    for one in reversed(results):
        request.records.add(name=one.customer.name, left=one.brought.left, before=one.brought.before)
    return list(desk.call("TakeBackCustomers", request, ADMIN).kept)


def _differences(one: Any) -> dict[str, tuple[str, str]]:
    return {of.field: (of.ours, of.theirs) for of in one.brought.differences}


def test_I3_every_choice_tells_what_was_said_otherwise_and_a_preview_too(desk: Desk) -> None:
    held: dict[str, Any] = {"display_name": "华兴", "email": "old@x.cn", "industry": "制造", "tags": ["老客户"]}
    said = {"display_name": "华 兴", "email": "new@x.cn", "industry": "软件", "tags": ["老客户"], "address": "某路"}
    desk.create(**held)
    wanted = {"email": ("old@x.cn", "new@x.cn"), "industry": ("制造", "软件")}
    for on in (_On.SKIP, _On.MERGE, _On.UPDATE, _On.TOUCH):
        (one,) = _bring(desk, said, on=on, preview=True)
        assert _differences(one) == wanted, on


def test_I3_fields_that_the_caller_may_not_see_are_in_no_difference(desk: Desk) -> None:
    desk.create(display_name="华兴", email="old@x.cn", industry="制造")
    clerk = principal("people/clerk", "backoffice", Scope.ALL, hidden=frozenset({"email"}))
    (one,) = _bring(desk, {"display_name": "华兴", "industry": "软件"}, who=clerk, on=_On.SKIP)
    assert _differences(one) == {"industry": ("制造", "软件")}
    desk.announced()
    held = {"display_name": "华兴", "email": "new@x.cn"}
    (one,) = _bring(desk, held, who=clerk, on=_On.SKIP)
    assert _differences(one) == {}


def test_I3_a_merge_an_update_and_a_touch_announce_what_the_record_does_not_hold(desk: Desk) -> None:
    made = desk.create(display_name="华兴", industry="制造").name
    desk.announced()
    said = {"display_name": "华兴", "industry": "软件", "address": "某路"}
    for on, outcome, fields in (
        (_On.SKIP, None, []),
        (_On.TOUCH, _B.TOUCHED, ["industry", "address"]),
        (_On.MERGE, _B.MERGED, ["industry"]),
        (_On.UPDATE, _B.UPDATED, ["industry"]),
    ):
        _bring(desk, said, on=on)
        told = desk.announced(events_pb2.RecordBroughtAgain)
        seen = [(e.record, e.source, e.outcome, sorted(d.field for d in e.differences)) for e in told]
        assert seen == ([(made, _SOURCE, outcome, sorted(fields))] if outcome else []), on
    _bring(desk, {"display_name": "华兴", "industry": "软件"})
    assert desk.announced(events_pb2.RecordBroughtAgain) == []  # it holds just that by now


def test_I3_a_customer_with_a_contact_stays_and_one_without_is_gone(desk: Desk) -> None:
    results = _bring(desk, {"display_name": "甲公司"}, {"display_name": "乙公司"})
    first, second = (one.customer.name for one in results)
    desk.contact(first)
    with desk.runtime.reading() as tx:
        assert found(tx, PLACES, [first, second]) == {first: ["contacts"]}
    desk.announced()
    assert _back(desk, results) == [first]
    assert desk.names() == [first]
    assert [(e.record, e.gone) for e in desk.announced(events_pb2.RecordTakenBack)] == [(second, True)]


def test_I3_rows_of_one_customer_are_taken_back_one_after_the_other(desk: Desk) -> None:
    known = desk.create(display_name="旧公司", industry="制造").name
    rows: list[dict[str, Any]] = [
        {"display_name": "新公司", "industry": "教育"},
        {"display_name": "新公司", "address": "某路"},
        {"display_name": "旧公司", "industry": "软件"},
        {"display_name": "旧公司", "industry": "教育", "address": "某路"},
    ]
    results = _bring(desk, *rows, on=_On.UPDATE)
    assert _back(desk, results) == []
    assert desk.names() == [known]
    after = desk.get(known)
    assert (after.industry, after.address) == ("制造", "")


def test_I3_what_somebody_changed_since_stays_as_he_left_it_and_what_was_only_touched_is_nobodys_work(
    desk: Desk,
) -> None:
    known = desk.create(display_name="旧公司", industry="制造").name
    touched = _bring(desk, {"display_name": "旧公司", "industry": "软件"}, on=_On.TOUCH)
    results = _bring(desk, {"display_name": "新公司"})
    made = results[0].customer.name
    desk.update(made, "industry", industry="教育")
    desk.update(known, "industry", industry="物流")
    assert _back(desk, results) == [made]
    assert _back(desk, touched) == []
    assert desk.get(known).industry == "物流"


def test_I3_contacts_that_are_known_otherwise_tell_so(desk: Desk) -> None:
    customer = desk.create().name
    desk.contact(customer, phone="13812345678", title="经理")
    contact = pb.Contact(customer=customer, full_name="王小明", phone="13812345678", title="总监")
    for on, title in ((bringing_pb2.TOUCH, "经理"), (bringing_pb2.MERGE, "经理"), (bringing_pb2.UPDATE, "总监")):
        request = pb.BatchCreateContactsRequest(source=_SOURCE)
        request.requests.add(contact=contact, on_conflict=on)
        (one,) = desk.call("BatchCreateContacts", request, ADMIN).results
        assert _differences(one) == {"title": ("经理", "总监")}
        assert one.contact.title == title
    assert len(desk.announced(events_pb2.RecordBroughtAgain)) == 3
