"""Public forms: few rows, read one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from leads.domain.form import Form
from leads.storage.tables import forms

_COLUMNS = tuple(field.name for field in dataclasses.fields(Form))
_values = attrgetter(*_COLUMNS)
_SET = ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS[1:])


def get(tx: Transaction, name: str, lock: bool = False) -> Form | None:
    """Deleted ones, too."""
    query = sa.select(*(forms.c[c] for c in _COLUMNS)).where(forms.c.name == name)
    if lock and tx.dialect == "postgresql":
        query = query.with_for_update()
    row = tx.execute(query).first()
    return Form(*row) if row else None


def every(tx: Transaction, deleted: bool = False) -> list[Form]:
    """All, in order of creation; `deleted`: those that were, too."""
    query = sa.select(*(forms.c[c] for c in _COLUMNS)).order_by(forms.c.create_time, forms.c.name)
    if not deleted:
        query = query.where(forms.c.delete_time.is_(None))
    return [Form(*row) for row in tx.execute(query)]


def save(tx: Transaction, changed: Sequence[Form]) -> None:
    """Writes whole forms, new or known."""
    insert_rows(tx.connection, forms, _COLUMNS, [_values(f) for f in changed], conflict=f"(name) DO UPDATE SET {_SET}")


def end(tx: Transaction, deleted_before: datetime) -> list[str]:
    """The names of those that are gone for good now."""
    old = sa.delete(forms).where(forms.c.delete_time < deleted_before)
    return [row.name for row in tx.execute(old.returning(forms.c.name))]
