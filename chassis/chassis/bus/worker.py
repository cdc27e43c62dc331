"""The `work` role in the cluster: nameko consumes a service's quorum queues. Only here are nameko and eventlet loaded.

A message is acknowledged when its events are handled or stored as failures: `deliver` sees to both, so no handler's
exception ever reaches nameko (which would acknowledge and drop). While the database is away the handler waits with
the message unacknowledged; if this process dies the broker delivers it again.
"""

from __future__ import annotations

import os

# psycopg must wait in Python, cooperatively: its C wait would block every greenthread of the process.
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")

import eventlet

eventlet.monkey_patch()

import signal
import threading
from collections.abc import Sequence
from typing import Any

import structlog
from google.protobuf.message import DecodeError
from kombu import serialization
from nameko.constants import ACCEPT_CONFIG_KEY, AMQP_URI_CONFIG_KEY, MAX_WORKERS_CONFIG_KEY
from nameko.messaging import Consumer
from nameko.runners import ServiceRunner

from chassis import telemetry
from chassis.background import Background
from chassis.bus import publisher
from chassis.bus.subscriptions import Subscription, deliver, park_undecodable
from chassis.service import Runtime
from chassis.status import StatusServer
from dealwright.bus.v1.envelope_pb2 import EventBatch

log = structlog.get_logger(__name__)
# A handler is CPU-bound between its statements: a few at a time keep the database busy without a crowd.
_HANDLERS = 4


def _entrypoint(runtime: Runtime, subscription: Subscription) -> Any:
    def handle(self: object, body: bytes) -> None:
        try:
            envelopes = list(EventBatch.FromString(body).events)
        except DecodeError:
            park_undecodable(runtime, subscription, body)
            return
        wait = 0.2
        while True:
            try:
                deliver(runtime, subscription, envelopes)
                return
            except Exception as problem:
                log.warning("delivery waits", queue=subscription.queue(runtime.name), error=type(problem).__name__)
                eventlet.sleep(wait)
                wait = min(wait * 2, 5.0)

    handle.__name__ = subscription.name
    consumer: Any = Consumer.decorator(queue=publisher.queue(runtime.name, subscription))
    return consumer(handle)


def service_class(runtime: Runtime, known: Sequence[Subscription]) -> type:
    """A nameko service with one consuming entrypoint a subscription."""
    members: dict[str, Any] = {"name": runtime.name}
    for subscription in known:
        members[subscription.name] = _entrypoint(runtime, subscription)
    return type(f"{runtime.name.title()}Work", (), members)


def run(runtime: Runtime) -> None:
    """Runs until SIGTERM or SIGINT; then finishes what is in hand."""
    settings = runtime.settings
    telemetry.start(runtime.name, "work", settings.log_level, settings.trace_ratio)
    serialization.register("protobuf", lambda x: x, lambda x: bytes(x), publisher.CONTENT_TYPE, "binary")
    known = list(runtime.service.subscribers())
    publisher.declare(settings.broker_url, runtime.name, known)
    relay = publisher.Publisher(runtime)
    relay.start()
    background = Background(runtime, known)
    background.start()
    runner = ServiceRunner(
        config={
            AMQP_URI_CONFIG_KEY: settings.broker_url,
            ACCEPT_CONFIG_KEY: ["protobuf"],
            MAX_WORKERS_CONFIG_KEY: _HANDLERS,
        }
    )
    runner.add_service(service_class(runtime, known))
    runner.start()
    stopping = threading.Event()
    status = StatusServer(settings.host, settings.metrics_port, ready=lambda: not stopping.is_set())
    status.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    log.info("working", service=runtime.name, queues=[s.queue(runtime.name) for s in known], status=status.port)
    while not stopping.wait(0.5):
        pass
    runner.stop()
    background.stop()
    relay.stop()
    status.stop()
    runtime.database.dispose()
