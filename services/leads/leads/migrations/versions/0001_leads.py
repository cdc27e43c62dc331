"""Leads, their keys and chains, the pool's counts, our copy of the people, forms, settings."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "leads_0001"
down_revision = None
branch_labels = ("leads",)
depends_on = None


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


def _partial(name: str, where: str, *columns: str) -> None:
    op.create_index(name, "leads", list(columns), postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def upgrade() -> None:
    op.create_table(
        "leads",
        sa.Column("name", sa.Text, primary_key=True),
        *(_text(name) for name in ("full_name", "phone", "email", "company", "licence")),
        *(_text(name) for name in ("region", "industry", "category")),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("intent", sa.Integer, nullable=False),
        _text("text"),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("capture_time", Moment, nullable=False),
        sa.Column("receive_time", Moment, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        _text("status_reason"),
        sa.Column("status_time", Moment, nullable=False),
        _text("owner"),
        sa.Column("owner_version", sa.BigInteger, nullable=False),
        sa.Column("owners", Json, nullable=False),
        _text("deciding"),
        sa.Column("tags", Json, nullable=False),
        sa.Column("skills", Json, nullable=False),
        sa.Column("custom", Json),
        sa.Column("assign_time", Moment),
        sa.Column("respond_by", Moment),
        sa.Column("first_response_time", Moment),
        sa.Column("last_activity_time", Moment, nullable=False),
        _text("escalated_to"),
        _text("review_with"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("leads_captured", "leads", ["capture_time", "name"])
    _partial("leads_owned", "owner <> ''", "owner", "capture_time")
    _partial("leads_waiting", "status = 1", "status_time")
    _partial("leads_pooled", "status = 7", "capture_time")
    op.create_table("lead_keys", sa.Column("key", sa.Text, primary_key=True), _text("lead"))
    op.create_table(
        "touchpoints",
        sa.Column("lead", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        *(_text(name) for name in ("text", "actor", "owner", "reason")),
        sa.Column("happen_time", Moment, nullable=False),
        sa.Column("receive_time", Moment, nullable=False),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("decision", sa.BigInteger),
    )
    op.create_table(
        "lead_claims",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("claims", sa.Integer, nullable=False),
    )
    op.create_table(
        "people",
        sa.Column("name", sa.Text, primary_key=True),
        *(_text(name) for name in ("display_name", "team", "manager", "role")),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "forms",
        sa.Column("name", sa.Text, primary_key=True),
        _text("display_name"),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("required_fields", Json, nullable=False),
        _text("region"),
        _text("industry"),
        sa.Column("tags", Json, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("rate_per_minute", sa.Integer, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "lead_settings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("content", Json, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in ("lead_settings", "forms", "people", "lead_claims", "touchpoints", "lead_keys", "leads"):
        op.drop_table(table)
