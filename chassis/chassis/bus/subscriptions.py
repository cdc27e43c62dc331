"""Who listens to what, and how an event reaches its handler exactly once.

Both buses end here: `deliver` runs a handler over envelopes in one transaction together with their inbox rows. What
fails is halved until the bad one is alone, stored with its reason, tried again with growing waits and then parked;
it never blocks its neighbours.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
import structlog
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from chassis import clock, telemetry
from chassis.database import insert_rows, is_unavailable
from chassis.errors import Invalid
from chassis.transaction import Origin, Transaction
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch

if TYPE_CHECKING:
    from chassis.service import Runtime

F = TypeVar("F", bound=Callable[..., None])
MARK = "__dealwright_subscriptions__"
_ID = re.compile("[0-9a-f]{32}")
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Subscription:
    """One handler for one or more event types. `batch` > 1: the handler takes a sequence of events."""

    name: str
    types: tuple[str, ...]
    handler: Callable[..., None]
    batch: int

    def queue(self, service: str) -> str:
        return f"{service}.{self.name}"


def subscriber(*events: type[Message], batch: int = 1) -> Callable[[F], F]:
    """Marks `handler(tx, event)`, or with `batch` `handler(tx, events)`, as listening to these event types."""

    def mark(function: F) -> F:
        types = tuple(e.DESCRIPTOR.full_name for e in events)
        setattr(function, MARK, Subscription(function.__name__, types, function, batch))
        return function

    return mark


def subscriptions(module: ModuleType) -> list[Subscription]:
    """The subscribers a module declares, in the order of their lines."""
    found = [getattr(f, MARK) for _, f in inspect.getmembers(module, inspect.isfunction) if hasattr(f, MARK)]
    return sorted(found, key=lambda s: s.handler.__code__.co_firstlineno)


def decode(envelope: Envelope) -> Message:
    """The event inside. Raises DecodeError for bytes or a type that we do not know."""
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(envelope.type)
    except KeyError as problem:
        raise DecodeError(f"unknown event type {envelope.type!r}") from problem
    return message_factory.GetMessageClass(descriptor).FromString(envelope.data)


def unpack(body: bytes) -> list[Envelope]:
    """The envelopes of a message. Raises DecodeError for one that is no batch of events: bytes that protobuf takes for
    unknown fields, or an event without an id, would otherwise be acknowledged as nothing."""
    envelopes = list(EventBatch.FromString(body).events)
    if not envelopes or not all(_ID.fullmatch(e.id) and e.type for e in envelopes):
        raise DecodeError("the message is no EventBatch")
    return envelopes


def deliver(runtime: Runtime, subscription: Subscription, envelopes: Sequence[Envelope]) -> None:
    """Handles the envelopes once each, or stores why not. Returns when all is committed.

    Raises only when the database itself is away: then nothing was taken, and the caller delivers again later.
    """
    try:
        _handle(runtime, subscription, envelopes)
        return
    except Exception as problem:
        if is_unavailable(problem):
            raise
        if len(envelopes) == 1:
            _record_failure(runtime, subscription, envelopes[0], problem)
            return
    middle = len(envelopes) // 2
    deliver(runtime, subscription, envelopes[:middle])
    deliver(runtime, subscription, envelopes[middle:])


def _handle(runtime: Runtime, subscription: Subscription, envelopes: Sequence[Envelope]) -> None:
    started = clock.monotonic()
    queue = subscription.queue(runtime.name)
    with telemetry.consuming(queue, envelopes) as span, runtime.transaction() as tx:
        fresh = _register(tx, queue, envelopes)
        if fresh:
            _run(tx, runtime, subscription, fresh, span)
    telemetry.delivered(queue, envelopes, clock.monotonic() - started)


def _register(tx: Transaction, queue: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Writes the inbox rows; returns the envelopes that were not handled before, each once, in the order given."""
    by_id = {e.id: e for e in envelopes}
    taken = insert_rows(
        tx.connection,
        tx.tables.inbox,
        ("subscriber", "event_id"),
        [(queue, event_id) for event_id in sorted(by_id)],  # sorted: two deliveries in opposite orders would deadlock
        conflict="DO NOTHING",
        returning=("event_id",),
    )
    fresh = {row[0] for row in taken}
    return [e for event_id, e in by_id.items() if event_id in fresh]


def _run(
    tx: Transaction, runtime: Runtime, subscription: Subscription, envelopes: Sequence[Envelope], span: str
) -> None:
    deepest = max(e.depth for e in envelopes)
    if deepest >= runtime.settings.max_depth:
        if len(envelopes) > 1:
            raise _Split
        chain = " > ".join(envelopes[0].chain)
        raise Loop(f"caused at depth {deepest}, this event goes round in a circle: {chain}")
    events = [decode(e) for e in envelopes]
    origins = [Origin.of(e, runtime.name, telemetry.below(e.traceparent, span)) for e in envelopes]
    tx.origins = {e.subject: origin for e, origin in zip(envelopes, origins, strict=True)}
    tx.origin = origins[0]
    if subscription.batch > 1:
        for start in range(0, len(events), subscription.batch):
            subscription.handler(tx, events[start : start + subscription.batch])
    else:
        tx.origins = {}
        for event, origin in zip(events, origins, strict=True):
            tx.origin = origin
            subscription.handler(tx, event)


class Loop(Exception):
    """An event whose causal chain is too long to be anything but a circle."""


class _Split(Exception):
    """Not an error of one event: try each alone."""


def _for_good(problem: Exception) -> bool:
    """Whether another try cannot help."""
    return isinstance(problem, DecodeError | Invalid | Loop)


def _wait(runtime: Runtime, attempts: int) -> timedelta:
    settings = runtime.settings
    return timedelta(seconds=min(settings.retry_first_wait * 4 ** (attempts - 1), settings.retry_last_wait))


def _record_failure(runtime: Runtime, subscription: Subscription, envelope: Envelope, problem: Exception) -> None:
    """Takes charge of a failed event: its inbox row is written with the failure, so a redelivery is a no-op."""
    queue = subscription.queue(runtime.name)
    parked = _for_good(problem) or runtime.settings.retry_attempts <= 1
    reason = _reason(problem)
    with runtime.transaction() as tx:
        if not _register(tx, queue, [envelope]):
            return
        insert_rows(
            tx.connection,
            tx.tables.failures,
            (
                "subscriber",
                "event_id",
                "type",
                "subject",
                "envelope",
                "attempts",
                "reason",
                "first_failed_at",
                "next_attempt_at",
                "parked_at",
            ),
            [
                (
                    queue,
                    envelope.id,
                    _storable(envelope.type),
                    _storable(envelope.subject),
                    envelope.SerializeToString(),
                    1,
                    reason,
                    tx.now,
                    None if parked else tx.now + _wait(runtime, 1),
                    tx.now if parked else None,
                )
            ],
        )
    # Not the reason: what a database or a use case says may quote what is personal.
    log.warning(
        "event failed", queue=queue, id=envelope.id, type=envelope.type, parked=parked, error=type(problem).__name__
    )


def _reason(problem: Exception) -> str:
    return _storable(f"{type(problem).__name__}: {problem}"[:2000])


def _storable(text: str) -> str:
    """PostgreSQL's text holds no NUL; an event that does must not keep others waiting."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


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


def _retry(runtime: Runtime, subscription: Subscription | None, queue: str, event_id: str) -> None:
    failures = runtime.service.tables.failures
    mine = sa.and_(failures.c.subscriber == queue, failures.c.event_id == event_id)
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
                _run(tx, runtime, subscription, [envelope], span)
    except Exception as problem:
        if is_unavailable(problem):
            raise
        with runtime.transaction() as tx:
            attempts = tx.execute(sa.select(failures.c.attempts).where(mine).with_for_update()).scalar()
            if attempts is None:
                return
            attempts += 1
            parked = _for_good(problem) or attempts >= runtime.settings.retry_attempts
            tx.execute(
                sa.update(failures)
                .where(mine)
                .values(
                    attempts=attempts,
                    reason=_reason(problem),
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


def park_undecodable(runtime: Runtime, subscription: Subscription, body: bytes) -> None:
    """Keeps a message that is no batch of events, so that it is seen and not lost. Its id is the body's hash."""
    envelope = Envelope(id=hashlib.sha256(body).hexdigest()[:32], type="undecodable", data=body)
    _record_failure(runtime, subscription, envelope, DecodeError("the message is no EventBatch"))


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
        rows = reading.execute(sa.select(failures).where(failures.c.parked_at.is_not(None))).mappings()
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
            for r in rows
        ]
