"""The journal within a transaction: locked, caught up with, decided on, appended to."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.transaction import Transaction
from rules import storage
from rules.domain.assignment import decide_all, drain
from rules.domain.chain import GENESIS, Record, next_hash, seal
from rules.domain.codec import decode, encode
from rules.domain.entries import (
    CalendarChanged,
    Decided,
    Entry,
    LeadFacts,
    LeadWithdrawn,
    LoadChanged,
    PersonChanged,
    PresenceChanged,
    TurnReturned,
)
from rules.domain.policy import Policy
from rules.domain.replay import Diverged, fold_all
from rules.domain.snapshot import restore, snapshot
from rules.domain.state import State, initial_state, moment_of
from rules.storage import JournalRow

# A restart, and the explanation of one decision, replay at most this many entries.
SNAPSHOT_EVERY = 5000


@dataclass(frozen=True)
class Kept:
    """The fold of the journal up to `state.seq`, and the hash there. A cache of one process, never the truth."""

    state: State
    head: bytes


_kept: weakref.WeakKeyDictionary[Any, Kept] = weakref.WeakKeyDictionary()


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


def states_before(tx: Transaction, places: Sequence[int]) -> Iterator[tuple[int, State]]:
    """(place, state just before that entry) for places in rising order: one replay from the nearest snapshot, which is
    left for a later one only where that saves work."""
    state: State | None = None
    for place in places:
        if state is None or place - state.seq > SNAPSHOT_EVERY:
            start = storage.nearest_snapshot(tx, place - 1)
            if state is None or (start is not None and start[0] > state.seq):
                state = restore(start[2]) if start else initial_state()
        state = fold_all(state, (decode(r.data) for r in storage.records(tx, state.seq, place - 1)))
        yield place, state


def state_before(tx: Transaction, place: int) -> State:
    """The state just before an entry, from the nearest snapshot."""
    return next(states_before(tx, [place]))[1]


def _caught_up(tx: Transaction, seq: int, digest: bytes) -> Kept:
    """The state at an entry that is committed; kept for the next one who asks."""
    kept = _kept.get(_database(tx))
    if kept is not None and kept.state.seq <= seq:
        after = _follow(tx, kept, seq)
        if after is not None and after.head == digest:
            _keep(_database(tx), after)
            return after
    # Nothing kept, or a journal that went another way: a database restored from a backup, for one.
    start = storage.nearest_snapshot(tx, seq)
    first = Kept(restore(start[2]), start[1]) if start else Kept(initial_state(), GENESIS)
    found = _follow(tx, first, seq) or _follow(tx, Kept(initial_state(), GENESIS), seq)
    if found is None:
        raise Diverged(1, "hash", "", "the chain is broken: see `dealwright rules verify`")
    _kept[_database(tx)] = found
    return found


def _follow(tx: Transaction, kept: Kept, seq: int) -> Kept | None:
    """The state after the entries up to `seq`; None when they do not continue what was kept."""
    if kept.state.seq == seq:
        return kept
    last = kept.head
    entries: list[Entry] = []
    for record in storage.records(tx, kept.state.seq, seq):
        last = next_hash(last, record.data)
        if last != record.hash:
            return None
        entries.append(decode(record.data))
    return Kept(fold_all(kept.state, entries), last)


@dataclass
class Journal:
    """The locked journal. `record` appends what happened, `decide` and `drain` append decisions; `close` writes."""

    tx: Transaction
    state: State
    head: bytes
    _rows: list[JournalRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.opened = self.state.seq
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
        decisions, self.state = decide_all(self.state, leads, self.tx.now)
        self._append(decisions)
        return list(enumerate(decisions, first))

    def drain(self, limit: int) -> list[tuple[int, Decided]]:
        """Decides waiting leads that somebody may take now."""
        first = self.state.seq + 1
        decisions, self.state = drain(self.state, self.tx.now, limit)
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
            self._rows.append(JournalRow(record, moment_of(entry.at), *_found_by(entry)))

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
        if self.opened // SNAPSHOT_EVERY != self.state.seq // SNAPSHOT_EVERY:
            storage.keep_snapshot(self.tx, self.state.seq, self.head, snapshot(self.state))
        database, kept = _database(self.tx), Kept(self.state, self.head)
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


def _found_by(entry: Entry) -> tuple[str, str]:
    """Kind and subject under which an entry is found again."""
    match entry:
        case Decided():
            return "decided", entry.facts.lead
        case TurnReturned() | LeadWithdrawn():
            return ("returned" if isinstance(entry, TurnReturned) else "withdrawn"), entry.lead
        case PersonChanged() | PresenceChanged():
            return ("person" if isinstance(entry, PersonChanged) else "presence"), entry.person
        case LoadChanged():
            return "load", entry.lead or entry.person
        case CalendarChanged():
            return "calendar", entry.calendar
        case _:
            return "policy", entry.policy.id
