"""Rows in sets: one statement for many, the same on both databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from chassis.kinds import Json, Moment, array_cast, array_writer, json_text, to_micros


class _Text:
    """The text of a multi-row insert, made once per table, columns and conflict clause."""

    def __init__(
        self, table: sa.Table, columns: tuple[str, ...], conflict: str, returning: tuple[str, ...], sqlite: bool
    ) -> None:
        names = ", ".join(f'"{c}"' for c in columns)
        tail = (f" ON CONFLICT {conflict}" if conflict else "") + (
            " RETURNING " + ", ".join(f'"{c}"' for c in returning) if returning else ""
        )
        self.convert = [_converter(table.c[c].type) for c in columns]
        self.arrays = [array_writer(table.c[c].type) for c in columns]
        if sqlite:
            marks = ", ".join("?" for _ in columns)
            self.sql = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}){tail}'
        else:
            self.casts = [array_cast(table.c[c].type) for c in columns]
            self.head, self.tail = f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest(', f"){tail}"
            self.sql = self.numbered(1)

    def numbered(self, first: int) -> str:
        """The text for PostgreSQL with its parameters numbered from `first`."""
        return self.head + ", ".join(f"${n}{cast}" for n, cast in enumerate(self.casts, first)) + self.tail


_inserts: dict[tuple[object, ...], _Text] = {}


def _insert(
    table: sa.Table, columns: tuple[str, ...], conflict: str, returning: tuple[str, ...], sqlite: bool
) -> _Text:
    key = (table, columns, conflict, returning, sqlite)
    made = _inserts.get(key)
    if made is None:
        made = _inserts[key] = _Text(table, columns, conflict, returning, sqlite)
    return made


def insert_rows(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    conflict: str = "",
    returning: Sequence[str] = (),
) -> list[Any]:
    """Inserts many rows in one statement (PostgreSQL) or one prepared statement (SQLite).

    `rows` are tuples in the order of `columns`; `conflict` is the text after ON CONFLICT, such as "DO NOTHING" or
    '("person") DO UPDATE SET "open" = excluded."open"'. Returns the rows of RETURNING, in no particular order.
    Column names, `conflict` and `returning` come from code, never from outside.
    """
    if not rows:
        return []
    sqlite = connection.dialect.name == "sqlite"
    insert = _insert(table, tuple(columns), conflict, tuple(returning), sqlite)
    if sqlite:
        values = [tuple(c(v) if c else v for c, v in zip(insert.convert, row, strict=True)) for row in rows]
        return _run_each(connection, insert.sql, values, bool(returning))
    result = _run(connection, insert.sql, _arrays(insert.arrays, rows))
    return list(result.fetchall()) if returning else []


def _arrays(writers: Sequence[Callable[[Sequence[Any]], Any]], rows: Sequence[Sequence[Any]]) -> list[Any]:
    return [write(column) for write, column in zip(writers, zip(*rows, strict=True), strict=True)]


def _run_each(connection: sa.Connection, sql: str, rows: Sequence[Sequence[Any]], returning: bool) -> list[Any]:
    """Runs a statement of SQLite for each row, on the driver's raw cursor: it takes one row at a time where it returns
    any, and what SQLAlchemy does about each costs ten times the row."""
    raw: Any = connection.connection.driver_connection
    cursor = raw.cursor()
    try:
        if returning:
            return [found for row in rows for found in cursor.execute(sql, row).fetchall()]
        cursor.executemany(sql, rows)
    except sqlite3.Error as problem:
        raise sa.exc.DBAPIError.instance(
            sql, None, problem, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
        ) from problem
    finally:
        cursor.close()
    return []


# Set on an error by which nobody knows whether the transaction was committed.
COMMITTING = "dealwright_committing"


def _run(connection: sa.Connection, sql: str, arrays: Sequence[Any]) -> Any:
    """Runs a statement of PostgreSQL's own spelling ($1) on the driver's raw cursor: the others take a statement of
    this length apart at each call, which costs more than to run it."""
    import psycopg  # not where SQLite alone is used

    raw: Any = connection.connection.driver_connection
    cursor = psycopg.RawCursor(raw)
    try:
        cursor.execute(sql, arrays)
    except psycopg.Error as problem:
        raise sa.exc.DBAPIError.instance(
            sql, None, problem, psycopg.Error, hide_parameters=True, connection_invalidated=raw.closed,
            dialect=connection.dialect,
        ) from problem  # fmt: skip
    return cursor


@dataclass(frozen=True)
class Insert:
    """Rows for one table: tuples in the order of `columns`."""

    table: sa.Table
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def insert_together(connection: sa.Connection, inserts: Sequence[Insert], last: bool = False) -> None:
    """Inserts into several tables, on PostgreSQL in one round trip. `last`: nothing but the commit comes after, so that
    where nothing came before the statement is its own transaction, and BEGIN and COMMIT are saved."""
    inserts = [i for i in inserts if i.rows]
    if not inserts:
        return
    if connection.dialect.name == "sqlite":
        for insert in inserts:
            insert_rows(connection, insert.table, insert.columns, insert.rows)
        return
    arrays: list[Any] = []
    made = [_insert(i.table, tuple(i.columns), "", (), sqlite=False) for i in inserts]
    for insert, text in zip(inserts, made, strict=True):
        arrays += _arrays(text.arrays, insert.rows)
    key = tuple(text.sql for text in made)
    if key not in _together:
        parts, first = [], 1
        for text in made:
            parts.append(text.numbered(first))
            first += len(text.casts)
        before = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(parts[:-1]))
        _together[key] = f"WITH {before} {parts[-1]}" if before else parts[-1]
    raw: Any = connection.connection.driver_connection
    if not last or raw.pgconn.transaction_status:  # 0: nothing came before
        _run(connection, _together[key], arrays)
        return
    raw.autocommit = True
    try:
        _run(connection, _together[key], arrays)
    except sa.exc.DBAPIError as problem:
        if raw.closed:
            problem.__dict__[COMMITTING] = True
        raise
    finally:
        if not raw.closed:
            raw.autocommit = False


_together: dict[tuple[str, ...], str] = {}


def _converter(kind: sa.types.TypeEngine[Any]) -> Any:
    if isinstance(kind, Json):
        return lambda v: None if v is None else json_text(v)
    if isinstance(kind, Moment):
        return lambda v: None if v is None else to_micros(v)
    return None


def update_rows(
    connection: sa.Connection,
    table: sa.Table,
    key: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    where: str = "",
    returning: Sequence[str] = (),
) -> list[Any]:
    """Updates many rows in one statement: each row of `rows` holds the key columns, then the new values.

    On PostgreSQL `UPDATE t SET c = v.c FROM unnest(...) AS v WHERE t.key = v.key`, on SQLite one prepared statement
    a row. A compare-and-set names the compared columns in `key` (a column may be compared and set); `where` is
    further SQL from code about `t.`.
    Returns the rows of RETURNING (columns of the table).
    """
    if not rows:
        return []
    sqlite = connection.dialect.name == "sqlite"
    names = tuple(key) + tuple(columns)
    cache_key = (table, "update", tuple(key), tuple(columns), where, tuple(returning), sqlite)
    update = _updates.get(cache_key)
    if update is None:
        back = " RETURNING " + ", ".join(f't."{c}"' for c in returning) if returning else ""
        converters = [(_converter if sqlite else array_writer)(table.c[c].type) for c in names]
        if sqlite:
            sets = ", ".join(f'"{c}" = ?' for c in columns)
            keys = " AND ".join(f'"{c}" = ?' for c in key)
            back = " RETURNING " + ", ".join(f'"{c}"' for c in returning) if returning else ""
            sql = f'UPDATE "{table.name}" AS t SET {sets} WHERE {keys}' + (f" AND {where}" if where else "") + back
        else:
            sets = ", ".join(f'"{c}" = v."{c}"' for c in columns)
            keys = " AND ".join(f't."{c}" = v."if_{c}"' for c in key)
            arrays = ", ".join(f"${n}{array_cast(table.c[c].type)}" for n, c in enumerate(names, 1))
            alias = ", ".join([*(f'"if_{c}"' for c in key), *(f'"{c}"' for c in columns)])
            sql = (
                f'UPDATE "{table.name}" AS t SET {sets} FROM unnest({arrays}) AS v({alias}) WHERE {keys}'
                + (f" AND {where}" if where else "")
                + back
            )
        update = _updates[cache_key] = (sql, converters)
    sql, converters = update
    if sqlite:
        width = len(key)
        turned = []
        for row in rows:
            values = [c(v) if c else v for c, v in zip(converters, row, strict=True)]
            turned.append(tuple(values[width:] + values[:width]))
        return _run_each(connection, sql, turned, bool(returning))
    result = _run(connection, sql, _arrays(converters, rows))
    return list(result.fetchall()) if returning else []


_updates: dict[tuple[object, ...], tuple[str, list[Any]]] = {}


def in_values(column: sa.ColumnElement[Any], values: Sequence[str], dialect: str) -> sa.ColumnElement[bool]:
    """`column IN values` for many values: one parameter, so that the statement text never varies."""
    if dialect == "postgresql":
        return column == sa.func.any(
            sa.cast(sa.literal(list(values), postgresql.ARRAY(sa.Text)), postgresql.ARRAY(sa.Text))
        )
    return column.bool_op("IN")(_Each(sa.literal(json.dumps(list(values)), _TEXT)))


_TEXT = sa.Text()


class _Each(FunctionElement[Any]):
    """Each value of a JSON list. A select from SQLAlchemy's own `json_each` says the same, and takes as long to make
    as the whole query to run."""

    inherit_cache = True


@compiles(_Each, "sqlite")
def _each(element: _Each, compiler: SQLCompiler, **how: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **how)}))"
