"""Who may read an opportunity besides its owner: its collaborators, and those it is shared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from datetime import datetime

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Share
from opportunities.storage.tables import collaborators, opportunities, shares

COLUMNS = tuple(field.name for field in fields(Share))
SHARES = sa.select(*(shares.c[name] for name in COLUMNS))


def readable(person: str, teams: Sequence[str], now: datetime) -> sa.ColumnElement[bool]:
    """SQL for what a person reads as a collaborator, himself or with one of his teams, or by a share that has not
    ended."""
    working = sa.select(collaborators.c.opportunity).where(collaborators.c.person.in_([person, *teams]))
    shared = sa.select(shares.c.opportunity).where(shares.c.person == person, shares.c.end_time > now)
    return sa.or_(opportunities.c.name.in_(working), opportunities.c.name.in_(shared))


def asked(tx: Transaction, opportunity: str) -> dict[str, list[str]]:
    """The parts that each collaborator, person or team, was asked for."""
    c = collaborators.c
    return {row[0]: row[1] for row in tx.execute(sa.select(c.person, c.asked).where(c.opportunity == opportunity))}


def set_collaborators(tx: Transaction, opportunity: str, asked: Mapping[str, Sequence[str]]) -> None:
    tx.execute(sa.delete(collaborators).where(collaborators.c.opportunity == opportunity))
    rows = [(opportunity, who, list(parts)) for who, parts in sorted(asked.items())]
    insert_rows(tx.connection, collaborators, ("opportunity", "person", "asked"), rows)


def share(tx: Transaction, given: Share) -> None:
    """A new share, or the same person's from now on anew."""
    anew = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])
    insert_rows(
        tx.connection, shares, COLUMNS, [astuple(given)], conflict=f"(opportunity, person) DO UPDATE SET {anew}"
    )


def unshare(tx: Transaction, opportunity: str, person: str) -> datetime | None:
    """Ends a share; when it would have ended, None where there was none."""
    gone = sa.delete(shares).where(shares.c.opportunity == opportunity, shares.c.person == person)
    row = tx.execute(gone.returning(shares.c.end_time)).first()
    return row[0] if row else None


def take_ended(tx: Transaction, most: int) -> list[Share]:
    """Removes shares whose time is over, and returns them."""
    query = SHARES.where(shares.c.end_time <= tx.now).order_by(shares.c.end_time).limit(most)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    ended = [Share(*row) for row in tx.execute(query)]
    for one in ended:
        tx.execute(sa.delete(shares).where(shares.c.opportunity == one.opportunity, shares.c.person == one.person))
    return ended
