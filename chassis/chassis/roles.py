"""The roles of a process: `serve` answers calls, `migrate` prepares the schema. `work`, which handles events, is
chassis.bus.worker."""

from __future__ import annotations

import signal
import threading

import structlog

from chassis import telemetry
from chassis.service import Door, Runtime, Service, runtime
from chassis.settings import Settings
from chassis.status import StatusServer, database_answers

log = structlog.get_logger(__name__)
_LOOK_EVERY = 2.0


def serve(service: Service) -> None:
    """Answers gRPC until SIGTERM or SIGINT, then drains."""
    from chassis.background import Errands
    from chassis.bus.publisher import Publisher

    settings = Settings()
    telemetry.start(service.name, "serve", settings.log_level, settings.trace_ratio)
    mine = runtime(service, settings)
    relay = Publisher(mine)
    relay.start()
    door: Door = (service.door or _GrpcDoor)(mine)
    stopping = threading.Event()
    status = StatusServer(
        settings.host, settings.metrics_port, lambda: ["stopping"] if stopping.is_set() else door.away()
    )
    status.start()
    door.start()
    errands = Errands(mine)
    errands.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    log.info("serving", service=service.name, port=door.port, status=status.port)
    while not stopping.wait(_LOOK_EVERY):
        door.away()
    door.stop()
    errands.stop()
    relay.stop()
    status.stop()
    mine.database.dispose()


class _GrpcDoor:
    """The service's own gRPC server. Readiness tells the truth: without its database this pod gets no calls, and is not
    restarted for it either. The broker it can do without: what it has to announce waits in the outbox."""

    def __init__(self, runtime: Runtime) -> None:
        from chassis.server import Server

        settings = runtime.settings
        self._runtime = runtime
        self._server = Server(runtime, settings.host, settings.grpc_port, settings.grpc_threads)
        self.port = self._server.port

    def start(self) -> None:
        self._server.start()

    def away(self) -> list[str]:
        missing = [] if database_answers(self._runtime) else ["database"]
        self._server.set_serving(not missing)
        return missing

    def stop(self) -> None:
        self._server.stop(self._runtime.settings.drain_seconds)


def migrate(service: Service) -> None:
    """Brings the schema up and declares the queues."""
    from chassis.bus.publisher import declare
    from chassis.migration import migrate as bring_up

    settings = Settings()
    telemetry.start(service.name, "migrate", settings.log_level, settings.trace_ratio)
    mine = runtime(service, settings)
    bring_up(mine)
    known = list(service.subscribers())
    if settings.broker_url:
        declare(settings.broker_url, service.name, known)
    log.info("migrated", service=service.name, queues=[s.queue(service.name) for s in known])
    mine.database.dispose()
