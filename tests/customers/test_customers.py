"""Customers: what is kept of them, by what they are known again, what makes a tier."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from google.protobuf.struct_pb2 import Struct

from chassis import clock
from chassis.errors import Invalid, NotFound, Refused, Stale
from customers.domain.customer import spelled
from customers.main import service
from customers.storage.tables import customer_keys
from customers.usecases.purging import purge
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import events_pb2
from dealwright.leads.v1 import leads_pb2
from tests.customers.desk import LI, WANG, Desk, principal

LICENCE = "91310000MA1FL0AL0X"


def struct(**values: Any) -> Struct:
    made = Struct()
    made.update(values)
    return made


def test_migrations_and_tables_agree(desk: Desk) -> None:
    with desk.runtime.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [d for d in compare_metadata(context, service.metadata) if "alembic_version" not in str(d)]
    assert found == []


def test_C1_C2_C4_C9_a_customer_has_its_fields_in_one_spelling(desk: Desk) -> None:
    made = desk.create(
        display_name=" 华兴机械 ",
        industry="制造业",
        employees=120,
        region="上海市",
        channel=leads_pb2.TRADE_SHOW,
        address="浦东新区世纪大道 1 号",
        stage=pb.Customer.INTENT,
        tags=["重点", "重点", "合作中"],
        phone="138 1234 5678",
        email="A@B.CN",
        licence=LICENCE.lower(),
    )
    assert (made.display_name, made.region, made.phone, made.email) == ("华兴机械", "上海", "+8613812345678", "a@b.cn")
    assert (made.licence, list(made.tags), made.etag) == (LICENCE, ["重点", "合作中"], "1")
    assert desk.get(made.name) == made
    assert [e.customer for e in desk.announced(events_pb2.CustomerCreated)] == [made]


def test_C25_a_name_is_enough_and_nothing_else_is(desk: Desk) -> None:
    made = desk.create(LI, display_name="快建公司")
    assert (made.owner, made.team, made.stage) == ("people/li", "teams/east", pb.Customer.LEAD)
    with pytest.raises(Invalid) as refused:
        desk.create(display_name=" ", phone="12", email="x", tier=9, employees=-1)
    fields = {violation.field for violation in refused.value.violations}
    assert fields == {f"customer.{name}" for name in ("display_name", "phone", "email", "tier", "employees")}


@pytest.mark.parametrize(
    ("known", "again", "field"),
    [
        ({"display_name": "Acme 公司"}, {"display_name": "ａｃｍｅ公司"}, "display_name"),
        ({"phone": "13812345678"}, {"phone": "+86 138-1234-5678"}, "phone"),
        ({"email": "a@b.cn"}, {"email": "A@B.CN"}, "email"),
        ({"licence": LICENCE}, {"licence": LICENCE.lower()}, "licence"),
        ({"external_ids": {"erp": "4711"}}, {"external_ids": {"erp": "4711"}}, "external_ids.erp"),
    ],
)
def test_C1_C19_C20_a_key_is_one_customers_and_the_refusal_names_it(
    desk: Desk, known: dict[str, Any], again: dict[str, Any], field: str
) -> None:
    first = desk.create(**known)
    other = desk.create()
    acts: list[Callable[[], object]] = [
        lambda: desk.create(**again),
        lambda: desk.update(other.name, *again, **again),
    ]
    for act in acts:
        with pytest.raises(Refused) as refused:
            act()
        assert (refused.value.reason, refused.value.code) == ("KEY_TAKEN", "ALREADY_EXISTS")
        assert field in refused.value.english
    assert desk.get(other.name) == other
    assert desk.get(first.name).etag == "1"


def test_C1_private_people_may_have_one_name(desk: Desk) -> None:
    one, other = (desk.create(display_name="张伟", private_person=True) for _ in range(2))
    assert one.name != other.name
    assert spelled("张 伟\u3000ＡＢ") == "张伟ab"


def test_C8_C19_own_fields_and_external_ids_are_patched_key_by_key(desk: Desk) -> None:
    made = desk.create(custom=struct(model="X1", stack="Go"), external_ids={"erp": "1", "mes": "2"})
    one = desk.update(made.name, "custom.model", "external_ids.erp", custom=struct(model="X2"))
    assert dict(one.custom) == {"model": "X2", "stack": "Go"}
    assert dict(one.external_ids) == {"mes": "2"}
    more = desk.update(made.name, "custom", "external_ids", custom=struct(size=3), external_ids={"crm": "9"})
    assert dict(more.custom) == {"model": "X2", "stack": "Go", "size": 3}
    assert dict(more.external_ids) == {"mes": "2", "crm": "9"}
    assert desk.names(filter='externalIds = "crm:9"') == [made.name]
    assert desk.names(filter='externalIds = "erp:1"') == []
    gone = desk.update(made.name, "custom.size")
    assert "size" not in dict(gone.custom)
    with pytest.raises(Invalid):
        desk.update(made.name, "display_name.x")


def test_two_people_editing_one_customer_get_stale_and_lose_nothing(desk: Desk) -> None:
    made = desk.create()
    desk.update(made.name, "industry", industry="制造业", etag=made.etag)
    with pytest.raises(Stale):
        desk.update(made.name, "region", region="上海", etag=made.etag)
    now = desk.get(made.name)
    assert (now.industry, now.region, now.etag) == ("制造业", "", "2")


def test_an_update_that_changes_nothing_announces_nothing(desk: Desk) -> None:
    made = desk.create(industry="制造业")
    desk.announced()
    assert desk.update(made.name, "industry", industry="制造业") == made
    assert desk.announced() == []


def test_a_customer_that_was_deleted_is_back_within_30_days_with_its_contacts_and_keys(desk: Desk) -> None:
    made = desk.create(LI, phone="13812345678")
    contact = desk.contact(made.name, LI)
    desk.call("DeleteCustomer", pb.DeleteCustomerRequest(name=made.name))
    with pytest.raises(NotFound):
        desk.get(made.name)
    assert desk.contacts(made.name) == []
    assert (desk.names(), desk.names(show_deleted=True)) == ([], [made.name])
    assert desk.get(made.name, show_deleted=True).HasField("delete_time")
    back = desk.call("UndeleteCustomer", pb.UndeleteCustomerRequest(name=made.name))
    assert not back.HasField("delete_time")
    assert desk.contacts(made.name) == [contact]
    with pytest.raises(Refused, match="phone"):
        desk.create(phone="13812345678")
    with pytest.raises(Refused) as refused:
        desk.call("UndeleteCustomer", pb.UndeleteCustomerRequest(name=made.name))
    assert refused.value.reason == "NOT_DELETED"


def test_a_deleted_customer_whose_key_was_taken_meanwhile_does_not_come_back(desk: Desk) -> None:
    made = desk.create(phone="13812345678")
    desk.call("DeleteCustomer", pb.DeleteCustomerRequest(name=made.name))
    desk.create(phone="13812345678")
    with pytest.raises(Refused) as refused:
        desk.call("UndeleteCustomer", pb.UndeleteCustomerRequest(name=made.name))
    assert refused.value.reason == "KEY_TAKEN"


def test_what_was_deleted_30_days_ago_is_gone_for_good(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made, kept = desk.create(phone="13812345678"), desk.create()
    contact = desk.contact(made.name)
    desk.call("DeleteCustomer", pb.DeleteCustomerRequest(name=made.name))
    real = clock.now
    for days, there in ((29, [kept.name, made.name]), (31, [kept.name])):
        monkeypatch.setattr(clock, "now", lambda days=days: real() + timedelta(days=days))
        desk.announced()
        with desk.runtime.transaction() as tx:
            assert not purge(tx)
        assert desk.names(show_deleted=True) == there
    gone = desk.announced()
    assert {e.customer.name for e in gone if isinstance(e, events_pb2.CustomerChanged) and e.deleted} == {made.name}
    assert {e.contact.name for e in gone if isinstance(e, events_pb2.ContactChanged) and e.deleted} == {contact.name}
    with desk.runtime.reading() as tx:
        assert tx.execute(sa.select(customer_keys.c.customer).distinct()).scalars().all() == [kept.name]


def apply(desk: Desk, **content: Any) -> None:
    version = desk.call("GetPart", blueprint_pb2.GetPartRequest()).version
    request = blueprint_pb2.ApplyPartRequest(content=struct(**content), expected_version=version)
    desk.call("ApplyPart", request)


def test_C11_the_tier_follows_a_standard_that_the_company_sets(desk: Desk) -> None:
    tiers = [desk.create(employees=n).tier for n in (500, 100, 99)]
    assert tiers == [pb.Customer.A, pb.Customer.B, pb.Customer.C]
    plan = blueprint_pb2.PlanPartRequest(content=struct(customers={"tiers": {"A": 'industry == "医疗"'}}))
    changes = desk.call("PlanPart", plan).changes
    assert [(c.path, c.before, c.after) for c in changes] == [
        ("customers.tiers.A", '"employees >= 500"', '"industry == \\"医疗\\""'),
        ("customers.tiers.B", '"employees >= 100"', ""),
    ]
    apply(desk, customers={"tiers": {"A": 'industry == "医疗" && "重点" in tags'}})
    made = desk.create(industry="医疗", employees=1000)
    assert made.tier == pb.Customer.C
    desk.announced()
    assert desk.update(made.name, "tags", tags=["重点"]).tier == pb.Customer.A
    (told,) = desk.announced(events_pb2.CustomerTierChanged)
    assert (told.customer.name, told.previous_tier, told.customer.tier) == (made.name, pb.Customer.C, pb.Customer.A)


def test_C11_a_tier_set_by_hand_stays_until_it_is_given_back(desk: Desk) -> None:
    made = desk.create(employees=500, tier=pb.Customer.C)
    assert (made.tier, made.tier_by_hand) == (pb.Customer.C, True)
    assert desk.update(made.name, "employees", employees=600).tier == pb.Customer.C
    back = desk.update(made.name, "tier")
    assert (back.tier, back.tier_by_hand) == (pb.Customer.A, False)


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"customers": {"tiers": {"A": "employees >="}}}, "customers.tiers.A"),
        ({"customers": {"tiers": {"A": 3}}}, "customers.tiers.A"),
        ({"customers": {"tiers": {"D": "true"}}}, "customers.tiers"),
        ({"customers": {"colour": "red"}}, "customers.colour"),
        ({"customers": 1}, "customers"),
        ({"leads": {}}, "leads"),
    ],
)
def test_C11_a_standard_that_is_none_is_refused_with_its_path(desk: Desk, content: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        apply(desk, **content)
    assert refused.value.violations[0].field == path


def test_C9_C10_customers_are_found_by_tags_stage_and_what_they_are_known_by(desk: Desk) -> None:
    one = desk.create(tags=["制造业", "合作中"], stage=pb.Customer.WON, phone="13812345678", region="上海")
    desk.create(tags=["医疗"], stage=pb.Customer.LEAD)
    for text in (
        "tags:制造业 AND tags:合作中",
        "stage = WON",
        'phone = "138 1234 5678"',
        'region = "上海市"',
        "tier = C AND NOT tags:医疗",
    ):
        assert desk.names(filter=text) == [one.name], text
    assert desk.names(order_by="display_name") == sorted(
        desk.names(), key=lambda name: desk.get(name).display_name.encode()
    )


def test_P7_fields_that_a_role_may_not_see_are_no_way_to_find_a_customer(desk: Desk) -> None:
    blind = principal("people/blind", "finance", LI.grants["customers"].read.ALL, hidden=frozenset({"phone"}))
    desk.create(phone="13812345678")
    with pytest.raises(Invalid):
        desk.names(blind, filter='phone = "13812345678"')
    with pytest.raises(Invalid):
        desk.create(blind, phone="13812345679")


def test_every_change_is_in_the_audit_log_with_its_actor(desk: Desk) -> None:
    made = desk.create(LI)
    desk.update(made.name, "industry", industry="制造业", who=LI)
    desk.transfer(made.name, "people/wang")
    desk.call("DeleteCustomer", pb.DeleteCustomerRequest(name=made.name))
    assert [row[:2] for row in desk.audited() if row[2] == made.name] == [
        ("people/li", "customer.created"),
        ("people/li", "customer.changed"),
        ("people/admin", "customer.transferred"),
        ("people/admin", "customer.deleted"),
    ]
    assert WANG.person == "people/wang"
