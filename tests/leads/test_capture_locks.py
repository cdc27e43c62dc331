"""Two batches at once: both take keys and leads in one order, so neither waits for the other for ever."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.database import insert_rows
from dealwright.leads.v1 import leads_pb2
from leads.storage import leads as stored
from tests.leads.desk import Desk


def test_I1_keys_are_written_in_one_order_so_that_two_batches_do_not_wait_for_each_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[list[str]] = []

    def spy(connection: Any, table: Any, columns: Any, rows: Any, *more: Any, **named: Any) -> Any:
        if table.name == "lead_keys":
            written.append([row[0] for row in rows])
        return insert_rows(connection, table, columns, rows, *more, **named)

    monkeypatch.setattr(stored, "insert_rows", spy)
    desk.capture_all([leads_pb2.Lead(phone=f"1381234567{n}", email=f"{9 - n}@example.cn") for n in (5, 1, 9, 0, 3)])
    (keys,) = written
    assert len(keys) == 10
    assert keys == sorted(keys)


@contextmanager
def statements(desk: Desk) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(" ".join(statement.split()))

    engine = desk.runtime.database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def test_I1_leads_are_locked_in_the_order_of_their_names(desk: Desk) -> None:
    if desk.runtime.database.engine.dialect.name == "sqlite":
        return  # one writer: there is nothing to lock
    numbers = itertools.count()
    rows = [leads_pb2.Lead(phone=f"1381234567{next(numbers)}") for _ in range(3)]
    desk.capture_all(rows)
    with statements(desk) as seen:
        desk.capture_all(list(reversed(rows)))
    (locking,) = [s for s in seen if "FOR UPDATE" in s]
    assert locking.endswith("ORDER BY leads.name FOR UPDATE")
