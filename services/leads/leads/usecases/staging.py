"""An import on its way: claimed, read into rows, counted, ended. Each step is written with what it did, or not at
all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chassis import records
from chassis.errors import Problem
from chassis.transaction import Transaction
from leads.domain.imports import MOST_KEPT, Job, Outcome, Result, State, counted
from leads.storage import imports as stored
from leads.storage.imports import Row as Row
from leads.usecases.imports import KIND, mapped

# Whoever takes it in hand has it for so long after each step; then another may go on.
LEASE = timedelta(seconds=15)


class Lost(Exception):
    """Somebody else goes on with it, or it was cancelled: what this step did is undone."""


def claim(tx: Transaction) -> Job | None:
    """The import that waits longest for somebody to work on it."""
    return stored.claim(tx, LEASE)


def _step(tx: Transaction, before: Job, **changes: Any) -> Job:
    after = stored.advance(tx, before, replace(before, lease=tx.now + LEASE, **changes))
    if after is None:
        raise Lost
    return after


def release(tx: Transaction, job: Job) -> None:
    """Another import has its turn."""
    stored.advance(tx, job, replace(job, lease=None))


def _end(tx: Transaction, before: Job, state: State, **changes: Any) -> Job:
    ended = None if state in (State.PREVIEWING, State.RUNNING) else tx.now
    after = stored.advance(tx, before, replace(before, state=state, lease=None, end_time=ended, **changes))
    if after is None:
        raise Lost
    tx.audit(f"import.{state.name.lower()}", before.name, dict(after.counts), before.owner)
    return after


def parts(tx: Transaction, name: str) -> Iterator[bytes]:
    return stored.parts(tx, name)


def begin_reading(tx: Transaction, job: Job) -> Job:
    """From the start, whatever an earlier try left."""
    stored.drop_rows(tx, job.name)
    return _step(tx, job, block=0, total=0, columns=[])


def read_head(tx: Transaction, job: Job, head: Mapping[str, Any], first: Sequence[Row]) -> Job:
    """What the file is and what its columns stand for. Raises Invalid for a chosen mapping that cannot be."""
    columns = mapped(job, head["headers"], [cells for _, cells in first[:3]])
    return _step(
        tx, job, format=head["format"], encoding=head["encoding"], delimiter=head["delimiter"], columns=columns
    )


def keep_rows(tx: Transaction, job: Job, rows: Sequence[Row]) -> Job:
    stored.add_block(tx, job.name, job.block, rows)
    return _step(tx, job, block=job.block + 1, total=job.total + len(rows))


def end_reading(tx: Transaction, job: Job) -> Job:
    stored.drop_parts(tx, job.name)
    state = State.PREVIEWING if job.validate_only else State.RUNNING
    return _end(tx, job, state, block=0, done=0, counts={}, start_time=None if job.validate_only else tx.now)


def block(tx: Transaction, job: Job, number: int) -> tuple[list[Row], list[Result]] | None:
    """Rows and what became of them; None beyond the last block, or below the first."""
    return stored.block(tx, job.name, number) if number >= 0 else None


def record(tx: Transaction, job: Job, results: Sequence[Result]) -> Job:
    """What became of the rows of this block; the next is next."""
    stored.save_results(tx, job.name, job.block, results)
    after = counted(job, results, preview=job.state == State.PREVIEWING)
    return _step(tx, job, block=job.block + 1, done=job.done + len(results), counts=after.counts)


def end_pass(tx: Transaction, job: Job) -> Job:
    """Every block is through."""
    return _end(tx, job, State.PREVIEWED if job.state == State.PREVIEWING else State.SUCCEEDED)


def fail_named(tx: Transaction, name: str, problem: Problem) -> None:
    """It cannot go on. What was not taken in may be brought again."""
    job = records.of_names(tx, KIND, [name], lock=True)[name]
    if not job.under_way:
        return
    said = {"reason": problem.reason, "en": problem.english, "zh": problem.chinese}
    fingerprint = job.fingerprint
    if fingerprint and not job.start_time:
        stored.forget_once(tx, fingerprint)
        fingerprint = ""
    _end(tx, job, State.FAILED, problem=said, fingerprint=fingerprint)


# --- undoing: the blocks from the last to the first ---


def last_block(job: Job) -> int:
    """The block that is to be undone next; below 0 when all are. `block` counts those that were taken in."""
    return job.block - 1


def record_undone(tx: Transaction, job: Job, before: Sequence[Result], results: Sequence[Result]) -> Job:
    """What became of the rows of this block, that were `before`. Those that stay are counted each time."""
    stored.save_results(tx, job.name, last_block(job), results)
    changed = [
        now
        for was, now in zip(before, results, strict=True)
        if now.outcome == Outcome.KEPT or now.outcome != was.outcome
    ]
    names = [result.record for result in changed if result.outcome == Outcome.KEPT]
    kept = list(dict.fromkeys([*job.kept, *names]))[:MOST_KEPT]
    after = counted(job, changed, preview=False)
    return _step(tx, job, block=job.block - 1, counts=after.counts, kept=kept)


def end_undoing(tx: Transaction, job: Job) -> Job:
    """The file may be brought again."""
    if job.fingerprint:
        stored.forget_once(tx, job.fingerprint)
    return _end(tx, job, State.UNDONE, fingerprint="")
