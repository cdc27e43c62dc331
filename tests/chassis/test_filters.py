"""Filters against the same meaning in Python, on SQLite and on a PostgreSQL that sorts as Chinese people do."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from chassis import fields
from chassis.columns import camel as camel_case
from chassis.columns import read_moment
from chassis.database import Database
from chassis.errors import Invalid, Violation
from chassis.paging import Column, criteria, listing
from chassis.transaction import Transaction
from tests.chassis.things import (
    BASE,
    CHANNEL,
    COLUMNS,
    MOMENTS,
    NUMBERS,
    STATUS,
    TEXTS,
    asked,
    c,
    holding,
    refused,
    rows_of,
    some_rows,
    things,
    walk,
)


@dataclass(frozen=True)
class Term:
    """A filter with its meaning."""

    text: str
    holds: Callable[[dict[str, Any]], bool]


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def lower(text: str) -> str:
    return "".join(chr(ord(x) + 32) if "A" <= x <= "Z" else x for x in text)


SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@st.composite
def comparisons(draw: st.DrawFn) -> Term:
    name = draw(st.sampled_from(sorted(COLUMNS)))
    kind = COLUMNS[name].kind
    spelled = draw(st.sampled_from([name, camel_case(name)]))
    space = draw(st.sampled_from(["", " ", "\t\n"]))
    if draw(st.integers(0, 9)) == 0:
        nothing = (None, "", 0, "CHANNEL_UNSPECIFIED") if kind in ("enum", "text", "name") else (None,)
        return Term(f"{spelled}{space}:*", lambda row: row[name] not in nothing)
    sign = draw(st.sampled_from(["=", "!=", ":"] if kind in ("enum", "bool") else [*SIGNS, ":"]))
    value: Any
    if kind in ("text", "name"):
        names = ["", "0", "things/", "things/0007", "things/0014"]
        # Names go by the database's own order; on these every database agrees.
        value = draw(st.sampled_from(names if kind == "name" and sign[0] in "<>" else TEXTS + names))
        written = value if value.isalnum() and draw(st.booleans()) else quoted(value)
        if sign == ":":
            return Term(
                f"{spelled}:{space}{written}",
                lambda row: row[name] is not None and lower(value) in lower(row[name]),
            )
    elif kind == "int":
        value = draw(st.sampled_from(NUMBERS) | st.integers(0, 3))
        written = str(value)
    elif kind == "bool":
        value = draw(st.booleans())
        written = str(value).lower()
    elif kind == "time":
        value = draw(st.sampled_from(MOMENTS))
        written = value.isoformat()
        if value.year not in (1, 9999):
            zone = draw(st.sampled_from([0, 8, -5]))
            written = value.astimezone(timezone(timedelta(hours=zone))).isoformat()
        written = draw(st.sampled_from([written, written.replace("+00:00", "Z"), quoted(written)]))
    else:
        choice = draw(st.sampled_from(list((STATUS if name == "status" else CHANNEL).values)))
        written = choice.name
        value = choice.number if name == "status" else choice.name
    compare = SIGNS["=" if sign == ":" else sign]

    def holds(row: dict[str, Any]) -> bool:
        have = row[name]
        if name == "channel" and have == "":
            have = "CHANNEL_UNSPECIFIED"
        if have is None:
            return sign == "!="
        return compare(have, value)

    return Term(f"{spelled}{space}{sign}{space}{written}", holds)


def _joined(parts: list[Term], word: str, every: bool) -> Term:
    test = all if every else any
    return Term(f" {word} ".join(p.text for p in parts), lambda row: test(p.holds(row) for p in parts))


def _deeper(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    bracketed = inner.map(lambda t: Term(f"({t.text})", t.holds))
    negated = st.tuples(st.sampled_from(["NOT ", "-", "NOT", "- "]), bracketed).map(
        lambda pair: Term(pair[0] + pair[1].text, lambda row: not pair[1].holds(row))
    )
    plain = st.tuples(st.sampled_from(["NOT ", "-"]), comparisons()).map(
        lambda pair: Term(pair[0] + pair[1].text, lambda row: not pair[1].holds(row))
    )
    simple = comparisons() | bracketed | negated | plain
    either = st.lists(simple, min_size=1, max_size=3).map(lambda parts: _joined(parts, "OR", every=False))
    # OR binds closer than AND.
    return st.lists(either, min_size=1, max_size=3).map(lambda parts: _joined(parts, "AND", every=True))


FILTERS = st.recursive(comparisons(), _deeper, max_leaves=8)


def check_filters(database: Database, rows: list[dict[str, Any]], filters: list[Term]) -> None:
    with holding(database, rows) as tx:
        for filter in filters:
            wanted = criteria(filter.text, COLUMNS)
            assert wanted is not None
            found = {row.name for row in tx.execute(sa.select(c.name).where(wanted))}
            assert found == {row["name"] for row in rows if filter.holds(row)}, filter.text


SOME_FILTERS = st.lists(comparisons() | FILTERS, min_size=1, max_size=12)


@given(rows_of(25), SOME_FILTERS)
def test_a_filter_finds_on_sqlite_what_python_finds(
    sqlite: Database, rows: list[dict[str, Any]], filters: list[Term]
) -> None:
    check_filters(sqlite, rows, filters)


@given(rows_of(25), SOME_FILTERS)
def test_a_filter_finds_on_postgresql_what_python_finds(
    chinese_postgres: Database, rows: list[dict[str, Any]], filters: list[Term]
) -> None:
    check_filters(chinese_postgres, rows, filters)


PIECES = st.sampled_from(
    [
        *("status", "fullName", "amount", "capture_time", "open", "channel", "nothing", "=", "!=", "<", ":", "*", ":*"),
        *("AND", "OR", "NOT", "-", "(", ")", '"a"', "'", '"', "\\", "\\u0000", "\\ud83d", "POOLED", "true", "5", " "),
        *(
            "9" * 19,
            "1e5",
            "2026-10-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "0001-01-01T00:00:00+23:59",
            "\0",
            "٣",
            "，",
        ),
    ]
)
GARBAGE = st.lists(PIECES | st.text(max_size=3), max_size=14).map(" ".join) | st.text(max_size=40)


def check_garbage(database: Database, text: str) -> None:
    with holding(database, some_rows(2)) as tx:
        wanted: sa.ColumnElement[bool] | None = None
        violations: list[Violation] = []
        try:
            wanted = criteria(text, COLUMNS)
        except Invalid as problem:
            violations = problem.violations
        for violation in violations:
            assert violation.field == "filter"
            assert violation.english.startswith("at character ")
            assert violation.chinese.startswith("第 ")
        tx.execute(sa.select(c.name).where(sa.true() if wanted is None else wanted)).all()


@given(GARBAGE)
def test_no_filter_raises_anything_but_invalid_on_sqlite(sqlite: Database, text: str) -> None:
    check_garbage(sqlite, text)


@given(GARBAGE)
def test_no_filter_raises_anything_but_invalid_on_postgresql(chinese_postgres: Database, text: str) -> None:
    check_garbage(chinese_postgres, text)


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("nought = 1", 1, "there are: name, full_name"),
        ("status = pooled", 10, "WAITING"),
        ("status < POOLED", 10, "= and !="),
        ("open = yes", 8, "true or false"),
        ("amount = 5 and open = true", 12, "in capitals"),
        ("amount = 5 open = true", 12, "AND or OR"),
        ("(amount = 5", 12, "character 1 needs a )"),
        ("amount = 5)", 11, "remove it"),
        ("amount", 7, "one of = !="),
        ("amount =", 9, "a value is expected"),
        ("amount = AND", 10, "a value is expected"),
        ("amount = 5 AND", 15, "name of a field"),
        ("amount = 1.5", 10, "64 bits"),
        ("amount = 9223372036854775808", 10, "64 bits"),
        ('full_name = "a', 13, "closing quote"),
        ('full_name = "a\\q"', 15, "escape \\q"),
        ('full_name = "\\u0000"', 14, "escape"),
        ('full_name = "\\ud83d"', 14, "escape"),
        ("full_name = a*", 14, "AND or OR"),
        ("full_name = \0", 13, "character"),
        ("capture_time > 2026-10-01", 16, "2026-10-01T08:30:00+08:00"),
        ("capture_time > 2026-10-01T00:00:00.1234567Z", 16, "microsecond"),
        ("capture_time > 0001-01-01T00:00:00+23:59", 16, "moment"),
        ("amount = 1 OR " * 150 + "amount = 1", 2001, "2000"),
        ("-" * 21 + "open=true", 21, "20 deep"),
        ("(" * 21 + "open=true" + ")" * 21, 21, "20 deep"),
        (" AND ".join(["open=true"] * 101), 1401, "100 comparisons"),
    ],
)
def test_what_is_wrong_with_a_filter_is_said_with_its_place_and_the_way_out(
    text: str, position: int, hint: str
) -> None:
    wrong = refused(lambda: criteria(text, COLUMNS))
    assert wrong.field == "filter"
    assert wrong.english.startswith(f"at character {position}: "), wrong.english
    assert hint in wrong.english
    assert wrong.chinese.startswith(f"第 {position} 个字符：")


def test_what_just_fits_the_limits_is_taken() -> None:
    for text in ("(" * 20 + "open=true" + ")" * 20, " AND ".join(["open=true"] * 100), "open=true".ljust(2000)):
        assert criteria(text, COLUMNS) is not None
    assert criteria("", COLUMNS) is None
    assert criteria(" \n", COLUMNS) is None


def test_quotes_escapes_and_pairs_of_escapes_are_read(sqlite: Database) -> None:
    for written, name in [
        (r'"say \"hi\" \\ \'"', 'say "hi" \\ \''),
        (r"'it\'s \u534e\u4e1c \n\t'", "it's 华东 \n\t"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        ('"e\u0301"', "\xe9"),
        ("+86-138@x.cn/a:b", "+86-138@x.cn/a:b"),
    ]:
        with holding(sqlite, some_rows(1, full_name=name)) as tx:
            assert walk(tx, 5, "", f"full_name = {written}") == ["things/0000"]


def test_a_filter_takes_any_spelling_of_what_is_stored_in_one(sqlite: Database) -> None:
    columns = {"phone": Column(c.full_name, "text", normalise=fields.phone)}
    with holding(sqlite, some_rows(1, full_name="+8613812345678")) as tx:
        for text in ('phone = "138 1234 5678"', "phone=+8613812345678", "phone:5678", '-phone != "13812345678"'):
            page = listing(tx, sa.select(things), columns, asked(filter=text), "", c.name)
            assert len(page.rows) == 1, text
        wrong = refused(lambda: criteria("phone = 12", columns))
        assert (wrong.english, wrong.chinese) == (
            "at character 9: phone is no valid phone number",
            "第 9 个字符：phone 不是有效的电话号码",
        )


def test_an_enum_without_a_value_is_unspecified_however_it_is_stored(sqlite: Database) -> None:
    for values in ({"channel": ""}, {"channel": "CHANNEL_UNSPECIFIED"}):
        with holding(sqlite, [{**row, **values, "status": 0} for row in some_rows(1)]) as tx:
            for found in ("channel = CHANNEL_UNSPECIFIED", "channel:CHANNEL_UNSPECIFIED", "status=STATUS_UNSPECIFIED"):
                assert walk(tx, 5, "", found) == ["things/0000"], found
                assert walk(tx, 5, "", f"NOT {found}") == [], found
            for missed in ("channel != CHANNEL_UNSPECIFIED", "channel:*", "status:*", "channel = DOUYIN"):
                assert walk(tx, 5, "", missed) == [], missed


def plan_of(tx: Transaction, filter: str) -> str:
    """How the database would find what the filter wants, its parameters as they are really sent."""
    told: list[str] = []

    def ask(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if statement.startswith("SELECT"):
            word = "EXPLAIN QUERY PLAN " if tx.dialect == "sqlite" else "EXPLAIN "
            told.append(str(cursor.connection.cursor().execute(word + statement, parameters).fetchall()))

    sa.event.listen(tx.connection, "before_cursor_execute", ask)
    wanted = criteria(filter, COLUMNS)
    assert wanted is not None
    tx.execute(sa.select(c.name).where(wanted))
    return told[0]


def check_index(database: Database) -> None:
    with holding(database, some_rows(3)) as tx:
        if tx.dialect != "sqlite":
            tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        tx.connection.exec_driver_sql("CREATE INDEX things_pooled ON things (capture_time) WHERE status = 7")
        since = BASE.isoformat()
        assert "things_pooled" in plan_of(tx, f"status = POOLED AND capture_time > {since}")
        assert "things_pooled" not in plan_of(tx, f"status = MERGED AND capture_time > {since}")


def test_an_index_over_one_status_serves_a_filter_on_it_on_sqlite(sqlite: Database) -> None:
    check_index(sqlite)


def test_an_index_over_one_status_serves_a_filter_on_it_on_postgresql(chinese_postgres: Database) -> None:
    check_index(chinese_postgres)


def check_contains(database: Database) -> None:
    with holding(database, [{**row, "full_name": "a%B_c/\\Ä", "score": 2} for row in some_rows(1)]) as tx:
        for found in ("%b", "%", "_", "B_C", "/\\\\", "Ä", ""):
            assert walk(tx, 5, "", f'full_name:"{found}"') == ["things/0000"], found
        for missed in ("a_b", "a%c", "%%", "__", "ä", "//"):
            assert walk(tx, 5, "", f'full_name:"{missed}"') == [], missed
        # More than the column can hold is a number like any other.
        assert walk(tx, 5, "", f"score < {2**31} AND score > -{2**63}") == ["things/0000"]


def test_contains_takes_wildcards_as_they_are_and_folds_ascii_alone_on_sqlite(sqlite: Database) -> None:
    check_contains(sqlite)


def test_contains_takes_wildcards_as_they_are_and_folds_ascii_alone_on_postgresql(chinese_postgres: Database) -> None:
    check_contains(chinese_postgres)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-23, 23))  # noqa: DTZ001
def test_a_moment_is_read_to_the_microsecond_in_any_offset(local: datetime, hours: int) -> None:
    moment = local.replace(tzinfo=UTC)
    assert read_moment(moment.astimezone(timezone(timedelta(hours=hours))).isoformat()) == moment
    assert read_moment(moment.strftime("%Y").zfill(4) + moment.isoformat()[4:19] + "z") == moment.replace(microsecond=0)


def test_only_an_enum_column_has_an_enum() -> None:
    with pytest.raises(ValueError):
        Column(c.status, "enum")
    with pytest.raises(ValueError):
        Column(c.status, "int", STATUS)
