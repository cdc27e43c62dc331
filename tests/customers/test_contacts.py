"""People at customers, by the standard methods."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import Invalid, NotFound, Refused, Stale
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import events_pb2
from tests.customers.desk import ADMIN, LI, Desk


def update(desk: Desk, name: str, *paths: str, etag: str = "", **fields: object) -> pb.Contact:
    contact = pb.Contact(name=name, etag=etag, **fields)  # type: ignore[arg-type]
    request = pb.UpdateContactRequest(contact=contact, update_mask=FieldMask(paths=paths))
    answer: pb.Contact = desk.call("UpdateContact", request, LI)
    return answer


def get(desk: Desk, name: str, show_deleted: bool = False) -> pb.Contact:
    answer: pb.Contact = desk.call("GetContact", pb.GetContactRequest(name=name, show_deleted=show_deleted), ADMIN)
    return answer


def test_C3_a_contact_has_name_title_phone_email_and_decision_role(desk: Desk) -> None:
    customer = desk.create(LI)
    made = desk.contact(
        customer.name,
        LI,
        full_name="王小明",
        title="采购总监",
        phone="021-62345678 转 801",
        email="W@B.CN",
        decision_role=pb.Contact.DECISION_MAKER,
    )
    assert (made.customer, made.phone, made.email) == (customer.name, "+862162345678;ext=801", "w@b.cn")
    assert get(desk, made.name) == made
    assert desk.contacts(customer.name, filter="decisionRole = DECISION_MAKER AND title:总监") == [made]
    (told,) = desk.announced(events_pb2.ContactChanged)
    assert (told.contact, told.version, told.deleted) == (made, 1, False)


def test_C3_a_contact_is_changed_field_by_field_under_its_etag(desk: Desk) -> None:
    made = desk.contact(desk.create(LI).name, LI)
    now = update(desk, made.name, "title", "decision_role", title="经理", decision_role=pb.Contact.USER, etag="1")
    assert (now.title, now.decision_role, now.full_name, now.etag) == ("经理", pb.Contact.USER, "王小明", "2")
    with pytest.raises(Stale):
        update(desk, made.name, "title", title="总监", etag="1")
    for paths in (("customer",), ("name",), ("full_name",)):
        with pytest.raises(Invalid):
            update(desk, made.name, *paths)


def test_C3_a_contact_that_was_deleted_comes_back(desk: Desk) -> None:
    customer = desk.create(LI)
    made = desk.contact(customer.name, LI)
    desk.call("DeleteContact", pb.DeleteContactRequest(name=made.name))
    with pytest.raises(NotFound):
        get(desk, made.name)
    assert desk.contacts(customer.name) == []
    assert [one.name for one in desk.contacts(customer.name, show_deleted=True)] == [made.name]
    assert get(desk, made.name, show_deleted=True).HasField("delete_time")
    back = desk.call("UndeleteContact", pb.UndeleteContactRequest(name=made.name))
    assert (back.full_name, back.HasField("delete_time")) == (made.full_name, False)
    with pytest.raises(Refused):
        desk.call("UndeleteContact", pb.UndeleteContactRequest(name=made.name))


def test_a_contact_of_a_customer_that_is_none_is_refused(desk: Desk) -> None:
    for customer in ("customers/" + "0" * 32, "customers/x", "leads/" + "0" * 32, ""):
        with pytest.raises(NotFound):
            desk.contact(customer)
    with pytest.raises(Invalid):
        desk.contact(desk.create().name, full_name="")
