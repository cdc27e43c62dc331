"""The audit log's chain (docs/decisions/audit-chain.md).

A transaction writes its audit rows, and beside them one row of `audit_pending` with their ids and hashes: a chain
inside the transaction would make every writer wait for the one before. The sealer moves what is pending into
`audit_blocks`, each block's hash over the previous one's and its own bytes, within a second; `verify` recomputes all
of it. An audit row itself is never touched again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from chassis import telemetry
from chassis.database import in_values, to_micros

if TYPE_CHECKING:
    from chassis.transaction import Transaction

GENESIS = b"\0" * 32
# An entry of a block: the row's id (16 bytes) and its hash (32 bytes).
_ENTRY = 48
# Pending rows, one a transaction, that one block takes; and entries that verify looks up at a time.
_PENDING_ROWS = 1000
_LOOKED_UP = 2000


@dataclass(frozen=True)
class Verdict:
    """`first_wrong` is the id of the first row that is changed, missing or of unknown origin; empty when all is well.
    `unsealed` rows are written and not yet part of the chain."""

    sealed: int
    unsealed: int
    first_wrong: str


def entry(
    row_id: str, time: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None
) -> bytes:
    """What a block keeps of a row: its id and the hash of all it says."""
    canonical = json.dumps(
        [row_id, to_micros(time), actor, action, subject, detail],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return bytes.fromhex(row_id) + hashlib.sha256(canonical.encode()).digest()


def chained(previous: bytes, body: bytes) -> bytes:
    """The hash of a block that follows one with the hash `previous` (the first follows `GENESIS`)."""
    return hashlib.sha256(previous + body).digest()


def seal(tx: Transaction) -> bool:
    """Puts what is pending into a block; True when there is more. Runs as a loop of the `work` role."""
    pending, blocks = tx.tables.audit_pending, tx.tables.audit_blocks
    if not tx.execute(sa.select(pending.c.id).limit(1)).first():
        telemetry.UNSEALED.labels(tx.service).set(0)
        return False
    if tx.dialect == "postgresql" and not tx.execute(sa.select(sa.func.pg_try_advisory_xact_lock(0x7365616C))).scalar():
        return False  # another process seals
    last = tx.execute(sa.select(blocks.c.number, blocks.c.hash).order_by(blocks.c.number.desc()).limit(1)).first()
    number, previous = (last.number, bytes(last.hash)) if last else (0, GENESIS)
    oldest = sa.select(pending.c.id).order_by(pending.c.id).limit(_PENDING_ROWS)
    taken = tx.execute(sa.delete(pending).where(pending.c.id.in_(oldest)).returning(pending.c.body)).all()
    # In the order of their ids, which is that of their making.
    entries = sorted(e for row in taken for e in _entries(row.body))
    body = b"".join(entries)
    tx.execute(
        sa.insert(blocks).values(
            number=number + 1, rows=len(entries), body=body, hash=chained(previous, body), sealed_at=tx.now
        )
    )
    left = tx.execute(sa.select(sa.func.coalesce(sa.func.sum(pending.c.rows), 0))).scalar_one()
    telemetry.UNSEALED.labels(tx.service).set(left)
    return len(taken) == _PENDING_ROWS


def verify(tx: Transaction) -> Verdict:
    """Recomputes the chain from its beginning and compares every row with it."""
    log, blocks, pending = tx.tables.audit_log, tx.tables.audit_blocks, tx.tables.audit_pending
    previous, sealed = GENESIS, 0
    waiting: list[bytes] = []
    for number, block in enumerate(_blocks(tx), 1):
        body, previous = bytes(block.body), chained(previous, bytes(block.body))
        if block.number != number or bytes(block.hash) != previous or block.rows * _ENTRY != len(body):
            return Verdict(sealed, _unsealed(tx), _first_wrong(tx, waiting) or body[:16].hex())
        waiting.extend(_entries(body))
        sealed += block.rows
        if len(waiting) >= _LOOKED_UP:
            if wrong := _first_wrong(tx, waiting):
                return Verdict(sealed, _unsealed(tx), wrong)
            waiting = []
    unsealed = [e for row in tx.execute(sa.select(pending.c.body)) for e in _entries(row.body)]
    wrong = _first_wrong(tx, waiting) or _first_wrong(tx, unsealed)
    # One statement sees one moment, so rows that are written meanwhile do not look like strangers.
    counted = tx.execute(
        sa.select(
            sa.select(sa.func.count()).select_from(log).scalar_subquery(),
            sa.select(sa.func.coalesce(sa.func.sum(blocks.c.rows), 0)).scalar_subquery(),
            sa.select(sa.func.coalesce(sa.func.sum(pending.c.rows), 0)).scalar_subquery(),
        )
    ).one()
    if not wrong and counted[0] != counted[1] + counted[2]:
        wrong = _stranger(tx)
    return Verdict(sealed, len(unsealed), wrong)


def _blocks(tx: Transaction) -> Iterator[Any]:
    blocks, last = tx.tables.audit_blocks, -1
    while page := tx.execute(sa.select(blocks).where(blocks.c.number > last).order_by(blocks.c.number).limit(50)).all():
        yield from page
        last = page[-1].number


def _entries(body: bytes) -> Iterator[bytes]:
    whole = bytes(body)
    for start in range(0, len(whole), _ENTRY):
        yield whole[start : start + _ENTRY]


def _first_wrong(tx: Transaction, entries: Sequence[bytes]) -> str:
    log = tx.tables.audit_log
    for start in range(0, len(entries), _LOOKED_UP):
        part = entries[start : start + _LOOKED_UP]
        row_ids = [e[:16].hex() for e in part]
        rows = {r.id: r for r in tx.execute(sa.select(log).where(in_values(log.c.id, row_ids, tx.dialect)))}
        for row_id, kept in zip(row_ids, part, strict=True):
            row = rows.get(row_id)
            if row is None or entry(row.id, row.time, row.actor, row.action, row.subject, row.detail) != kept:
                return row_id
    return ""


def _stranger(tx: Transaction) -> str:
    """The first row that no block and nothing pending knows: it did not come through a transaction of ours."""
    log, blocks, pending = tx.tables.audit_log, tx.tables.audit_blocks, tx.tables.audit_pending
    row_ids = [r.id for r in tx.execute(sa.select(log.c.id).order_by(log.c.id))]
    known = {
        e[:16].hex()
        for table in (pending, blocks)  # in this order: what is sealed between the two is seen in the second
        for r in tx.execute(sa.select(table.c.body))
        for e in _entries(r.body)
    }
    return next((i for i in row_ids if i not in known), "")


def _unsealed(tx: Transaction) -> int:
    pending = tx.tables.audit_pending
    return int(tx.execute(sa.select(sa.func.coalesce(sa.func.sum(pending.c.rows), 0))).scalar_one())
