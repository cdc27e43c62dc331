"""The customers, contacts and opportunities that their services told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.access import Principal, Scope, visible
from chassis.database import Json, in_values, insert_rows
from chassis.transaction import Transaction
from contracts.domain.party import Party
from contracts.storage.tables import metadata, people

parties = sa.Table(
    "parties",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("title", "owner", "team", "customer", "contact", "number")),
    sa.Column("amount", sa.BigInteger),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("products", Json, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("lost", sa.Boolean, nullable=False, server_default=sa.false()),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("tier", "region", "address", "phone", "email")),
    sa.Column("shared", sa.Boolean, nullable=False),
)
_COLUMNS = tuple(field.name for field in fields(Party))
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    + " WHERE parties.version < excluded.version"
)


def know(tx: Transaction, told: Sequence[Party]) -> list[str]:
    """Keeps the newest state of each. Returns the names of those that were news."""
    newest = {one.name: one for one in sorted(told, key=lambda one: one.version)}
    rows = [astuple(newest[name]) for name in sorted(newest)]
    written = insert_rows(tx.connection, parties, _COLUMNS, rows, conflict=_NEWER, returning=("name",))
    return [row[0] for row in written]


def told_of(tx: Transaction, names: Sequence[str], hold: bool = False) -> dict[str, Party]:
    """Those of these names that are known, deleted ones too; `hold`: news of them waits for the commit."""
    wanted = sorted({name for name in names if name})
    query = sa.select(*(parties.c[column] for column in _COLUMNS)).where(in_values(parties.c.name, wanted, tx.dialect))
    if hold and tx.dialect == "postgresql":
        query = query.order_by(parties.c.name).with_for_update(read=True)
    return {row[0]: Party(*row) for row in tx.execute(query)} if wanted else {}


def find_all(tx: Transaction, names: Sequence[str], hold: bool = False) -> dict[str, Party]:
    """Those of these names that are known and not deleted."""
    return {name: of for name, of in told_of(tx, names, hold).items() if not of.deleted}


def find(tx: Transaction, name: str, hold: bool = False) -> Party | None:
    """One that is known and not deleted."""
    return find_all(tx, [name], hold).get(name)


def readable(tx: Transaction, caller: Principal, resource: str, names: Sequence[str]) -> set[str]:
    """Those of these customers or opportunities that the caller's right on `resource` covers, as their own services
    decide it."""
    scope = caller.scope(resource, "read")
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
