"""The customers and contacts that their service told of."""

from __future__ import annotations

from collections.abc import Sequence
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
    """Those of these names that are known and not deleted, with the customer of a contact."""
    query = sa.select(parties.c.name, parties.c.customer).where(
        in_values(parties.c.name, sorted(set(names)), tx.dialect), parties.c.deleted.is_(False)
    )
    return {row[0]: row[1] for row in tx.execute(query)} if names else {}


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
