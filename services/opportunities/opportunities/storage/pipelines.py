"""The company's pipelines: one document with a version."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from opportunities.storage.tables import opportunities, pipelines

_ID = "pipelines"


def load(tx: Transaction, lock: bool = False) -> tuple[dict[str, Any] | None, int]:
    """What was written and its version; None and 0 before anything was."""
    query = sa.select(pipelines.c.content, pipelines.c.version).where(pipelines.c.id == _ID)
    if lock and tx.dialect == "postgresql":
        query = query.with_for_update()
    row = tx.execute(query).first()
    return (row.content, row.version) if row else (None, 0)


def save(tx: Transaction, content: dict[str, Any], version: int) -> bool:
    """Writes the document that follows `version`; False when somebody was faster."""
    written = insert_rows(
        tx.connection,
        pipelines,
        ("id", "content", "version"),
        [(_ID, content, version + 1)],
        conflict="(id) DO UPDATE SET content = excluded.content, version = excluded.version "
        "WHERE pipelines.version = excluded.version - 1",
        returning=("version",),
    )
    return bool(written)


def in_use(tx: Transaction) -> dict[tuple[str, str], int]:
    """How many opportunities there are by (pipeline, stage), deleted ones too: they may come back."""
    o = opportunities.c
    found = dict[tuple[str, str], int]()
    for stage in (o.stage, o.resume_stage):
        query = sa.select(o.pipeline, stage, sa.func.count()).where(stage != "").group_by(o.pipeline, stage)
        for pipeline, at, count in tx.execute(query):
            found[pipeline, at] = found.get((pipeline, at), 0) + count
    return found
