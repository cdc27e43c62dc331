"""Once: a handler runs in the transaction that writes the inbox rows of its events."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import clock, telemetry
from chassis.bus.subscriptions import Subscription, decode
from chassis.database import insert_rows
from chassis.service import Runtime
from chassis.transaction import Cause, Origin, Transaction
from dealwright.bus.v1.envelope_pb2 import Envelope


class Loop(Exception):
    """An event whose causal chain is too long to be anything but a circle."""


class Split(Exception):
    """Not an error of one event: try each alone."""


def handle(runtime: Runtime, subscription: Subscription, envelopes: Sequence[Envelope]) -> None:
    """Runs the handler over those of the envelopes that were not handled before; all is committed, or none."""
    started = clock.monotonic()
    queue = subscription.queue(runtime.name)
    with telemetry.consuming(queue, envelopes) as span, runtime.transaction() as tx:
        fresh = register(tx, queue, envelopes)
        if fresh:
            run(tx, runtime, subscription, fresh, span)
    telemetry.delivered(queue, envelopes, clock.monotonic() - started)


def register(tx: Transaction, queue: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Writes the inbox rows; returns the envelopes that were not handled before, each once, in the order given."""
    by_id = {e.id: e for e in envelopes}
    taken = insert_rows(
        tx.connection,
        tx.tables.inbox,
        ("subscriber", "event_id", "handled_at"),
        # Sorted: two deliveries in opposite orders would deadlock.
        [(queue, event_id, tx.now) for event_id in sorted(by_id)],
        conflict="DO NOTHING",
        returning=("event_id",),
    )
    fresh = {row[0] for row in taken}
    return [e for event_id, e in by_id.items() if event_id in fresh]


def run(
    tx: Transaction, runtime: Runtime, subscription: Subscription, envelopes: Sequence[Envelope], span: str
) -> None:
    """Calls the handler. Raises what it raises, DecodeError, Loop, or Split where that may be about one of many."""
    deepest = max(e.depth for e in envelopes)
    if deepest >= runtime.settings.max_depth:
        if len(envelopes) > 1:
            raise Split
        chain = " > ".join(envelopes[0].chain)
        raise Loop(f"caused at depth {deepest}, this event goes round in a circle: {chain}")
    events = [decode(e) for e in envelopes]
    origins = [Origin.of(e, runtime.name, telemetry.below(e.traceparent, span)) for e in envelopes]
    tx.origins = {e.subject: origin for e, origin in zip(envelopes, origins, strict=True)}
    tx.origin = origins[0]
    causes = [Cause(e) for e in envelopes]
    if subscription.batch > 1:
        for start in range(0, len(events), subscription.batch):
            tx.causes = causes[start : start + subscription.batch]
            subscription.handler(tx, events[start : start + subscription.batch])
    else:
        tx.origins = {}
        for event, origin, cause in zip(events, origins, causes, strict=True):
            tx.origin, tx.causes = origin, (cause,)
            subscription.handler(tx, event)
