"""The journal and its snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.database import in_values, insert_rows, to_micros
from chassis.transaction import Transaction
from rules.domain.chain import GENESIS, Record
from rules.storage.tables import blob, journal, journal_head, snapshots


@dataclass(frozen=True)
class JournalRow:
    """One entry to append: its record, and what it can be found by."""

    record: Record
    at: datetime
    kind: str
    subject: str


def lock_head(tx: Transaction) -> tuple[int, bytes]:
    """The last entry's number and hash, locked until the transaction ends: one writer of the journal at a time."""
    row = tx.execute(sa.select(journal_head.c.seq, journal_head.c.hash).with_for_update()).first()
    if row is None:
        insert_rows(tx.connection, journal_head, ("id", "seq", "hash"), [(1, 0, GENESIS)], conflict="DO NOTHING")
        row = tx.execute(sa.select(journal_head.c.seq, journal_head.c.hash).with_for_update()).one()
    return int(row[0]), blob(row[1])


@dataclass(frozen=True)
class FiledRecord:
    """One stored entry as it is read, with its moment (microseconds since 1970), kind and subject beside it."""

    record: Record
    filed: tuple[int, str, str]


def head(tx: Transaction) -> tuple[int, bytes]:
    """The last entry's number and hash as they are now, unlocked."""
    row = tx.execute(sa.select(journal_head.c.seq, journal_head.c.hash)).first()
    return (int(row[0]), blob(row[1])) if row else (0, GENESIS)


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


def records(tx: Transaction, after: int, until: int, page: int = 1000) -> Iterator[Record]:
    """Entries in order, from the one after `after` up to `until`."""
    while True:
        query = sa.select(journal.c.seq, journal.c.body, journal.c.hash).where(journal.c.seq > after)
        found = tx.execute(query.where(journal.c.seq <= until).order_by(journal.c.seq).limit(page)).all()
        for seq, body, digest in found:
            yield Record(seq, blob(body), blob(digest))
        if len(found) < page:
            return
        after = found[-1][0]


def rows(tx: Transaction, after: int, until: int, page: int = 1000) -> Iterator[FiledRecord]:
    """`records`, with what they are filed under."""
    c = journal.c
    at = sa.type_coerce(c.at, sa.types.NullType())  # as it is there: it may be no moment at all
    while True:
        query = sa.select(c.seq, c.body, c.hash, at, c.kind, c.subject).where(c.seq > after, c.seq <= until)
        found = tx.execute(query.order_by(c.seq).limit(page)).all()
        for seq, body, digest, moment, kind, subject in found:
            filed = to_micros(moment) if isinstance(moment, datetime) else moment
            yield FiledRecord(Record(seq, blob(body), blob(digest)), (filed, kind, subject))
        if len(found) < page:
            return
        after = found[-1].seq


def records_at(tx: Transaction, places: Iterable[int]) -> list[Record]:
    """The entries at these places, as far as there are any."""
    query = sa.select(journal.c.seq, journal.c.body, journal.c.hash)
    found = tx.execute(query.where(journal.c.seq.in_(sorted(set(places)))))
    return [Record(row[0], blob(row[1]), blob(row[2])) for row in found]


def furthest(tx: Transaction) -> tuple[int, int]:
    """The highest places of an entry and of a snapshot, 0 where there is none. Ask before the head: a healthy journal
    then ends no later than the head says."""
    entry, snapshot = tx.execute(
        sa.select(
            sa.select(sa.func.max(journal.c.seq)).scalar_subquery(),
            sa.select(sa.func.max(snapshots.c.seq)).scalar_subquery(),
        )
    ).one()
    return int(entry or 0), int(snapshot or 0)


def about(tx: Transaction, subjects: Iterable[str], kinds: Sequence[str]) -> list[tuple[str, Record]]:
    """(subject, entry) of these kinds about these leads or people, oldest first."""
    rows = tx.execute(
        sa.select(journal.c.subject, journal.c.seq, journal.c.body, journal.c.hash)
        .where(in_values(journal.c.subject, sorted(set(subjects)), tx.dialect), journal.c.kind.in_(kinds))
        .order_by(journal.c.seq)
    )
    return [(r[0], Record(r[1], blob(r[2]), blob(r[3]))) for r in rows]


@dataclass(frozen=True)
class SnapshotRow:
    """A snapshot as it is stored: at which entry, that entry's hash, the state's bytes, the digest over both."""

    seq: int
    hash: bytes
    state: bytes
    digest: bytes


def nearest_snapshot(tx: Transaction, until: int) -> SnapshotRow | None:
    """The last snapshot at or before an entry that belongs to this very journal."""
    row = tx.execute(
        sa.select(snapshots)
        .join(journal, sa.and_(journal.c.seq == snapshots.c.seq, journal.c.hash == snapshots.c.hash))
        .where(snapshots.c.seq <= until)
        .order_by(snapshots.c.seq.desc())
        .limit(1)
    ).first()
    return _snapshot(row) if row else None


def snapshots_between(tx: Transaction, after: int, until: int) -> Iterator[SnapshotRow]:
    """Snapshots in order, whichever journal they belong to, from the one after `after` up to `until`."""
    while True:
        query = sa.select(snapshots).where(snapshots.c.seq > after, snapshots.c.seq <= until)
        row = tx.execute(query.order_by(snapshots.c.seq).limit(1)).first()
        if row is None:
            return
        yield _snapshot(row)
        after = row.seq


def _snapshot(row: Any) -> SnapshotRow:
    return SnapshotRow(int(row.seq), blob(row.hash), blob(row.state), blob(row.digest))


def keep_snapshot(tx: Transaction, row: SnapshotRow) -> None:
    """Writes a snapshot over whatever was there: a journal that went another way leaves some behind."""
    insert_rows(
        tx.connection,
        snapshots,
        ("seq", "hash", "state", "digest"),
        [(row.seq, row.hash, row.state, row.digest)],
        conflict='("seq") DO UPDATE SET "hash" = excluded."hash", "state" = excluded."state", '
        '"digest" = excluded."digest"',
    )
