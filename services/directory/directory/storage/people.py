"""Rows of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from directory.domain.people import ACTIVE, ONLINE, Person
from directory.storage.tables import people

_FIELDS = tuple(Person.__slots__)
COLUMNS = [people.c[f] for f in _FIELDS]


def person_of(row: Any) -> Person:
    values = dict(row._mapping)
    values["login"] = values["login"] or ""
    values["skills"], values["industries"] = tuple(values["skills"]), tuple(values["industries"])
    return Person(**{f: values[f] for f in _FIELDS})


def _values(person: Person) -> list[Any]:
    values = {f: getattr(person, f) for f in _FIELDS}
    values |= {
        "login": person.login or None,
        "skills": list(person.skills),
        "industries": list(person.industries),
    }
    return [values[f] for f in _FIELDS]


def add_person(tx: Transaction, person: Person, password_hash: str) -> bool:
    """Whether it was added; not so when the login is taken."""
    taken = insert_rows(
        tx.connection,
        people,
        (*_FIELDS, "password_hash"),
        [(*_values(person), password_hash)],
        conflict='("login") DO NOTHING',
        returning=("name",),
    )
    return bool(taken)


def person(tx: Transaction, name: str, lock: bool = False) -> Person | None:
    statement = sa.select(*COLUMNS).where(people.c.name == name)
    row = tx.execute(statement.with_for_update() if lock else statement).first()
    return person_of(row) if row else None


def people_where(tx: Transaction, criteria: sa.ColumnElement[bool], lock: bool = False) -> list[Person]:
    statement = sa.select(*COLUMNS).where(criteria).order_by(people.c.name)
    return [person_of(row) for row in tx.execute(statement.with_for_update() if lock else statement)]


def in_names(names: Sequence[str], dialect: str) -> sa.ColumnElement[bool]:
    return in_values(people.c.name, names, dialect)


def save_person(tx: Transaction, person: Person) -> None:
    columns = dict(zip(_FIELDS, _values(person), strict=True))
    del columns["name"]
    tx.execute(sa.update(people).where(people.c.name == person.name).values(**columns))


def login_taken(tx: Transaction, login: str, but: str) -> bool:
    found = tx.execute(sa.select(people.c.name).where(people.c.login == login, people.c.name != but))
    return found.first() is not None


def password_of(tx: Transaction, login: str) -> tuple[str, str] | None:
    """(name, password hash) of the active person with that login; the hash is empty without a password."""
    row = tx.execute(
        sa.select(people.c.name, people.c.password_hash).where(people.c.login == login, people.c.state == ACTIVE)
    ).first()
    return (row.name, row.password_hash) if row else None


def password_hash(tx: Transaction, name: str) -> str:
    return str(tx.execute(sa.select(people.c.password_hash).where(people.c.name == name)).scalar() or "")


def set_password(tx: Transaction, name: str, hashed: str) -> None:
    tx.execute(sa.update(people).where(people.c.name == name).values(password_hash=hashed))


def managers(tx: Transaction) -> dict[str, str]:
    """Who is managed by whom."""
    rows = tx.execute(sa.select(people.c.name, people.c.manager).where(people.c.manager != ""))
    return {row.name: row.manager for row in rows}


def active_role_ids(tx: Transaction, but: str = "") -> list[str]:
    """The role of every active person but one."""
    rows = tx.execute(sa.select(people.c.role).where(people.c.state == ACTIVE, people.c.name != but))
    return [row.role for row in rows]


def any_person(tx: Transaction) -> bool:
    return tx.execute(sa.select(people.c.name).limit(1)).first() is not None


def note_heartbeat(tx: Transaction, name: str, at: datetime) -> None:
    tx.execute(sa.update(people).where(people.c.name == name).values(heartbeat_at=at))


def expecting(tx: Transaction, silent_since: datetime) -> list[str]:
    """Names of those who are ONLINE by heartbeats, none of which this database noted after `silent_since`."""
    rows = tx.execute(
        sa.select(people.c.name).where(
            people.c.presence == ONLINE,
            people.c.expects_heartbeat.is_(True),
            people.c.state == ACTIVE,
            sa.or_(people.c.heartbeat_at.is_(None), people.c.heartbeat_at <= silent_since),
        )
    )
    return [row.name for row in rows]
