"""Small copies of what other services own: whose team an event concerns, and what a notice says."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from gateway.storage.tables import people, terms

_NEWER = (
    '("name") DO UPDATE SET "{1}" = excluded."{1}", "version" = excluded."version" '
    'WHERE excluded."version" > "{0}"."version"'
)


def keep_people(tx: Transaction, found: Collection[tuple[str, str, int]]) -> None:
    """(name, team, version), each name once; older versions than the one that is there change nothing."""
    insert_rows(
        tx.connection, people, ("name", "team", "version"), sorted(found), conflict=_NEWER.format("people", "team")
    )


def keep_term(tx: Transaction, name: str, value: int, version: int) -> None:
    insert_rows(
        tx.connection,
        terms,
        ("name", "value", "version"),
        [(name, value, version)],
        conflict=_NEWER.format("terms", "value"),
    )


def term(tx: Transaction, name: str) -> int:
    """0 for one that nobody has told yet."""
    return tx.execute(sa.select(terms.c.value).where(terms.c.name == name)).scalar() or 0


def teams_of(tx: Transaction, names: Collection[str]) -> Mapping[str, str]:
    """Person -> team, of those known."""
    if not names:
        return {}
    found = tx.execute(
        sa.select(people.c.name, people.c.team).where(in_values(people.c.name, sorted(names), tx.dialect))
    )
    return {row.name: row.team for row in found}
