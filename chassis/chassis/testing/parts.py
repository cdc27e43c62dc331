"""The real parts of a cluster, private and side by side: PostgreSQL, RabbitMQ and Valkey.

    with Parts() as parts:
        parts.postgres.dsn, parts.rabbitmq.url, parts.valkey.url

Each part alone is a context manager too: `postgres()`, `rabbitmq()`, `valkey()`. All have `pid`, `kill()`
(SIGKILL), `restart()` (same port, same data) and `stop()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from chassis.testing.postgres import Postgres, find_postgres, postgres
from chassis.testing.process import MissingPart, PartFailed
from chassis.testing.rabbitmq import RabbitMQ, find_rabbitmq, rabbitmq
from chassis.testing.valkey import Valkey, find_valkey, valkey

__all__ = [
    "MissingPart",
    "PartFailed",
    "Parts",
    "Postgres",
    "RabbitMQ",
    "Valkey",
    "postgres",
    "prepare",
    "rabbitmq",
    "valkey",
]


def prepare() -> None:
    """Make sure that every part is here, installing what we may. Raises MissingPart, one line."""
    find_postgres()
    find_valkey()
    find_rabbitmq()


class Parts:
    """All three, started at the same time; under `folder` their data outlives us, without one it goes too."""

    postgres: Postgres
    rabbitmq: RabbitMQ
    valkey: Valkey

    def __init__(
        self,
        folder: Path | None = None,
        *,
        durable: bool = True,
        database_settings: Mapping[str, str] | None = None,
    ) -> None:
        self._folder, self._durable, self._settings = folder, durable, database_settings
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start them. Raises MissingPart or PartFailed of the first that fails, after stopping the others."""
        prepare()
        parts = (
            postgres(self._below("postgres"), durable=self._durable, settings=self._settings),
            rabbitmq(self._below("rabbitmq")),
            valkey(self._below("valkey")),
        )
        with ThreadPoolExecutor(len(parts)) as starting, self._open:
            database, broker, cache = (
                starting.submit(parts[0].__enter__),
                starting.submit(parts[1].__enter__),
                starting.submit(parts[2].__enter__),
            )
            futures: list[Future[Postgres] | Future[RabbitMQ] | Future[Valkey]] = [database, broker, cache]
            for part, future in zip(parts, futures, strict=True):
                if future.exception() is None:
                    self._open.push(part)
            self.postgres, self.rabbitmq, self.valkey = database.result(), broker.result(), cache.result()
            self._open = self._open.pop_all()
        return self

    def _below(self, name: str) -> Path | None:
        return None if self._folder is None else self._folder / name

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop them, RabbitMQ, the slowest, at the same time as the others."""
        with ThreadPoolExecutor(3) as stopping:
            for part in (self.valkey, self.rabbitmq, self.postgres):
                stopping.submit(part.stop)
        self._open.__exit__(kind, error, trace)
