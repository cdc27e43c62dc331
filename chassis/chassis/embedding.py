"""Runs services inside this process: real gRPC servers on loopback ports, the local bus, a loop thread each.

The embedded deployment and the tests use the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from chassis.access import Tokens
from chassis.background import Background, Errands
from chassis.bus.local import LocalBus
from chassis.database import Database
from chassis.migration import migrate
from chassis.server import Server
from chassis.service import Runtime, Service
from chassis.settings import Settings, embedded_token_key


class Embedding:
    """Services of one process. `databases` maps a service's name to its URL; SQLite under `settings.data` otherwise.

    `ports` may fix a service's gRPC port. After `start`, `runtimes` and `addresses` tell where everything is.
    """

    def __init__(
        self,
        services: Sequence[Service],
        settings: Settings,
        databases: Mapping[str, str] | None = None,
        threads: int = 32,
        loops: bool = True,
    ) -> None:
        self.settings = settings
        key = settings.token_key.get_secret_value() or embedded_token_key(settings.data)
        tokens = Tokens(key)
        Path(settings.data).mkdir(parents=True, exist_ok=True)
        self.addresses: dict[str, str] = {}
        self.runtimes: dict[str, Runtime] = {}
        for service in services:
            url = (databases or {}).get(service.name) or f"sqlite:///{settings.data / (service.name + '.db')}"
            self.runtimes[service.name] = Runtime(service, settings, Database(url), tokens, peers=self.addresses)
        self.bus = LocalBus()
        self._threads = threads
        self._loops = loops
        self._servers: dict[str, Server] = {}
        self._backgrounds: list[Background | Errands] = []

    def start(self) -> None:
        known = {name: list(r.service.subscribers()) for name, r in self.runtimes.items()}
        for name, mine in self.runtimes.items():
            self.bus.attach(mine, known[name])
        for mine in self.runtimes.values():
            migrate(mine)
        for name, mine in self.runtimes.items():
            server = self._servers[name] = Server(mine, "127.0.0.1", 0, self._threads)
            self.addresses[name] = f"127.0.0.1:{server.port}"
        for server in self._servers.values():
            server.start()
        self.bus.start()
        if self._loops:
            for name, mine in self.runtimes.items():
                beside: list[Background | Errands] = [Background(mine, known[name]), Errands(mine)]
                for background in beside:
                    background.start()
                self._backgrounds += beside

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop(self.settings.drain_seconds)
        for background in self._backgrounds:
            background.stop()
        self.bus.stop()
        for mine in self.runtimes.values():
            mine.database.dispose()
