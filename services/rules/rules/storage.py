"""The journal, what waits, and who has what: as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.database import Moment, in_values, insert_rows
from chassis.tables import attach
from chassis.transaction import Transaction
from rules.domain.chain import GENESIS, Record
from rules.domain.ownership import Clock, Ownership

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
# The newest ownership known of each lead, with its clocks: one row a lead, so that starting them costs one.
ownerships = sa.Table(
    "ownerships",
    metadata,
    sa.Column("lead", sa.Text, primary_key=True),
    sa.Column("owner_version", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("decision", sa.BigInteger, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False),
    sa.Column("misses", sa.Integer, nullable=False, server_default="0"),
    sa.Column("contacted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("response_due", Moment),
    sa.Column("response_fired", Moment),
    sa.Column("reclaim_due", Moment),
    sa.Column("reclaim_fired", Moment),
    sa.Column("nurture_due", Moment),
    sa.Column("nurture_fired", Moment),
    # The first of the clocks that run; empty when none does.
    sa.Column("next_due", Moment),
    sa.Index(
        "ownerships_due",
        "next_due",
        postgresql_where=sa.text("next_due IS NOT NULL"),
        sqlite_where=sa.text("next_due IS NOT NULL"),
    ),
)


@dataclass(frozen=True)
class JournalRow:
    """One entry to append: its record, and what it can be found by."""

    record: Record
    at: datetime
    kind: str
    subject: str


def _bytes(value: Any) -> bytes:
    """A stored blob. SQLite keeps whatever kind of value a meddling hand wrote there: verification is to name it."""
    return value.encode() if isinstance(value, str) else bytes(value)


# --- journal ----------------------------------------------------------------------------------------------------


def lock_head(tx: Transaction) -> tuple[int, bytes]:
    """The last entry's number and hash, locked until the transaction ends: one writer of the journal at a time."""
    row = tx.execute(sa.select(journal_head.c.seq, journal_head.c.hash).with_for_update()).first()
    if row is None:
        insert_rows(tx.connection, journal_head, ("id", "seq", "hash"), [(1, 0, GENESIS)], conflict="DO NOTHING")
        row = tx.execute(sa.select(journal_head.c.seq, journal_head.c.hash).with_for_update()).one()
    return int(row[0]), _bytes(row[1])


def head(tx: Transaction) -> tuple[int, bytes]:
    """The last entry's number and hash as they are now, unlocked."""
    row = tx.execute(sa.select(journal_head.c.seq, journal_head.c.hash)).first()
    return (int(row[0]), _bytes(row[1])) if row else (0, GENESIS)


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
            yield Record(seq, _bytes(body), _bytes(digest))
        if len(found) < page:
            return
        after = found[-1][0]


def record(tx: Transaction, seq: int) -> Record | None:
    row = tx.execute(sa.select(journal.c.seq, journal.c.body, journal.c.hash).where(journal.c.seq == seq)).first()
    return Record(row[0], _bytes(row[1]), _bytes(row[2])) if row else None


def about(tx: Transaction, subjects: Iterable[str], kinds: Sequence[str]) -> list[tuple[str, Record]]:
    """(subject, entry) of these kinds about these leads or people, oldest first."""
    rows = tx.execute(
        sa.select(journal.c.subject, journal.c.seq, journal.c.body, journal.c.hash)
        .where(in_values(journal.c.subject, sorted(set(subjects)), tx.dialect), journal.c.kind.in_(kinds))
        .order_by(journal.c.seq)
    )
    return [(r[0], Record(r[1], _bytes(r[2]), _bytes(r[3]))) for r in rows]


def nearest_snapshot(tx: Transaction, until: int) -> tuple[int, bytes, bytes] | None:
    """(number, hash, state) of the last snapshot at or before an entry that belongs to this very journal."""
    row = tx.execute(
        sa.select(snapshots.c.seq, snapshots.c.hash, snapshots.c.state)
        .join(journal, sa.and_(journal.c.seq == snapshots.c.seq, journal.c.hash == snapshots.c.hash))
        .where(snapshots.c.seq <= until)
        .order_by(snapshots.c.seq.desc())
        .limit(1)
    ).first()
    return (int(row[0]), _bytes(row[1]), _bytes(row[2])) if row else None


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
    return [_bytes(row[0]) for row in rows]


# --- ownerships -------------------------------------------------------------------------------------------------

_STARTED = (
    *("lead", "owner_version", "owner", "decision", "confirmed"),
    *("response_due", "reclaim_due", "nurture_due", "next_due"),
)
_EVERY = tuple(column.name for column in ownerships.columns)
_REPLACE = '("lead") DO UPDATE SET ' + ", ".join(f'"{c}" = excluded."{c}"' for c in _EVERY if c != "lead")


def ownerships_of(tx: Transaction, leads: Iterable[str], lock: bool = False) -> dict[str, Ownership]:
    """What is known of these leads. `lock`: held until the transaction ends, in order of their ids."""
    query = sa.select(ownerships).where(in_values(ownerships.c.lead, sorted(set(leads)), tx.dialect))
    if lock:
        query = query.order_by(ownerships.c.lead).with_for_update()
    return {row.lead: _ownership(row) for row in tx.execute(query)}


def start_ownerships(tx: Transaction, rows: Sequence[Ownership]) -> None:
    """Writes ownerships that begin with a first decision, of leads that have no row."""
    insert_rows(
        tx.connection,
        ownerships,
        _STARTED,
        [
            (
                o.lead,
                o.version,
                o.owner,
                o.decision,
                o.confirmed,
                o.response.due,
                o.reclaim.due,
                o.nurture.due,
                o.next_due,
            )
            for o in sorted(rows, key=lambda o: o.lead)
        ],
    )


def save_ownerships(tx: Transaction, rows: Iterable[Ownership]) -> None:
    """Writes ownerships whole, over whatever was known."""
    insert_rows(
        tx.connection,
        ownerships,
        _EVERY,
        [_row(o) for o in sorted(rows, key=lambda o: o.lead)],
        conflict=_REPLACE,
    )


def claim_due(tx: Transaction, limit: int) -> list[Ownership]:
    """Ownerships with a clock that has run out, held: another process never gets the same."""
    query = (
        sa.select(ownerships)
        .where(ownerships.c.next_due <= tx.now)
        .order_by(ownerships.c.next_due)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_ownership(row) for row in tx.execute(query)]


def _ownership(row: Any) -> Ownership:
    return Ownership(
        row.lead,
        row.owner_version,
        row.owner,
        row.decision,
        row.confirmed,
        row.misses,
        row.contacted,
        row.closed,
        Clock(row.response_due, row.response_fired),
        Clock(row.reclaim_due, row.reclaim_fired),
        Clock(row.nurture_due, row.nurture_fired),
    )


def _row(o: Ownership) -> tuple[Any, ...]:
    return (
        *(o.lead, o.version, o.owner, o.decision, o.confirmed, o.misses, o.contacted, o.closed),
        *(o.response.due, o.response.fired, o.reclaim.due, o.reclaim.fired, o.nurture.due, o.nurture.fired),
        o.next_due,
    )
