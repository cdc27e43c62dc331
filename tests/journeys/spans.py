"""A house in a process of its own that sends its traces here: what called what, as spans tell it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from chassis.testing.kernel import Port

PASSWORD = "traces-administrator"
_KINDS = {1: "", 2: "gRPC", 5: "bus"}


@dataclass(frozen=True)
class Span:
    """`name` is "leads/CaptureLead" for a call, "rules.assign" for a delivery, "rules timers" for a loop; times are
    seconds since 1970."""

    trace: str
    id: str
    parents: tuple[str, ...]
    name: str
    kind: str
    start: float
    end: float

    @property
    def service(self) -> str:
        return self.name.replace("/", " ").replace(".", " ").split(" ")[0]


class Collector:
    """An OTLP/HTTP receiver on a loopback port."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    parents = [span.parent_span_id, *(link.span_id for link in span.links)]
                    self.spans.append(
                        Span(
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            tuple(parent.hex() for parent in parents if parent),
                            span.name,
                            _KINDS.get(span.kind, str(span.kind)),
                            span.start_time_unix_nano / 1e9,
                            span.end_time_unix_nano / 1e9,
                        )
                    )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def traced_house(folder: Path, collector: Collector, post: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """`dealwright up` with every trace taken: its address, and what moves its clock on by three hours. Its data are
    below `folder`, its mail goes to the server `post`. When it has ended, the collector has all spans."""
    web, door = Port(), Port()
    environment = {
        **os.environ,
        "DATA": str(folder / "data"),
        "PORT": str(web.number),
        "GRPC_PORT": str(door.number),
        "DEALWRIGHT_ADMIN_PASSWORD": PASSWORD,
        "DEALWRIGHT_TRACE_RATIO": "1",
        "DEALWRIGHT_SIGN_IN_RATE": "0",
        "DEALWRIGHT_LOG_LEVEL": "WARNING",
        "DEALWRIGHT_SMTP_URL": post,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
    }
    url = f"http://127.0.0.1:{web.number}"
    with (folder / "log").open("w") as log:
        house = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.spans"], env=environment, stdout=log, stderr=log
        )
    try:
        _await(url, house)
        yield url, lambda: house.send_signal(signal.SIGUSR1)
    finally:
        house.terminate()
        house.wait(30)
        web.close()
        door.close()


def _await(url: str, house: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while True:
        assert house.poll() is None, "the house did not start"
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1):
                return
        except OSError:
            assert time.monotonic() < end, "the house did not get ready"
            time.sleep(0.1)


def edges(spans: list[Span]) -> set[tuple[str, str, str]]:
    """(from, to, how) between services: "gRPC", or the queue that took the event."""
    by_id = {span.id: span for span in spans}
    found = set()
    for span in spans:
        for parent in (by_id[i] for i in span.parents if i in by_id):
            if parent.service != span.service or span.kind == "bus":
                found.add((parent.service, span.service, span.name if span.kind == "bus" else span.kind))
    return found


def _main() -> None:
    from chassis import clock
    from chassis.bus import local
    from embedded.starting import up_embedded

    local._PATIENCE = 0.0  # what waits for others is handled together with what comes meanwhile, in one span

    ahead = [timedelta()]
    real = clock.now

    def later(number: int, frame: object) -> None:
        ahead[0] += timedelta(hours=3)

    signal.signal(signal.SIGUSR1, later)
    clock.now = lambda: real() + ahead[0]
    up_embedded()


if __name__ == "__main__":
    _main()
