"""By what a customer is known again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from customers.storage.tables import contacts, customer_keys, customers


def take(tx: Transaction, customer: str, wanted: Sequence[str]) -> dict[str, str]:
    """Gives the customer each key that nobody has. Returns whose each key is now. Waits for whoever takes one of them
    at the same time."""
    rows = insert_rows(
        tx.connection,
        customer_keys,
        ("key", "customer"),
        [(key, customer) for key in sorted(wanted)],
        conflict="(key) DO UPDATE SET customer = customer_keys.customer",
        returning=("key", "customer"),
    )
    return {row[0]: row[1] for row in rows}


def holders(tx: Transaction, wanted: Sequence[str]) -> dict[str, str]:
    """Key to customer, for those that somebody has."""
    if not wanted:
        return {}
    query = sa.select(customer_keys.c.key, customer_keys.c.customer)
    return {row[0]: row[1] for row in tx.execute(query.where(in_values(customer_keys.c.key, list(wanted), tx.dialect)))}


def of(tx: Transaction, customer: str) -> list[str]:
    return list(tx.execute(sa.select(customer_keys.c.key).where(customer_keys.c.customer == customer)).scalars())


def give(tx: Transaction, customer: str, to: str) -> None:
    """All keys of one customer become another's."""
    tx.execute(sa.update(customer_keys).where(customer_keys.c.customer == customer).values(customer=to))


def drop(tx: Transaction, customer: str, unwanted: Sequence[str] | None = None) -> None:
    """Takes these keys from the customer, or all."""
    found = sa.delete(customer_keys).where(customer_keys.c.customer == customer)
    if unwanted is not None:
        found = found.where(in_values(customer_keys.c.key, list(unwanted), tx.dialect))
    tx.execute(found)


def known_under(key: str) -> sa.ColumnElement[bool]:
    """SQL for the customers that are known under a key."""
    return customers.c.name.in_(sa.select(customer_keys.c.customer).where(customer_keys.c.key == key))


def with_contact(tx: Transaction, phone: str, email: str) -> list[str]:
    """Customers who have a contact with this phone or e-mail, the oldest contact's first."""
    same = [column == value for column, value in ((contacts.c.phone, phone), (contacts.c.email, email)) if value]
    if not same:
        return []
    query = sa.select(contacts.c.customer).where(sa.or_(*same), contacts.c.delete_time.is_(None))
    return list(dict.fromkeys(tx.execute(query.order_by(contacts.c.name).limit(100)).scalars()))
