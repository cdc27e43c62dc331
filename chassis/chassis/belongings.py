"""What hangs on others' records: each service names the places where it keeps such things, and whoever is about to take
a record away for good asks first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from chassis.database import in_values
from chassis.transaction import Transaction


@dataclass(frozen=True)
class Place:
    """A column that names records of a collection ("customers", "" for any); what stands in its row hangs on them and
    is one of `kind`. `only` leaves rows out. Where the column has no index, `via` is another of its table that has one,
    with what that one holds for the records: (the column, a column of our copy of the records, the one with their
    names)."""

    kind: str
    column: sa.Column[str]
    of: str = ""
    only: sa.ColumnElement[bool] | None = None
    via: tuple[sa.Column[str], sa.Column[str], sa.Column[str]] | None = None


def found(tx: Transaction, places: Sequence[Place], names: Sequence[str]) -> dict[str, list[str]]:
    """The kinds of what hangs on each of these records; those on which nothing does are left out."""
    kinds: dict[str, list[str]] = {}
    for place in places:
        wanted = sorted({name for name in names if not place.of or name.startswith(f"{place.of}/")})
        if not wanted:
            continue
        query = sa.select(place.column).where(in_values(place.column, wanted, tx.dialect))
        if place.only is not None:
            query = query.where(place.only)
        if place.via is not None:
            column, holds, named = place.via
            query = query.where(column.in_(sa.select(holds).where(in_values(named, wanted, tx.dialect))))
        for name in tx.execute(query.distinct()).scalars():
            if place.kind not in kinds.setdefault(name, []):
                kinds[name].append(place.kind)
    return kinds
