"""The customers and contacts that their service told of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.access import Principal, Scope, visible
from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Party
from opportunities.storage.tables import parties, people

_COLUMNS = tuple(field.name for field in fields(Party))
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    + " WHERE parties.version < excluded.version"
)


def know(tx: Transaction, told: Sequence[Party]) -> None:
    """Keeps the newest of each."""
    newest = {one.name: one for one in sorted(told, key=lambda one: one.version)}
    insert_rows(tx.connection, parties, _COLUMNS, [astuple(newest[name]) for name in sorted(newest)], conflict=_NEWER)


def there(tx: Transaction, names: Sequence[str]) -> dict[str, str]:
    """Those of these names that are known and not deleted, with whose they are: the customer of a contact, and a
    customer itself, or the one that it is part of now."""
    told = _told_of(tx, names)
    ends = _ends(tx, [customer or name for name, customer, _ in told.values()], told)
    found = {}
    for name in {*names} & told.keys():
        _, customer, deleted = told[name]
        whose = ends[customer or name]
        # What was merged is there as long as the one that it is part of.
        if (whose in told and not told[whose][2]) if _is_customer(name) else not deleted:
            found[name] = whose
    return found


def standing(tx: Transaction, customers: Iterable[str], hold: bool = False) -> dict[str, str]:
    """Each of these customers with the one that it is part of by every merge we were told of, itself where there was
    none; `hold`: news of a merge waits for the commit."""
    return _ends(tx, customers, {}, hold)


_Told = dict[str, tuple[str, str, bool]]


def _ends(tx: Transaction, customers: Iterable[str], told: _Told, hold: bool = False) -> dict[str, str]:
    """The same; what is asked for that is among what was `told` before goes there."""
    ends = {name: name for name in customers if name}
    for _ in range(_LONGEST):
        told |= _told_of(tx, {*ends.values()} - told.keys(), hold)
        into = {end: told[end][1] for end in ends.values() if end in told and told[end][1]}
        if not into:
            break
        ends = {name: into.get(end, end) for name, end in ends.items()}
    return ends


# A merge of merged ones; more of them than that is a circle.
_LONGEST = 8


def _is_customer(name: str) -> bool:
    return name.startswith("customers/")


def _told_of(tx: Transaction, names: Iterable[str], hold: bool = False) -> _Told:
    """By name (name, customer, whether it was deleted), of those that are known."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    p = parties.c
    query = sa.select(p.name, p.customer, p.deleted).where(in_values(p.name, wanted, tx.dialect))
    if hold and tx.dialect == "postgresql":
        query = query.order_by(p.name).with_for_update(read=True)
    return {row[0]: (row[0], row[1], row[2]) for row in tx.execute(query)}


def readable(tx: Transaction, caller: Principal, names: Sequence[str]) -> set[str]:
    """Those of these customers that the caller may see, as their own service decides it."""
    scope = caller.scope("customers", "read")
    if scope is Scope.ALL or not names:
        return set(names)
    p = parties.c
    seen = visible(caller, scope, p.owner, people)
    if scope is Scope.TEAM:
        seen = sa.or_(seen, p.owner == "")
    if scope is not Scope.NONE and caller.teams:
        seen = sa.or_(seen, sa.and_(p.shared, p.team != "", p.team.in_(caller.teams)))
    query = sa.select(p.name).where(in_values(p.name, sorted(set(names)), tx.dialect), seen)
    return set(tx.execute(query).scalars())
