"""Databases of a service as its migrations leave them, each the copy of one: a suite waits for a migration once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis.migration import migrate
from chassis.service import Runtime
from chassis.testing.postgres import Postgres


class Migrated:
    """`open_runtime(url, folder)` opens the service on a database; `prepare` does what each of them begins with."""

    def __init__(
        self, open_runtime: Callable[[str, Path], Runtime], prepare: Callable[[Runtime], None] = migrate
    ) -> None:
        self._open, self._prepare = open_runtime, prepare
        self._file, self._template = b"", ""
        self._numbers = itertools.count(1)

    def sqlite(self, folder: Path) -> str:
        """The URL of one in the folder."""
        path = folder / "migrated.db"
        url = f"sqlite:///{path}"
        if self._file:
            path.write_bytes(self._file)
        else:
            self._make(url, folder)
            self._file = path.read_bytes()
        return url

    @contextmanager
    def postgres(self, server: Postgres, folder: Path) -> Iterator[str]:
        """The URL of one on the server, which is dropped afterwards."""
        if not self._template:
            self._make(server.create_database("migrated"), folder)
            self._template = "migrated"
        name = f"migrated_{next(self._numbers)}"
        yield server.create_database(name, self._template)
        server.drop_database(name)

    def _make(self, url: str, folder: Path) -> None:
        runtime = self._open(url, folder)
        self._prepare(runtime)
        runtime.database.dispose()  # which puts all of an SQLite database into its one file
