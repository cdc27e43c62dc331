"""`dealwright up`: everything in one process, or every role as a process on this machine."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from chassis import clock, ids, telemetry
from chassis.embedding import Embedding
from chassis.service import Runtime, runtime
from chassis.settings import Settings
from embedded.catalogue import NAMES, load
from embedded.holding import hold, let_through, make_private

_PASSWORD = "DEALWRIGHT_ADMIN_PASSWORD"


def first_sign_in(directory: Runtime) -> str | None:
    """On a system without people, adds `admin` and a sample salesperson; returns the password, None afterwards.

    Raises Invalid when DEALWRIGHT_ADMIN_PASSWORD is too short.
    """
    from directory.usecases import first_start

    with directory.reading() as tx:
        if not first_start.needed(tx):
            return None
    password = os.environ.get(_PASSWORD) or ids.new_secret(12)
    with directory.transaction() as tx:
        return password if first_start.first_start(tx, password) else None


def first_administrator() -> None:
    """In a cluster's first migration: adds `admin` with DEALWRIGHT_ADMIN_PASSWORD, or in production with a generated
    password that is printed this once."""
    settings = Settings()
    if os.environ.get(_PASSWORD) or settings.production:
        password = first_sign_in(runtime(load("directory"), settings))
        if password and not os.environ.get(_PASSWORD):
            print(f"First sign-in: admin  {password}")


class House:
    """The embedded deployment: every service and the gateway in this process, over SQLite, under one folder, which is
    this one's until `stop`."""

    def __init__(self, data: Path) -> None:
        """Raises Refused when another process runs on this folder: each would hand out the other's events."""
        from gateway.settings import GatewaySettings

        self._doors = GatewaySettings()  # before anything is made: a wrong PORT is told with nothing done
        self._held = hold(data)
        try:
            self.embedding = Embedding([load(name) for name in NAMES], Settings(data=data))
        except BaseException:
            self._held.close()
            raise
        self.password: str | None = None

    def start(self) -> None:
        """Ready when it returns. Raises OSError when a port is taken."""
        try:
            self._start()
        except BaseException:
            self._held.close()
            raise

    def _start(self) -> None:
        from directory.usecases.settings import settings
        from gateway.main import serve

        self.embedding.start()
        try:
            self.password = first_sign_in(self.embedding.runtimes["directory"])
            self.gateway = serve(self.embedding.runtimes["gateway"], self._doors)
            settings().served_on(self.gateway.port)
        except BaseException:
            self.embedding.stop()  # its threads would keep the process
            raise

    def stop(self) -> None:
        self.gateway.stop()
        self.embedding.stop()
        self._held.close()


def up_embedded() -> None:
    """Runs until SIGINT or SIGTERM, then drains."""
    started = clock.monotonic()
    settings = Settings()
    telemetry.start("embedded", "up", settings.log_level, settings.trace_ratio)
    data = Path(os.environ.get("DATA", "var"))
    house = House(data)
    make_private(data)
    house.start()
    _greet(house.gateway.url, f"127.0.0.1:{house.gateway.grpc_port}", house.password, clock.monotonic() - started)
    wait_for_signal()
    house.stop()


def up_cluster() -> None:
    """Private PostgreSQL, RabbitMQ and Valkey and every role as a process, until SIGINT or SIGTERM."""
    from embedded.cluster import Cluster
    from gateway.settings import GatewaySettings

    started = clock.monotonic()
    folder = Path(os.environ.get("DATA", "var")) / "cluster"
    held = hold(folder)
    let_through(folder, folder.parent)
    with closing(held), Cluster(folder.resolve(), http_port=GatewaySettings().http_port) as cluster:
        mine = runtime(
            load("directory"),
            Settings(data=folder, database_url=cluster.databases["directory"], token_key=SecretStr(cluster.token_key)),
        )
        password = first_sign_in(mine)
        _greet(cluster.url, cluster.front_door, password, clock.monotonic() - started)
        Console().print(f"PostgreSQL, RabbitMQ, Valkey and {len(cluster.processes)} processes; logs under {folder}/log")
        wait_for_signal()


def wait_for_signal() -> None:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    # In short waits: Windows delivers signals only between them.
    while not stopping.wait(0.5):
        pass


def _greet(url: str, front_door: str, password: str | None, seconds: float) -> None:
    console = Console(highlight=False)
    console.print(f"Dealwright is ready on [bold]{url}[/bold] (gRPC {front_door}), after {seconds:.1f} s.")
    console.print(f"  API and try-it page: {url}/docs")
    if password is None:
        console.print("  Sign in as before (admin, with the password of the first start).")
    elif os.environ.get(_PASSWORD):
        console.print(f"  First sign-in: admin, with the password from {_PASSWORD}.")
    else:
        console.print(f"  First sign-in: admin  {password}", markup=False)
        console.print("  Keep it: it is shown this once.")
