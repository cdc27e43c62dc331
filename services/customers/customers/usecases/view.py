"""What we know of a customer ourselves, for whoever looks at it from all sides (C5)."""

from __future__ import annotations

from chassis import records
from chassis.access import Scope
from chassis.transaction import Transaction
from customers.domain.customer import Contact, Customer
from customers.storage.tables import contacts
from customers.usecases.kinds import CONTACTS, CUSTOMERS, merged_into, standing

_MOST_NAMES = 10


def own(tx: Transaction, name: str, size: int) -> tuple[Customer, list[str], list[Contact] | None, bool]:
    """The customer, the names that it goes by (its own first, then those that became part of it), its newest contacts
    (None for who may see none) and whether there are more. Raises NotFound."""
    of = records.find(tx, CUSTOMERS, standing(tx, name))
    names = [of.name, *merged_into(tx, of.name)[:_MOST_NAMES]]
    if tx.principal.scope("contacts", "read") is Scope.NONE:
        return of, names, None, False
    query = CONTACTS.select.where(
        contacts.c.customer == of.name,
        contacts.c.delete_time.is_(None),
        records.criteria(CONTACTS, tx.principal, "read"),
    )
    found = [Contact(*row) for row in tx.execute(query.order_by(contacts.c.name.desc()).limit(size + 1))]
    return of, names, found[:size], len(found) > size
