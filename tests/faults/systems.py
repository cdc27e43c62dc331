"""The two forms of Dealwright as the drill sees them: something with victims that can be killed and started again."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import sqlalchemy as sa

from chassis.testing.kernel import Port
from chassis.testing.process import Process
from embedded.cluster import Cluster
from embedded.starting import first_sign_in
from tests.faults.check import engine

CHAOS = Path(__file__).with_name("chaos.py")
PASSWORD = "drill drill drill"
SERVICES = (
    "directory",
    "leads",
    "rules",
    "customers",
    "opportunities",
    "activities",
    "contracts",
    "reports",
    "gateway",
)


class System(Protocol):
    url: str
    front_door: str
    databases: dict[str, sa.Engine]
    victims: list[str]

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def kill(self, victim: str) -> None: ...

    def restart(self, victim: str) -> None: ...


class _TroubledCluster(Cluster):
    """A cluster whose processes run under the chaos."""

    def command(self, role: str, name: str) -> list[str]:
        return [sys.executable, str(CHAOS), role, name]


class ClusterSystem:
    """Every role a process of its own on PostgreSQL, RabbitMQ and Valkey; all of them are victims."""

    def __init__(self, folder: Path, seed: str, plant: str = "") -> None:
        env = {"CHAOS_SEED": seed, "PLANT": plant, "DEALWRIGHT_LOG_LEVEL": "WARNING"}
        self._cluster = _TroubledCluster(folder, env)
        self.databases: dict[str, sa.Engine] = {}
        self.victims: list[str] = []

    def __enter__(self) -> Self:
        self._cluster.__enter__()
        self.url, self.front_door = self._cluster.url, self._cluster.front_door
        self.databases = {name: engine(self._cluster.databases[name]) for name in SERVICES}
        self.victims = [*self._cluster.processes, "RabbitMQ", "PostgreSQL"]
        _first_person(self._cluster)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for on in self.databases.values():
            on.dispose()
        self._cluster.__exit__(kind, error, trace)

    def kill(self, victim: str) -> None:
        if victim == "RabbitMQ":
            self._cluster.parts.rabbitmq.kill()
        elif victim == "PostgreSQL":
            self._cluster.parts.postgres.kill()
            for on in self.databases.values():
                on.dispose()
        else:
            self._cluster.kill(victim)

    def restart(self, victim: str) -> None:
        if victim == "RabbitMQ":
            self._cluster.parts.rabbitmq.restart()
        elif victim == "PostgreSQL":
            self._cluster.parts.postgres.restart()
        else:
            self._cluster.restart(victim)


def _first_person(cluster: Cluster) -> None:
    import os

    from pydantic import SecretStr

    from chassis.service import runtime
    from chassis.settings import Settings
    from embedded.catalogue import load

    os.environ["DEALWRIGHT_ADMIN_PASSWORD"] = PASSWORD
    settings = Settings(
        data=cluster.folder, database_url=cluster.databases["directory"], token_key=SecretStr(cluster.token_key)
    )
    first_sign_in(runtime(load("directory"), settings))


class EmbeddedSystem:
    """Everything in one process over SQLite; the process is the victim."""

    def __init__(self, folder: Path, seed: str, plant: str = "") -> None:
        self._ports = [Port(), Port()]
        folder.mkdir(parents=True, exist_ok=True)
        http, front = (port.number for port in self._ports)
        self.url, self.front_door = f"http://127.0.0.1:{http}", f"127.0.0.1:{front}"
        self._process = Process(
            "dealwright",
            [sys.executable, str(CHAOS), "up"],
            folder=folder,
            ports=[http, front],
            env={
                "DATA": str(folder / "data"),
                "PORT": str(http),
                "GRPC_PORT": str(front),
                "DEALWRIGHT_ADMIN_PASSWORD": PASSWORD,
                "DEALWRIGHT_LOG_LEVEL": "WARNING",
                "CHAOS_SEED": seed,
                "PLANT": plant,
            },
        )
        self.databases: dict[str, sa.Engine] = {
            name: sa.create_engine(f"sqlite:///{folder / 'data' / name}.db", connect_args={"timeout": 30})
            for name in SERVICES
        }
        self.victims = ["dealwright"]

    def __enter__(self) -> Self:
        self.restart("dealwright")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()
        for on in self.databases.values():
            on.dispose()
        for port in self._ports:
            port.close()

    def kill(self, victim: str) -> None:
        self._process.kill()

    def restart(self, victim: str) -> None:
        self._process.start(lambda: _ready(self.url), seconds=60)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
