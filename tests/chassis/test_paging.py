"""Lists by the page, on SQLite and on a PostgreSQL that sorts as Chinese people do."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from functools import cmp_to_key
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from chassis import paging
from chassis.columns import camel as camel_case
from chassis.database import Database
from chassis.errors import Invalid
from chassis.paging import Column, criteria, listing
from dealwright.leads.v1 import leads_pb2 as pb
from tests.chassis.things import (
    BASE,
    COLUMNS,
    asked,
    c,
    holding,
    list_things,
    refused,
    rows_of,
    some_rows,
    things,
    walk,
)

# --- pages ---

ORDERS = st.lists(st.tuples(st.sampled_from(sorted(COLUMNS)), st.booleans()), max_size=4, unique_by=lambda o: o[0])


def sorted_in_python(rows: Sequence[dict[str, Any]], order: Sequence[tuple[str, bool]]) -> list[str]:
    down = order[-1][1] if order else True  # the key follows the last column; without any, the default's
    terms = [*(order or [("capture_time", True)]), ("name", down)]

    def compare(one: dict[str, Any], other: dict[str, Any]) -> int:
        for name, descending in terms:
            a, b = one[name], other[name]
            if a == b:
                continue
            if a is None or b is None:
                return 1 if a is None else -1
            return -1 if (a > b if descending else a < b) else 1
        return 0

    return [row["name"] for row in sorted(rows, key=cmp_to_key(compare))]


def check_walk(
    database: Database, rows: list[dict[str, Any]], order: list[tuple[str, bool]], size: int, camel: bool
) -> None:
    spell = camel_case if camel else str
    order_by = ", ".join(spell(name) + (" desc" if down else " asc" if camel else "") for name, down in order)
    with holding(database, rows) as tx:
        assert walk(tx, size, order_by) == sorted_in_python(rows, order)


@given(rows_of(25), ORDERS, st.integers(1, 9), st.booleans())
def test_paging_visits_every_row_once_and_in_order_on_sqlite(
    sqlite: Database, rows: list[dict[str, Any]], order: list[tuple[str, bool]], size: int, camel: bool
) -> None:
    check_walk(sqlite, rows, order, size, camel)


@given(rows_of(25), ORDERS, st.integers(1, 9), st.booleans())
def test_paging_visits_every_row_once_and_in_order_on_postgresql(
    chinese_postgres: Database, rows: list[dict[str, Any]], order: list[tuple[str, bool]], size: int, camel: bool
) -> None:
    check_walk(chinese_postgres, rows, order, size, camel)


# Whoever sees a thing in one of these ways sees it; some in several.
WAYS = (c.full_name == "a", sa.or_(c.score > 1, c.company.is_(None)), c.name.in_(sa.select(c.name).where(c.open)))


def check_ways(database: Database, rows: list[dict[str, Any]], order: list[tuple[str, bool]], size: int) -> None:
    order_by = ", ".join(name + (" desc" if down else "") for name, down in order)
    seen = [r for r in rows if r["full_name"] == "a" or r["score"] > 1 or r["company"] is None or r["open"]]
    with holding(database, rows) as tx:
        assert walk(tx, size, order_by, within=sa.or_(*WAYS)) == sorted_in_python(seen, order)
        found = list_things(tx, asked(size, filter="score > 0"), within=sa.or_(*WAYS), count=True)
        assert found.total == sum(row["score"] > 0 for row in seen)


@given(rows_of(25), ORDERS, st.integers(1, 9))
def test_what_is_seen_in_several_ways_is_visited_once_and_in_order_on_sqlite(
    sqlite: Database, rows: list[dict[str, Any]], order: list[tuple[str, bool]], size: int
) -> None:
    check_ways(sqlite, rows, order, size)


@given(rows_of(25), ORDERS, st.integers(1, 9))
def test_what_is_seen_in_several_ways_is_visited_once_and_in_order_on_postgresql(
    chinese_postgres: Database, rows: list[dict[str, Any]], order: list[tuple[str, bool]], size: int
) -> None:
    check_ways(chinese_postgres, rows, order, size)


def test_a_page_goes_on_where_the_last_one_ended_although_rows_came_and_went(sqlite: Database) -> None:
    with holding(sqlite, some_rows(10)) as tx:
        first = list_things(tx, asked(4))
        assert [r.name for r in first.rows] == [f"things/000{n}" for n in (9, 8, 7, 6)]
        tx.execute(things.delete().where(c.name.in_(["things/0006", "things/0008"])))
        tx.execute(things.insert(), [{**some_rows(1)[0], "name": "things/new", "capture_time": BASE + timedelta(1)}])
        second = list_things(tx, asked(4, first.next_page_token))
        assert [r.name for r in second.rows] == [f"things/000{n}" for n in (5, 4, 3, 2)]


def test_the_page_size_has_a_default_and_a_ceiling_and_is_never_negative(sqlite: Database) -> None:
    with holding(sqlite, some_rows(60)) as tx:
        assert len(list_things(tx, asked()).rows) == 50
        assert len(list_things(tx, asked(), default_size=7).rows) == 7
        assert len(list_things(tx, asked(1_000_000), most=55).rows) == 55
        assert refused(lambda: list_things(tx, asked(-1))).field == "pageSize"


def test_a_total_counts_all_pages_and_only_what_the_filter_finds(sqlite: Database) -> None:
    with holding(sqlite, some_rows(30)) as tx:
        first = list_things(tx, asked(4, filter="score = 1"), count=True)
        assert (len(first.rows), first.total) == (4, 15)
        assert list_things(tx, asked(4, first.next_page_token, "score = 1"), count=True).total == 15
        assert list_things(tx, asked(4)).total is None
        assert list_things(tx, asked(4), count=lambda: False).total is None
        assert list_things(tx, asked(4), count=lambda: True).total == 30
        # A page that has them all needs no counting.
        assert list_things(tx, asked(30)).total == 30
        assert list_things(tx, asked(30, filter="score = 1"), count=lambda: pytest.fail("was counted")).total == 15


def test_columns_of_the_order_that_the_select_lacks_follow_its_own(sqlite: Database) -> None:
    with holding(sqlite, some_rows(5)) as tx:
        request = asked(2, order_by="amount desc")
        page = listing(tx, sa.select(c.full_name), COLUMNS, request, "", c.name)
        assert [tuple(row) for row in page.rows] == [("a", 4, "things/0004"), ("a", 3, "things/0003")]
        request.page_token = page.next_page_token
        page = listing(tx, sa.select(c.full_name), COLUMNS, request, "", c.name)
        assert [row.full_name for row in page.rows] == ["a", "a"]
        assert [tuple(row)[1] for row in page.rows] == [2, 1]


def test_the_newest_first_reads_an_index_and_not_the_table(sqlite: Database) -> None:
    statements = plans(sqlite, {"things_captured": (c.capture_time, c.name)})
    assert len(statements) == 3
    assert all("SEARCH things USING INDEX things_captured" in plan for plan in statements[1:]), statements
    assert not any("TEMP B-TREE" in plan for plan in statements), statements


def test_each_way_of_seeing_a_thing_reads_an_index_of_its_own(sqlite: Database) -> None:
    indexes = {
        "things_called": (c.full_name, c.capture_time, c.name),
        "things_scored": (c.score, c.capture_time, c.name),
    }
    (plan, *_) = plans(sqlite, indexes, within=sa.or_(c.full_name == "a", c.score == 1))
    for index in indexes:
        assert f"SEARCH things USING COVERING INDEX {index}" in plan or f"USING INDEX {index}" in plan, plan
    # Of each way the first twenty: not all of both, sorted.
    assert "SCAN things" not in plan, plan
    assert "MULTI-INDEX OR" not in plan, plan


def plans(database: Database, indexes: dict[str, tuple[Any, ...]], **more: Any) -> list[str]:
    """How SQLite reads three pages of 20, with these indexes alone."""
    statements: list[str] = []
    with holding(database, some_rows(60)) as tx:
        for name, columns in indexes.items():
            index = sa.Index(name, *columns)
            index.create(tx.connection)
            things.indexes.discard(index)

        def plan(connection: Any, cursor: Any, text: str, parameters: Any, *rest: Any) -> None:
            if text.startswith("SELECT"):
                told = cursor.connection.execute("EXPLAIN QUERY PLAN " + text, parameters).fetchall()
                statements.append(" ".join(row[-1] for row in told))

        sa.event.listen(tx.connection, "before_cursor_execute", plan)
        walk(tx, 20, "", **more)
    return statements


# --- orders and tokens ---


@pytest.mark.parametrize(
    "order_by",
    [
        *("nothing", "amount down", "amount;", "amount,", ",", "amount desc asc", "amount, amount desc", "Amount"),
        *("amount, captureTime, capture_time", "-amount", "amount DESC", "a" * 501, "things.amount", "\0"),
    ],
)
def test_an_order_on_anything_but_the_columns_for_it_is_refused(sqlite: Database, order_by: str) -> None:
    with holding(sqlite, some_rows(2)) as tx:
        assert refused(lambda: list_things(tx, asked(order_by=order_by))).field == "orderBy"


def test_a_column_without_order_serves_filters_and_the_default_order_alone(sqlite: Database) -> None:
    columns = {"amount": Column(c.amount, "int"), "score": Column(c.score, "int", order=True)}
    with holding(sqlite, some_rows(3)) as tx:
        page = listing(tx, sa.select(things), columns, asked(filter="amount > 0"), "amount desc", c.name)
        assert [r.amount for r in page.rows] == [2, 1]
        wrong = refused(lambda: listing(tx, sa.select(things), columns, asked(order_by="amount"), "", c.name))
        assert wrong.english == "one cannot sort by 'amount'; there are: score, each with desc or without"


def test_a_hidden_field_is_refused_like_one_that_does_not_exist_and_sorts_nothing(sqlite: Database) -> None:
    hidden = frozenset({"amount"})
    for bad in ("amount = 1", "open = true AND NOT amount:*"):
        seen = refused(lambda bad=bad: criteria(bad, COLUMNS, hidden))  # type: ignore[misc]
        unknown = refused(lambda bad=bad: criteria(bad.replace("amount", "nought"), COLUMNS, hidden))  # type: ignore[misc]
        assert seen.english == unknown.english.replace("nought", "amount")
        assert seen.chinese == unknown.chinese.replace("nought", "amount")
        assert "amount," not in seen.english
    with holding(sqlite, some_rows(6)) as tx:
        seen = refused(lambda: list_things(tx, asked(order_by="amount"), hidden=hidden))
        unknown = refused(lambda: list_things(tx, asked(order_by="nought"), hidden=hidden))
        assert seen.english == unknown.english.replace("nought", "amount")
        # Nor does a default order tell the values, in the rows' order or in the token.
        page = list_things(tx, asked(2), default="amount desc", hidden=hidden)
        assert [r.amount for r in page.rows] == [0, 1]
        assert json.loads(contents(page.next_page_token)) == ["things/0001"]


def contents(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[12:]


def test_every_change_to_a_token_is_refused(sqlite: Database) -> None:
    with holding(sqlite, some_rows(6)) as tx:
        token = list_things(tx, asked(2)).next_page_token
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        wrong = [token[:i] + letters[(letters.index(token[i]) + 1) % 64] + token[i + 1 :] for i in range(len(token))]
        wrong += [token[:i] for i in range(1, len(token))]
        wrong += [token + "A", token + "=", " " + token, token + "\n", "é", "A" * 20_000, "\0", "\ud800", "!"]
        for one in wrong:
            assert refused(lambda one=one: list_things(tx, asked(2, one))).field == "pageToken"  # type: ignore[misc]
        assert len(list_things(tx, asked(3, token)).rows) == 3, "a page may have another size than the last"


def test_a_token_serves_only_the_request_it_was_made_for(sqlite: Database) -> None:
    with holding(sqlite, some_rows(6)) as tx:
        token = list_things(tx, asked(2, filter="open = true", order_by="amount")).next_page_token
        for filter, order in [
            ("", "amount"),
            ("open = true", ""),
            ("open = true", "amount desc"),
            ("score = 0", "amount"),
        ]:
            request = asked(2, token, filter, order)
            assert refused(lambda request=request: list_things(tx, request)).field == "pageToken"  # type: ignore[misc]
        # Another release may have another default order.
        token = list_things(tx, asked(2), "amount").next_page_token
        assert refused(lambda: list_things(tx, asked(2, token), "score")).field == "pageToken"
        # Of a message everything counts but the page: here the parent.
        select, columns = sa.select(things), COLUMNS
        first = pb.ListTouchpointsRequest(parent="leads/1", page_size=2)
        token = listing(tx, select, columns, first, "", c.name).next_page_token
        same = pb.ListTouchpointsRequest(parent="leads/1", page_size=3, page_token=token)
        assert len(listing(tx, select, columns, same, "", c.name).rows) == 3
        other = pb.ListTouchpointsRequest(parent="leads/2", page_size=2, page_token=token)
        assert refused(lambda: listing(tx, select, columns, other, "", c.name)).field == "pageToken"


@pytest.mark.parametrize(
    "order", ["amount", "company", "respond_by", "open", "status", "channel", "full_name", "score"]
)
def test_a_forged_token_with_a_right_digest_is_refused_or_read_as_a_place(
    sqlite: Database, chinese_postgres: Database, order: str
) -> None:
    """The digest has no key, so whoever reads this code can make one."""
    hostile: list[Any] = [
        *(None, True, 1, -1, 2**63, -(2**63) - 1, 10**30, 1.5, "", "x", "a' OR '1'='1", "\\' OR 1=1 --", "%s", ":x"),
        *("\0", "\ud800", [], {}, [1], float("inf"), float("nan")),
    ]
    for database in (sqlite, chinese_postgres):
        with holding(database, some_rows(4)) as tx:
            terms = paging._order(order, "", COLUMNS, c.name, frozenset())
            seal = paging._seal(asked(2, order_by=order), terms)
            taken = 0
            places: list[Any] = [[one, "things/0001"] for one in hostile]
            for value in [*places, [], [1], {}, 1, None, [1, 2, 3]]:
                content = json.dumps(value).encode()
                digest = hashlib.sha256(seal + content).digest()[:12]
                token = base64.urlsafe_b64encode(digest + content).rstrip(b"=").decode()
                wrong = ""
                try:
                    taken += len(list_things(tx, asked(2, token, order_by=order)).rows) <= 2
                except Invalid as problem:
                    wrong = problem.violations[0].field
                assert wrong in ("", "pageToken")
            assert 0 < taken < len(hostile)
