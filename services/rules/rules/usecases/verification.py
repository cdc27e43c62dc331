"""Proving the journal: every entry read again, every decision derived again, every snapshot compared with the fold.

In pages, so that a history of any length is verified in bounded memory and within whatever time the caller has. A page
begins with what this process verified last, or with the nearest snapshot: that one was compared when the pages before
were verified.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from chassis.errors import Invalid, Refused
from chassis.transaction import Transaction
from dealwright.rules.v1 import rules_pb2
from rules import storage
from rules.domain.chain import Verification
from rules.domain.codec import Unreadable, decode
from rules.domain.entries import Decided, TurnReturned
from rules.domain.snapshot import snapshot
from rules.storage import SnapshotRow
from rules.usecases.journal import Kept, read_snapshot, starts

_LOOK_EVERY = 256
_running = threading.Lock()
# Where the last page of this process ended, by database.
_reached: weakref.WeakKeyDictionary[Any, Kept] = weakref.WeakKeyDictionary()


def verify_journal(
    tx: Transaction, first: int = 1, go_on: Callable[[], bool] = lambda: True
) -> rules_pb2.VerifyJournalResponse:
    """Verifies entries from `first` on, until the journal's end, the first wrong entry, or `go_on` says no more; then
    `next_entry` is where to continue. Whoever has verified from 1 without a gap has verified everything.

    Raises Refused while another run is under way in this process, Invalid for a `first` below 1.
    """
    if first < 1:
        raise Invalid([("fromEntry", "must not be negative", "不能为负")])
    if not _running.acquire(blocking=False):
        raise Refused(
            "VERIFYING",
            "The journal is being verified already; try again later.",
            "日志正在校验中，请稍后重试。",
            code="RESOURCE_EXHAUSTED",
        )
    try:
        return _page(tx, first, go_on).answer()
    finally:
        _running.release()


@dataclass
class _Page:
    """What a page found. `reached`: the last good entry."""

    first: int
    reached: int = 0
    entries: int = 0
    decisions: int = 0
    wrong: int = 0
    problem: str = ""
    head: bytes = b""
    more: bool = False
    snapshots: list[tuple[int, str]] = field(default_factory=list)

    def answer(self) -> rules_pb2.VerifyJournalResponse:
        problem = self.problem
        if self.snapshots and not problem:
            problem = "SNAPSHOT: the one at entry {} {}".format(*self.snapshots[0])
        return rules_pb2.VerifyJournalResponse(
            entries=self.entries,
            decisions=self.decisions,
            first_wrong_entry=self.wrong,
            problem=problem,
            head_hash=self.head.hex(),
            next_entry=max(self.reached + 1, self.first) if self.more else 0,
            wrong_snapshots=[place for place, _ in self.snapshots],
        )


def _page(tx: Transaction, first: int, go_on: Callable[[], bool]) -> _Page:
    # In this order: what is appended meanwhile is then no more than what the head says.
    last, snapshot_place = storage.furthest(tx)
    seq, digest = storage.head(tx)
    beginnings = _beginnings(tx, first)
    page = _verified(tx, next(beginnings), first, seq, go_on)
    if page.wrong and (earlier := next(beginnings, None)) is not None:
        # It may have begun with a wrong snapshot: the beginning before that one tells, if it comes as far.
        page = _verified(tx, earlier, first, seq, go_on, page.wrong)
    if page.wrong or page.more:
        return page
    if last > seq or (page.reached, page.head) != (seq, digest):
        page.wrong, page.problem = min(page.reached, seq) + 1, "HEAD: the journal's end is not where its head says"
    if snapshot_place > seq:
        page.snapshots.append((snapshot_place, "is past the journal's end"))
    return page


def _beginnings(tx: Transaction, first: int) -> Iterator[Kept]:
    kept = _reached.get(tx.connection.engine.pool)
    for start in starts(tx, first - 1):
        if kept is not None and start.state.seq <= kept.state.seq < first:
            yield kept
            kept = None
        yield start


def _verified(tx: Transaction, start: Kept, first: int, until: int, go_on: Callable[[], bool], least: int = 0) -> _Page:
    """Up to `until` and at least up to `least`, whatever `go_on` says."""
    page = _Page(first)
    run = Verification(_StoredTurns(tx), start.state, start.head)
    snapshots = storage.snapshots_between(tx, run.seq, until)
    awaited = next(snapshots, None)
    before = 0
    for number, row in enumerate(storage.rows(tx, run.seq, until)):
        if number and number % _LOOK_EVERY == 0 and row.record.seq > least and not go_on():
            page.more = True
            break
        if row.record.seq <= first:
            before = run.decisions
        page.problem = run.feed(row.record, row.filed)
        if page.problem:
            page.wrong = run.seq + 1
            break
        if awaited is not None and run.seq == awaited.seq:
            reason = _wrong_snapshot(run, awaited)
            if reason:
                page.snapshots.append((awaited.seq, reason))
            awaited = next(snapshots, None)
    page.reached, page.head = run.seq, run.head
    page.entries, page.decisions = max(run.seq - max(first - 1, start.state.seq), 0), run.decisions - before
    if page.more:
        _reached[tx.connection.engine.pool] = Kept(run.state(), run.head)
    else:
        _reached.pop(tx.connection.engine.pool, None)
    return page


def _wrong_snapshot(run: Verification, row: SnapshotRow) -> str:
    if row.hash != run.head:
        return "is not of this journal"
    try:
        read_snapshot(row)
    except Unreadable as error:
        return f"cannot be read: {error}"
    return "" if row.state == snapshot(run.state()) else "is not what its history leads to"


class _StoredTurns:
    """Looks a turn that comes back up where it was dealt, so that no decision is kept in memory."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def dealt(self, place: int, entry: Decided) -> None:
        pass

    def may_return(self, place: int, entry: TurnReturned) -> bool:
        dealt = False
        for _, record in storage.about(self._tx, [entry.lead], ("decided", "returned")):
            if record.seq >= place:
                break
            try:
                earlier = decode(record.data)
            except Unreadable:
                return False
            if isinstance(earlier, TurnReturned) and earlier.decision == entry.decision:
                return False
            if isinstance(earlier, Decided) and record.seq == entry.decision:
                turn = (earlier.owner, earlier.ledger, earlier.at)
                dealt = turn == (entry.person, entry.ledger, entry.decided_at)
        return dealt
