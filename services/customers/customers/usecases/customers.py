"""Customers by the standard methods, each known by its keys alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis import custom, people, records
from chassis.access import Scope, refuse_read_only
from chassis.errors import Denied, Refused, Violation
from chassis.transaction import Transaction
from customers.domain import tiers
from customers.domain.customer import TRIPLE, Customer, Tier, completed, keys
from customers.storage import keys as stored
from customers.storage import settings, signed
from customers.storage.tables import people as people_table
from customers.usecases import ownership
from customers.usecases.kinds import CUSTOMERS, of_lead, standing, there

_CHINESE = {"display_name": "名称", "phone": "手机号", "email": "邮箱", "licence": "营业执照号"}


def new(tx: Transaction, values: Mapping[str, Any]) -> Customer:
    """A customer that is not stored yet."""
    return Customer(CUSTOMERS.new_name(), tx.now, tx.now, **values, tier_by_hand=bool(values.get("tier")))


def made(tx: Transaction, values: Mapping[str, Any], owner: str) -> Customer:
    """A customer as the caller would have it, not stored yet. Raises Denied for a field that he may not write or an
    owner that he may not choose, CANNOT_RECEIVE."""
    refuse_read_only(tx.principal, "customers", [*values, *(["owner"] if owner else [])])
    return _owned(tx, new(tx, values), owner)


def _owned(tx: Transaction, made: Customer, owner: str) -> Customer:
    """Whoever sees only his own or his team's and names nobody keeps it himself."""
    caller = tx.principal
    if not owner and caller.scope("customers", "write") in (Scope.OWN, Scope.TEAM):
        owner = caller.person
    if owner and owner != caller.person and not ownership.may_transfer(caller):
        raise Denied("customers.transfer")
    if not owner:
        return made
    known = people.find(tx, people_table, owner)
    # Who signed in is with us, whether or not we have heard of him.
    team = known.team if known else caller.team
    if owner != caller.person:
        team = ownership.require_receiver(tx, owner, ["customers"]).team
    return replace(made, owner=owner, owner_version=1, team=team)


def store(tx: Transaction, made: Customer) -> Customer:
    """Stores a new customer with its tier. Raises KEY_TAKEN."""
    made = graded(tx, made)
    take_keys(tx, made, keys(made))
    return records.create(tx, CUSTOMERS, made, {"owner": made.owner})


def graded(tx: Transaction, of: Customer) -> Customer:
    """With the tier that the standard gives, unless somebody set it."""
    if of.tier and of.tier_by_hand:
        return of
    content, _ = settings.load(tx)
    return replace(of, tier=tiers.tier(of, content.get("tiers", tiers.DEFAULT)), tier_by_hand=False)


def take_keys(tx: Transaction, of: Customer, wanted: Mapping[str, str]) -> None:
    """The customer is known by these keys from now on. Raises KEY_TAKEN naming the fields that are another's, and that
    one where the caller may see it."""
    holders = stored.take(tx, of.name, list(wanted))
    taken = {field: holders[key] for key, field in wanted.items() if holders[key] != of.name}
    if taken:
        seen, mine = (_called(tx, sorted(set(taken.values())), verb) for verb in ("read", "write"))
        wrong = [_taken(field, seen.get(name, ""), name in mine) for field, name in taken.items()]
        field, first = next(iter(taken)), wrong[0]
        english, chinese = f"Its {field} {first.english}.", f"{_CHINESE.get(field, field)}{first.chinese}。"
        raise Refused("KEY_TAKEN", english, chinese, code="ALREADY_EXISTS", violations=wrong)


def _called(tx: Transaction, names: Sequence[str], verb: str) -> dict[str, str]:
    """Those of these customers that the caller may see, or write, as he knows them."""
    caller, c = tx.principal, CUSTOMERS.table.c
    if caller.scope("customers", verb) is Scope.NONE:
        return {}
    query = sa.select(c.name, c.display_name).where(c.name.in_(names), records.criteria(CUSTOMERS, caller, verb))
    hidden = "display_name" in caller.grant("customers").hidden
    return {row[0]: row[0] if hidden else f"{row[1]} ({row[0]})" for row in tx.execute(query)}


def _taken(field: str, called: str, mine: bool) -> Violation:
    """Whose it is, and what to do about it."""
    if not called:
        english = "is another customer's, one that you may not see: ask whoever leads you"
        return Violation(f"customer.{field}", english, "已属于另一个您无权查看的客户，请联系您的主管")
    english, chinese = f"is {called}'s: open that one", f"已属于客户 {called}，请打开该客户"
    if mine:
        english, chinese = f"{english}, or merge the two", f"{chinese}，或将两者合并"
    return Violation(f"customer.{field}", english, chinese)


def find(tx: Transaction, made: Customer, by_name: bool = True) -> str:
    """The customer that has the same licence, phone or e-mail, or a contact with them, or the same company name; empty
    where there is none (C20)."""
    wanted = keys(made)
    known = stored.holders(tx, list(wanted))
    fields = {wanted[key]: customer for key, customer in known.items()}
    found = [fields[name] for name in TRIPLE if name in fields]
    found += stored.with_contact(tx, made.phone, made.email)
    if by_name and "display_name" in fields:
        found.append(fields["display_name"])
    if made.lead and (same := of_lead(tx, made.lead)):
        found.insert(0, same)
    return next(iter(there(tx, found)), "")


def complete(tx: Transaction, held: Customer, more: Customer) -> Customer:
    """Fills what a customer lacks with what the other knows."""
    wanted = keys(more)
    known = stored.holders(tx, list(wanted))
    free = {key: field for key, field in wanted.items() if known.get(key, held.name) == held.name}
    changes = completed(held, more, free)
    after = replace(held, **changes)
    take_keys(tx, held, {key: field for key, field in keys(after).items() if key in free})
    return records.save(tx, CUSTOMERS, held, graded(tx, after) if changes else held, "completed")


def update(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Customer:
    """Writes the values; of "custom" and "external_ids" lays them over what is there. Raises KEY_TAKEN, Denied for a
    field that the caller's role may not change, Stale for an old etag."""
    refuse_read_only(tx.principal, "customers", list(values))
    before = records.hold(tx, CUSTOMERS, standing(tx, name), etag)
    laid = custom.laid(before.custom, values, "customer")
    if "external_ids" in laid:
        ids = {**before.external_ids, **laid["external_ids"]}
        laid["external_ids"] = {system: value for system, value in ids.items() if value}
    if "tier" in laid:
        laid["tier_by_hand"] = laid["tier"] != Tier.TIER_UNSPECIFIED
    after = replace(before, **laid)
    if after == before:
        return before
    old, now = keys(before), keys(after)
    take_keys(tx, before, {key: field for key, field in now.items() if key not in old})
    stored.drop(tx, before.name, [key for key in old if key not in now])
    return records.save(tx, CUSTOMERS, before, graded(tx, after))


def delete(tx: Transaction, name: str, etag: str) -> Customer:
    """For 30 days it can be brought back; others may be known by its keys meanwhile. Raises CONTRACTED for one that has
    signed a contract which is not void."""
    name = standing(tx, name)
    records.hold(tx, CUSTOMERS, name, etag, "delete")  # who may not is told that first
    found = signed.standing(tx, name)
    if found is not None:
        called = found.number or found.contract
        raise Refused("CONTRACTED", f"It has signed contract {called}.", f"该客户已签署合同 {called}，不能删除。")
    gone = records.delete(tx, CUSTOMERS, name, etag)
    stored.drop(tx, gone.name)
    return gone


def undelete(tx: Transaction, name: str) -> Customer:
    """Raises NOT_DELETED, KEY_TAKEN."""
    back = records.undelete(tx, CUSTOMERS, name)
    take_keys(tx, back, keys(back))
    return back
