"""What contracts knows of customers, contacts and opportunities."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from contracts import subscribers
from contracts.usecases import parties
from contracts.usecases.parties import Party
from dealwright.customers.v1 import customers_pb2
from dealwright.customers.v1.events_pb2 import ContactChanged, CustomerChanged
from dealwright.opportunities.v1 import opportunities_pb2
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged
from tests.contracts.desk import CONTACT, CUSTOMER, OPPORTUNITY, Desk, money


def _customer(version: int, title: str, deleted: bool = False) -> CustomerChanged:
    of = customers_pb2.Customer(
        name=CUSTOMER, display_name=title, owner="people/li", team="teams/east", tier=customers_pb2.Customer.A
    )
    return CustomerChanged(customer=of, version=version, deleted=deleted)


def _known(desk: Desk, name: str) -> Party | None:
    with desk.runtime.reading() as tx:
        return parties.find(tx, name)


def test_Q1_what_others_told_is_kept_as_it_is_now_in_whatever_order_it_comes(desk: Desk) -> None:
    contact = customers_pb2.Contact(name=CONTACT, customer=CUSTOMER, full_name="王芳", phone="+8613812345678")
    opportunity = opportunities_pb2.Opportunity(
        name=OPPORTUNITY, title="年度采购", customer=CUSTOMER, contact=CONTACT, number="CRM-20260131-0001",
        amount=money(1200, 500_000_000), products=["WMS"], owner="people/li", team="teams/east",
        status=opportunities_pb2.Opportunity.OPEN,
    )  # fmt: skip
    desk.tell(subscribers.customers, _customer(3, "新名"), _customer(2, "旧名"))
    desk.tell(subscribers.customers, _customer(1, "更旧的名"))
    desk.tell(subscribers.contacts, ContactChanged(contact=contact, version=1))
    desk.tell(subscribers.opportunities, OpportunityChanged(opportunity=opportunity, version=1))
    assert _known(desk, CUSTOMER) == Party(CUSTOMER, 3, False, "新名", "people/li", "teams/east", products=[], tier="A")
    assert _known(desk, CONTACT) == Party(
        CONTACT, 1, False, "王芳", customer=CUSTOMER, phone="+8613812345678", products=[]
    )
    known = _known(desk, OPPORTUNITY)
    assert known is not None
    assert (known.customer, known.contact, known.products, known.open) == (CUSTOMER, CONTACT, ["WMS"], True)
    assert (known.amount, known.currency) == (12_005_000, "CNY")
    desk.tell(subscribers.customers, _customer(4, "新名", deleted=True))
    assert _known(desk, CUSTOMER) is None


def test_Q1_the_tables_are_those_of_the_migrations(desk: Desk) -> None:
    with desk.runtime.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [d for d in compare_metadata(context, desk.runtime.service.metadata) if "alembic" not in str(d)]
    assert found == []
