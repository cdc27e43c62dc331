"""Attachments, the bytes they refer to, and check-ins."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "activities_0004"
down_revision = "activities_0003"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _kept() -> list[sa.Column[object]]:
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    ]


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("record", "customer", "kind", "file_name", "content_type"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        *_texts("sha256", "owner", "team"),
        *_kept(),
    )
    op.create_index("attachments_of_record", "attachments", ["record", "create_time"])
    op.create_index("attachments_of_customer", "attachments", ["customer", "create_time"])
    op.create_index("attachments_created", "attachments", ["create_time", "name"])
    op.create_index("attachments_owned", "attachments", ["owner", "create_time", "name"])
    op.create_index("attachments_content", "attachments", ["sha256"])
    op.create_index("attachments_deleted", "attachments", ["delete_time"], **_where("delete_time IS NOT NULL"))
    op.create_table(
        "contents",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("store_time", Moment, nullable=False),
        sa.Column("unused_time", Moment),
    )
    op.create_index("contents_unused", "contents", ["unused_time"], **_where("unused_time IS NOT NULL"))
    op.create_table(
        "check_ins",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("record", "customer"),
        sa.Column("latitude", sa.Float(53), nullable=False),
        sa.Column("longitude", sa.Float(53), nullable=False),
        *_texts("address", "photo", "signature", "note"),
        sa.Column("happen_time", Moment, nullable=False),
        *_texts("owner", "team"),
        *_kept(),
    )
    op.create_index("check_ins_of_record", "check_ins", ["record", "happen_time"])
    op.create_index("check_ins_owned", "check_ins", ["owner", "happen_time", "name"])
    op.create_index("check_ins_happened", "check_ins", ["happen_time", "name"])
    op.create_index("check_ins_deleted", "check_ins", ["delete_time"], **_where("delete_time IS NOT NULL"))
