"""Imports: the job, its file in parts, its rows in blocks with what became of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from chassis.database import in_values, insert_rows, update_rows
from chassis.transaction import Transaction
from leads.domain.imports import UNDER_WAY, Job, Result
from leads.storage.tables import JOB_COLUMNS, import_once, import_parts, import_rows, imports

# What work on an import changes; a person's change goes by the standard methods, which raise its version.
_PROGRESS = (
    *("state", "format", "encoding", "delimiter", "columns", "total", "done", "block", "counts", "kept", "problem"),
    *("fingerprint", "lease", "update_time", "start_time", "end_time"),
)
_IN_HAND = sa.literal_column("state").in_([sa.literal_column(str(int(state))) for state in sorted(UNDER_WAY)])
Row = tuple[int, list[str]]


def claim(tx: Transaction, lease: timedelta) -> Job | None:
    """The import under way that waited longest and that nobody has in hand; it is the caller's until the lease ends."""
    query = (
        sa.select(*(imports.c[column] for column in JOB_COLUMNS))
        .where(_IN_HAND, sa.or_(imports.c.lease.is_(None), imports.c.lease < tx.now))
        .order_by(imports.c.update_time)
        .limit(1)
    )
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    row = tx.execute(query).first()
    if row is None:
        return None
    job = Job(*row)
    return advance(tx, job, replace(job, lease=tx.now + lease))


def advance(tx: Transaction, before: Job, after: Job) -> Job | None:
    """Writes how far it is, if nobody else went on with it meanwhile; None where somebody did."""
    after = replace(after, update_time=tx.now)
    row = (before.name, before.state, before.block, *(getattr(after, column) for column in _PROGRESS))
    written = update_rows(tx.connection, imports, ("name", "state", "block"), _PROGRESS, [row], returning=("name",))
    return after if written else None


def once(tx: Transaction, fingerprint: str, job: str) -> str:
    """The import that brought this first: `job` itself where none did. Waits for whoever says so at the same time."""
    insert_rows(tx.connection, import_once, ("fingerprint", "job"), [(fingerprint, job)], conflict="DO NOTHING")
    return str(tx.execute(sa.select(import_once.c.job).where(import_once.c.fingerprint == fingerprint)).scalar_one())


def forget_once(tx: Transaction, fingerprint: str) -> None:
    tx.execute(sa.delete(import_once).where(import_once.c.fingerprint == fingerprint))


# --- the file ---


def add_part(tx: Transaction, job: str, number: int, data: bytes) -> None:
    insert_rows(tx.connection, import_parts, ("job", "number", "data"), [(job, number, data)])


def count_parts(tx: Transaction, job: str) -> int:
    return int(tx.execute(sa.select(sa.func.count()).where(import_parts.c.job == job)).scalar_one())


def part(tx: Transaction, job: str, number: int) -> bytes | None:
    query = sa.select(import_parts.c.data).where(import_parts.c.job == job, import_parts.c.number == number)
    found = tx.execute(query).scalar()
    return None if found is None else bytes(found)


def parts(tx: Transaction, job: str) -> Iterator[bytes]:
    number = 0
    while (data := part(tx, job, number)) is not None:
        yield data
        number += 1


def drop_parts(tx: Transaction, job: str) -> None:
    tx.execute(sa.delete(import_parts).where(import_parts.c.job == job))


# --- the rows ---


def _packed(plain: Any) -> bytes:
    return zlib.compress(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def _unpacked(packed: bytes) -> Any:
    return json.loads(zlib.decompress(packed))


def drop_rows(tx: Transaction, job: str) -> None:
    tx.execute(sa.delete(import_rows).where(import_rows.c.job == job))


def add_block(tx: Transaction, job: str, number: int, rows: Sequence[Row]) -> None:
    insert_rows(tx.connection, import_rows, ("job", "number", "rows"), [(job, number, _packed(rows))])


def block(tx: Transaction, job: str, number: int) -> tuple[list[Row], list[Result]] | None:
    """Rows with their numbers in the file, and what became of them (empty before anybody looked)."""
    query = sa.select(import_rows.c.rows, import_rows.c.results)
    found = tx.execute(query.where(import_rows.c.job == job, import_rows.c.number == number)).first()
    if found is None:
        return None
    rows = [(one[0], one[1]) for one in _unpacked(bytes(found[0]))]
    return rows, [Result.read(one) for one in _unpacked(bytes(found[1]))] if found[1] else []


def count_blocks(tx: Transaction, job: str) -> int:
    """The blocks of rows that somebody looked at; they come first."""
    seen = sa.select(sa.func.count()).where(import_rows.c.job == job, import_rows.c.results.is_not(None))
    return int(tx.execute(seen).scalar_one())


def save_results(tx: Transaction, job: str, number: int, results: Sequence[Result]) -> None:
    packed = _packed([result.plain() for result in results])
    update_rows(tx.connection, import_rows, ("job", "number"), ("results",), [(job, number, packed)])


def old(tx: Transaction, before: datetime, most: int) -> list[str]:
    """Imports whose rows or parts are still there though nobody changed them since then."""
    found: set[str] = set()
    for table in (import_rows, import_parts):
        held = sa.select(table.c.job).where(table.c.number == 0, table.c.job == imports.c.name).exists()
        query = sa.select(imports.c.name).where(imports.c.update_time < before, sa.not_(_IN_HAND), held).limit(most)
        found.update(tx.execute(query).scalars())
    return sorted(found)


def drop_all(tx: Transaction, jobs: Sequence[str]) -> None:
    """The files and rows of these imports; the imports themselves stay."""
    for table in (import_rows, import_parts):
        tx.execute(sa.delete(table).where(in_values(table.c.job, list(jobs), tx.dialect)))
