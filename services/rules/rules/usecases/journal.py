"""The journal within a transaction: locked, caught up with, decided on, appended to."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.transaction import Transaction
from rules import storage
from rules.domain import (
    GENESIS,
    CalendarChanged,
    Decided,
    Entry,
    LeadFacts,
    LeadWithdrawn,
    LoadChanged,
    PersonChanged,
    Policy,
    PresenceChanged,
    Record,
    State,
    TurnReturned,
    decide_all,
    decode,
    drain,
    encode,
    fold_all,
    initial_state,
    moment_of,
    seal,
)
from rules.domain.snapshot import restore, snapshot
from rules.storage import JournalRow

# A restart, and the explanation of one decision, replay at most this many entries.
SNAPSHOT_EVERY = 5000


@dataclass(frozen=True)
class Kept:
    """The fold of the journal up to `state.seq`, and the hash there. A cache of one process, never the truth."""

    state: State
    head: bytes


_kept: weakref.WeakKeyDictionary[Any, Kept] = weakref.WeakKeyDictionary()


def kept_policy(tx: Transaction) -> Policy:
    """The policy as this process last saw it: good enough to prepare facts before the lock is taken."""
    return known_state(tx).state.policy


def known_state(tx: Transaction) -> Kept:
    """The state as of now for readers: what this process kept, caught up with the journal, without a lock."""
    seq, digest = storage.head(tx)
    return _caught_up(tx, seq, digest)


def state_before(tx: Transaction, seq: int) -> State:
    """The state just before an entry, from the nearest snapshot."""
    start = storage.nearest_snapshot(tx, seq - 1)
    state = restore(start[2]) if start else initial_state()
    return fold_all(state, (decode(r.data) for r in storage.records(tx, state.seq, seq - 1)))


def _caught_up(tx: Transaction, seq: int, digest: bytes) -> Kept:
    kept = _kept.get(tx.connection.engine)
    if kept is None or kept.state.seq > seq or (kept.state.seq == seq and kept.head != digest):
        start = storage.nearest_snapshot(tx, seq)
        kept = Kept(restore(start[2]), start[1]) if start else Kept(initial_state(), GENESIS)
    if kept.state.seq < seq:
        last = kept.head
        entries: list[Entry] = []
        for record in storage.records(tx, kept.state.seq, seq):
            entries.append(decode(record.data))
            last = record.hash
        kept = Kept(fold_all(kept.state, entries), last)
    return kept


@dataclass
class Journal:
    """The locked journal. `record` appends what happened, `decide` and `drain` append decisions; `close` writes."""

    tx: Transaction
    state: State
    head: bytes
    _rows: list[JournalRow] = field(default_factory=list)

    def record(self, entries: Sequence[Entry]) -> None:
        self.state = fold_all(self.state, entries)
        self._append(entries)

    def decide(self, leads: Sequence[LeadFacts]) -> list[tuple[int, Decided]]:
        """Decides and appends; (journal number, decision) in the order taken."""
        first = self.state.seq + 1
        decisions, self.state = decide_all(self.state, leads, self.tx.now)
        self._append(decisions)
        return list(enumerate(decisions, first))

    def drain(self, refreshed: dict[str, LeadFacts], limit: int) -> list[tuple[int, Decided]]:
        """Decides waiting leads that somebody may take now."""
        first = self.state.seq + 1
        decisions, self.state = drain(self.state, self.tx.now, refreshed, limit)
        self._append(decisions)
        return list(enumerate(decisions, first))

    def _append(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        first = self._rows[-1].record.seq + 1 if self._rows else self.state.seq - len(entries) + 1
        records: list[Record] = seal(self.head, first, [encode(entry) for entry in entries])
        self.head = records[-1].hash
        for record, entry in zip(records, entries, strict=True):
            self._rows.append(JournalRow(record, _moment(entry), *_found_by(entry)))

    def close(self) -> None:
        """Writes what was appended; the process keeps the state when the transaction commits."""
        if not self._rows:
            return
        storage.append(self.tx, self._rows)
        before = self._rows[0].record.seq - 1
        if before // SNAPSHOT_EVERY != self.state.seq // SNAPSHOT_EVERY:
            storage.keep_snapshot(self.tx, self.state.seq, self.head, snapshot(self.state))
        engine, kept = self.tx.connection.engine, Kept(self.state, self.head)
        self.tx.after_commit(lambda: _keep(engine, kept))


def _keep(engine: Any, kept: Kept) -> None:
    known = _kept.get(engine)
    if known is None or known.state.seq < kept.state.seq:
        _kept[engine] = kept


def open_journal(tx: Transaction) -> Journal:
    """Locks the journal and brings the state up to its end."""
    seq, digest = storage.lock_head(tx)
    kept = _caught_up(tx, seq, digest)
    return Journal(tx, kept.state, kept.head)


def _moment(entry: Entry) -> datetime:
    return moment_of(entry.at)


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
