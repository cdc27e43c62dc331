"""People at customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis import records
from chassis.access import refuse_read_only
from chassis.errors import Denied, NotFound
from chassis.transaction import Transaction
from customers.domain.customer import Contact
from customers.usecases.kinds import CONTACTS, CUSTOMERS, standing


def create(tx: Transaction, customer: str, values: Mapping[str, Any]) -> Contact:
    """Raises NotFound for a customer out of reach, Denied for one that the caller may only see."""
    refuse_read_only(tx.principal, "contacts", ["customer", *values])
    name = standing(tx, customer)
    within = CUSTOMERS.select.where(CUSTOMERS.table.c.name == name, CUSTOMERS.table.c.delete_time.is_(None))
    for verb, problem in (("read", NotFound(customer)), ("write", Denied("contacts.write"))):
        covered = records.criteria(CUSTOMERS, tx.principal, verb, "contacts")
        if tx.execute(within.where(covered)).first() is None:
            raise problem
    return store(tx, name, values)


def store(tx: Transaction, customer: str, values: Mapping[str, Any]) -> Contact:
    """Stores a new contact, whoever asks."""
    return records.create(tx, CONTACTS, Contact(CONTACTS.new_name(), customer, tx.now, tx.now, **values))
