"""Templates, notifications, and the mails that they become."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "activities_0005"
down_revision = "activities_0004"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "templates",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("display_name"),
        sa.Column("kind", sa.Integer, nullable=False),
        *_texts("subject_zh", "subject_en", "body_zh", "body_en"),
        sa.Column("attachments", Json, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    )
    op.create_index("templates_called", "templates", ["display_name"], unique=True, **_where("delete_time IS NULL"))
    op.create_index("templates_deleted", "templates", ["delete_time"], **_where("delete_time IS NOT NULL"))
    op.create_table(
        "notifications",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("person"),
        sa.Column("kind", sa.Integer, nullable=False),
        *_texts("record", "title_zh", "title_en", "text_zh", "text_en", "actor", "key"),
        sa.Column("mail_state", sa.Integer, nullable=False),
        sa.Column("attachments", Json, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("read_time", Moment),
    )
    op.create_index("notifications_key", "notifications", ["person", "key"], unique=True)
    op.create_index("notifications_of_person", "notifications", ["person", "create_time", "name"])
    op.create_index("notifications_unread", "notifications", ["person"], **_where("read_time IS NULL"))
    op.create_table(
        "notification_preferences",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("mail_kinds", Json, nullable=False),
    )
    op.create_table(
        "addresses",
        sa.Column("person", sa.Text, primary_key=True),
        *_texts("email"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "mails",
        sa.Column("notice", sa.Text, primary_key=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", Moment, nullable=False),
        sa.Column("sending_since", Moment),
    )
    op.create_index("mails_next_try_at", "mails", ["next_try_at"])
