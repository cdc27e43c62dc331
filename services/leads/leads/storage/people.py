"""Our copy of the directory's people, and what each took from the pool today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from leads.domain.lead import Status
from leads.domain.ownership import Presence
from leads.storage.tables import lead_claims, leads, people, presences


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    display_name: str
    team: str
    manager: str
    role: str
    active: bool
    version: int
    # How many open leads, and how many a day, they may have; None: as many as come.
    open_limit: int | None = None
    day_limit: int | None = None


_COLUMNS = ("name", "display_name", "team", "manager", "role", "active", "version", "open_limit", "day_limit")
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
    rows = [tuple(getattr(p, column) for column in _COLUMNS) for p in sorted(newest.values(), key=lambda p: p.name)]
    insert_rows(tx.connection, people, _COLUMNS, rows, conflict=_NEWER)


def get(tx: Transaction, name: str) -> Person | None:
    row = tx.execute(sa.select(*(people.c[c] for c in _COLUMNS)).where(people.c.name == name)).first()
    return Person(*row) if row else None


def save_presences(tx: Transaction, said: Sequence[tuple[str, int, int]]) -> None:
    """Keeps the newest (person, presence, version) of each."""
    newest: dict[str, tuple[str, int, int]] = {}
    for word in said:
        if word[0] not in newest or newest[word[0]][2] < word[2]:
            newest[word[0]] = word
    insert_rows(
        tx.connection,
        presences,
        ("person", "presence", "version"),
        sorted(newest.values()),
        conflict="(person) DO UPDATE SET presence = excluded.presence, version = excluded.version "
        "WHERE presences.version < excluded.version",
    )


def presence(tx: Transaction, name: str) -> Presence:
    """What was last heard of them; ONLINE for one of whom nothing was."""
    said = tx.execute(sa.select(presences.c.presence).where(presences.c.person == name)).scalar()
    return Presence(said or Presence.ONLINE)


def in_hand(tx: Transaction, name: str, since: datetime) -> tuple[int, int]:
    """How many open leads they have, and how many of all that they have came since then."""
    is_open = leads.c.status.in_((Status.ASSIGNED, Status.CONTACTED))
    row = tx.execute(
        sa.select(
            sa.func.count(sa.case((is_open, 1))), sa.func.count(sa.case((leads.c.assign_time >= since, 1)))
        ).where(leads.c.owner == name, leads.c.owner != "")
    ).one()
    return row[0], row[1]


def teams(tx: Transaction, names: Sequence[str]) -> Mapping[str, str]:
    """Person to team."""
    query = sa.select(people.c.name, people.c.team).where(in_values(people.c.name, names, tx.dialect))
    return {row[0]: row[1] for row in tx.execute(query)}


def standing(tx: Transaction, names: Sequence[str]) -> Mapping[str, tuple[str, bool]]:
    """Person to team and whether they are with us."""
    query = sa.select(people.c.name, people.c.team, people.c.active).where(in_values(people.c.name, names, tx.dialect))
    return {row[0]: (row[1], row[2]) for row in tx.execute(query)}


def save_leaving(tx: Transaction, names: Sequence[str]) -> None:
    there = in_values(people.c.name, sorted(names), tx.dialect)
    tx.execute(sa.update(people).where(there).values(leave_time=tx.now))


def leavers(tx: Transaction, since: datetime) -> list[str]:
    """Who left since then, and is not back."""
    query = sa.select(people.c.name).where(people.c.leave_time >= since, sa.not_(people.c.active))
    return list(tx.execute(query.order_by(people.c.name)).scalars())


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


def called(tx: Transaction, names: Sequence[str]) -> dict[str, str]:
    """Display name to person, for those who are with us; a name that two have is nobody's."""
    query = sa.select(people.c.display_name, sa.func.min(people.c.name)).where(
        in_values(people.c.display_name, names, tx.dialect), people.c.active
    )
    query = query.group_by(people.c.display_name).having(sa.func.count() == 1)
    return {row[0]: row[1] for row in tx.execute(query)}
