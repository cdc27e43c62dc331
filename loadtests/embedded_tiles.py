"""Tiles of the embedded deployment, as a user starts it, with 100 000 leads and what belongs to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import sqlalchemy as sa

from chassis.access import Tokens
from chassis.database import Database, insert_rows
from chassis.migration import migrate
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.testing.postgres import Postgres
from embedded.catalogue import load
from loadtests import asking, books, embedded_house, spread
from loadtests.figures import Figure
from reports.storage.tables import cells, copies, postings, rollups, subjects

_MUST = 150
_TIMES = 10
_PART = 5_000
_SPREAD = "reports_embedded"


def measure(server: Postgres, leads: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """The figures. What is laid over the days is worked out by a PostgreSQL and brought back while the house runs."""
    with embedded_house.embedded() as house:
        url = house.url
        books.make(url, house.people, 0)
        books.quiet(f"sqlite:///{house.data}/reports.db")
        fill(house.data / "reports.db", server, leads, say)
        say(f"embedded: {leads:,} leads")
        took = asking.timed(url, house.people.admin, asking.shipped(), _TIMES)
        worst, p99 = asking.slowest(took)
        yield Figure("reports embedded", f"embedded, the slowest of {len(took)} tiles ({asking.named(worst)}), p99",
                     "ms", [p99[worst]], must=_MUST, higher=False, details={"p99": p99},
                     how=f"`dealwright up` on SQLite, each shipped KPI by its first dimension over a year, by REST, "
                     f"{leads:,} leads and what belongs to them")  # fmt: skip
        yield from asking.of_roles(url, house.people, _TIMES, must=_MUST, key="reports embedded")


def fill(file: Path, server: Postgres, leads: int, say: Callable[[str], None]) -> None:
    """Lays what is in these reports on SQLite over the days of a year."""
    ours = Database(f"sqlite:///{file}")
    dsn = server.create_database(_SPREAD)
    reports = Runtime(load("reports"), Settings(), Database(dsn), Tokens("0" * 64))
    try:
        migrate(reports)
        with ours.read() as source, reports.database.write() as target:
            for table in (copies, rollups, cells, subjects, postings):
                target.execute(sa.delete(table))
                insert_rows(target, table, _names(table), source.execute(sa.select(table)).all())
        there = spread.there(dsn)
        spread.load(dsn, spread.kinds(there, dict.fromkeys(there, 0), leads), say)
        for table in (cells, subjects, postings):
            _bring(dsn, file, table)
    finally:
        ours.dispose()
        reports.database.dispose()
        server.drop_database(_SPREAD)


def _bring(dsn: str, file: Path, table: sa.Table) -> None:
    """All rows in place of those that are there, part by part: whoever uses it meanwhile waits for one."""
    names = [f'"{name}"' for name in _names(table)]
    read = ", ".join('"state"::text' if name == '"state"' else name for name in names)
    insert = f"insert into {table.name} ({', '.join(names)}) values ({', '.join('?' * len(names))})"
    with psycopg.connect(dsn) as source, closing(sqlite3.connect(file, timeout=60, isolation_level=None)) as target:
        target.execute("pragma synchronous = off")
        target.execute(f"delete from {table.name}")
        with source.cursor("rows") as rows:
            rows.execute(f"select {read} from {table.name}")
            while part := rows.fetchmany(_PART):
                target.execute("begin immediate")
                target.executemany(insert, part)
                target.execute("commit")


def _names(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns]
