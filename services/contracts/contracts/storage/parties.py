"""The customers, contacts and opportunities that their services told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.database import Json, in_values, insert_rows
from chassis.transaction import Transaction
from contracts.domain.party import Party
from contracts.storage.tables import metadata

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
    *(sa.Column(name, sa.Text, nullable=False) for name in ("tier", "region", "address", "phone", "email")),
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


def find_all(tx: Transaction, names: Sequence[str]) -> dict[str, Party]:
    """Those of these names that are known and not deleted."""
    wanted = sorted({name for name in names if name})
    query = sa.select(*(parties.c[column] for column in _COLUMNS)).where(
        in_values(parties.c.name, wanted, tx.dialect), parties.c.deleted.is_(False)
    )
    return {row[0]: Party(*row) for row in tx.execute(query)} if wanted else {}


def find(tx: Transaction, name: str) -> Party | None:
    """One that is known and not deleted."""
    return find_all(tx, [name]).get(name)
