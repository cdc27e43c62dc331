"""The journal within a transaction: locked, caught up with, decided on, appended to."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from chassis.transaction import Transaction
from rules import storage
from rules.domain.assignment import decide_all, drain
from rules.domain.chain import GENESIS, Record, next_hash, seal
from rules.domain.codec import Unreadable, decode, encode
from rules.domain.entries import Decided, Entry, LeadFacts, filed_under
from rules.domain.policy import Policy
from rules.domain.replay import Diverged, fold_all, replay
from rules.domain.snapshot import digest, restore, snapshot
from rules.domain.state import State, Table, initial_state, moment_of, not_before
from rules.storage import JournalRow, SnapshotRow

# A restart, and the explanation of one decision, replay at most this many entries.
SNAPSHOT_EVERY = 5000
# Where the last two lead nowhere, the first entry is asked.
_SNAPSHOTS_TRIED = 2
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Kept:
    """The fold of the journal up to `state.seq`, and the hash there. A cache of one process, never the truth."""

    state: State
    head: bytes


_kept: weakref.WeakKeyDictionary[Any, Kept] = weakref.WeakKeyDictionary()
# Databases of which a snapshot was passed over: the next writer makes a good one.
_damaged: weakref.WeakSet[Any] = weakref.WeakSet()


def _database(tx: Transaction) -> Any:
    """What a database is known by in this process: readers and writers share the pool."""
    return tx.connection.engine.pool


def kept_policy(tx: Transaction) -> Policy:
    """The policy as this process last saw it: good enough to prepare facts before the lock is taken."""
    kept = _kept.get(_database(tx))
    return (kept or known_state(tx)).state.policy


def known_state(tx: Transaction) -> Kept:
    """The state as of now for readers: what this process kept, caught up with the journal, without a lock. Not to be
    asked within a transaction that has opened the journal itself."""
    return _caught_up(tx, *storage.head(tx))


def starts(tx: Transaction, until: int) -> Iterator[Kept]:
    """Where a replay up to an entry may begin: the last snapshot, the one before it, the first entry. A snapshot that
    is damaged is passed over."""
    before, given = until, 0
    while given < _SNAPSHOTS_TRIED and (row := storage.nearest_snapshot(tx, before)) is not None:
        before = row.seq - 1
        try:
            state = read_snapshot(row)
        except Unreadable as error:
            _damaged.add(_database(tx))
            log.warning("snapshot passed over", entry=row.seq, reason=str(error))
            continue
        given += 1
        yield Kept(state, row.hash)
    yield Kept(initial_state(), GENESIS)


def read_snapshot(row: SnapshotRow) -> State:
    """The state that a snapshot holds. Raises Unreadable."""
    if digest(row.hash, row.state) != row.digest:
        raise Unreadable("the digest does not fit")
    state = restore(row.state)
    if state.seq != row.seq:
        raise Unreadable(f"it is of entry {state.seq}")
    return state


def states_before(tx: Transaction, places: Sequence[int]) -> Iterator[tuple[int, State]]:
    """(place, state just before that entry) for places in rising order: one replay from the nearest snapshot, which is
    left for a later one only where that saves work."""
    state: State | None = None
    for place in places:
        if state is None or place - state.seq > SNAPSHOT_EVERY:
            state = _replayed(tx, place - 1, state)
        else:
            state = fold_all(state, (decode(r.data) for r in storage.records(tx, state.seq, place - 1)))
        yield place, state


def state_before(tx: Transaction, place: int) -> State:
    """The state just before an entry, from the nearest snapshot."""
    return next(states_before(tx, [place]))[1]


def _replayed(tx: Transaction, seq: int, known: State | None = None) -> State:
    """The state after an entry, from a snapshot or from what is known, whichever is nearer. Raises Diverged."""
    failed: Diverged | None = None
    for start in starts(tx, seq):
        state = known if known is not None and known.seq > start.state.seq else start.state
        try:
            return fold_all(state, (decode(r.data) for r in storage.records(tx, state.seq, seq)))
        except Diverged as error:
            failed = failed or error
            log.warning("replay diverged", start=state.seq, entry=error.seq, field=error.field)
    assert failed is not None
    raise failed


def _caught_up(tx: Transaction, seq: int, head: bytes) -> Kept:
    """The state at an entry that is committed; kept for the next one who asks. Raises Diverged."""
    kept = _kept.get(_database(tx))
    if kept is not None and kept.state.seq <= seq:
        after = _follow(tx, kept, seq)
        if after is not None and after.head == head:
            _keep(_database(tx), after)
            return after
    # Nothing kept, or a journal that went another way: a database restored from a backup, for one.
    for start in starts(tx, seq):
        found = _follow(tx, start, seq)
        if found is not None:
            _kept[_database(tx)] = found
            return found
    raise Diverged(1, "journal", "", "the chain is broken or does not re-derive: see `dealwright rules verify`")


def _follow(tx: Transaction, kept: Kept, seq: int) -> Kept | None:
    """The state after the entries up to `seq`; None when they do not continue what was kept."""
    if kept.state.seq == seq:
        return kept
    last, table = kept.head, Table(kept.state)
    try:
        for record in storage.records(tx, kept.state.seq, seq):
            last = next_hash(last, record.data)
            if last != record.hash:
                return None
            replay(table, decode(record.data))
        return Kept(table.freeze(), last)
    except Diverged as error:
        # What it began with was wrong, unless the journal is: then no other beginning helps either.
        _damaged.add(_database(tx))
        log.warning("replay diverged", start=kept.state.seq, entry=error.seq, field=error.field)
        return None


@dataclass
class Journal:
    """The locked journal. `record` appends what happened, `decide` and `drain` append decisions; `close` writes.

    `now` is the moment of all of it: the transaction's, or the last entry's where that is later. Who waited for the
    lock, or whose clock is behind, must not journal yesterday after today.
    """

    tx: Transaction
    state: State
    head: bytes
    _rows: list[JournalRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.opened = self.state.seq
        self.now = not_before(self.state, self.tx.now)
        self._waited = self.state.waiting

    def record(self, entries: Sequence[Entry]) -> None:
        if entries:
            self.state = fold_all(self.state, entries)
            self._append(entries)

    def decide(self, leads: Sequence[LeadFacts]) -> list[tuple[int, Decided]]:
        """Decides and appends; (journal number, decision) in the order taken."""
        if not leads:
            return []
        first = self.state.seq + 1
        decisions, self.state = decide_all(self.state, leads, self.now)
        self._append(decisions)
        return list(enumerate(decisions, first))

    def drain(self, limit: int) -> list[tuple[int, Decided]]:
        """Decides waiting leads that somebody may take now."""
        first = self.state.seq + 1
        decisions, self.state = drain(self.state, self.now, limit)
        self._append(decisions)
        return list(enumerate(decisions, first))

    def served(self) -> list[str]:
        """Leads that waited when the journal was opened, or since it was last asked, and wait no more."""
        before, self._waited = self._waited, self.state.waiting
        return [] if before is self.state.waiting else [lead for lead in before if lead not in self.state.waiting]

    def _append(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        records: list[Record] = seal(self.head, self.state.seq - len(entries) + 1, [encode(entry) for entry in entries])
        self.head = records[-1].hash
        for record, entry in zip(records, entries, strict=True):
            self._rows.append(JournalRow(record, moment_of(entry.at), *filed_under(entry)))

    def flush(self) -> None:
        """Writes what was appended, so that it can be looked up."""
        if not self._rows:
            return
        storage.append(self.tx, self._rows)
        self._rows = []

    def close(self) -> None:
        """Writes what was appended; the process keeps the state when the transaction commits."""
        self.flush()
        if self.state.seq == self.opened:
            return
        database, kept = _database(self.tx), Kept(self.state, self.head)
        if self.opened // SNAPSHOT_EVERY != self.state.seq // SNAPSHOT_EVERY or database in _damaged:
            data = snapshot(self.state)
            storage.keep_snapshot(self.tx, SnapshotRow(self.state.seq, self.head, data, digest(self.head, data)))
            self.tx.after_commit(lambda: _damaged.discard(database))
        # After the commit alone: what is rolled back was never so.
        self.tx.after_commit(lambda: _keep(database, kept))


def _keep(database: Any, kept: Kept) -> None:
    known = _kept.get(database)
    if known is None or known.state.seq < kept.state.seq:
        _kept[database] = kept


def open_journal(tx: Transaction) -> Journal:
    """Locks the journal and brings the state up to its end. Once in a transaction."""
    kept = _caught_up(tx, *storage.lock_head(tx))
    return Journal(tx, kept.state, kept.head)
