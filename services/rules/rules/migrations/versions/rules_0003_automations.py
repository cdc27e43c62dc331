"""The automations, what they watch, and what of them ran out."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "rules_0003"
down_revision = "rules_0002"
branch_labels = None
depends_on = None


def _where(condition: str) -> "dict[str, Any]":
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "settings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("content", Json, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "watched",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("runs", sa.Boolean, nullable=False),
        sa.Column("opened", Moment),
        sa.Column("staged", Moment),
        sa.Column("touched", Moment),
        sa.Column("turns", Json, nullable=False),
        sa.Column("follow_up", Json, nullable=False),
        sa.Column("fired", Json, nullable=False),
        sa.Column("silent_since", Moment),
        sa.Column("next_due", Moment),
        sa.Column("counted", sa.BigInteger, nullable=False),
    )
    op.create_index("watched_due", "watched", ["next_due"], **_where("next_due IS NOT NULL"))
    op.create_index("watched_silent", "watched", ["silent_since", "name"], **_where("silent_since IS NOT NULL"))
    op.create_index("watched_counted", "watched", ["counted"])
    op.create_table(
        "fired_automations",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("automation", sa.Text, primary_key=True),
        sa.Column("due", Moment, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("fired", Moment, nullable=False),
    )
    op.create_table(
        "scans",
        sa.Column("automation", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("since", Moment),
        sa.Column("name", sa.Text, nullable=False),
    )
