"""What became of records, in one table: a page costs the same however much there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

import sqlalchemy as sa

from activities.domain.entry import Entry
from activities.storage.tables import metadata, number, text
from chassis.database import Json, Moment, in_values, insert_rows
from chassis.transaction import Transaction


def _of(column: str) -> sa.Index:
    """The entries of one record by when they happened."""
    where = None if column == "record" else sa.text(f"{column} <> ''")
    return sa.Index(f"timeline_of_{column}", column, "happen_time", "key", postgresql_where=where, sqlite_where=where)


# In the order of domain.entry.Entry.
timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    *map(text, ("record", "resource")),
    number("kind"),
    *map(text, ("title_zh", "title_en", "actor")),
    sa.Column("happen_time", Moment, nullable=False),
    sa.Column("learn_time", Moment, nullable=False),
    *map(text, ("source", "customer", "opportunity")),
    sa.Column("detail", Json, nullable=False),
    *map(_of, ("record", "customer", "opportunity")),
)
COLUMNS = tuple(field.name for field in fields(Entry))
_row = attrgetter(*COLUMNS)
ENTRIES = sa.select(*(timeline.c[name] for name in COLUMNS))

# The same again is what it is now, but was learnt when it was learnt first.
_AGAIN = "(key) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in COLUMNS if name not in ("key", "learn_time")
)


def put(tx: Transaction, entries: Sequence[Entry]) -> None:
    by_key = {one.key: one for one in entries}
    insert_rows(tx.connection, timeline, COLUMNS, [_row(by_key[key]) for key in sorted(by_key)], conflict=_AGAIN)


def drop(tx: Transaction, keys: Sequence[str]) -> None:
    tx.execute(sa.delete(timeline).where(in_values(timeline.c.key, sorted(keys), tx.dialect)))


def forget(tx: Transaction, record: str, source: str = "") -> None:
    """What is told of a record, or what one source told of it."""
    of = [timeline.c.record == record, *([timeline.c.source == source] if source else [])]
    tx.execute(sa.delete(timeline).where(*of))
