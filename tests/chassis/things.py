"""A table of things with every kind of column, and what the suites ask of lists of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st

from chassis import clock
from chassis.database import Database, Moment
from chassis.errors import Invalid
from chassis.paging import Column, Page, listing
from chassis.tables import attach
from chassis.transaction import Transaction
from dealwright.leads.v1 import leads_pb2 as pb

STATUS = pb.Lead.Status.DESCRIPTOR
CHANNEL = pb.Channel.DESCRIPTOR
metadata = sa.MetaData()
things = sa.Table(
    "things",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("full_name", sa.Text, nullable=False),
    sa.Column("company", sa.Text),
    sa.Column("amount", sa.BigInteger),
    sa.Column("score", sa.Integer, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("capture_time", Moment, nullable=False),
    sa.Column("respond_by", Moment),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
)
chassis_tables = attach(metadata)
c = things.c
COLUMNS = {
    "name": Column(c.name, "name", order=True),
    "full_name": Column(c.full_name, "text", order=True),
    "company": Column(c.company, "text", order=True),
    "amount": Column(c.amount, "int", order=True),
    "score": Column(c.score, "int", order=True),
    "open": Column(c.open, "bool", order=True),
    "capture_time": Column(c.capture_time, "time", order=True),
    "respond_by": Column(c.respond_by, "time", order=True),
    "status": Column(c.status, "enum", STATUS, order=True),
    "channel": Column(c.channel, "enum", CHANNEL, order=True),
}
BASE = datetime(2026, 10, 1, 4, 30, tzinfo=UTC)
TEXTS = [
    "",
    "a",
    "B",
    "ab",
    "aB%",
    "A_b",
    "50%",
    "\\",
    "/",
    "~'\"",
    "华东",
    "华东 Ä",
    "ä",
    "é",
    "\U0001f600",
    "﹏",
    "a\nb",
    "z",
]
MOMENTS = [BASE + timedelta(microseconds=n) for n in (-1, 0, 1, 2, 10**6, 10**12)] + [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]
NUMBERS = [0, 1, -1, 5, 2**31, -(2**63), 2**63 - 1]


def rows_of(most: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    row = st.fixed_dictionaries(
        {
            "full_name": st.sampled_from(TEXTS),
            "company": st.none() | st.sampled_from(TEXTS),
            "amount": st.none() | st.sampled_from(NUMBERS),
            "score": st.integers(0, 3),
            "open": st.booleans(),
            "capture_time": st.sampled_from(MOMENTS),
            "respond_by": st.none() | st.sampled_from(MOMENTS),
            "status": st.sampled_from([v.number for v in STATUS.values]),
            "channel": st.sampled_from(["", *(v.name for v in CHANNEL.values)]),
        }
    )
    return st.lists(row, max_size=most).map(
        lambda found: [{"name": f"things/{n * 7 % 1009:04d}", **row} for n, row in enumerate(found)]
    )


@contextmanager
def holding(database: Database, rows: Sequence[dict[str, Any]]) -> Iterator[Transaction]:
    """A transaction in which the table has these rows; they go when it ends."""
    with database.engine.connect() as connection:
        transaction = connection.begin()
        if rows:
            connection.execute(things.insert(), rows)
        yield Transaction(connection, chassis_tables, "things", clock.now())
        transaction.rollback()


def asked(size: int = 0, token: str = "", filter: str = "", order_by: str = "") -> SimpleNamespace:
    return SimpleNamespace(page_size=size, page_token=token, filter=filter, order_by=order_by)


def list_things(tx: Transaction, request: Any, default: str = "capture_time desc", **more: Any) -> Page:
    return listing(tx, sa.select(things), COLUMNS, request, default, c.name, **more)


def walk(tx: Transaction, size: int, order_by: str, filter: str = "", **more: Any) -> list[str]:
    names: list[str] = []
    token = ""
    while True:
        page = list_things(tx, asked(size, token, filter, order_by), **more)
        assert len(page.rows) <= size
        names += [row.name for row in page.rows]
        assert len(names) <= 100, "the pages go round in circles"
        token = page.next_page_token
        if not token:
            return names
        assert len(page.rows) == size, "only the last page is short"


def some_rows(count: int, **values: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": f"things/{n:04d}",
            "full_name": "a",
            "company": None,
            "amount": n,
            "score": n % 2,
            "open": True,
            "capture_time": BASE + timedelta(microseconds=n),
            "respond_by": None,
            "status": pb.Lead.POOLED,
            "channel": "DOUYIN",
            **values,
        }
        for n in range(count)
    ]


def refused(act: Callable[[], object]) -> Any:
    with pytest.raises(Invalid) as caught:
        act()
    assert len(caught.value.violations) == 1
    violation = caught.value.violations[0]
    assert violation.english
    assert violation.chinese
    return violation
