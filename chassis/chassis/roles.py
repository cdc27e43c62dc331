"""The roles of a process: `serve` answers calls, `work` handles events, `migrate` prepares the schema."""

from __future__ import annotations

import os
import signal
import sys
import threading

import sqlalchemy as sa
import structlog

from chassis import telemetry
from chassis.service import Runtime, Service, runtime
from chassis.settings import Settings
from chassis.status import StatusServer

log = structlog.get_logger(__name__)
_LOOK_EVERY = 2.0


def serve(service: Service) -> None:
    """Answers gRPC until SIGTERM or SIGINT, then drains."""
    from chassis.bus.publisher import Publisher
    from chassis.server import Server

    settings = Settings()
    telemetry.start(service.name, "serve", settings.log_level, settings.trace_ratio)
    mine = runtime(service, settings)
    relay = Publisher(mine)
    relay.start()
    server = Server(mine, settings.host, settings.grpc_port, settings.grpc_threads)
    stopping = threading.Event()
    status = StatusServer(
        settings.host, settings.metrics_port, ready=lambda: not stopping.is_set() and database_answers(mine)
    )
    status.start()
    server.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    log.info("serving", service=service.name, port=server.port, status=status.port)
    # Readiness tells the truth: without its database this pod gets no calls, and is not restarted for it either.
    while not stopping.wait(_LOOK_EVERY):
        server.set_serving(database_answers(mine))
    server.stop(settings.drain_seconds)
    relay.stop()
    status.stop()
    mine.database.dispose()


def work(service: Service) -> None:
    """Handles events until SIGTERM or SIGINT. Loads nameko; never gRPC.

    eventlet must patch a process before anything else is imported, so this one starts anew, under the same id.
    """
    found = [
        name
        for name, loaded in list(sys.modules.items())
        if name != "__main__" and getattr(loaded, "__dict__", {}).get("service") is service
    ]
    module = next((name for name in found if name.endswith(".main")), found[0])
    os.execv(sys.executable, [sys.executable, "-m", "chassis.bus.worker", module])


def migrate(service: Service) -> None:
    """Brings the schema up and declares the queues."""
    from chassis.bus.publisher import declare
    from chassis.migration import migrate as bring_up

    settings = Settings()
    mine = runtime(service, settings)
    bring_up(mine)
    if settings.broker_url:
        declare(settings.broker_url, service.name, list(service.subscribers()))
    mine.database.dispose()


def database_answers(mine: Runtime) -> bool:
    try:
        with mine.database.read() as connection:
            connection.execute(sa.select(1))
        return True
    except sa.exc.SQLAlchemyError:
        return False
