"""What leavers had: it waits on a list until somebody confirms who takes it (C16). Nothing moves by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis import paging, people, records
from chassis.access import visible
from chassis.columns import Column
from chassis.errors import Denied, Invalid, NotFound, Refused
from chassis.people import Person
from chassis.transaction import Transaction
from customers.domain.customer import Customer, HandOver, HandOverState
from customers.storage import hand_overs as stored
from customers.storage.tables import hand_overs
from customers.storage.tables import people as people_table
from customers.usecases import ownership
from customers.usecases.kinds import CUSTOMERS
from dealwright.customers.v1 import customers_pb2

MOST = 1000
_c = hand_overs.c
_COLUMNS = {
    "person": Column(_c.person, "name"),
    "customer": Column(_c.customer, "name"),
    "state": Column(_c.state, "enum", customers_pb2.HandOver.DESCRIPTOR.enum_types_by_name["State"]),
    "owner": Column(_c.owner, "name"),
    "create_time": Column(_c.create_time, "time", order=True),
}


def know_people(tx: Transaction, told: Sequence[Person]) -> None:
    """Keeps our copy of the people; what those had who left is put on the list."""
    left = people.know(tx, people_table, told)
    _open(tx, stored.owned_by(tx, [person.name for person in left]) if left else [])


def leave(tx: Transaction, person: str) -> None:
    """Somebody left, whatever we know of him."""
    _open(tx, stored.owned_by(tx, [person]))


def open_for(tx: Transaction, customers: Sequence[Customer]) -> None:
    """Puts those of them on the list whose owner has left."""
    known = people.find_all(tx, people_table, sorted({customer.owner for customer in customers if customer.owner}))
    gone = {person.name for person in known if not person.active}
    _open(tx, [(customer.name, customer.owner) for customer in customers if customer.owner in gone])


def _open(tx: Transaction, waiting: Sequence[tuple[str, str]]) -> None:
    for made in stored.put(tx, waiting):
        tx.audit("handOver.opened", made.name, {"customer": made.customer, "person": made.person})


def _covered(tx: Transaction, verb: str) -> sa.ColumnElement[bool]:
    """A leaver's are for those who see what was his."""
    return visible(tx.principal, tx.principal.require("customers", verb), _c.person, people_table)


def page(tx: Transaction, request: Any) -> tuple[list[HandOver], str, int | None]:
    query = stored.SELECT.where(_covered(tx, "read"))
    hidden = tx.principal.grant("customers").hidden
    found = paging.listing(tx, query, _COLUMNS, request, "create_time desc", _c.name, hidden=hidden)
    width = len(stored.SELECT.selected_columns)
    return [HandOver(*row[:width]) for row in found.rows], found.next_page_token, found.total


def confirm(tx: Transaction, names: Sequence[str], owner: str) -> list[HandOver]:
    """Each of these customers goes to the owner, all or none. Raises Denied for who may not change owners, NotFound,
    SETTLED for one that was confirmed already, CANNOT_RECEIVE."""
    if not 0 < len(names) <= MOST:
        raise Invalid([("names", f"must be 1 to {MOST}", f"须为 1 至 {MOST} 个")])
    if not ownership.may_transfer(tx.principal):
        raise Denied("customers.transfer")
    seen = set(tx.execute(sa.select(_c.name).where(_c.name.in_(names), _covered(tx, "write"))).scalars())
    missing = [name for name in names if name not in seen]
    if missing:
        raise NotFound(missing[0][:80])
    receiver = ownership.require_receiver(tx, owner)
    waiting = stored.by_name(tx, names)
    settled = [one for one in waiting.values() if one.state != HandOverState.OPEN]
    if settled:
        raise Refused("SETTLED", f"{settled[0].name} was confirmed already.", f"{settled[0].name} 已确认过。")
    held = records.of_names(tx, CUSTOMERS, [one.customer for one in waiting.values()], lock=True)
    for name in sorted(held):
        ownership.change(tx, held[name], receiver, "HAND_OVER")
    for one in waiting.values():
        tx.audit("handOver.confirmed", one.name, {"customer": one.customer, "owner": owner})
    now = stored.by_name(tx, names)
    return [now[name] for name in dict.fromkeys(names)]
