"""What roles may write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from customers.domain.customer import Role
from customers.storage.tables import roles

_COLUMNS = tuple(field.name for field in fields(Role))


def know(tx: Transaction, told: Sequence[Role]) -> None:
    """Keeps the newest state of each."""
    newest = {one.id: one for one in sorted(told, key=lambda one: one.version)}
    insert_rows(
        tx.connection,
        roles,
        _COLUMNS,
        [astuple(newest[id]) for id in sorted(newest)],
        conflict="(id) DO UPDATE SET writes = excluded.writes, version = excluded.version "
        "WHERE roles.version < excluded.version",
    )


def writes(tx: Transaction, role: str) -> frozenset[str] | None:
    """The resources that a role may write; None for one that nobody told us of."""
    found = tx.execute(sa.select(roles.c.writes).where(roles.c.id == role)).scalar()
    return None if found is None else frozenset(found)
