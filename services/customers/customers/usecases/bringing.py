"""Customers and contacts that a sheet brings: made, or laid upon those that are known; and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis import bringing, records
from chassis.bringing import Brought
from chassis.transaction import Transaction
from customers.domain.customer import Contact, Customer, keys
from customers.storage import keys as stored
from customers.storage.tables import contacts as contacts_table
from customers.usecases import contacts, customers
from customers.usecases.kinds import CONTACTS, CUSTOMERS
from dealwright.api.v1 import bringing_pb2
from dealwright.customers.v1 import customers_pb2 as pb

_On = pb.CreateCustomerRequest


def customer(tx: Transaction, values: Mapping[str, Any], owner: str, conflict: int, by_name: bool) -> Brought[Customer]:
    """Makes a customer, or does to the known one what `conflict` says. Raises KEY_TAKEN where nothing is said, or the
    known one is not the caller's to change; and as customers.create."""
    made = customers.made(tx, values, owner)
    known = customers.find(tx, made, by_name) if conflict else ""
    if not known or not _covered(tx, known, "read" if conflict == _On.SKIP else "write"):
        return Brought(customers.store(tx, made), bringing.CREATED)
    held = records.of_names(tx, CUSTOMERS, [known], lock=True)[known]
    if conflict == _On.SKIP:
        return Brought(held, bringing.SKIPPED)
    if conflict == _On.MERGE:
        return Brought(customers.complete(tx, held, made), bringing.MERGED, held)
    said = {name: value for name, value in values.items() if value not in ("", 0, [], {}, None)}
    return Brought(customers.update(tx, known, "", said), bringing.UPDATED, held)


def _covered(tx: Transaction, name: str, verb: str) -> bool:
    query = CUSTOMERS.select.where(CUSTOMERS.table.c.name == name, records.criteria(CUSTOMERS, tx.principal, verb))
    return tx.execute(query).first() is not None


def contact(tx: Transaction, of: str, values: Mapping[str, Any], conflict: int) -> Brought[Contact]:
    """Makes a contact, or does to the known one of the same customer what `conflict` says. Raises as
    contacts.create."""
    known = _known(tx, of, values) if conflict else None
    if known is None:
        return Brought(contacts.create(tx, of, values), bringing.CREATED)
    if conflict == bringing_pb2.SKIP:
        return Brought(records.find(tx, CONTACTS, known.name), bringing.SKIPPED)
    said = {name: value for name, value in values.items() if value}
    if conflict == bringing_pb2.MERGE:
        said = {name: value for name, value in said.items() if not getattr(known, name)}
    outcome = bringing.MERGED if conflict == bringing_pb2.MERGE else bringing.UPDATED
    return Brought(records.patch(tx, CONTACTS, known.name, "", said), outcome, known)


def _known(tx: Transaction, of: str, values: Mapping[str, Any]) -> Contact | None:
    """The contact of this customer with the same phone or e-mail; of one that brings neither, with the same name."""
    c = contacts_table.c
    same = [c[name] == values[name] for name in ("phone", "email") if values.get(name)]
    criterion = sa.or_(*same) if same else c.full_name == values.get("full_name", "")
    query = CONTACTS.select.where(c.customer == of, c.delete_time.is_(None), criterion).order_by(c.name).limit(1)
    row = tx.execute(query).first()
    return Contact(*row) if row else None


def find(tx: Transaction, asked: Sequence[Mapping[str, str]]) -> list[str]:
    """Who is meant, for each; "" where nobody is that the caller may see."""
    found = [customers.find(tx, _sketch(tx, one)) for one in asked]
    names = sorted({name for name in found if name})
    query = sa.select(CUSTOMERS.table.c.name).where(
        CUSTOMERS.table.c.name.in_(names), records.criteria(CUSTOMERS, tx.principal, "read")
    )
    seen = set(tx.execute(query).scalars()) if names else set()
    return [name if name in seen else "" for name in found]


def _sketch(tx: Transaction, known_by: Mapping[str, Any]) -> Customer:
    values = {"display_name": "", **known_by, "private_person": not known_by.get("display_name")}
    return Customer("", tx.now, tx.now, **values)


# --- taken back ---


def take_back(tx: Transaction, taken: Sequence[bringing_pb2.TakenBack]) -> list[str]:
    """The names of those that stay, because somebody worked on them since."""
    people = [one for one in taken if CONTACTS.is_name(one.name)]
    firms = [one for one in taken if CUSTOMERS.is_name(one.name)]
    return [
        *bringing.take_back(tx, CONTACTS, people, lambda tx, contact: False, _restore_contact),
        *bringing.take_back(tx, CUSTOMERS, firms, _has_contacts, _restore),
    ]


def _has_contacts(tx: Transaction, of: Customer) -> bool:
    query = sa.select(contacts_table.c.name).where(contacts_table.c.customer == of.name)
    return tx.execute(query.limit(1)).first() is not None


def _restore_contact(tx: Transaction, now: Contact, fields: Mapping[str, Any]) -> None:
    records.save(tx, CONTACTS, now, replace(now, **fields), "takenBack")


def _restore(tx: Transaction, now: Customer, fields: Mapping[str, Any]) -> None:
    """As it was, known by what it was known by. Raises KEY_TAKEN where another customer is by now."""
    then = replace(now, **fields)
    old, new = keys(now), keys(then)
    stored.drop(tx, now.name, [key for key in old if key not in new])
    customers.take_keys(tx, now, {key: field for key, field in new.items() if key not in old})
    records.save(tx, CUSTOMERS, now, then, "takenBack")
