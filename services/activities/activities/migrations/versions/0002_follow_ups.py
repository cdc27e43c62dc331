"""What we know of others' records, and follow-ups on them."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "activities_0002"
down_revision = "activities_0001"
branch_labels = None
depends_on = None


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("name", sa.Text, primary_key=True),
        *_text("kind", "owner", "team", "customer", "opportunity", "lead", "title", "number"),
        sa.Column("shared_with_team", sa.Boolean, nullable=False),
        *_text("merged_into"),
        sa.Column("deleted", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("version", "woken", "answered")),
        *_text("last_follow_up"),
        sa.Column("last_follow_up_time", Moment),
    )
    op.create_index("records_owned", "records", ["owner", "kind"])
    op.create_index("records_of_customer", "records", ["customer"])
    op.create_index("records_followed", "records", ["kind", "last_follow_up_time", "name"])
    op.create_table(
        "shares",
        sa.Column("record", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("end_time", Moment, nullable=False),
        sa.Column("told_time", Moment, nullable=False),
    )
    op.create_index("shares_person", "shares", ["person"])
    for table, key in (("collaborators", "record"), ("mentions", "source")):
        op.create_table(
            table,
            sa.Column(key, sa.Text, primary_key=True),
            sa.Column("person", sa.Text, primary_key=True),
        )
        op.create_index(f"{table}_person", table, ["person"])
    op.create_table(
        "follow_ups",
        sa.Column("name", sa.Text, primary_key=True),
        *_text("record", "customer", "opportunity", "lead"),
        sa.Column("method", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Integer, nullable=False),
        *_text("summary", "next_plan"),
        sa.Column("next_time", Moment),
        *_text("next_owner", "owner", "team"),
        sa.Column("happen_time", Moment, nullable=False),
        sa.Column("attachments", Json, nullable=False),
        sa.Column("mentions", Json, nullable=False),
        sa.Column("custom", Json),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    )
    op.create_index("follow_ups_happened", "follow_ups", ["happen_time", "name"])
    for column in ("record", "customer", "owner"):
        op.create_index(f"follow_ups_of_{column}", "follow_ups", [column, "happen_time", "name"])
    for column in ("opportunity", "lead"):
        op.create_index(f"follow_ups_of_{column}", "follow_ups", [column, "happen_time"])
    there = sa.text("delete_time IS NOT NULL")
    op.create_index("follow_ups_deleted", "follow_ups", ["delete_time"], postgresql_where=there, sqlite_where=there)
