"""Follow-ups, and the people named in what others wrote."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from activities.storage.tables import deleted, kept, metadata, number, text
from chassis.database import Json, Moment, insert_rows
from chassis.transaction import Transaction

# In the order of domain.follow_up.FollowUp.
follow_ups = sa.Table(
    "follow_ups",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(text, ("record", "customer", "opportunity", "lead")),
    *map(number, ("method", "outcome")),
    *map(text, ("summary", "next_plan")),
    sa.Column("next_time", Moment),
    *map(text, ("next_owner", "owner", "team")),
    sa.Column("happen_time", Moment, nullable=False),
    sa.Column("attachments", Json, nullable=False),
    sa.Column("mentions", Json, nullable=False),
    sa.Column("custom", Json),
    *kept(),
    sa.Column("origin", sa.Text, nullable=False, server_default=""),
    sa.Index(
        "follow_ups_origin",
        "origin",
        postgresql_where=sa.text("origin <> ''"),
        sqlite_where=sa.text("origin <> ''"),
    ),
    sa.Index("follow_ups_happened", "happen_time", "name"),
    *(sa.Index(f"follow_ups_of_{of}", of, "happen_time", "name") for of in ("record", "customer", "owner")),
    sa.Index("follow_ups_of_opportunity", "opportunity", "happen_time"),
    sa.Index("follow_ups_of_lead", "lead", "happen_time"),
    deleted("follow_ups"),
)

# Who is named with "@" in which follow-up or task.
mentions = sa.Table(
    "mentions",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Index("mentions_person", "person"),
)


def last_of(tx: Transaction, column: sa.Column[str], name: str) -> tuple[str, object] | None:
    """The newest follow-up that has this name in a column, as (name, when it was)."""
    c = follow_ups.c
    query = sa.select(c.name, c.happen_time).where(column == name, c.delete_time.is_(None))
    row = tx.execute(query.order_by(c.happen_time.desc()).limit(1)).first()
    return (row[0], row[1]) if row else None


def mention(tx: Transaction, source: str, people: Sequence[str]) -> None:
    """These and no others are named there."""
    tx.execute(sa.delete(mentions).where(mentions.c.source == source))
    insert_rows(tx.connection, mentions, ("source", "person"), [(source, one) for one in sorted(set(people))])


def mention_all(tx: Transaction, rows: Sequence[tuple[str, str]]) -> None:
    """(source, person) of what is new."""
    insert_rows(tx.connection, mentions, ("source", "person"), sorted(set(rows)))


def naming(person: str) -> sa.Select[tuple[str]]:
    """What a person is named in."""
    return sa.select(mentions.c.source).where(mentions.c.person == person)
