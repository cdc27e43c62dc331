"""Many records like some that the API made: every row that tells of them, in every service's tables, once more under
other names. So what is loaded is what the services write, whatever their tables are; nothing here knows a column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# The bus's and the audit's: what went out and who did what is not what people look at.
_CHASSIS = ("outbox", "inbox", "failures", "replies", "audit_log", "audit_pending", "audit_blocks", "kept_events")


@dataclass(frozen=True)
class Original:
    """One set of records. `ids`: what stands in their names after the "/". `others`: texts that must differ in each
    copy (a phone, a number), each with the SQL that makes copy `n`'s of it."""

    ids: Sequence[str]
    others: Mapping[str, str]


class Copies:
    """Copies sets of records in the databases of several services (name to DSN, as a superuser)."""

    def __init__(self, databases: Mapping[str, str]) -> None:
        self._open = {name: psycopg.connect(dsn, autocommit=True) for name, dsn in databases.items()}
        self._tables = {name: _tables(on) for name, on in self._open.items()}

    def close(self) -> None:
        for on in self._open.values():
            on.close()

    def make(self, originals: Sequence[Original], first: int, count: int) -> int:
        """Copies `first` to `first + count - 1` of each; the rows written. Days before today are given to the copies in
        turn, so that not everything was made today."""
        found = [self._tokens(original) for original in originals]
        shared = {token for token, sets in Counter(t for tokens in found for t in tokens).items() if sets > 1}
        written = 0
        for original, tokens in zip(originals, found, strict=True):
            mine = sorted((tokens - shared) | set(original.ids))
            for name, on in self._open.items():
                on.execute("set session_replication_role = replica")  # rows come in the order of tables, not of keys
                for table in self._tables[name]:
                    written += _copy(on, table, original, mine, first, count)
        return written

    def settle(self) -> None:
        for on in self._open.values():
            on.execute("vacuum (analyze)")

    def _tokens(self, original: Original) -> set[str]:
        """Every id in the rows that tell of them."""
        found: set[str] = set()
        for name, on in self._open.items():
            for table in self._tables[name]:
                query = sql.SQL("select to_jsonb(t)::text from {} t where to_jsonb(t)::text ~ %s").format(table)
                for (row,) in on.execute(query, ("|".join(original.ids),)):
                    found.update(_ID.findall(row))
        return found


def _tables(on: psycopg.Connection[tuple[str]]) -> list[sql.Identifier]:
    query = "select tablename from pg_tables where schemaname = 'public' and tablename <> all (%s) order by 1"
    unwanted = [*_CHASSIS, "alembic_version", "people", "settings"]
    return [sql.Identifier(name) for (name,) in on.execute(query, (unwanted,))]


def _copy(
    on: psycopg.Connection[tuple[str]],
    table: sql.Identifier,
    original: Original,
    tokens: Sequence[str],
    first: int,
    count: int,
) -> int:
    told: sql.Composable = sql.SQL("o.row")
    for token in tokens:
        other = sql.SQL("md5({} || n)").format(token)
        if "-" in token:
            other = sql.SQL("md5({} || n)::uuid::text").format(token)
        told = sql.SQL("replace({}, {}, {})").format(told, token, other)
    for text, made in original.others.items():
        told = sql.SQL("replace({}, {}, {})").format(told, text, sql.SQL(made))
    day = 'to_char(now() at time zone \'UTC\', \'"\\""YYYY-MM-DD"T"\')'
    earlier = "to_char((now() at time zone 'UTC') - (n % 365) * interval '1 day', '\"\\\"\"YYYY-MM-DD\"T\"')"
    told = sql.SQL("replace({}, {}, {})").format(told, sql.SQL(day), sql.SQL(earlier))
    statement = sql.SQL(
        "insert into {table} select r.* from"
        " (select to_jsonb(t)::text as row from {table} t where to_jsonb(t)::text ~ {ids}) o"
        " cross join generate_series({first}::int, {last}::int) n"
        " cross join lateral jsonb_populate_record(null::{table}, ({told})::jsonb) r"
    ).format(
        table=table, ids=sql.Literal("|".join(original.ids)), first=first, last=first + count - 1, told=told
    )  # fmt: skip
    return on.execute(statement).rowcount
