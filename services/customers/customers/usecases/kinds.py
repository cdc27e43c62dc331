"""What a customer and a contact are among the records that people keep, and what is told of their changes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis import fields, records
from chassis.access import Principal
from chassis.columns import Column
from chassis.database import in_values
from chassis.errors import NotFound
from chassis.fields import FieldProblem
from chassis.records import Kind
from chassis.transaction import Transaction
from customers.domain.customer import Contact, Customer
from customers.storage import hand_overs, keys, reached
from customers.storage.tables import contacts, customers, people
from customers.usecases import leavers
from customers.wire import messages
from dealwright.customers.v1 import customers_pb2
from dealwright.leads.v1 import leads_pb2

_CUSTOMER_ENUMS = customers_pb2.Customer.DESCRIPTOR.enum_types_by_name
_CONTACT_ENUMS = customers_pb2.Contact.DESCRIPTOR.enum_types_by_name


def _licence(value: str) -> str:
    return fields.licence(value, strict=False)


def _external_id(value: str) -> str:
    system, colon, found = value.partition(":")
    if not (system and colon and found):
        raise FieldProblem('is a system and its id, such as "erp:4711"', "应为系统名和编号，例如 “erp:4711”")
    return value


def _shared(principal: Principal) -> sa.ColumnElement[bool] | None:
    """What the owner's team shares (C15)."""
    if not principal.teams:
        return None
    return sa.and_(customers.c.shared_with_team, customers.c.team != "", customers.c.team.in_(principal.teams))


def _customer_changed(tx: Transaction, before: Customer | None, after: Customer | None) -> None:
    if after is None:
        assert before is not None
        _forget(tx, before)
        tx.emit(messages.customer_changed(before, gone=True))
        return
    leavers.given(tx, before, after)
    tx.emit(messages.customer_changed(after))
    if before is None:
        tx.emit(messages.created(after))
    elif before.tier != after.tier:
        tx.emit(messages.tier_changed(after, before.tier))


def _forget(tx: Transaction, customer: Customer) -> None:
    """Nothing of a customer who is gone for good stays."""
    keys.drop(tx, customer.name)
    hand_overs.forget(tx, customer.name)
    reached.forget(tx, customer.name)
    gone = [Contact(*row) for row in tx.execute(CONTACTS.select.where(contacts.c.customer == customer.name))]
    tx.execute(sa.delete(contacts).where(contacts.c.customer == customer.name))
    for contact in gone:
        tx.audit("contact.purged", contact.name)
        tx.emit(messages.contact_changed(contact, gone=True))


def _contact_changed(tx: Transaction, before: Contact | None, after: Contact | None) -> None:
    if after is not None:
        tx.emit(messages.contact_changed(after))
    elif before is not None:
        tx.emit(messages.contact_changed(before, gone=True))


_c = customers.c
CUSTOMERS: Kind[Customer] = Kind(
    resource="customers",
    word="customer",
    table=customers,
    type=Customer,
    people=people,
    also=_shared,
    announce=_customer_changed,
    shown=messages.customer,
    spelt={"signed_currency": "signed_amount", "uncounted": "uncounted_amounts"},
    columns={
        "display_name": Column(_c.display_name, "text", order=True),
        "private_person": Column(_c.private_person, "bool"),
        "industry": Column(_c.industry, "text"),
        "employees": Column(_c.employees, "int", order=True),
        "region": Column(_c.region, "text", normalise=fields.region),
        "channel": Column(_c.channel, "enum", leads_pb2.DESCRIPTOR.enum_types_by_name["Channel"]),
        "tier": Column(_c.tier, "enum", _CUSTOMER_ENUMS["Tier"]),
        "stage": Column(_c.stage, "enum", _CUSTOMER_ENUMS["Stage"]),
        "tags": Column(_c.tags, "labels"),
        "owner": Column(_c.owner, "name"),
        "team": Column(_c.team, "name"),
        "phone": Column(
            _c.phone, "text", normalise=fields.direct_line, lookup=lambda value: keys.known_under(f"phone:{value}")
        ),
        "email": Column(
            _c.email, "text", normalise=fields.email, lookup=lambda value: keys.known_under(f"email:{value}")
        ),
        "licence": Column(
            _c.licence, "text", normalise=_licence, lookup=lambda value: keys.known_under(f"licence:{value}")
        ),
        "external_ids": Column(
            sa.cast(_c.external_ids, sa.Text),
            "text",
            nullable=False,
            normalise=_external_id,
            lookup=lambda value: keys.known_under(f"id:{value}"),
        ),
        "lead": Column(_c.lead, "name"),
        "vip": Column(_c.vip, "bool"),
        "signed_amount": Column(_c.signed_amount, "decimal", order=True),
        "last_follow_up_time": Column(_c.last_follow_up_time, "time", order=True),
        "create_time": Column(_c.create_time, "time", order=True),
        "update_time": Column(_c.update_time, "time", order=True),
    },
)

_d = contacts.c
CONTACTS: Kind[Contact] = Kind(
    resource="contacts",
    word="contact",
    table=contacts,
    type=Contact,
    people=people,
    owner="",
    parent=("customer", CUSTOMERS),
    announce=_contact_changed,
    shown=messages.contact,
    columns={
        "customer": Column(_d.customer, "name"),
        "full_name": Column(_d.full_name, "text", order=True),
        "title": Column(_d.title, "text"),
        "phone": Column(_d.phone, "text", normalise=fields.direct_line),
        "email": Column(_d.email, "text", normalise=fields.email),
        "decision_role": Column(_d.decision_role, "enum", _CONTACT_ENUMS["DecisionRole"]),
        "create_time": Column(_d.create_time, "time", order=True),
        "update_time": Column(_d.update_time, "time", order=True),
    },
)


def standing(tx: Transaction, name: str) -> str:
    """The name under which a customer goes on: its own, or that of the one it was merged into. Raises NotFound."""
    if not CUSTOMERS.is_name(name):
        raise NotFound("customers/...")
    into = tx.execute(sa.select(customers.c.merged_into).where(customers.c.name == name)).scalar()
    return into or name


def merged_into(tx: Transaction, name: str) -> list[str]:
    """The names of those that are part of this customer, newest first."""
    merged = sa.select(customers.c.name).where(customers.c.merged_into == name, customers.c.merged_into != "")
    return list(tx.execute(merged.order_by(customers.c.name.desc())).scalars())


def of_lead(tx: Transaction, lead: str) -> str:
    """The customer that came from a lead; empty where there is none."""
    query = sa.select(customers.c.name).where(customers.c.lead == lead, customers.c.lead != "")
    return tx.execute(query.where(customers.c.merged_into == "", customers.c.delete_time.is_(None))).scalar() or ""


def there(tx: Transaction, names: list[str]) -> list[str]:
    """Those of these customers that stand, in their order."""
    query = sa.select(customers.c.name).where(in_values(customers.c.name, sorted(set(names)), tx.dialect))
    query = query.where(customers.c.delete_time.is_(None), customers.c.merged_into == "")
    found = set(tx.execute(query).scalars()) if names else set()
    return [name for name in dict.fromkeys(names) if name in found]


def page(tx: Transaction, request: Any) -> tuple[list[Customer], str, int | None]:
    return records.page(tx, CUSTOMERS, request, customers.c.merged_into == "")
