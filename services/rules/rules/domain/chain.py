"""The hash chain over the journal, and its verification from the first entry."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from rules.domain.codec import Unreadable, decode
from rules.domain.entries import Decided, TurnReturned
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


def verify(records: Iterable[Record], state: State | None = None, head: bytes = GENESIS) -> Report:
    """Check the chain and derive every decision again, in order; stops at the first wrong entry.

    From a trusted snapshot: `state` folded to it and `head`, the hash of its last entry.
    """
    table = Table(initial_state() if state is None else state)
    entries = decisions = 0
    turns: dict[int, tuple[str, str, str, int]] = {}
    for record in records:
        seq, good = table.seq + 1, table.seq
        reason = ""
        if record.seq != seq:
            reason = f"GAP: entry {seq} is missing"
        elif record.hash != next_hash(head, record.data):
            reason = "HASH: bytes, order or hash were changed"
        else:
            try:
                entry = decode(record.data)
                if isinstance(entry, TurnReturned):
                    turn = (entry.lead, entry.person, entry.ledger, entry.decided_at)
                    if turns.pop(entry.decision, turn if entry.decision <= good - entries else None) != turn:
                        reason = f"TURN: entry {entry.decision} gave no such turn, or it was returned before"
                if not reason:
                    replay(table, entry)
                    if isinstance(entry, Decided):
                        decisions += 1
                        if entry.owner:
                            turns[seq] = (entry.facts.lead, entry.owner, entry.ledger, entry.at)
            except Unreadable as error:
                reason = f"BYTES: {error}"
            except Diverged as error:
                reason = f"DECISION: {error}"
        if reason:
            return Report(entries, decisions, seq, reason, head, table.freeze())
        entries += 1
        head = record.hash
    return Report(entries, decisions, 0, "", head, table.freeze())
