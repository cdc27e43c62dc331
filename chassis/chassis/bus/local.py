"""The bus of one process: straight from the outbox tables to the subscribers.

A thread per subscription takes what waits for it, up to a batch, and delivers it; an outbox row is marked published
when every subscription has taken it. What is not in memory (a start after a crash, an overflow) the sweep finds in
the tables, and the inbox makes a second delivery a no-op.

All share one interpreter, so a patient service's threads let the others' work pass: while leads are being assigned,
what becomes of that in tasks and histories waits, for some seconds at most.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import sqlalchemy as sa
import structlog
from google.protobuf.message import DecodeError

from chassis import clock, telemetry
from chassis.bus.delivery import deliver, park_undecodable
from chassis.bus.subscriptions import Subscription, unpack
from chassis.database import in_values, is_unavailable
from chassis.service import Runtime
from chassis.transaction import OutboxRow
from dealwright.bus.v1.envelope_pb2 import Envelope

log = structlog.get_logger(__name__)
_MOST_EVENTS_WAITING = 100_000
# How long a patient service lets others pass, and how long nobody else must have had anything for it to begin.
_PATIENCE, _CALM = 10.0, 0.01
_SWEEP_ROWS = 1_000
# Small rows that wait together are handled in one transaction of about so many events.
_EVENTS = 64


@dataclass
class _Row:
    runtime: Runtime
    id: str
    type: str
    events: int
    left: int


@dataclass
class _Consumer:
    runtime: Runtime
    subscription: Subscription
    waiting: deque[tuple[_Row, bytes]] = field(default_factory=deque)
    ready: threading.Condition = field(default_factory=threading.Condition)
    # It begins no delivery of less than `most` events before this.
    not_before: float = 0.0

    @property
    def patient(self) -> bool:
        return self.runtime.service.patient

    @property
    def most(self) -> int:
        """Events of one delivery, unless a single row has more."""
        return max(self.subscription.batch, _EVENTS)

    @property
    def is_full(self) -> bool:
        size = 0
        for row, _ in list(self.waiting):
            size += row.events
            if size >= self.most:
                return True
        return False


class LocalBus:
    """Connects the services of one process. `attach` each, then `start`; `stop` finishes what is in hand."""

    def __init__(self, sweep_every: float = 1.0) -> None:
        self._consumers: list[_Consumer] = []
        self._by_type: dict[str, list[_Consumer]] = {}
        self._runtimes: list[Runtime] = []
        self._in_hand: dict[str, _Row] = {}
        self._events_waiting = 0
        # Rows that impatient services still have to take, and when the last of them was taken.
        self._urgent, self._calm_since = 0, 0.0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._done: dict[str, list[_Row]] = {}
        self._marker_wakes = threading.Condition()
        self._sweep_every = sweep_every
        # Set when the sweep has something to do before its time: rows were left in the table and there is room again.
        self._sweep_now = threading.Event()
        self._overflowed = False
        self._threads: list[threading.Thread] = []

    def attach(self, runtime: Runtime, known: Sequence[Subscription]) -> None:
        self._runtimes.append(runtime)
        runtime.announce = lambda rows: self._announce(runtime, rows)
        for subscription in known:
            consumer = _Consumer(runtime, subscription)
            self._consumers.append(consumer)
            for kind in subscription.types:
                self._by_type.setdefault(kind, []).append(consumer)

    def start(self) -> None:
        for consumer in self._consumers:
            name = consumer.subscription.queue(consumer.runtime.name)
            self._run(name, partial(self._consume, consumer))
        self._run("outbox marker", self._mark_published)
        self._run("outbox sweep", self._sweep)

    def stop(self) -> None:
        self._stopping.set()
        for consumer in self._consumers:
            with consumer.ready:
                consumer.ready.notify_all()
        with self._marker_wakes:
            self._marker_wakes.notify_all()
        self._sweep_now.set()
        for thread in self._threads:
            thread.join(30)

    def idle(self) -> bool:
        """Whether nothing waits in memory or in any outbox (for tests and a graceful stop). Whoever asks wants it to be
        so: no pace holds anything back then."""
        if self._in_hand:
            for consumer in self._consumers:
                consumer.not_before = 0.0
            return False
        return all(not _unpublished(runtime, 1) for runtime in self._runtimes)

    def _run(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _announce(self, runtime: Runtime, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            self._take(runtime, row)

    def _take(self, runtime: Runtime, row: OutboxRow) -> bool:
        consumers = self._by_type.get(row.type, [])
        key = f"{runtime.name}/{row.id}"
        with self._lock:
            if key in self._in_hand or self._stopping.is_set():
                return False
            if self._events_waiting > _MOST_EVENTS_WAITING:
                self._overflowed = True  # the row stays in its table and the sweep brings it later
                return False
            mine = self._in_hand[key] = _Row(runtime, row.id, row.type, row.events, len(consumers))
            self._events_waiting += row.events
            self._urgent += sum(not consumer.patient for consumer in consumers)
        if not consumers:
            self._finish(mine)
            return True
        for consumer in consumers:
            with consumer.ready:
                consumer.waiting.append((mine, row.body))
                consumer.ready.notify()
        return True

    def _consume(self, consumer: _Consumer) -> None:
        while True:
            with consumer.ready:
                while not consumer.waiting and not self._stopping.is_set():
                    consumer.ready.wait()
            self._let_pass(consumer)
            with consumer.ready:
                if self._stopping.is_set():
                    return
                taken = [consumer.waiting.popleft()]
                size = taken[0][0].events
                while consumer.waiting and size + consumer.waiting[0][0].events <= consumer.most:
                    taken.append(consumer.waiting.popleft())
                    size += taken[-1][0].events
            envelopes: list[Envelope] = []
            for _, body in taken:
                try:
                    envelopes.extend(unpack(body))
                except DecodeError:
                    if not self._patiently(consumer, partial(park_undecodable, body=body)):
                        return
            if envelopes and not self._patiently(consumer, partial(deliver, envelopes=envelopes)):
                return
            if not consumer.patient:
                with self._lock:
                    self._urgent -= len(taken)
                    self._calm_since = clock.monotonic()
            for row, _ in taken:
                self._finish(row)

    def _let_pass(self, consumer: _Consumer) -> None:
        """Where it is patient, waits until the others have had nothing to do for a moment; where it has a pace, for
        more to come."""
        until = clock.monotonic() + _PATIENCE
        while not self._stopping.is_set():
            now = clock.monotonic()
            calm = not consumer.patient or (not self._urgent and now - self._calm_since >= _CALM)
            if now >= until or (calm and (now >= consumer.not_before or consumer.is_full)):
                break
            self._stopping.wait(_CALM)
        consumer.not_before = clock.monotonic() + consumer.subscription.pace

    def _patiently(self, consumer: _Consumer, action: Callable[[Runtime, Subscription], None]) -> bool:
        """Does it as soon as the database lets us; False when the bus stops first."""
        wait = 0.1
        while not self._stopping.is_set():
            try:
                action(consumer.runtime, consumer.subscription)
                return True
            except Exception as problem:
                # What an event can do wrong is stored; this is a database that takes nothing, not even that.
                tell = log.warning if is_unavailable(problem) else log.error
                tell("delivery waits", queue=consumer.subscription.name, error=type(problem).__name__)
                self._stopping.wait(wait)
                wait = min(wait * 2, 3.0)
        return False

    def _finish(self, row: _Row) -> None:
        with self._marker_wakes:
            row.left -= 1
            if row.left <= 0:
                self._done.setdefault(row.runtime.name, []).append(row)
                self._marker_wakes.notify()

    def _mark_published(self) -> None:
        """Marks rows in batches; a crash before this only means a second, empty delivery."""
        while True:
            with self._marker_wakes:
                while not self._done and not self._stopping.is_set():
                    self._marker_wakes.wait()
                done, self._done = self._done, {}
            if not done:
                return
            for rows in done.values():
                self._mark(rows)
            self._stopping.wait(0.02)

    def _mark(self, rows: list[_Row]) -> None:
        runtime = rows[0].runtime
        outbox = runtime.service.tables.outbox
        try:
            with runtime.database.write() as connection:
                connection.execute(
                    sa.update(outbox)
                    .where(in_values(outbox.c.id, [r.id for r in rows], connection.dialect.name))
                    .values(published_at=clock.now())
                )
            for row in rows:
                telemetry.published(runtime.name, row.type, row.events)
        except Exception as problem:
            log.warning("rows stay unpublished", service=runtime.name, error=type(problem).__name__)
        finally:
            with self._lock:
                for row in rows:
                    self._in_hand.pop(f"{runtime.name}/{row.id}", None)
                    self._events_waiting -= row.events
                if self._overflowed and self._events_waiting < _MOST_EVENTS_WAITING // 2:
                    self._overflowed = False
                    self._sweep_now.set()

    def _sweep(self) -> None:
        while not self._stopping.is_set():
            self._sweep_now.clear()
            more = False
            for runtime in self._runtimes:
                try:
                    more = self._sweep_one(runtime) or more
                except Exception as problem:
                    log.warning("sweep failed", service=runtime.name, error=type(problem).__name__)
            if not more:
                self._sweep_now.wait(self._sweep_every)

    def _sweep_one(self, runtime: Runtime) -> bool:
        """Takes what the table has and we do not; True when there is more of it, and room."""
        with self._lock:
            prefix = f"{runtime.name}/"
            mine = {key.removeprefix(prefix) for key in self._in_hand if key.startswith(prefix)}
        # Those in hand are the oldest, more or less.
        left = [i for i in _unpublished(runtime, len(mine) + _SWEEP_ROWS) if i not in mine][:_SWEEP_ROWS]
        outbox = runtime.service.tables.outbox
        with runtime.reading() as tx:
            rows = tx.execute(
                sa.select(outbox.c.id, outbox.c.type, outbox.c.events, outbox.c.body)
                .where(in_values(outbox.c.id, left, tx.dialect), outbox.c.published_at.is_(None))
                .order_by(outbox.c.id)
            ).all()
        took = [self._take(runtime, OutboxRow(r.id, r.type, r.events, r.body)) for r in rows]
        return len(left) == _SWEEP_ROWS and all(took) and bool(took)


def _unpublished(runtime: Runtime, limit: int) -> list[str]:
    outbox = runtime.service.tables.outbox
    with runtime.reading() as tx:
        found = tx.execute(
            sa.select(outbox.c.id).where(outbox.c.published_at.is_(None)).order_by(outbox.c.id).limit(limit)
        )
        return [r.id for r in found]
