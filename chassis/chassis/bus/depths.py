"""How much waits in a service's queues, asked of the broker itself: a queue that nobody empties says nothing else."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

import structlog

from chassis import telemetry
from chassis.bus import publisher
from chassis.bus.subscriptions import Subscription
from chassis.service import Runtime

log = structlog.get_logger(__name__)
_LOOK_EVERY = 2.0


class Depths:
    """Sets `dealwright_queue_messages` from a thread and a connection of its own until `stop`: the consumer's
    connection must never wait for an answer. While the broker is away the last number stands."""

    def __init__(self, runtime: Runtime, known: Sequence[Subscription]) -> None:
        self._runtime = runtime
        self._queues = [s.queue(runtime.name) for s in known]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{runtime.name} depths", daemon=True)

    def start(self) -> None:
        if self._queues:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with (
                    publisher.connection(self._runtime.settings.broker_url, 5.0) as broker,
                    broker.channel() as channel,
                ):
                    while not self._stopping.is_set():
                        for queue in self._queues:
                            counted = channel.queue_declare(queue, passive=True)
                            telemetry.QUEUE_DEPTH.labels(queue).set(counted.message_count)
                        with suppress(TimeoutError):  # reads heartbeats, and answers them
                            broker.drain_events(timeout=0.001)
                        broker.heartbeat_check()
                        self._stopping.wait(_LOOK_EVERY)
            except Exception as problem:
                log.warning("counting waits", service=self._runtime.name, error=type(problem).__name__)
                self._stopping.wait(_LOOK_EVERY)
