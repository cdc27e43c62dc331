"""What leavers had: it waits on a list until somebody confirms who takes it (C16). Nothing moves by itself.

Customers are ours; opportunities and leads are told of by their services, which carry out what is confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis import paging, people, records
from chassis.access import Scope, visible
from chassis.columns import Column
from chassis.errors import Denied, Invalid, NotFound, Refused
from chassis.people import Person
from chassis.transaction import Transaction
from customers.domain.customer import HandOver, HandOverState, LeftBehind
from customers.storage import hand_overs as stored
from customers.storage.tables import hand_overs
from customers.storage.tables import people as people_table
from customers.usecases import leavers, ownership, vip
from customers.usecases.kinds import CUSTOMERS
from customers.wire import messages
from dealwright.customers.v1 import customers_pb2

MOST = 1000
KINDS = ("customers", "opportunities", "leads")
_c = hand_overs.c
_COLUMNS = {
    **{name: Column(_c[name], "name") for name in ("person", "record", "customer", "kind", "owner")},
    "state": Column(_c.state, "enum", customers_pb2.HandOver.DESCRIPTOR.enum_types_by_name["State"]),
    "create_time": Column(_c.create_time, "time", order=True),
}


def know_people(tx: Transaction, told: Sequence[Person]) -> None:
    """Keeps our copy of the people; what those had who left is put on the list."""
    left = people.know(tx, people_table, told)
    leavers.put(tx, stored.owned_by(tx, [person.name for person in left]) if left else [])


def leave(tx: Transaction, person: str) -> None:
    """Somebody left, whatever we know of him."""
    leavers.put(tx, stored.owned_by(tx, [person]))


def told(tx: Transaction, of: LeftBehind) -> None:
    """Another service tells what a leaver had, or that it waits no longer; the newest owner version counts."""
    known = stored.newest(tx, of.record)
    if known is not None and known.version >= of.version:
        return
    of = replace(of, customer=vip.standing(tx, [of.customer]).get(of.customer, of.customer))
    by = tx.causes[0].actor if tx.causes else tx.origin.actor
    if of.settled:
        stored.end(tx, known, of, by)
        return
    if known is not None and known.state == HandOverState.OPEN:  # whoever got it has left, too
        stored.end(tx, known, replace(of, version=known.version, owner=of.person), by)
    leavers.put(tx, [of])


def _covered(tx: Transaction, verb: str) -> sa.ColumnElement[bool]:
    """A leaver's are for those who see what was his, each kind by its own right. Raises Denied without any."""
    caller = tx.principal
    kinds = [kind for kind in KINDS if caller.scope(kind, verb) is not Scope.NONE]
    if not kinds:
        raise Denied(f"customers.{verb}")
    return sa.or_(
        *(
            sa.and_(_c.kind == kind, visible(caller, caller.scope(kind, verb), _c.person, people_table))
            for kind in kinds
        )
    )


def page(tx: Transaction, request: Any) -> tuple[list[HandOver], str, int | None]:
    query = stored.SELECT.where(_covered(tx, "read"))
    hidden = tx.principal.grant("customers").hidden
    found = paging.listing(tx, query, _COLUMNS, request, "create_time desc", _c.name, hidden=hidden)
    width = len(stored.SELECT.selected_columns)
    return [HandOver(*row[:width]) for row in found.rows], found.next_page_token, found.total


def get(tx: Transaction, name: str) -> HandOver:
    """Raises NotFound for what the caller may not see."""
    row = tx.execute(stored.SELECT.where(_c.name == name, _covered(tx, "read"))).first()
    if row is None:
        raise NotFound(name[:80])
    return HandOver(*row)


def confirm(tx: Transaction, names: Sequence[str], owner: str) -> list[HandOver]:
    """Each of these goes to the owner, all or none. Raises Denied for who may not change owners, NotFound, SETTLED for
    one that was confirmed already, CANNOT_RECEIVE for an owner who has left or may not write such records."""
    if not 0 < len(names) <= MOST:
        raise Invalid([("names", f"must be 1 to {MOST}", f"须为 1 至 {MOST} 个")])
    if not any(ownership.may_transfer(tx.principal, kind) for kind in KINDS):
        raise Denied("customers.transfer")
    seen = set(tx.execute(sa.select(_c.name).where(_c.name.in_(names), _covered(tx, "write"))).scalars())
    missing = [name for name in names if name not in seen]
    if missing:
        raise NotFound(missing[0][:80])
    waiting = stored.by_name(tx, names)
    kinds = sorted({one.kind for one in waiting.values()})
    receiver = ownership.require_receiver(tx, owner, kinds)
    settled = [one for one in waiting.values() if one.state != HandOverState.OPEN]
    if settled:
        raise Refused("SETTLED", f"{settled[0].name} was confirmed already.", f"{settled[0].name} 已确认过。")
    for kind in kinds:
        if not ownership.may_transfer(tx.principal, kind):
            raise Denied(f"{kind}.transfer")
    held = records.of_names(tx, CUSTOMERS, [one.record for one in waiting.values()], lock=True)
    for name in sorted(held):
        ownership.change(tx, held[name], receiver, "HAND_OVER")
    for one in waiting.values():
        if one.kind != "customers":
            stored.settle(tx, one.record, owner)
            tx.emit(messages.hand_over_confirmed(one, owner, tx.principal.actor))
        tx.audit("handOver.confirmed", one.name, {"record": one.record, "owner": owner})
    now = stored.by_name(tx, names)
    return [now[name] for name in dict.fromkeys(names)]
