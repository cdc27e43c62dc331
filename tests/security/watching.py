"""Whether anything was written: as the database tells, as the chassis writes, and by a hash of every row."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
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
        # By what was asked for and file (none: the server): its version then, and what its tables came to.
        self._seen: dict[tuple[str, str], tuple[int | str, dict[str, Any]]] = {}

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        for server in self._servers.values():
            server.close()

    def versions(self) -> tuple[int, ...]:
        """Changes with every commit that wrote a page, whoever made it. SQLite alone has such a number: PostgreSQL's
        transaction ids move with its own housekeeping too."""
        return tuple(map(_version, self._files.values()))

    def hashes(self) -> dict[str, Any]:
        """Of all rows, by database and table."""
        return self._tables("SELECT * FROM {}", _digest, "concat(count(*), ' ', sum(hashtextextended(t::text, 0)))")

    def counts(self) -> dict[str, Any]:
        """Rows, by database and table."""
        return self._tables("SELECT count(*) FROM {}", lambda rows: next(iter(rows))[0], "count(*)")

    def _tables(self, query: str, of_file: Callable[[Iterable[Any]], Any], of_server: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, connection in self._files.items():
            version, (known, values) = _version(connection), self._seen.get((query, name), (None, {}))
            if version != known:  # what nobody wrote to since is as it was
                listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                values = {f"{name}.{t}": of_file(connection.execute(query.format(f'"{t}"'))) for (t,) in listed}
                self._seen[query, name] = version, values
            found.update(values)
        if self._servers:
            position, (known, values) = self._position(), self._seen.get((query, ""), (None, {}))
            if position != known:
                values = {}
                for name, server in self._servers.items():
                    values |= self._of_server(name, server, of_server)
                self._seen[query, ""] = position, values
            found.update(values)
        return found

    def _of_server(self, name: str, server: psycopg.Connection[tuple[Any, ...]], of_server: str) -> dict[str, Any]:
        # Parts of a partitioned table are read through it.
        listed = server.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"
        ).fetchall()
        each = sql.SQL("SELECT {}, " + of_server + " FROM {} t")
        asked = [each.format(sql.Literal(table), sql.Identifier(table)) for (table,) in listed]
        rows = server.execute(sql.SQL(" UNION ALL ").join(asked), prepare=True)
        return {f"{name}.{table}": value for table, value in rows}

    def _position(self) -> str:
        """How far the server's log of changes has come: where it stands still, no row of any database changed."""
        row = next(iter(self._servers.values())).execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        assert row is not None
        return str(row[0])


def _version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA data_version").fetchone()[0])


def _digest(rows: Iterable[tuple[Any, ...]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()


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
