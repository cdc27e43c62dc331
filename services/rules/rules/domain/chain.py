"""The hash chain over the journal, and its verification from the first entry."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from rules.domain.codec import Unreadable, decode
from rules.domain.entries import Decided, Entry, TurnReturned, filed_under
from rules.domain.replay import Diverged, replay
from rules.domain.state import State, Table, initial_state

GENESIS = bytes(32)
"""What stands before the first entry's hash."""


@dataclass(frozen=True, slots=True)
class Record:
    """A stored entry: its place (gapless from 1), canonical bytes, and SHA-256(previous hash + bytes)."""

    seq: int
    data: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What verification found. `wrong`: the first wrong entry's place, 0 if none; `reason` says what is wrong.

    `head` is the hash of the last good entry: compare it with one kept elsewhere to notice a cut-off end.
    """

    entries: int
    decisions: int
    wrong: int
    reason: str
    head: bytes
    state: State


def next_hash(previous: bytes, data: bytes) -> bytes:
    """The hash of an entry's bytes after the entry with hash `previous`."""
    return hashlib.sha256(previous + data).digest()


def seal(previous: bytes, first: int, encoded: Iterable[bytes]) -> list[Record]:
    """Chain encoded entries behind the entry with hash `previous`; the first gets place `first`."""
    records = []
    for seq, data in enumerate(encoded, first):
        previous = next_hash(previous, data)
        records.append(Record(seq, data, previous))
    return records


class Turns(Protocol):
    """Where the turns that were dealt are looked up when one comes back."""

    def dealt(self, place: int, entry: Decided) -> None:
        """Entry `place` dealt this turn."""

    def may_return(self, place: int, entry: TurnReturned) -> bool:
        """Whether entry `place` returns a turn that was dealt to that person, and not returned before."""


class Verification:
    """Checks the chain and derives every decision again. Feed it entries in order; stop at the first wrong one.

    From a trusted snapshot: `state` folded to it and `head`, the hash of its last entry.
    """

    def __init__(self, turns: Turns, state: State | None = None, head: bytes = GENESIS) -> None:
        self._turns = turns
        self._table = Table(initial_state() if state is None else state)
        self.head = head
        self.decisions = 0

    @property
    def seq(self) -> int:
        """The last good entry's place."""
        return self._table.seq

    def state(self) -> State:
        """The fold up to the last good entry."""
        state = self._table.freeze()
        self._table = Table(state)
        return state

    def feed(self, record: Record, filed: tuple[int, str, str] | None = None) -> str:
        """What is wrong with the next entry, "" if nothing. `filed`: the moment, kind and subject stored beside it."""
        seq = self._table.seq + 1
        if record.seq != seq:
            return f"GAP: entry {seq} is missing"
        if record.hash != next_hash(self.head, record.data):
            return "HASH: bytes, order or hash were changed"
        try:
            entry = decode(record.data)
        except Unreadable as error:
            return f"BYTES: {error}"
        reason = self._placed(seq, entry, filed)
        if reason:
            return reason
        try:
            replay(self._table, entry)
        except Diverged as error:
            return f"DECISION: {error}"
        if isinstance(entry, Decided):
            self.decisions += 1
            if entry.owner:
                self._turns.dealt(seq, entry)
        self.head = record.hash
        return ""

    def _placed(self, seq: int, entry: Entry, filed: tuple[int, str, str] | None) -> str:
        if entry.at < self._table.last:
            return f"TIME: {entry.at} is before {self._table.last}, the moment of an earlier entry"
        if filed is not None and filed != (entry.at, *filed_under(entry)):
            return f"COLUMNS: filed as {filed}, the entry says {(entry.at, *filed_under(entry))}"
        if isinstance(entry, TurnReturned) and not self._turns.may_return(seq, entry):
            return f"TURN: entry {entry.decision} gave no such turn, or it was returned before"
        return ""


class _AllTurns:
    """Every turn in memory: for histories that are there already. Turns dealt before the first entry are trusted."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._turns: dict[int, tuple[str, str, str, int]] = {}

    def dealt(self, place: int, entry: Decided) -> None:
        self._turns[place] = (entry.facts.lead, entry.owner, entry.ledger, entry.at)

    def may_return(self, place: int, entry: TurnReturned) -> bool:
        turn = (entry.lead, entry.person, entry.ledger, entry.decided_at)
        return self._turns.pop(entry.decision, turn if entry.decision <= self._after else None) == turn


def verify(records: Iterable[Record], state: State | None = None, head: bytes = GENESIS) -> Report:
    """`Verification` of entries at hand, up to the first wrong one."""
    first = 0 if state is None else state.seq
    run = Verification(_AllTurns(first), state, head)
    for record in records:
        place, reason = run.seq + 1, run.feed(record)
        if reason:
            return Report(place - 1 - first, run.decisions, place, reason, run.head, run.state())
    return Report(run.seq - first, run.decisions, 0, "", run.head, run.state())
