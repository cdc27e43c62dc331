"""The tables that every service's database has beside its own."""

from __future__ import annotations

from dataclasses import dataclass, fields
from threading import Lock

import sqlalchemy as sa

from chassis.database import Json, Moment


@dataclass(frozen=True)
class ChassisTables:
    """One row of `outbox` is one message on the bus: up to 256 events of one type."""

    outbox: sa.Table
    inbox: sa.Table
    failures: sa.Table
    replies: sa.Table
    audit_log: sa.Table
    audit_pending: sa.Table
    audit_blocks: sa.Table
    kept_events: sa.Table


_attaching = Lock()


def attach(metadata: sa.MetaData) -> ChassisTables:
    """Adds the chassis's tables to a service's metadata (once, though the loops of a service begin side by side)."""
    with _attaching:
        if "outbox" not in metadata.tables:
            _add(metadata)
    return ChassisTables(*(metadata.tables[table.name] for table in fields(ChassisTables)))


def _add(metadata: sa.MetaData) -> None:
    sa.Table(
        "outbox",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),  # UUIDv7: in order of time
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("published_at", Moment),
        sa.Index(
            "outbox_unpublished",
            "id",
            postgresql_where=sa.text("published_at IS NULL"),
            sqlite_where=sa.text("published_at IS NULL"),
        ),
    )
    sa.Table(
        "inbox",
        metadata,
        sa.Column("subscriber", sa.Text, primary_key=True),
        # UUIDv7, so what may be forgotten is one range of the key.
        sa.Column("event_id", sa.Text, primary_key=True),
        # Empty in rows from before this column.
        sa.Column("handled_at", Moment),
    )
    sa.Table(
        "failures",
        metadata,
        sa.Column("subscriber", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("first_failed_at", Moment, nullable=False),
        sa.Column("next_attempt_at", Moment),  # empty when parked
        sa.Column("parked_at", Moment),
        sa.Index("failures_due", "next_attempt_at"),
    )
    sa.Table(
        "replies",
        metadata,
        sa.Column("method", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("actor", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("response", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
    )
    sa.Table(
        "audit_log",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),  # UUIDv7
        sa.Column("time", Moment, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", Json),
        sa.Index("audit_log_subject", "subject"),
    )
    # What is not yet in the chain, one row a transaction; `id` is its first audit row's.
    sa.Table(
        "audit_pending",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    # The chain. `body` holds, for each audit row, its id (16 bytes) and its hash (32 bytes).
    sa.Table(
        "audit_blocks",
        metadata,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("sealed_at", Moment, nullable=False),
    )
    # Outbox rows that others rebuild from, moved here when they are old; on PostgreSQL a partition for each month.
    sa.Table(
        "kept_events",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        postgresql_partition_by="RANGE (id)",
    )
