"""From the outbox to RabbitMQ, for both roles of a service.

The process that committed publishes at once from a relay thread: rows that wait while a confirm is under way are
joined into one message, up to 256 events of a type. A row is marked when the broker has confirmed. A sweep each
second takes what a dead process left; the inbox makes a second delivery a no-op.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import kombu
import sqlalchemy as sa
import structlog
from kombu.exceptions import OperationalError

from chassis import clock, ids, telemetry
from chassis.bus.subscriptions import Subscription
from chassis.database import in_values
from chassis.service import Runtime
from chassis.transaction import EVENTS_PER_MESSAGE, OutboxRow

log = structlog.get_logger(__name__)
EXCHANGE = "dealwright.events"
CONTENT_TYPE = "application/x-protobuf"
# What is still unpublished this long after its commit was left by a process that died.
_LEFT_BEHIND = 5.0
_MOST_ROWS_WAITING = 5_000


def exchange() -> kombu.Exchange:
    return kombu.Exchange(EXCHANGE, type="topic", durable=True)


def queue(service: str, subscription: Subscription) -> kombu.Queue:
    """The quorum queue of a subscription, bound to its event types."""
    mine = exchange()
    return kombu.Queue(
        subscription.queue(service),
        bindings=[kombu.binding(mine, routing_key=kind) for kind in subscription.types],
        durable=True,
        queue_arguments={"x-queue-type": "quorum"},
    )


def connection(url: str, timeout: float) -> kombu.Connection:
    return kombu.Connection(
        url,
        connect_timeout=timeout,
        heartbeat=20,
        transport_options={"confirm_publish": True, "read_timeout": timeout, "write_timeout": timeout},
    )


def declare(url: str, service: str, known: Sequence[Subscription]) -> None:
    """Declares a service's queues. Part of `migrate`, so that no event is published before its queue is there."""
    with connection(url, 10.0) as broker, broker.channel() as channel:
        exchange()(channel).declare()
        for subscription in known:
            queue(service, subscription)(channel).declare()


class Publisher:
    """The relay thread of one process. `announce` is what a committed transaction calls."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: list[OutboxRow] = []
        self._wakes = threading.Condition()
        self._stopping = False
        self._in_hand: set[str] = set()
        self._threads = [
            threading.Thread(target=self._relay, name=f"{runtime.name} relay", daemon=True),
            threading.Thread(target=self._sweep, name=f"{runtime.name} sweep", daemon=True),
        ]
        runtime.announce = self.announce

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Publishes what waits, then ends."""
        with self._wakes:
            self._stopping = True
            self._wakes.notify_all()
        for thread in self._threads:
            thread.join(15)

    def announce(self, rows: Sequence[OutboxRow]) -> None:
        with self._wakes:
            if len(self._waiting) > _MOST_ROWS_WAITING:
                return  # the broker is away; the sweep brings them from the table
            for row in rows:
                if row.id not in self._in_hand:
                    self._in_hand.add(row.id)
                    self._waiting.append(row)
            self._wakes.notify()

    def _take(self) -> list[OutboxRow]:
        with self._wakes:
            while not self._waiting and not self._stopping:
                self._wakes.wait(1.0)
            taken, self._waiting = self._waiting, []
            return taken

    def _relay(self) -> None:
        timeout = self._runtime.settings.publish_timeout
        wait = 0.1
        rows: list[OutboxRow] = []
        while True:
            try:
                with connection(self._runtime.settings.broker_url, timeout) as broker:
                    producer = kombu.Producer(broker.channel())
                    exchange()(producer.channel).declare()
                    wait = 0.1
                    while True:
                        rows = rows or self._take()
                        if not rows and self._stopping:
                            return
                        if rows:
                            self._publish(producer, rows)
                            self._mark(rows)
                            self._forget(rows)
                            rows = []
                        else:
                            broker.heartbeat_check()
            except Exception as problem:
                if self._stopping:
                    return  # the rows stay in the table
                expected = isinstance(problem, OperationalError | OSError)
                log.warning(
                    "publishing waits", service=self._runtime.name, error=type(problem).__name__, expected=expected
                )
                if len(rows) > _MOST_ROWS_WAITING:
                    self._forget(rows)
                    rows = []
                with self._wakes:
                    self._wakes.wait_for(lambda: self._stopping, wait)
                wait = min(wait * 2, 5.0)

    def _publish(self, producer: kombu.Producer, rows: Sequence[OutboxRow]) -> None:
        """One message for up to 256 events of a type; returns when the broker has confirmed each."""
        for kind, bodies in _messages(rows):
            producer.publish(
                b"".join(bodies),
                exchange=EXCHANGE,
                routing_key=kind,
                content_type=CONTENT_TYPE,
                content_encoding="binary",
                delivery_mode=2,
                message_id=ids.new_id(),
                retry=False,
                timeout=self._runtime.settings.publish_timeout,
                confirm_timeout=self._runtime.settings.publish_timeout,
            )
        for row in rows:
            telemetry.published(self._runtime.name, row.type, row.events)

    def _mark(self, rows: Sequence[OutboxRow]) -> None:
        outbox = self._runtime.service.tables.outbox
        with self._runtime.database.write() as database:
            database.execute(
                sa.update(outbox)
                .where(in_values(outbox.c.id, [r.id for r in rows], database.dialect.name))
                .values(published_at=clock.now())
            )

    def _forget(self, rows: Sequence[OutboxRow]) -> None:
        with self._wakes:
            self._in_hand.difference_update(r.id for r in rows)

    def _sweep(self) -> None:
        while not self._stopping:
            try:
                self._sweep_once()
            except Exception as problem:
                log.warning("sweep failed", service=self._runtime.name, error=type(problem).__name__)
            with self._wakes:
                self._wakes.wait_for(lambda: self._stopping, 1.0)

    def _sweep_once(self) -> None:
        """Rows that nobody published: claimed with SKIP LOCKED, so that two sweepers share them, published by the
        relay, marked there."""
        outbox = self._runtime.service.tables.outbox
        oldest = ids.first_id_at(clock.now().timestamp() - _LEFT_BEHIND)
        with self._runtime.database.write() as database:
            found = database.execute(
                sa.select(outbox.c.id, outbox.c.type, outbox.c.events, outbox.c.body)
                .where(outbox.c.published_at.is_(None), outbox.c.id < oldest)
                .order_by(outbox.c.id)
                .limit(500)
                .with_for_update(skip_locked=True)
            ).all()
        if found:
            self.announce([OutboxRow(r.id, r.type, r.events, r.body) for r in found])


def _messages(rows: Sequence[OutboxRow]) -> list[tuple[str, list[bytes]]]:
    """Groups rows by type into messages of at most 256 events, in the order given."""
    messages: list[tuple[str, list[bytes]]] = []
    open_ones: dict[str, tuple[int, list[bytes]]] = {}
    for row in rows:
        size, bodies = open_ones.get(row.type, (0, []))
        if not bodies or size + row.events > EVENTS_PER_MESSAGE:
            size, bodies = 0, []
            messages.append((row.type, bodies))
        bodies.append(row.body)
        open_ones[row.type] = (size + row.events, bodies)
    return messages
