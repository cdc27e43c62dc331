"""The cluster on one machine: private PostgreSQL, RabbitMQ and Valkey, and every role of every service as a process.

`make up-cluster`, the benchmark and the drill use it; in production the Helm chart does what this does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from chassis import ids
from chassis.testing.kernel import Port
from chassis.testing.parts import Parts
from chassis.testing.process import PartFailed, Process
from embedded import catalogue


class Cluster:
    """A context manager. `processes` are "directory serve", "leads work", ...; each has `pid`, `kill()`, and
    `restart(name)` starts it again on the same port. `grpc[service]` and `status[process]` are addresses,
    `databases[service]` DSNs, `url` the gateway's."""

    def __init__(
        self, folder: Path, env: Mapping[str, str] | None = None, http_port: int = 0, durable: bool = True
    ) -> None:
        self.folder = folder
        self.parts = Parts(
            folder / "parts", durable=durable, database_settings=_database_settings() if durable else None
        )
        self.token_key = ids.new_secret(48)
        self._env = dict(env or {})
        self._held: list[Port] = []
        self.grpc: dict[str, str] = {}
        self.status: dict[str, str] = {}
        self.databases: dict[str, str] = {}
        self.processes: dict[str, Process] = {}
        self.http_port = http_port or self._port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.front_door = f"127.0.0.1:{self._port()}"

    def _port(self) -> int:
        port = Port()
        self._held.append(port)
        return port.number

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.parts.__enter__()
        try:
            self._prepare()
            with ThreadPoolExecutor(4) as starting:
                list(starting.map(self._start, self.processes))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ThreadPoolExecutor(8) as stopping:
            for process in self.processes.values():
                stopping.submit(process.stop, 15)
        self.parts.__exit__(kind, error, trace)
        for port in self._held:
            port.close()

    def _prepare(self) -> None:
        for name in catalogue.NAMES:
            with suppress(Exception):
                self.parts.postgres.create_database(name)  # there already when the folder is an old one
            self.databases[name] = self.parts.postgres.dsn_of(name)
            self.grpc[name] = f"127.0.0.1:{self._port()}"
        self.grpc["gateway"] = self.front_door
        for name in catalogue.NAMES:
            for role in ("serve", "work"):
                process = f"{name} {role}"
                status_port = self._port()
                self.status[process] = f"http://127.0.0.1:{status_port}"
                ports = [status_port]
                if role == "serve":
                    ports.append(int(self.grpc[name].rsplit(":", 1)[1]))
                    if name == "gateway":
                        ports.append(self.http_port)
                log = self.folder / "log" / f"{name}-{role}"
                log.mkdir(parents=True, exist_ok=True)
                self.processes[process] = Process(
                    process, self.command(role, name), folder=log, ports=ports, env=self.environment(name, process)
                )
        # In any order: what a seed announces waits in its outbox until processes run, when all queues are there.
        self._migrate()

    def command(self, role: str, name: str) -> list[str]:
        return [sys.executable, "-m", "embedded.command", role, name]

    def environment(self, name: str, process: str = "") -> dict[str, str]:
        """The environment of one process of the service `name`."""
        peers = {f"DEALWRIGHT_PEER_{n.upper()}": address for n, address in self.grpc.items()}
        status = self.status.get(process, "http://127.0.0.1:0")
        passed = {k: v for k, v in os.environ.items() if k.startswith(("DEALWRIGHT_", "OTEL_", "HOME"))}
        return {
            "PYTHONUNBUFFERED": "1",
            **passed,
            "DEALWRIGHT_DATA": str(self.folder / "data"),
            "DEALWRIGHT_DATABASE_URL": self.databases[name],
            "DEALWRIGHT_BROKER_URL": self.parts.rabbitmq.url,
            "DEALWRIGHT_REDIS_URL": self.parts.valkey.url,
            "DEALWRIGHT_TOKEN_KEY": self.token_key,
            "DEALWRIGHT_GRPC_PORT": self.grpc[name].rsplit(":", 1)[1] if process.endswith("serve") else "0",
            "DEALWRIGHT_METRICS_PORT": status.rsplit(":", 1)[1],
            "HOST": "127.0.0.1",
            "PORT": str(self.http_port),
            "GRPC_PORT": self.front_door.rsplit(":", 1)[1],
            # The gateway's own servicer is inside its process.
            **{k: v for k, v in peers.items() if k != "DEALWRIGHT_PEER_GATEWAY"},
            **self._env,
        }

    def _migrate(self) -> None:
        """Brings every database to this release. Raises PartFailed with the last lines of one that failed."""
        said = self.folder / "log" / "migrate"
        said.mkdir(parents=True, exist_ok=True)
        environments = {name: self._full(self.environment(name)) for name in catalogue.NAMES}
        done = subprocess.run(
            [sys.executable, "-m", "embedded.migrating", str(said)],
            env=self._full({}),
            input=json.dumps(environments),
            capture_output=True,
            text=True,
            timeout=300,
        )
        for name in done.stdout.split():
            raise PartFailed(f"migrate {name} failed:\n{(said / f'{name}.log').read_text()[-3000:]}")
        if done.returncode:
            raise PartFailed(f"migrate failed:\n{done.stderr[-3000:]}")

    def _full(self, env: Mapping[str, str]) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **env}

    def _start(self, process: str) -> None:
        self.processes[process].start(lambda: _ready(self.status[process]), seconds=90)

    def kill(self, process: str) -> None:
        """SIGKILL, as a power cut would."""
        self.processes[process].kill()

    def restart(self, process: str) -> None:
        """Starts a killed process again, on its port."""
        self._start(process)


def _database_settings() -> dict[str, str]:
    """PostgreSQL's own defaults are for the smallest machine there is. Of this one's memory it gets an eighth, since
    the rest of the cluster is here, too (docs/guide/operating.md has what a machine of its own wants)."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"shared_buffers": f"{max(128, memory // 8 // 2**20)}MB", "wal_compression": "on", "max_wal_size": "4GB"}


def _ready(status: str) -> bool:
    try:
        with urllib.request.urlopen(f"{status}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
