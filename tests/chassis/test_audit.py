"""The audit chain on both databases: sealed within a second, and any byte that changes is found."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import audit, clock, ids
from chassis.audit import Verdict
from chassis.migration import migrate
from tests.conformance.deployments import Deployment, Local, wait_for


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """Migrated, and nothing of it runs."""
    url = request.getfixturevalue("fresh_database") if request.param == "postgres" else ""
    made = Local(tmp_path, url)
    migrate(made.runtime)
    yield made
    made.runtime.database.dispose()


def write(deployment: Deployment, *counts: int) -> list[str]:
    """A transaction for each count, with so many audit rows; their ids in the order of the chain."""
    for number in counts:
        with deployment.runtime.transaction() as tx:
            for i in range(number):
                tx.audit("note.put", f"notes/{i}", {"fields": ["text", "名称"], "n": i, "half": 0.5, "none": None})
    log = deployment.runtime.service.tables.audit_log
    return [r.id for r in deployment.rows(sa.select(log.c.id).order_by(log.c.id))]


def seal(deployment: Deployment) -> None:
    more: bool = True
    while more:
        with deployment.runtime.transaction() as tx:
            more = audit.seal(tx)


def verdict(deployment: Deployment) -> Verdict:
    with deployment.runtime.reading() as tx:
        return audit.verify(tx)


def change(deployment: Deployment, statement: sa.Executable) -> None:
    with deployment.runtime.database.write() as connection:
        connection.execute(statement)


def test_rows_are_chained_in_the_order_of_their_ids(deployment: Deployment) -> None:
    rows = write(deployment, 1, 3, 0, 2)
    assert verdict(deployment) == Verdict(0, 6, "")
    seal(deployment)
    assert verdict(deployment) == Verdict(6, 0, "")
    write(deployment, 2)
    assert verdict(deployment) == Verdict(6, 2, "")
    seal(deployment)
    assert verdict(deployment) == Verdict(8, 0, "")
    blocks = deployment.runtime.service.tables.audit_blocks
    first = deployment.rows(sa.select(blocks).order_by(blocks.c.number))[0]
    assert [first.body[i : i + 16].hex() for i in range(0, len(first.body), 48)] == rows


def test_an_audit_row_that_is_rolled_back_leaves_nothing(deployment: Deployment) -> None:
    def fail() -> None:
        with deployment.runtime.transaction() as tx:
            tx.audit("note.put", "notes/1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert verdict(deployment) == Verdict(0, 0, "")


_OTHER: dict[str, Any] = {
    "actor": "people/other",
    "action": "note.puu",
    "subject": "notes/1 ",
    "detail": {"fields": ["text", "名称"], "n": 2, "half": 0.5, "none": None},
}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("column", [*_OTHER, "time", "id"])
def test_a_changed_row_is_named(deployment: Deployment, column: str, sealed: bool) -> None:
    rows = write(deployment, 4)
    log = deployment.runtime.service.tables.audit_log
    if sealed:
        seal(deployment)
    found = deployment.rows(sa.select(log).where(log.c.id == rows[1]))[0]
    other = _OTHER.get(column)
    if column == "time":
        other = found.time.replace(microsecond=(found.time.microsecond + 1) % 1_000_000)
    if column == "id":
        other = ids.new_id()
    change(deployment, sa.update(log).where(log.c.id == rows[1]).values({column: other}))
    assert verdict(deployment).first_wrong == rows[1]
    change(deployment, sa.delete(log).where(log.c.id == (other if column == "id" else rows[1])))
    assert verdict(deployment).first_wrong == rows[1], "a missing row is named too"


def test_any_changed_byte_of_the_chain_is_found(deployment: Deployment) -> None:
    rows = write(deployment, 2, 1)
    seal(deployment)
    rows = write(deployment, 1)
    seal(deployment)
    blocks = deployment.runtime.service.tables.audit_blocks
    for block in deployment.rows(sa.select(blocks)):
        first = bytes(block.body)[:16].hex()
        assert first in rows
        for column in ("body", "hash"):
            good = bytes(getattr(block, column))
            for place in range(len(good)):
                bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
                change(deployment, sa.update(blocks).where(blocks.c.number == block.number).values({column: bad}))
                # A changed body names its first row as the body has it.
                named = bad[:16].hex() if column == "body" else first
                assert verdict(deployment).first_wrong == named
            change(deployment, sa.update(blocks).where(blocks.c.number == block.number).values({column: good}))
        change(deployment, sa.update(blocks).where(blocks.c.number == block.number).values(rows=block.rows + 1))
        assert verdict(deployment).first_wrong == first
        change(deployment, sa.update(blocks).where(blocks.c.number == block.number).values(rows=block.rows))
    assert verdict(deployment) == Verdict(4, 0, "")
    change(deployment, sa.delete(blocks).where(blocks.c.number == 1))
    assert verdict(deployment).first_wrong == rows[3]


def test_a_row_that_came_by_another_way_is_named(deployment: Deployment) -> None:
    write(deployment, 3)
    log = deployment.runtime.service.tables.audit_log
    forged = ids.new_id()
    row = {"id": forged, "time": clock.now(), "actor": "people/me", "action": "nothing", "subject": "x"}
    change(deployment, sa.insert(log).values(row))
    assert verdict(deployment).first_wrong == forged
    seal(deployment)
    assert verdict(deployment).first_wrong == forged, "the sealer does not take it in"


def test_many_transactions_share_blocks(deployment: Deployment) -> None:
    write(deployment, *([1] * 120))
    seal(deployment)
    blocks = deployment.runtime.service.tables.audit_blocks
    assert len(deployment.rows(sa.select(blocks.c.number))) == 1
    assert verdict(deployment) == Verdict(120, 0, "")


def test_a_running_service_seals_within_a_second(tmp_path: Path) -> None:
    with Local(tmp_path).running() as deployment:
        for _ in range(3):
            write(deployment, 5)
            started = time.monotonic()
            wait_for(lambda: verdict(deployment).unsealed == 0, 5)
            assert time.monotonic() - started < 1.0
        assert verdict(deployment) == Verdict(15, 0, "")
