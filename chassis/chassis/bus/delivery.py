"""Events reach their handlers, and what fails is kept: both buses end here.

A delivery that fails is halved until the bad event is alone. That one is stored with its reason, tried again with
growing waits and then parked; it never blocks its neighbours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from google.protobuf.message import DecodeError

from chassis import clock, telemetry
from chassis.bus import inbox
from chassis.bus.subscriptions import Subscription
from chassis.database import insert_rows, is_unavailable
from chassis.errors import Invalid
from chassis.service import Runtime
from dealwright.bus.v1.envelope_pb2 import Envelope

log = structlog.get_logger(__name__)


def deliver(runtime: Runtime, subscription: Subscription, envelopes: Sequence[Envelope]) -> None:
    """Handles the envelopes once each, or stores why not. Returns when all is committed.

    Raises only when the database takes nothing at all: then nothing was taken, and the caller delivers again later.
    """
    try:
        inbox.handle(runtime, subscription, envelopes)
        return
    except Exception as problem:
        if is_unavailable(problem):
            raise
        if len(envelopes) == 1:
            _record(runtime, subscription, envelopes[0], problem)
            return
    middle = len(envelopes) // 2
    deliver(runtime, subscription, envelopes[:middle])
    deliver(runtime, subscription, envelopes[middle:])


def park_undecodable(runtime: Runtime, subscription: Subscription, body: bytes) -> None:
    """Keeps a message that is no batch of events, so that it is seen and not lost. Its id is the body's hash."""
    envelope = Envelope(id=hashlib.sha256(body).hexdigest()[:32], type="undecodable", data=body)
    _record(runtime, subscription, envelope, DecodeError("the message is no EventBatch"))


def retry_due(runtime: Runtime, known: Sequence[Subscription], limit: int = 50) -> int:
    """Tries again what is due. Returns how many were tried."""
    failures = runtime.service.tables.failures
    by_queue = {s.queue(runtime.name): s for s in known}
    due = (
        sa.select(failures.c.subscriber, failures.c.event_id)
        .where(failures.c.next_attempt_at <= clock.now())
        .order_by(failures.c.next_attempt_at)
        .limit(limit)
    )
    with runtime.reading() as reading:
        keys = [(row.subscriber, row.event_id) for row in reading.execute(due)]
    for queue, event_id in keys:
        _retry(runtime, by_queue.get(queue), queue, event_id)
    return len(keys)


def replay_parked(runtime: Runtime, event_ids: Sequence[str] = ()) -> int:
    """Makes parked events (all, or those named) due at once. Returns how many."""
    failures = runtime.service.tables.failures
    chosen: sa.ColumnElement[bool] = failures.c.parked_at.is_not(None)
    if event_ids:
        chosen = sa.and_(chosen, failures.c.event_id.in_(event_ids))
    with runtime.transaction() as tx:
        result = tx.execute(
            sa.update(failures).where(chosen).values(attempts=0, parked_at=None, next_attempt_at=tx.now)
        )
        return result.rowcount


def parked(runtime: Runtime) -> list[dict[str, Any]]:
    """Parked events with their reason and `chain`, the events that led to them, oldest first."""
    failures = runtime.service.tables.failures
    with runtime.reading() as reading:
        found = sa.select(failures).where(failures.c.parked_at.is_not(None)).order_by(failures.c.parked_at)
        return [
            {
                "service": runtime.name,
                "subscriber": r["subscriber"],
                "event": r["event_id"],
                "type": r["type"],
                "subject": r["subject"],
                "attempts": r["attempts"],
                "reason": r["reason"],
                "parked": r["parked_at"],
                "causation": (cause := Envelope.FromString(r["envelope"])).causation_id,
                "chain": list(cause.chain),
            }
            for r in reading.execute(found).mappings()
        ]


def _for_good(problem: Exception) -> bool:
    """Whether another try cannot help."""
    return isinstance(problem, DecodeError | Invalid | inbox.Loop)


def _wait(runtime: Runtime, attempts: int) -> timedelta:
    settings = runtime.settings
    return timedelta(seconds=min(settings.retry_first_wait * 4 ** (attempts - 1), settings.retry_last_wait))


def _reason(problem: Exception) -> str:
    """What an operator reads. The message is somebody else's: it may be no text at all."""
    try:
        said = str(problem)
    except Exception as worse:
        said = f"(its message cannot be read: {type(worse).__name__})"
    return _storable(f"{type(problem).__name__}: {said}"[:2000])


def _storable(text: str) -> str:
    """Both databases hold UTF-8, PostgreSQL's text no NUL; an event that has neither must not keep others waiting."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _barely(store: Callable[[str], None], problem: Exception) -> None:
    """Stores the failure with its reason or, where the database will not have that, with the barest of all. What then
    still raises is no matter of this event: the database takes nothing."""
    try:
        store(_reason(problem))
    except Exception as worse:
        if is_unavailable(worse):
            raise
        log.error("the reason of a failure is not stored", error=type(worse).__name__)
        store("a reason that the database refused")


def _record(runtime: Runtime, subscription: Subscription, envelope: Envelope, problem: Exception) -> None:
    """Takes charge of a failed event: its inbox row is written with the failure, so a redelivery is a no-op."""
    queue = subscription.queue(runtime.name)
    parked = _for_good(problem) or runtime.settings.retry_attempts <= 1

    def store(reason: str) -> None:
        with runtime.transaction() as tx:
            if not inbox.register(tx, queue, [envelope]):
                return
            values = {
                "subscriber": queue,
                "event_id": envelope.id,
                "type": _storable(envelope.type),
                "subject": _storable(envelope.subject),
                "envelope": envelope.SerializeToString(),
                "attempts": 1,
                "reason": reason,
                "first_failed_at": tx.now,
                "next_attempt_at": None if parked else tx.now + _wait(runtime, 1),
                "parked_at": tx.now if parked else None,
            }
            insert_rows(tx.connection, tx.tables.failures, tuple(values), [tuple(values.values())])

    _barely(store, problem)
    # Not the reason: what a database or a use case says may quote what is personal.
    log.warning(
        "event failed", queue=queue, id=envelope.id, type=envelope.type, parked=parked, error=type(problem).__name__
    )


def _retry(runtime: Runtime, subscription: Subscription | None, queue: str, event_id: str) -> None:
    failures = runtime.service.tables.failures
    mine = sa.and_(failures.c.subscriber == queue, failures.c.event_id == event_id)
    row: Any = None
    try:
        with runtime.transaction() as tx:
            row = tx.execute(
                sa.select(failures).where(mine, failures.c.next_attempt_at <= tx.now).with_for_update(skip_locked=True)
            ).first()
            if row is None:  # another process has it, or it is done
                return
            if subscription is None:
                raise DecodeError(f"no subscriber {queue!r} any more")
            tx.execute(sa.delete(failures).where(mine))
            envelope = Envelope.FromString(row.envelope)
            with telemetry.consuming(queue, [envelope]) as span:
                inbox.run(tx, runtime, subscription, [envelope], span)
    except Exception as problem:
        if row is None or is_unavailable(problem):
            raise
        _record_again(runtime, queue, event_id, row.attempts, problem)


def _record_again(runtime: Runtime, queue: str, event_id: str, before: int, problem: Exception) -> None:
    """Counts the failure of a try that found `before` tries: another process may have begun the next one since."""
    failures = runtime.service.tables.failures
    mine = sa.and_(failures.c.subscriber == queue, failures.c.event_id == event_id)

    def store(reason: str) -> None:
        with runtime.transaction() as tx:
            attempts = tx.execute(sa.select(failures.c.attempts).where(mine).with_for_update()).scalar()
            if attempts != before:
                return
            attempts += 1
            parked = _for_good(problem) or attempts >= runtime.settings.retry_attempts
            tx.execute(
                sa.update(failures)
                .where(mine)
                .values(
                    attempts=attempts,
                    reason=reason,
                    next_attempt_at=None if parked else tx.now + _wait(runtime, attempts),
                    parked_at=tx.now if parked else None,
                )
            )
            log.warning(
                "event failed again",
                queue=queue,
                id=event_id,
                attempts=attempts,
                parked=parked,
                error=type(problem).__name__,
            )

    _barely(store, problem)
