"""The audit log's chain.

A row is written with its change, unchained: a chain inside the transaction would make every writer wait for the one
before. A sealer gives rows, in the order of their ids, a position and the hash
`SHA-256(previous hash || canonical row)` within about a second; `verify` recomputes it and reports unsealed rows.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from chassis import telemetry
from chassis.database import to_micros, update_rows
from chassis.transaction import Transaction

_GENESIS = b"\0" * 32
# Ids come from many processes' clocks: a row is sealed when nothing older can still be committed before it.
_SETTLED = timedelta(seconds=0.5)
_ROWS = 5000


@dataclass(frozen=True)
class Verdict:
    """`first_wrong` is the id of the first row whose hash does not follow from the rows before it, or empty."""

    sealed: int
    unsealed: int
    first_wrong: str


def seal(tx: Transaction) -> bool:
    """Seals what has settled; True when there is more. Runs as a loop of the `work` role."""
    log = tx.tables.audit_log
    if not tx.execute(sa.select(log.c.id).where(log.c.seal.is_(None)).limit(1)).first():
        telemetry.UNSEALED.labels(tx.service).set(0)
        return False
    if tx.dialect == "postgresql" and not tx.execute(sa.select(sa.func.pg_try_advisory_xact_lock(0x7365616C))).scalar():
        return False  # another process seals
    last = tx.execute(
        sa.select(log.c.seal, log.c.hash).where(log.c.seal.is_not(None)).order_by(log.c.seal.desc()).limit(1)
    ).first()
    position, previous = (last.seal, last.hash) if last else (0, _GENESIS)
    rows = tx.execute(
        sa.select(log).where(log.c.seal.is_(None), log.c.time < tx.now - _SETTLED).order_by(log.c.id).limit(_ROWS)
    ).all()
    sealed = []
    for row in rows:
        position += 1
        previous = _hash(previous, row)
        sealed.append((row.id, position, previous))
    update_rows(tx.connection, log, ("id",), ("seal", "hash"), sealed)
    return len(rows) == _ROWS


def verify(tx: Transaction) -> Verdict:
    """Recomputes the chain from its beginning."""
    log = tx.tables.audit_log
    previous, count = _GENESIS, 0
    for row in tx.execute(sa.select(log).where(log.c.seal.is_not(None)).order_by(log.c.seal)):
        count += 1
        previous = _hash(previous, row)
        if row.seal != count or bytes(row.hash) != previous:
            return Verdict(count - 1, _unsealed(tx), row.id)
    return Verdict(count, _unsealed(tx), "")


def _unsealed(tx: Transaction) -> int:
    log = tx.tables.audit_log
    return int(tx.execute(sa.select(sa.func.count()).select_from(log).where(log.c.seal.is_(None))).scalar_one())


def _hash(previous: bytes, row: Any) -> bytes:
    canonical = json.dumps(
        [row.id, to_micros(row.time), row.actor, row.action, row.subject, row.detail],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(previous + canonical.encode()).digest()
