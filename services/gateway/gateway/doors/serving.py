"""The event loop of a gateway process, in a thread of its own: HTTP (uvicorn) and the gRPC front door."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import replace

import structlog
import uvicorn

from chassis.server import Server
from chassis.service import Runtime
from gateway.doors.app import Context, create_app
from gateway.doors.front_door import FrontDoor
from gateway.servicer import settling
from gateway.settings import GatewaySettings
from gateway.usecases.usage import Usage

log = structlog.get_logger(__name__)
_INNER_THREADS = 8
_START_SECONDS = 30.0


class Gateway:
    """`start` answers when both doors are open; `stop` drains. After `start`: `port`, `grpc_port`, `url`."""

    def __init__(self, runtime: Runtime, settings: GatewaySettings) -> None:
        self._settings = settings
        self._inner: Server | None = None
        self._runtime = runtime
        if not runtime.peers.get("gateway"):
            self._inner = Server(runtime, "127.0.0.1", 0, _INNER_THREADS)
            self._runtime = replace(runtime, peers={**runtime.peers, "gateway": f"127.0.0.1:{self._inner.port}"})
        self._settling = settling(self._runtime)
        self._usage = Usage(self._runtime, settings.usage_seconds)
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._open = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None
        self.port = 0
        self.grpc_port = 0

    @property
    def url(self) -> str:
        host = self._settings.http_host
        name = f"[{host}]" if ":" in host else host
        return f"{'https' if self._settings.tls_cert else 'http'}://{name}:{self.port}"

    def start(self) -> None:
        """Raises OSError when a port is taken."""
        if self._inner is not None:
            self._inner.start()
        self._thread.start()
        self._open.wait(_START_SECONDS)
        if self._failure is not None:
            raise self._failure
        if not self.port:
            raise TimeoutError("the gateway did not start")
        self._settling.start()
        self._usage.start()
        log.info("gateway open", url=self.url, grpc_port=self.grpc_port)

    def away(self) -> list[str]:
        """Only itself: whichever service is away, the others' calls go on, and so do the pages and the feed."""
        return [] if self._thread.is_alive() else ["gateway"]

    def stop(self) -> None:
        self._settling.stop()
        if self._loop is not None and self._leave is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._leave.set)
            self._thread.join(self._settings.drain_seconds + 10)
        self._usage.stop()
        if self._inner is not None:
            self._inner.stop(self._settings.drain_seconds)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as problem:
            self._failure = problem
            if self._open.is_set():  # else `start` raises it
                log.error("gateway ended", error=repr(problem))
        finally:
            self._open.set()

    async def _main(self) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        settings = self._settings
        # Bound here and not by uvicorn, which would leave the process when the port is taken.
        listener = _listener(settings.http_host, settings.http_port)
        context = Context(self._runtime, settings, self._usage)
        door = FrontDoor(context.methods, context.calls, settings)
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(context),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies or None,
                ssl_certfile=settings.tls_cert,
                ssl_keyfile=settings.tls_key,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=max(1, int(settings.drain_seconds)),
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        context.start()
        try:
            self.grpc_port = await door.start()
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started and not serving.done():
                await asyncio.sleep(0.005)
            if serving.done():
                serving.result()
                raise OSError("the HTTP server ended at its start")
            self.port = listener.getsockname()[1]
            self._open.set()
            await self._leave.wait()
            await context.feed.stop()  # first: a feed's connection never ends by itself
            server.should_exit = True
            await asyncio.gather(serving, door.stop(settings.drain_seconds))
        finally:
            listener.close()
            await context.stop()


def _listener(host: str, port: int) -> socket.socket:
    """Names TCP as its protocol: asyncio switches Nagle's algorithm off only then, which would cost 40 ms a request."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(2048)
    except OSError as problem:
        made.close()
        raise OSError(f"port {port} of {host} cannot be had: {problem}") from problem
    return made
