"""From the outbox to RabbitMQ, for both roles of a service.

The process that committed publishes at once from a relay thread: rows that come while a confirm is under way are
joined into messages of up to 256 events of a type. A row is marked when the broker has confirmed it. Each second the
relay takes what a dead process left, under a row lock until it is marked, so that two relays share it; the inbox
makes a second delivery a no-op.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import kombu
import sqlalchemy as sa
import structlog
from google.protobuf.message import DecodeError

from chassis import clock, ids, telemetry
from chassis.bus.subscriptions import Subscription, unpack
from chassis.database import in_values, is_unavailable
from chassis.service import Runtime
from chassis.transaction import EVENTS_PER_MESSAGE, OutboxRow

log = structlog.get_logger(__name__)
EXCHANGE = "dealwright.events"
CONTENT_TYPE = "application/x-protobuf"
_HEARTBEAT = 20
_PRECONDITION_FAILED = 406
# What is still unpublished this long after its commit was left by a process that died.
_LEFT_BEHIND = 5.0
_SWEEP_EVERY = 1.0
_SWEEP_ROWS = 500
_MOST_ROWS_WAITING = 5_000


class Unconfirmed(Exception):
    """The broker refused a message, or did not say in time that it has it."""


def exchange() -> kombu.Exchange:
    return kombu.Exchange(EXCHANGE, type="topic", durable=True)


def queue(service: str, subscription: Subscription) -> kombu.Queue:
    """The quorum queue of a subscription, bound to its event types. `declare_queues` declares it, and no one else."""
    mine = exchange()
    return kombu.Queue(
        subscription.queue(service),
        bindings=[kombu.binding(mine, routing_key=kind) for kind in subscription.types],
        durable=True,
        queue_arguments={"x-queue-type": "quorum"},
        no_declare=True,
    )


def without_limit(server: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with which a broker of these properties keeps a message however often it comes back: consumers
    that die with it in hand are no reason to drop it. RabbitMQ 4 drops it after 20 times unless told -1; RabbitMQ 3
    has no limit unless told one, and takes -1 for 0 (rabbitmq.com/docs/quorum-queues#poison-message-handling)."""
    major = str(server.get("version", "")).partition(".")[0]
    return {"x-delivery-limit": -1} if major.isdigit() and int(major) >= 4 else {}


def declare_queues(broker: kombu.Connection, queues: Sequence[kombu.Queue]) -> list[str]:
    """Declares queues and binds them. Returns the names of those that are there already with other arguments: made by
    an earlier release, or before the broker became RabbitMQ 4. They are used as they are, since to delete a queue is
    to lose what is in it; an operator lifts their limit with a policy, or deletes them when they are empty."""
    differ = []
    server = broker.connection.server_properties
    with broker.channel() as channel:
        exchange()(channel).declare()
    for mine in queues:
        arguments = {**mine.queue_arguments, **without_limit(server)}
        try:
            with broker.channel() as channel:
                channel.queue_declare(mine.name, durable=True, auto_delete=False, arguments=arguments)
        except broker.channel_errors as problem:
            if getattr(problem, "reply_code", 0) != _PRECONDITION_FAILED:
                raise
            log.warning("queue has other arguments", queue=mine.name, wanted=arguments)
            differ.append(mine.name)
        with broker.channel() as channel:
            for binding in mine.bindings:
                channel.queue_bind(mine.name, binding.exchange.name, binding.routing_key)
    return differ


def connection(url: str, timeout: float) -> kombu.Connection:
    return kombu.Connection(
        url,
        connect_timeout=timeout,
        heartbeat=_HEARTBEAT,
        transport_options={"read_timeout": timeout, "write_timeout": timeout},
    )


def declare(url: str, service: str, known: Sequence[Subscription]) -> None:
    """Declares a service's queues. Part of `migrate`, so that no event is published before its queue is there."""
    with connection(url, 10.0) as broker:
        declare_queues(broker, [queue(service, subscription) for subscription in known])


def examine(url: str, service: str, known: Sequence[Subscription]) -> dict[str, str]:
    """What is wrong with each of a service's queues, by its name: "missing", or "other arguments". Makes none."""
    wrong = {}
    with connection(url, 10.0) as broker:
        for mine in (queue(service, subscription) for subscription in known):
            try:
                with broker.channel() as channel:
                    channel.queue_declare(mine.name, passive=True)
            except broker.channel_errors:
                wrong[mine.name] = "missing"
                continue
            if declare_queues(broker, [mine]):
                wrong[mine.name] = "other arguments"
    return wrong


class Confirmed:
    """A channel whose messages are all sent first and then waited for: confirms overlap."""

    def __init__(self, broker: kombu.Connection, timeout: float) -> None:
        self._broker = broker
        self._timeout = timeout
        self._channel: Any = broker.channel()
        exchange()(self._channel).declare()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._confirmed)
        self._channel.events["basic_nack"].add(self._refused)
        self._sent = 0
        self._open: set[int] = set()

    def send(self, kind: str, body: bytes, content_type: str = CONTENT_TYPE) -> None:
        message = self._channel.prepare_message(
            body,
            content_type=content_type,
            content_encoding="binary",
            properties={"delivery_mode": 2, "message_id": ids.new_id()},
        )
        self._sent += 1
        self._open.add(self._sent)
        self._channel.basic_publish(message, exchange=EXCHANGE, routing_key=kind, timeout=self._timeout)

    def wait(self) -> None:
        """Returns when the broker has all that was sent. Raises Unconfirmed."""
        until = clock.monotonic() + self._timeout
        while self._open:
            left = until - clock.monotonic()
            if left <= 0:
                raise Unconfirmed
            try:
                self._broker.drain_events(timeout=left)
            except TimeoutError as problem:
                raise Unconfirmed from problem

    def rest(self) -> None:
        """Reads what the broker sent of itself, heartbeats above all, and answers."""
        with suppress(TimeoutError):
            self._broker.drain_events(timeout=0.001)
        self._broker.heartbeat_check()

    def _confirmed(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._open = {t for t in self._open if t > tag}
        else:
            self._open.discard(tag)

    def _refused(self, tag: int, multiple: bool) -> None:
        raise Unconfirmed


class Publisher:
    """The relay thread of one process. `announce` is what a committed transaction calls."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: list[OutboxRow] = []
        self._wakes = threading.Condition()
        self._stopping = False
        # While the broker is away nothing is kept in memory: the rows are in the table.
        self._away = True
        self._thread = threading.Thread(target=self._relay, name=f"{runtime.name} relay", daemon=True)
        runtime.announce = self.announce

    @property
    def connected(self) -> bool:
        """Whether the broker took or answered what it was sent last."""
        return not self._away

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Publishes what waits, then ends."""
        with self._wakes:
            self._stopping = True
            self._wakes.notify_all()
        self._thread.join(15)

    def announce(self, rows: Sequence[OutboxRow]) -> None:
        with self._wakes:
            if not self._away and len(self._waiting) < _MOST_ROWS_WAITING:
                self._waiting.extend(rows)
                self._wakes.notify()

    def _relay(self) -> None:
        wait = 0.1
        timeout = self._runtime.settings.publish_timeout
        while not self._stopping:
            started = clock.monotonic()
            try:
                with connection(self._runtime.settings.broker_url, timeout) as broker:
                    self._publish_all(Confirmed(broker, timeout))
            except Exception as problem:
                with self._wakes:
                    self._away, self._waiting = True, []
                log.warning("publishing waits", service=self._runtime.name, error=type(problem).__name__)
                wait = 0.1 if clock.monotonic() - started > 10 else min(wait * 2, 3.0)
                with self._wakes:
                    self._wakes.wait_for(lambda: self._stopping, wait)

    def _publish_all(self, channel: Confirmed) -> None:
        """Until the process stops or the broker is lost."""
        with self._wakes:
            self._away = False
        # Whatever was committed while nobody listened, by us or by others, is in the table.
        left_behind = 0.0
        next_sweep = 0.0
        while True:
            rows = self._take(max(0.0, next_sweep - clock.monotonic()))
            if rows:
                self._publish(channel, rows)
                self._mark(rows)
            elif self._stopping:
                return
            if clock.monotonic() >= next_sweep and not self._stopping:
                if not self._sweep(channel, left_behind):
                    next_sweep, left_behind = clock.monotonic() + _SWEEP_EVERY, _LEFT_BEHIND
                channel.rest()

    def _take(self, seconds: float) -> list[OutboxRow]:
        with self._wakes:
            if not self._waiting and not self._stopping and seconds:
                self._wakes.wait(seconds)
            taken, self._waiting = self._waiting, []
            return taken

    def _publish(self, channel: Confirmed, rows: Sequence[OutboxRow]) -> None:
        """Returns when the broker has confirmed every row."""
        for kind, bodies in _messages(rows):
            channel.send(kind, b"".join(bodies))
        channel.wait()
        for row in rows:
            telemetry.published(self._runtime.name, row.type, row.events)

    def _mark(self, rows: Sequence[OutboxRow]) -> None:
        """Marks what is confirmed, however long the database stays away: to publish it again helps nobody."""
        wait = 0.1
        while True:
            try:
                with self._runtime.database.write() as database:
                    self._mark_in(database, [r.id for r in rows])
                return
            except Exception as problem:
                if not is_unavailable(problem):
                    raise
                log.warning("marking waits", service=self._runtime.name, error=type(problem).__name__)
                with self._wakes:
                    if self._wakes.wait_for(lambda: self._stopping, wait):
                        return
                wait = min(wait * 2, 3.0)

    def _mark_in(self, database: sa.Connection, row_ids: Sequence[str]) -> None:
        outbox = self._runtime.service.tables.outbox
        database.execute(
            sa.update(outbox)
            .where(in_values(outbox.c.id, row_ids, database.dialect.name))
            .values(published_at=clock.now())
        )

    def _sweep(self, channel: Confirmed, older: float) -> bool:
        """Publishes rows that nobody did, `older` than so many seconds; True when there may be more."""
        outbox = self._runtime.service.tables.outbox
        found: Sequence[Any] = ()
        oldest = ids.first_id_at(clock.now().timestamp() - older)
        try:
            with self._runtime.database.write() as database:
                found = database.execute(
                    sa.select(outbox.c.id, outbox.c.type, outbox.c.events, outbox.c.body)
                    .where(outbox.c.published_at.is_(None), outbox.c.id < oldest)
                    .order_by(outbox.c.id)
                    .limit(_SWEEP_ROWS)
                    .with_for_update(skip_locked=True)
                ).all()
                if found:
                    self._publish(channel, [OutboxRow(r.id, r.type, _events(r), r.body) for r in found])
                    self._mark_in(database, [r.id for r in found])
        except sa.exc.SQLAlchemyError as problem:
            log.warning("sweep waits", service=self._runtime.name, error=type(problem).__name__)
            return False
        return len(found) == _SWEEP_ROWS


def _events(row: Any) -> int:
    """How many events a row counts for. One that is damaged fills a message alone, and spoils no other."""
    try:
        unpack(row.body)
    except DecodeError:
        return EVENTS_PER_MESSAGE
    return int(row.events)


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
