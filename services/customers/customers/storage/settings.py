"""The settings row: what makes a tier, and the version of our part of the blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from customers.storage.tables import customer_settings

_ID, _GRADING = "customers", "grading"


def load(tx: Transaction, lock: bool = False) -> tuple[dict[str, Any], int]:
    """What was set and the version of the part; nothing and 0 before anybody has set anything."""
    query = sa.select(customer_settings.c.content, customer_settings.c.version).where(customer_settings.c.id == _ID)
    if lock and tx.dialect == "postgresql":
        query = query.with_for_update()
    row = tx.execute(query).first()
    return (dict(row[0]), row[1]) if row else ({}, 0)


def save(tx: Transaction, content: Mapping[str, Any]) -> None:
    """Writes the settings and raises the version."""
    insert_rows(
        tx.connection,
        customer_settings,
        ("id", "content", "version"),
        [(_ID, dict(content), 1)],
        conflict="(id) DO UPDATE SET content = excluded.content, version = customer_settings.version + 1",
    )


def progress(tx: Transaction) -> tuple[int, str]:
    """The version of the settings by which customers are graded, and the last of them where that is not finished."""
    query = sa.select(customer_settings.c.content).where(customer_settings.c.id == _GRADING)
    content = tx.execute(query).scalar() or {}
    return int(content.get("version", 0)), str(content.get("cursor", ""))


def keep_progress(tx: Transaction, version: int, cursor: str) -> None:
    insert_rows(
        tx.connection,
        customer_settings,
        ("id", "content", "version"),
        [(_GRADING, {"version": version, "cursor": cursor}, 0)],
        conflict="(id) DO UPDATE SET content = excluded.content",
    )
