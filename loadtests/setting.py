"""The cluster that is measured: started, populated, its processes and databases at hand."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from chassis.service import runtime
from chassis.settings import Settings
from embedded.catalogue import load
from embedded.cluster import Cluster
from embedded.starting import first_sign_in
from loadtests import population, profiling
from loadtests.population import Population
from loadtests.watching import Watcher


class _Measured(Cluster):
    """Starts PostgreSQL with its statistics before the services connect."""

    statistics = False

    def _prepare(self) -> None:
        if self.statistics:
            profiling.preload_statistics(self.parts.postgres)
        super()._prepare()


@dataclass
class House:
    """A populated cluster. `token` is the internal token of the back office, `population.office` its session's."""

    cluster: Cluster
    population: Population
    token: str
    watcher: Watcher
    started_in: float
    populated_in: float
    next_number: int = 0

    @property
    def leads(self) -> str:
        return self.cluster.grpc["leads"]

    @property
    def pids(self) -> Mapping[str, int]:
        parts = self.cluster.parts
        services = {name: process.pid for name, process in self.cluster.processes.items()}
        return {**services, "PostgreSQL": parts.postgres.pid, "RabbitMQ": parts.rabbitmq.pid}

    def numbers(self, count: int) -> int:
        """The first of `count` contacts that nobody has sent yet."""
        first = self.next_number
        self.next_number += count
        return first


@contextmanager
def house(statistics: bool = False, env: Mapping[str, str] | None = None) -> Iterator[House]:
    """Starts everything under a temporary folder, durably; stops and removes it at the end."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dealwright-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL and RabbitMQ run as another user where we are root
        # Another checkout than the one that is installed can be measured: PYTHONPATH goes to every process.
        path = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
        # All of them sign in from one address.
        free = {"DEALWRIGHT_SIGN_IN_RATE": "0"}
        cluster = _Measured(folder, {**free, **path, **(env or {})}, durable=True)
        cluster.statistics = statistics
        with cluster:
            started = time.monotonic()
            os.environ["DEALWRIGHT_ADMIN_PASSWORD"] = population.PASSWORD
            directory = runtime(
                load("directory"),
                Settings(
                    data=folder, database_url=cluster.databases["directory"], token_key=SecretStr(cluster.token_key)
                ),
            )
            first_sign_in(directory)
            directory.database.dispose()
            since = time.time()
            people = population.settle_in(cluster.url, population.PASSWORD)
            watcher = Watcher(cluster.databases)
            watcher.settled(since)
            token = population.internal_token(cluster.grpc["directory"], cluster.token_key, people.office)
            yield House(
                cluster, people, token, watcher, round(started - began, 1), round(time.monotonic() - started, 1)
            )
