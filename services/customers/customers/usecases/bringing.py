"""Customers and contacts that a sheet brings: made, or laid upon those that are known; and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis import bringing, records
from chassis.belongings import Place
from chassis.bringing import Brought, Way
from chassis.transaction import Transaction
from customers.domain.customer import Contact, Customer, Stage, keys, spelled
from customers.storage import keys as stored
from customers.storage import reached
from customers.storage.tables import contacts as contacts_table
from customers.usecases import contacts, customers
from customers.usecases.kinds import CONTACTS, CUSTOMERS
from customers.wire import messages
from dealwright.api.v1 import bringing_pb2
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import events_pb2

_On = pb.CreateCustomerRequest


def customer(
    tx: Transaction, values: Mapping[str, Any], owner: str, conflict: int, by_name: bool, source: str = ""
) -> Brought[Customer]:
    """Makes a customer, or does to the known one what `conflict` says. Raises KEY_TAKEN where nothing is said, or the
    known one is not the caller's to change; and as customers.create."""
    made = customers.made(tx, values, owner)
    known = customers.find(tx, made, by_name) if conflict else ""
    if not known or not _covered(tx, known, "read" if conflict == _On.SKIP else "write"):
        return Brought(customers.store(tx, made), bringing.CREATED)
    held = records.of_names(tx, CUSTOMERS, [known], lock=True)[known]
    said = _said(held, values)
    return bringing.tell(tx, CUSTOMER_WAY, _laid(tx, held, made, said, owner, conflict), source)


def _laid(
    tx: Transaction, held: Customer, made: Customer, said: Mapping[str, Any], owner: str, conflict: int
) -> Brought[Customer]:
    told = {**said, "owner": owner} if owner else said  # whose it is changes by a transfer alone
    if conflict == _On.SKIP:
        return Brought(held, bringing.SKIPPED, said=told)
    if conflict == _On.TOUCH:
        return Brought(held, bringing.TOUCHED, held, told)
    if conflict == _On.MERGE:
        return Brought(customers.complete(tx, held, made), bringing.MERGED, held, told)
    return Brought(customers.update(tx, held.name, "", said), bringing.UPDATED, held, told)


def _said(held: Customer, values: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody wrote; another spelling of the name is the same name."""
    said = {name: value for name, value in values.items() if value not in ("", 0, [], {}, None)}
    same = spelled(said.get("display_name", "")) == spelled(held.display_name)
    return {name: value for name, value in said.items() if not (same and name == "display_name")}


def _covered(tx: Transaction, name: str, verb: str) -> bool:
    query = CUSTOMERS.select.where(CUSTOMERS.table.c.name == name, records.criteria(CUSTOMERS, tx.principal, verb))
    return tx.execute(query).first() is not None


def contact(tx: Transaction, of: str, values: Mapping[str, Any], conflict: int, source: str = "") -> Brought[Contact]:
    """Makes a contact, or does to the known one of the same customer what `conflict` says. Raises as
    contacts.create."""
    known = _known(tx, of, values) if conflict else None
    if known is None:
        return Brought(contacts.create(tx, of, values), bringing.CREATED)
    said = {name: value for name, value in values.items() if value}
    return bringing.tell(tx, CONTACT_WAY, _contact_laid(tx, known, said, conflict), source)


def _contact_laid(tx: Transaction, known: Contact, said: Mapping[str, Any], conflict: int) -> Brought[Contact]:
    if conflict == bringing_pb2.SKIP:
        return Brought(records.find(tx, CONTACTS, known.name), bringing.SKIPPED, said=said)
    if conflict == bringing_pb2.TOUCH:
        return Brought(records.hold(tx, CONTACTS, known.name), bringing.TOUCHED, known, said)
    if conflict == bringing_pb2.MERGE:
        empty = {name: value for name, value in said.items() if not getattr(known, name)}
        return Brought(records.patch(tx, CONTACTS, known.name, "", empty), bringing.MERGED, known, said)
    return Brought(records.patch(tx, CONTACTS, known.name, "", said), bringing.UPDATED, known, said)


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

PLACES = (
    Place("contacts", contacts_table.c.customer, of="customers"),
    # Those that were merged into one go on under its name.
    Place("customers", CUSTOMERS.table.c.merged_into, of="customers"),
)


def take_back(tx: Transaction, taken: Sequence[bringing_pb2.TakenBack], source: str) -> list[str]:
    """The names of those that stay, because somebody worked on them since."""
    people = [one for one in taken if CONTACTS.is_name(one.name)]
    firms = [one for one in taken if CUSTOMERS.is_name(one.name)]
    return [
        *bringing.take_back(tx, CONTACT_WAY, people, source),
        *bringing.take_back(tx, CUSTOMER_WAY, firms, source),
    ]


def _restore_contact(tx: Transaction, now: Contact, fields: Mapping[str, Any]) -> Contact:
    return records.save(tx, CONTACTS, now, replace(now, **fields), "takenBack")


def _restore(tx: Transaction, now: Customer, fields: Mapping[str, Any]) -> Customer:
    """As it was, known by what it was known by. Raises KEY_TAKEN where another customer is by now."""
    then = replace(now, **fields)
    old, new = keys(now), keys(then)
    stored.drop(tx, now.name, [key for key in old if key not in new])
    customers.take_keys(tx, now, {key: field for key, field in new.items() if key not in old})
    return records.save(tx, CUSTOMERS, now, then, "takenBack")


def _before_its_deals(tx: Transaction, of: Customer) -> list[Customer]:
    """The stage follows deals by itself, and stays where they brought it when they are gone."""
    return [customers.graded(tx, replace(of, stage=stage)) for stage in Stage] if reached.any_of(tx, of.name) else []


_EVENTS: dict[str, Any] = {"again": events_pb2.RecordBroughtAgain, "back": events_pb2.RecordTakenBack}
CUSTOMER_WAY = Way(
    CUSTOMERS,
    messages.customer,
    _restore,
    **_EVENTS,
    places=PLACES,
    derived=frozenset({"last_follow_up_time"}),
    alike=_before_its_deals,
)
CONTACT_WAY = Way(CONTACTS, messages.contact, _restore_contact, **_EVENTS)
