"""Whether anything was written: as SQLite counts, as the chassis writes, and by a hash of every row."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chassis.database import Database


class Watch:
    """Looks at the databases of a folder from outside, on connections of its own."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.stem: sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
            for path in sorted(folder.glob("*.db"))
        }
        assert self._files, folder

    def close(self) -> None:
        for connection in self._files.values():
            connection.close()

    def versions(self) -> tuple[int, ...]:
        """Changes with every commit that wrote a page, whoever made it."""
        return tuple(c.execute("PRAGMA data_version").fetchone()[0] for c in self._files.values())

    def hashes(self) -> dict[str, str]:
        """Of all rows, by database and table."""
        found = {}
        for name, connection in self._files.items():
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"):
                digest = hashlib.sha256()
                for row in connection.execute(f'SELECT * FROM "{table}"'):
                    digest.update(repr(row).encode())
                found[f"{name}.{table}"] = digest.hexdigest()
        return found

    def counts(self) -> dict[str, int]:
        """Rows, by database and table."""
        return {
            f"{name}.{table}": connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
            for name, connection in self._files.items()
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


class Commits:
    """Counts the write transactions of some databases that committed, empty ones too."""

    def __init__(self, databases: Iterable[Database]) -> None:
        self.count = 0
        self._databases = set(databases)

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        real = Database.write

        @contextmanager
        def write(database: Database) -> Iterator[Any]:
            with real(database) as connection:
                yield connection
            self.count += database in self._databases

        patch.setattr(Database, "write", write)
