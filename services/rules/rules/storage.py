"""The journal and the timers as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.database import Moment, in_values, insert_rows
from chassis.tables import attach
from chassis.transaction import Transaction
from rules.domain import GENESIS, Record

metadata = sa.MetaData()
attach(metadata)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    # The lead or the person that the entry is about, without its collection.
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Index("journal_subject", "subject", "seq"),
)
journal_head = sa.Table(
    "journal_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.LargeBinary, nullable=False),
)
# What a waiting lead was announced with, so that a new policy can look at its text again.
waiting_leads = sa.Table(
    "waiting_leads",
    metadata,
    sa.Column("lead", sa.Text, primary_key=True),
    sa.Column("event", sa.LargeBinary, nullable=False),
)
timers = sa.Table(
    "timers",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("owner_version", sa.BigInteger, nullable=False),
    sa.Column("set_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("fired_at", Moment),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("timers_due", "due_at", postgresql_where=sa.text("open"), sqlite_where=sa.text("open")),
)


@dataclass(frozen=True)
class JournalRow:
    """One entry to append: its record, and what it can be found by."""

    record: Record
    at: datetime
    kind: str
    subject: str


# --- journal ----------------------------------------------------------------------------------------------------


def lock_head(tx: Transaction) -> tuple[int, bytes]:
    """The last entry's number and hash, locked until the transaction ends: one writer of the journal at a time."""
    row = tx.execute(sa.select(journal_head.c.seq, journal_head.c.hash).with_for_update()).first()
    if row is None:
        insert_rows(tx.connection, journal_head, ("id", "seq", "hash"), [(1, 0, GENESIS)], conflict="DO NOTHING")
        row = tx.execute(sa.select(journal_head.c.seq, journal_head.c.hash).with_for_update()).one()
    return int(row[0]), bytes(row[1])


def head(tx: Transaction) -> tuple[int, bytes]:
    """The last entry's number and hash as they are now, unlocked."""
    row = tx.execute(sa.select(journal_head.c.seq, journal_head.c.hash)).first()
    return (int(row[0]), bytes(row[1])) if row else (0, GENESIS)


def append(tx: Transaction, rows: Sequence[JournalRow]) -> None:
    """Writes entries behind the locked head and moves it."""
    insert_rows(
        tx.connection,
        journal,
        ("seq", "at", "kind", "subject", "body", "hash"),
        [(r.record.seq, r.at, r.kind, r.subject, r.record.data, r.record.hash) for r in rows],
    )
    last = rows[-1].record
    tx.execute(sa.update(journal_head).values(seq=last.seq, hash=last.hash))


def records(tx: Transaction, after: int, until: int | None = None, page: int = 5000) -> Iterator[Record]:
    """Entries in order, from the one after `after` up to `until`."""
    while True:
        query = sa.select(journal.c.seq, journal.c.body, journal.c.hash).where(journal.c.seq > after)
        if until is not None:
            query = query.where(journal.c.seq <= until)
        found = tx.execute(query.order_by(journal.c.seq).limit(page)).all()
        for seq, body, digest in found:
            yield Record(seq, bytes(body), bytes(digest))
        if len(found) < page:
            return
        after = found[-1][0]


def record(tx: Transaction, seq: int) -> Record | None:
    row = tx.execute(sa.select(journal.c.seq, journal.c.body, journal.c.hash).where(journal.c.seq == seq)).first()
    return Record(row[0], bytes(row[1]), bytes(row[2])) if row else None


def about(tx: Transaction, subjects: Iterable[str], kind: str) -> list[Record]:
    """Entries of a kind about these leads or people, oldest first."""
    rows = tx.execute(
        sa.select(journal.c.seq, journal.c.body, journal.c.hash)
        .where(in_values(journal.c.subject, sorted(set(subjects)), tx.dialect), journal.c.kind == kind)
        .order_by(journal.c.seq)
    )
    return [Record(r[0], bytes(r[1]), bytes(r[2])) for r in rows]


def nearest_snapshot(tx: Transaction, until: int) -> tuple[int, bytes, bytes] | None:
    """(number, hash, state) of the last snapshot at or before an entry."""
    row = tx.execute(
        sa.select(snapshots.c.seq, snapshots.c.hash, snapshots.c.state)
        .where(snapshots.c.seq <= until)
        .order_by(snapshots.c.seq.desc())
        .limit(1)
    ).first()
    return (int(row[0]), bytes(row[1]), bytes(row[2])) if row else None


def keep_snapshot(tx: Transaction, seq: int, digest: bytes, state: bytes) -> None:
    insert_rows(tx.connection, snapshots, ("seq", "hash", "state"), [(seq, digest, state)], conflict="DO NOTHING")


# --- waiting leads ----------------------------------------------------------------------------------------------


def keep_waiting(tx: Transaction, events: Sequence[tuple[str, bytes]]) -> None:
    insert_rows(
        tx.connection,
        waiting_leads,
        ("lead", "event"),
        sorted(events),
        conflict='("lead") DO UPDATE SET "event" = excluded."event"',
    )


def forget_waiting(tx: Transaction, leads: Sequence[str]) -> None:
    if leads:
        tx.execute(sa.delete(waiting_leads).where(in_values(waiting_leads.c.lead, leads, tx.dialect)))


def waiting_events(tx: Transaction, leads: Sequence[str]) -> list[bytes]:
    rows = tx.execute(sa.select(waiting_leads.c.event).where(in_values(waiting_leads.c.lead, leads, tx.dialect)))
    return [bytes(row[0]) for row in rows]


# --- timers -----------------------------------------------------------------------------------------------------


def set_timers(tx: Transaction, rows: Sequence[tuple[str, str, str, int, datetime]]) -> None:
    """Starts clocks (subject, kind, owner, owner version, due); one that runs already is replaced."""
    insert_rows(
        tx.connection,
        timers,
        ("subject", "kind", "owner", "owner_version", "set_at", "due_at", "fired_at", "open"),
        [(*key, owner, version, tx.now, due, None, True) for *key, owner, version, due in sorted(rows)],
        conflict='("subject", "kind") DO UPDATE SET "owner" = excluded."owner", '
        '"owner_version" = excluded."owner_version", "set_at" = excluded."set_at", "due_at" = excluded."due_at", '
        '"fired_at" = NULL, "open" = excluded."open"',
    )


def close_timers(tx: Transaction, subjects: Sequence[str], kinds: Sequence[str] = ()) -> None:
    """Stops the clocks of these subjects: all kinds, or those given."""
    if not subjects:
        return
    running = sa.and_(in_values(timers.c.subject, sorted(set(subjects)), tx.dialect), timers.c.open)
    if kinds:
        running = sa.and_(running, timers.c.kind.in_(kinds))
    tx.execute(sa.update(timers).where(running).values(open=False))


def claim_due(tx: Transaction, limit: int) -> list[Any]:
    """Timers that are due, claimed and closed; another process never gets the same."""
    rows = tx.execute(
        sa.select(timers)
        .where(timers.c.open, timers.c.due_at <= tx.now)
        .order_by(timers.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        tx.execute(
            sa.update(timers)
            .where(timers.c.subject == row.subject, timers.c.kind == row.kind)
            .values(open=False, fired_at=tx.now)
        )
    return list(rows)


def timers_of(tx: Transaction, subject: str) -> list[Any]:
    return list(tx.execute(sa.select(timers).where(timers.c.subject == subject).order_by(timers.c.due_at)).all())
