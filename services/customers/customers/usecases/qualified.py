"""A lead that became business becomes a customer with a contact, or finds those that are known (L24)."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from chassis import people, records
from chassis.transaction import Transaction
from customers.domain.customer import Customer
from customers.storage.tables import contacts
from customers.storage.tables import people as people_table
from customers.usecases import contacts as contact_usecases
from customers.usecases import customers
from customers.usecases.kinds import CUSTOMERS
from customers.wire import messages
from customers.wire.events import Qualified


def welcome(tx: Transaction, lead: Qualified) -> None:
    """A known customer keeps its owner (L31); a new one is the lead's owner's. Raises KEY_TAKEN where somebody else was
    faster: the next delivery finds that one."""
    made = customers.new(
        tx,
        {
            "display_name": lead.company or lead.full_name or lead.phone or lead.email,
            "private_person": not lead.company,
            "industry": lead.industry,
            "region": lead.region,
            "channel": lead.channel,
            "phone": lead.phone,
            "email": lead.email,
            "licence": lead.licence,
            "tags": list(lead.tags),
            "lead": lead.lead,
        },
    )
    known = customers.find(tx, made)
    if known:
        held = records.of_names(tx, CUSTOMERS, [known], lock=True)[known]
        customer = customers.complete(tx, held, made)
    else:
        owner = people.find(tx, people_table, lead.owner)
        team = owner.team if owner else ""
        customer = customers.store(tx, replace(made, owner=lead.owner, owner_version=int(bool(lead.owner)), team=team))
    contact = _introduce(tx, customer, lead)
    owner = people.find(tx, people_table, lead.owner) if lead.owner else None
    tx.emit(messages.welcomed(customer, contact, lead, owner.team if owner else ""))


def _introduce(tx: Transaction, customer: Customer, lead: Qualified) -> str:
    """The person behind the lead is a contact of the customer, once. Returns the contact."""
    same = [c == v for c, v in ((contacts.c.phone, lead.phone), (contacts.c.email, lead.email)) if v]
    if not same:
        same = [contacts.c.full_name == lead.full_name]
    query = sa.select(contacts.c.name).where(contacts.c.customer == customer.name, sa.or_(*same))
    known: str | None = tx.execute(query).scalar()
    if known is not None:
        return known
    full_name = lead.full_name or lead.phone or lead.email
    values = {"full_name": full_name, "phone": lead.phone, "email": lead.email}
    return contact_usecases.store(tx, customer.name, values).name
