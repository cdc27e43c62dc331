"""Whose a customer is. Every change of an owner goes through `change`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chassis import people, records
from chassis.access import Principal, Scope
from chassis.errors import Denied, Refused
from chassis.people import Person
from chassis.transaction import Transaction
from customers.domain.customer import Customer, Role
from customers.storage import hand_overs, roles
from customers.storage.tables import people as people_table
from customers.usecases.kinds import CUSTOMERS, merged_into, standing
from customers.wire import messages

# Whose customers may change hands by hand; back office corrects facts alone.
_MAY_TRANSFER = frozenset({"admin", "manager"})


def may_transfer(caller: Principal, kind: str = "customers") -> bool:
    wide = caller.scope(kind, "write") in (Scope.TEAM, Scope.ALL)
    return bool(caller.peer) or (wide and caller.role in _MAY_TRANSFER)


def know_roles(tx: Transaction, told: Sequence[Role]) -> None:
    roles.know(tx, told)


def require_receiver(tx: Transaction, name: str, kinds: Sequence[str]) -> Person:
    """Who is to have records of these kinds. Raises CANNOT_RECEIVE for a person who has left or whom we do not know,
    and for one whose role may not write them, naming the right."""
    person = people.find(tx, people_table, name)
    if person is None or not person.active:
        raise Refused("CANNOT_RECEIVE", f"{name} is not known, or has left.", f"{name} 不存在或已离职。")
    writes = roles.writes(tx, person.role)
    lacking = [f"{kind}.write" for kind in kinds if writes is not None and kind not in writes]
    if lacking:
        rights = ", ".join(lacking)
        raise Refused(
            "CANNOT_RECEIVE",
            f"{person.display_name} cannot have it: the role {person.role} has no right {rights}.",
            f"{person.display_name} 不能接收：角色 {person.role} 没有权限 {rights}。",
        )
    return person


def change(tx: Transaction, held: Customer, receiver: Person, how: str, reason: str = "") -> Customer:
    """The one compare-and-set on the owner of a customer. What waited for a word is settled. Raises Stale."""
    after = replace(held, owner=receiver.name, team=receiver.team, owner_version=held.owner_version + 1)
    hand_overs.settle(tx, held.name, receiver.name)
    after = records.save(tx, CUSTOMERS, held, after, "transferred")
    left = bool(people.left(tx, people_table, [held.owner]))
    tx.emit(messages.transferred(after, held.owner, how, reason, left, merged_into(tx, held.name)))
    return after


def transfer(tx: Transaction, name: str, etag: str, owner: str, reason: str) -> Customer:
    """To another owner, by hand. Raises Denied for who may not, CANNOT_RECEIVE, Stale."""
    held = records.hold(tx, CUSTOMERS, standing(tx, name), etag)
    if not may_transfer(tx.principal):
        raise Denied("customers.transfer")
    receiver = require_receiver(tx, owner, ["customers"])
    return held if held.owner == owner else change(tx, held, receiver, "MANUAL", reason)
