"""Whether anything was written: as the database tells, as the chassis writes, and by a hash of every row."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import tuple_row

from chassis.database import Database


class Watch:
    """Looks at databases from outside, on connections of its own: SQLite files of a folder, or PostgreSQL's by DSN."""

    def __init__(self, folder: Path, databases: Mapping[str, str] | None = None) -> None:
        self._servers = {
            name: psycopg.connect(dsn, autocommit=True, row_factory=tuple_row)
            for name, dsn in sorted((databases or {}).items())
        }
        self._files = {
            path.stem: sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
            for path in sorted(folder.glob("*.db"))
            if not databases
        }
        assert self._files or self._servers, folder

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        for server in self._servers.values():
            server.close()

    def versions(self) -> tuple[int, ...]:
        """Changes with every commit that wrote a page, whoever made it. SQLite alone has such a number: PostgreSQL's
        transaction ids move with its own housekeeping too."""
        return tuple(c.execute("PRAGMA data_version").fetchone()[0] for c in self._files.values())

    def hashes(self) -> dict[str, str]:
        """Of all rows, by database and table."""
        found = {}
        for name, rows in self._tables("SELECT * FROM {} t", "SELECT t::text FROM {} t ORDER BY 1"):
            digest = hashlib.sha256()
            for row in rows:
                digest.update(repr(row).encode())
            found[name] = digest.hexdigest()
        return found

    def counts(self) -> dict[str, int]:
        """Rows, by database and table."""
        count = "SELECT count(*) FROM {} t"
        return {name: next(iter(rows))[0] for name, rows in self._tables(count, count)}

    def _tables(self, of_file: str, of_server: str) -> Iterator[tuple[str, Iterable[tuple[Any, ...]]]]:
        for name, connection in self._files.items():
            listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            for (table,) in listed.fetchall():
                yield f"{name}.{table}", connection.execute(of_file.format(f'"{table}"'))
        for name, server in self._servers.items():
            # Parts of a partitioned table are read through it.
            listed_here = server.execute(
                "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"
            )
            for (table,) in listed_here.fetchall():
                statement = sql.SQL(of_server).format(sql.Identifier(table))
                yield f"{name}.{table}", server.execute(statement)


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
