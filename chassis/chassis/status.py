"""The small HTTP side of every process: /metrics, /healthz, /readyz."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import sqlalchemy as sa
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis.service import Runtime


class StatusServer:
    """`away()` names, at the moment it is asked, what this process needs and has not: nothing means ready. Healthy
    means that the process answers."""

    def __init__(self, host: str, port: int, away: Callable[[], Sequence[str]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, body, kind = 404, b"not found\n", "text/plain"
                if self.path == "/metrics":
                    code, body, kind = 200, generate_latest(), CONTENT_TYPE_LATEST
                elif self.path == "/healthz":
                    code, body = 200, b"ok\n"
                elif self.path == "/readyz":
                    missing = away()
                    code = 503 if missing else 200
                    body = f"not ready: {', '.join(missing)}\n".encode() if missing else b"ready\n"
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._http = ThreadingHTTPServer((host, port), Handler)
        self._http.daemon_threads = True
        self.port = int(self._http.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self._http.serve_forever, name="status", daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def database_answers(runtime: Runtime) -> bool:
    try:
        with runtime.database.read() as connection:
            connection.execute(sa.select(1))
        return True
    except sa.exc.SQLAlchemyError:
        return False
