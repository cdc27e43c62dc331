"""The copy of the directory's people that a service whose records have owners keeps.

The directory announces a person's whole state with its version, and a copy keeps the newest. A service names the table
in its metadata, and its subscriber of PersonChanged writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Person:
    """Fields in the order of the columns. `team` and `manager` are names of resources, or empty."""

    name: str
    display_name: str
    team: str
    manager: str
    role: str
    active: bool
    version: int


_COLUMNS = tuple(field.name for field in fields(Person))
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    + " WHERE people.version < excluded.version"
)


def table(metadata: sa.MetaData) -> sa.Table:
    """The copy as a table of the service's own."""
    return sa.Table(
        "people",
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        *(sa.Column(column, sa.Text, nullable=False) for column in _COLUMNS[1:5]),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Index("people_team", "team"),
    )


def know(tx: Transaction, people: sa.Table, told: Sequence[Person]) -> list[Person]:
    """Keeps the newest state of each. Returns those that had left when we heard of it first."""
    newest: dict[str, Person] = {}
    for person in told:
        known = newest.get(person.name)
        if known is None or known.version < person.version:
            newest[person.name] = person
    before = {person.name: person for person in find_all(tx, people, sorted(newest))}
    insert_rows(tx.connection, people, _COLUMNS, [astuple(newest[name]) for name in sorted(newest)], conflict=_NEWER)
    return [
        person
        for name, person in sorted(newest.items())
        if not person.active and ((was := before.get(name)) is None or (was.active and was.version < person.version))
    ]


def find_all(tx: Transaction, people: sa.Table, names: Sequence[str]) -> list[Person]:
    """Those of these names that we know."""
    query = sa.select(*(people.c[column] for column in _COLUMNS)).where(in_values(people.c.name, names, tx.dialect))
    return [Person(*row) for row in tx.execute(query)] if names else []


def left(tx: Transaction, people: sa.Table, names: Sequence[str]) -> set[str]:
    """Those of these people who have left. News of them waits for the commit: either we see that somebody left, or
    whoever hears of it sees what is given to him here."""
    query = sa.select(people.c.name, people.c.active).where(in_values(people.c.name, sorted(set(names)), tx.dialect))
    if tx.dialect == "postgresql":
        query = query.order_by(people.c.name).with_for_update(read=True)
    return {row[0] for row in tx.execute(query) if not row[1]} if names else set()


def find(tx: Transaction, people: sa.Table, name: str) -> Person | None:
    return next(iter(find_all(tx, people, [name])), None)


def teams(tx: Transaction, people: sa.Table, names: Sequence[str]) -> Mapping[str, str]:
    """Person to team."""
    return {person.name: person.team for person in find_all(tx, people, names)}
