"""Our copy of the directory's people, and what each took from the pool today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from leads.storage.tables import lead_claims, people


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    display_name: str
    team: str
    manager: str
    role: str
    active: bool
    version: int


_COLUMNS = ("name", "display_name", "team", "manager", "role", "active", "version")
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS[1:])
    + " WHERE people.version < excluded.version"
)


def save(tx: Transaction, changed: Sequence[Person]) -> None:
    """Keeps the newest version of each."""
    newest: dict[str, Person] = {}
    for person in changed:
        known = newest.get(person.name)
        if known is None or known.version < person.version:
            newest[person.name] = person
    rows = [
        (p.name, p.display_name, p.team, p.manager, p.role, p.active, p.version)
        for p in sorted(newest.values(), key=lambda p: p.name)
    ]
    insert_rows(tx.connection, people, _COLUMNS, rows, conflict=_NEWER)


def get(tx: Transaction, name: str) -> Person | None:
    row = tx.execute(sa.select(*(people.c[c] for c in _COLUMNS)).where(people.c.name == name)).first()
    return Person(*row) if row else None


def teams(tx: Transaction, names: Sequence[str]) -> Mapping[str, str]:
    """Person to team."""
    query = sa.select(people.c.name, people.c.team).where(in_values(people.c.name, names, tx.dialect))
    return {row[0]: row[1] for row in tx.execute(query)}


def count_claim(tx: Transaction, person: str, day: str) -> int:
    """Counts one more claim of the person on that day; returns how many that makes."""
    row = insert_rows(
        tx.connection,
        lead_claims,
        ("person", "day", "claims"),
        [(person, day, 1)],
        conflict="(person, day) DO UPDATE SET claims = lead_claims.claims + 1",
        returning=("claims",),
    )
    return int(row[0][0])
