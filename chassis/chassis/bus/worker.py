"""The `work` role in the cluster: nameko consumes a service's quorum queues. Only here are nameko and eventlet loaded.

    python -m chassis.bus.worker leads.main

A message is acknowledged when its events are handled or stored as failures: `deliver` sees to both, so no handler's
exception ever reaches nameko (which would acknowledge and drop). While the database is away the handler waits with
the message unacknowledged; if this process dies the broker delivers it again.
"""

from __future__ import annotations

import os

# psycopg must wait in Python, cooperatively: its C wait would block every greenthread of the process.
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

import eventlet

eventlet.monkey_patch()  # before anything else is imported: locks made earlier would stay those of threads

import importlib
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from google.protobuf.message import DecodeError
from nameko.constants import AMQP_URI_CONFIG_KEY, HEARTBEAT_CONFIG_KEY, MAX_WORKERS_CONFIG_KEY
from nameko.messaging import Consumer, QueueConsumer
from nameko.runners import ServiceRunner

from chassis import clock, telemetry
from chassis.background import Background
from chassis.bus import publisher
from chassis.bus.delivery import deliver, park_undecodable
from chassis.bus.depths import Depths
from chassis.bus.subscriptions import Subscription, unpack
from chassis.database import is_unavailable
from chassis.service import Runtime, runtime
from chassis.settings import Settings
from chassis.status import StatusServer, database_answers
from dealwright.bus.v1.envelope_pb2 import Envelope

log = structlog.get_logger(__name__)
# Messages of one subscription that this process may hold. One carries up to 256 events, so more costs memory.
_PREFETCH = 64
# Small messages that wait together are handled in one transaction of about so many events.
_EVENTS = 256
# Half of what the broker hands over at once is as good as a full delivery, and so are so many bytes.
_ENOUGH, _ENOUGH_BYTES = _PREFETCH // 2, 1_000_000
_stopping = threading.Event()
_broken = threading.Event()
# Set while the broker hands messages to every subscription of this process.
_consuming = threading.Event()


class _Queues(QueueConsumer):  # type: ignore[misc]
    """nameko's consumer. It hands over messages as they are: kombu would acknowledge and forget, after a line in the
    log, what has another content type. And it is back within seconds of the broker, not half a minute."""

    prefetch_count = _PREFETCH

    def get_consumers(self, consumer_cls: Any, channel: Any) -> Any:
        for provider in self._providers:
            consumer = consumer_cls(queues=[provider.queue], on_message=provider.received)
            consumer.qos(prefetch_count=self.prefetch_count)
            provider.forget()
            self._consumers[provider] = consumer
        return self._consumers.values()

    def run(self) -> None:
        # How long a request to stop may wait for the broker to say something.
        super().run(safety_interval=0.2)

    @contextmanager
    def establish_connection(self) -> Iterator[Any]:
        with self.create_connection() as broker:
            broker.ensure_connection(self._waits, None, interval_start=0.2, interval_step=0.3, interval_max=3.0)
            publisher.declare_queues(broker, [provider.queue for provider in self._providers])
            try:
                yield broker
            finally:
                _consuming.clear()

    def on_consume_ready(self, connection: Any, channel: Any, consumers: Any, **more: Any) -> None:
        super().on_consume_ready(connection, channel, consumers, **more)
        _consuming.set()

    def _waits(self, problem: Exception, interval: float) -> None:
        log.warning("consuming waits", error=type(problem).__name__)


class Deliveries(Consumer):  # type: ignore[misc]
    """One subscription's entrypoint: a delivery at a time, of all that waits. Handlers of one subscription would only
    wait for each other's rows; other subscriptions and other processes go on meanwhile."""

    queue_consumer = _Queues()

    def __init__(self, most: int, pace: float = 0.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._most = most
        self._pace = pace
        self._not_before = 0.0
        self._comes_back = False
        # When each message came, beside it.
        self._waiting: deque[tuple[float, Any]] = deque()
        self._under_way: _Work | None = None
        self._idle = threading.Condition()

    def setup(self) -> None:
        super().setup()
        telemetry.QUEUE_HELD.labels(self.queue.name).set_function(self._held)

    def _held(self) -> float:
        """Seconds since the oldest message came that is not acknowledged yet."""
        since = self._under_way.since if self._under_way else None
        if since is None:
            since = self._waiting[0][0] if self._waiting else None
        return 0.0 if since is None else clock.monotonic() - since

    def received(self, message: Any) -> None:
        self._waiting.append((clock.monotonic(), message))
        self._next()

    def forget(self) -> None:
        """After a lost connection the broker delivers again what was not acknowledged."""
        self._waiting.clear()

    def _next(self) -> None:
        if self._under_way or not self._waiting or _stopping.is_set():
            return
        early = self._not_before - clock.monotonic()
        if early > 0 and not self._enough():
            if not self._comes_back:
                self._comes_back = True
                eventlet.spawn_after(early, self._comes)
            return
        self._not_before = clock.monotonic() + self._pace
        work = self._under_way = _Work(self._waiting, self._most)
        self.container.spawn_worker(self, (work,), {}, handle_result=partial(self._handled, work))

    def _enough(self) -> bool:
        waiting = self._waiting
        return len(waiting) >= _ENOUGH or sum(len(message.body) for _, message in waiting) >= _ENOUGH_BYTES

    def _comes(self) -> None:
        self._comes_back = False
        self._next()

    def _handled(self, work: _Work, context: Any, result: Any = None, exc_info: Any = None) -> tuple[Any, Any]:
        try:
            for message in work.done:
                self.queue_consumer.ack_message(message)
        except OSError as problem:  # nameko minds amqp's errors alone, and a broker may die between look and write
            log.warning("not acknowledged: it will come again", queue=self.queue.name, error=type(problem).__name__)
        if exc_info is not None:  # a mistake of ours in here: start anew rather than sit on the message
            _broken.set()
            _stopping.set()
        with self._idle:
            self._under_way = None
            self._idle.notify_all()
        self._next()
        return result, exc_info

    def stop(self) -> None:
        """Lets the delivery under way end while the connection is still there for its acknowledgement."""
        with self._idle:
            self._idle.wait_for(lambda: not self._under_way, 30)
        super().stop()


class _Work:
    """What one delivery takes: messages from those that wait, until it has `most` events."""

    def __init__(self, waiting: deque[tuple[float, Any]], most: int) -> None:
        self._waiting = waiting
        self._most = most
        self.since: float | None = None
        self.done: list[Any] = []

    def handle(self, runtime: Runtime, subscription: Subscription) -> None:
        taken: list[Any] = []
        envelopes: list[Envelope] = []
        while self._waiting and len(envelopes) < self._most:
            since, message = self._waiting.popleft()
            self.since = self.since or since
            taken.append(message)
            body = message.body if isinstance(message.body, bytes) else str(message.body).encode()  # "" where empty
            try:
                envelopes.extend(unpack(body))
            except DecodeError:
                if not _patiently(partial(park_undecodable, runtime, subscription, body), runtime, subscription):
                    return
        if not envelopes or _patiently(partial(deliver, runtime, subscription, envelopes), runtime, subscription):
            self.done = taken


def _patiently(action: Callable[[], None], runtime: Runtime, subscription: Subscription) -> bool:
    """Does it as soon as the database lets us. False when the process stops first: nothing is acknowledged then."""
    wait = 0.1
    while not _stopping.is_set():
        try:
            action()
            return True
        except Exception as problem:
            # What an event can do wrong is stored; this is a database that takes nothing, not even that.
            tell = log.warning if is_unavailable(problem) else log.error
            tell("delivery waits", queue=subscription.queue(runtime.name), error=type(problem).__name__)
            eventlet.sleep(wait)
            wait = min(wait * 2, 3.0)
    return False


def service_class(runtime: Runtime, known: Sequence[Subscription]) -> type:
    """A nameko service with one consuming entrypoint a subscription."""
    members: dict[str, Any] = {"name": runtime.name}
    for subscription in known:

        def handle(self: object, work: _Work, subscription: Subscription = subscription) -> None:
            work.handle(runtime, subscription)

        handle.__name__ = subscription.name
        most = max(subscription.batch, _EVENTS)
        consume: Any = Deliveries.decorator(most, subscription.pace, queue=publisher.queue(runtime.name, subscription))
        members[subscription.name] = consume(handle)
    return type(f"{runtime.name.title()}Work", (), members)


def run(mine: Runtime) -> int:
    """Runs until SIGTERM or SIGINT, then finishes what is in hand. Returns the process's exit code."""
    settings = mine.settings
    telemetry.start(mine.name, "work", settings.log_level, settings.trace_ratio)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _stopping.set())
    if mine.service.patient:
        os.nice(10)  # the others' work first, where they share a machine
    known = list(mine.service.subscribers())
    relay = publisher.Publisher(mine)
    status = StatusServer(settings.host, settings.metrics_port, lambda: _away(mine, known, relay))
    status.start()
    log.info("status", service=mine.name, port=status.port)
    if not _declared(mine, known):
        return 0
    relay.start()
    background = Background(mine, known)
    background.start()
    runner = ServiceRunner(
        config={
            AMQP_URI_CONFIG_KEY: settings.broker_url,
            HEARTBEAT_CONFIG_KEY: 20,
            MAX_WORKERS_CONFIG_KEY: len(known) + 1,  # one delivery a subscription, so that none waits for another's
        }
    )
    runner.add_service(service_class(mine, known))
    runner.start()
    eventlet.spawn(_watch, runner)
    depths = Depths(mine, known)
    depths.start()
    log.info("working", service=mine.name, queues=[s.queue(mine.name) for s in known], status=status.port)
    while not _stopping.wait(0.2):
        pass
    runner.stop()
    depths.stop()
    background.stop()
    relay.stop()
    status.stop()
    mine.database.dispose()
    return int(_broken.is_set())


def _away(mine: Runtime, known: Sequence[Subscription], relay: publisher.Publisher) -> list[str]:
    """What keeps this process from handling events: a broker that hands it none or takes none of it, its database."""
    if _stopping.is_set():
        return ["stopping"]
    missing = [] if relay.connected and (_consuming.is_set() or not known) else ["broker"]
    return missing if database_answers(mine) else [*missing, "database"]


def _declared(mine: Runtime, known: Sequence[Subscription]) -> bool:
    """Declares the queues as soon as the broker is there; False when the process stops first."""
    wait = 0.2
    while not _stopping.is_set():
        try:
            publisher.declare(mine.settings.broker_url, mine.name, known)
            return True
        except Exception as problem:
            log.warning("declaring waits", service=mine.name, error=type(problem).__name__)
            _stopping.wait(wait)
            wait = min(wait * 2, 3.0)
    return False


def _watch(runner: Any) -> None:
    """A container that ends by itself ends the process: whoever watches over that starts a new one."""
    try:
        runner.wait()
    except Exception as problem:
        log.error("consuming broke off", error=type(problem).__name__)
        _broken.set()
    _stopping.set()


if __name__ == "__main__":
    sys.exit(run(runtime(importlib.import_module(sys.argv[1]).service, Settings())))
