"""Column types that mean the same on both databases, and rows in sets: one statement for many."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime: timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.BigInteger())
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return to_micros(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(microseconds=value)
        return value.astimezone(UTC) if isinstance(value, datetime) else None


class Json(sa.types.TypeDecorator[Any]):
    """Plain data: jsonb on PostgreSQL, JSON text on SQLite."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB())
        return dialect.type_descriptor(sa.JSON())


def to_micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


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
        self.arrays = [_array_writer(table.c[c].type) for c in columns]
        if sqlite:
            marks = ", ".join("?" for _ in columns)
            self.sql = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}){tail}'
        else:
            arrays = ", ".join(_array_cast(table.c[c].type) for c in columns)
            self.sql = f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest({arrays}){tail}'


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
        if not returning:
            if len(values) == 1:
                connection.exec_driver_sql(insert.sql, values[0])
            else:
                connection.exec_driver_sql(insert.sql, values)
            return []
        found: list[Any] = []
        for row in values:
            found.extend(connection.exec_driver_sql(insert.sql, row).fetchall())
        return found
    arrays = tuple(write(column) for write, column in zip(insert.arrays, zip(*rows, strict=True), strict=True))
    result = connection.exec_driver_sql(insert.sql, arrays)
    return list(result.fetchall()) if returning else []


@dataclass(frozen=True)
class Insert:
    """Rows for one table: tuples in the order of `columns`; those that break a key are left out if `lenient`."""

    table: sa.Table
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    lenient: bool = False


def insert_together(connection: sa.Connection, inserts: Sequence[Insert]) -> int:
    """Inserts into several tables in one round trip (PostgreSQL). Returns how many rows the last of them wrote."""
    inserts = [i for i in inserts if i.rows]
    if not inserts:
        return 0
    *others, last = inserts
    if connection.dialect.name == "sqlite":
        for insert in others:
            insert_rows(connection, insert.table, insert.columns, insert.rows)
        conflict = "DO NOTHING" if last.lenient else ""
        returning = last.columns[:1] if last.lenient else ()
        written = insert_rows(connection, last.table, last.columns, last.rows, conflict, returning)
        return len(written) if last.lenient else len(last.rows)
    texts: list[str] = []
    arrays: list[str] = []
    for number, insert in enumerate(inserts):
        conflict = "DO NOTHING" if insert.lenient else ""
        made = _insert(insert.table, tuple(insert.columns), conflict, (insert.columns[0],), sqlite=False)
        texts.append(f"w{number} AS ({made.sql})")
        arrays.extend(write(c) for write, c in zip(made.arrays, zip(*insert.rows, strict=True), strict=True))
    sql = f"WITH {', '.join(texts)} SELECT count(*) FROM w{len(inserts) - 1}"
    return int(connection.exec_driver_sql(sql, tuple(arrays)).scalar_one())


def _converter(kind: sa.types.TypeEngine[Any]) -> Any:
    if isinstance(kind, Json):
        return lambda v: None if v is None else _json(v)
    if isinstance(kind, Moment):
        return lambda v: None if v is None else to_micros(v)
    return None


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _array_writer(kind: sa.types.TypeEngine[Any]) -> Callable[[Sequence[Any]], Any]:
    """How a column of values becomes one array parameter. Written as PostgreSQL's own text form: the driver's dump
    of a list looks at every value with regular expressions and took half of the time of a batch."""
    if isinstance(kind, sa.LargeBinary):
        return lambda values: _array("NULL" if v is None else f'"\\\\x{bytes(v).hex()}"' for v in values)
    if isinstance(kind, Json):
        return lambda values: _array("NULL" if v is None else _quoted(_json(v)) for v in values)
    if isinstance(kind, Moment):
        return lambda values: _array("NULL" if v is None else f'"{v.isoformat()}"' for v in values)
    if isinstance(kind, sa.Boolean):
        return lambda values: _array("NULL" if v is None else "t" if v else "f" for v in values)
    if isinstance(kind, sa.Integer):
        return lambda values: _array("NULL" if v is None else f"{int(v)}" for v in values)
    if isinstance(kind, sa.Float):
        return lambda values: _array("NULL" if v is None else repr(float(v)) for v in values)
    return lambda values: _array("NULL" if v is None else _quoted(v) for v in values)


def _array(written: Iterable[str]) -> str:
    return "{" + ",".join(written) + "}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _array_cast(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, Json):
        return "%s::text[]::jsonb[]"
    if isinstance(kind, Moment):
        return "%s::timestamptz[]"
    if isinstance(kind, sa.LargeBinary):
        return "%s::bytea[]"
    if isinstance(kind, sa.Boolean):
        return "%s::boolean[]"
    if isinstance(kind, sa.BigInteger):
        return "%s::bigint[]"
    if isinstance(kind, sa.Integer):
        return "%s::integer[]"
    if isinstance(kind, sa.Float):
        return "%s::double precision[]"
    return "%s::text[]"


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
        converters = [(_converter if sqlite else _array_writer)(table.c[c].type) for c in names]
        if sqlite:
            sets = ", ".join(f'"{c}" = ?' for c in columns)
            keys = " AND ".join(f'"{c}" = ?' for c in key)
            back = " RETURNING " + ", ".join(f'"{c}"' for c in returning) if returning else ""
            sql = f'UPDATE "{table.name}" AS t SET {sets} WHERE {keys}' + (f" AND {where}" if where else "") + back
        else:
            sets = ", ".join(f'"{c}" = v."{c}"' for c in columns)
            keys = " AND ".join(f't."{c}" = v."if_{c}"' for c in key)
            arrays = ", ".join(_array_cast(table.c[c].type) for c in names)
            alias = ", ".join([*(f'"if_{c}"' for c in key), *(f'"{c}"' for c in columns)])
            sql = (
                f'UPDATE "{table.name}" AS t SET {sets} FROM unnest({arrays}) AS v({alias}) WHERE {keys}'
                + (f" AND {where}" if where else "")
                + back
            )
        update = _updates[cache_key] = (sql, converters)
    sql, converters = update
    if sqlite:
        found: list[Any] = []
        width = len(key)
        turned = []
        for row in rows:
            values = [c(v) if c else v for c, v in zip(converters, row, strict=True)]
            turned.append(tuple(values[width:] + values[:width]))
        if not returning:
            connection.exec_driver_sql(sql, turned if len(turned) > 1 else turned[0])
            return []
        for one in turned:
            found.extend(connection.exec_driver_sql(sql, one).fetchall())
        return found
    arrays_of = tuple(write(column) for write, column in zip(converters, zip(*rows, strict=True), strict=True))
    result = connection.exec_driver_sql(sql, arrays_of)
    return list(result.fetchall()) if returning else []


_updates: dict[tuple[object, ...], tuple[str, list[Any]]] = {}


def in_values(column: sa.ColumnElement[Any], values: Sequence[str], dialect: str) -> sa.ColumnElement[bool]:
    """`column IN values` for many values: one parameter, so that the statement text never varies."""
    if dialect == "postgresql":
        return column == sa.func.any(
            sa.cast(sa.literal(list(values), postgresql.ARRAY(sa.Text)), postgresql.ARRAY(sa.Text))
        )
    return column.in_(sa.select(sa.func.json_each(json.dumps(list(values))).table_valued("value").c.value))
