"""Approvals, who has to do with each, and copies of regions, teams and calendars."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "contracts_0004"
down_revision = "contracts_0003"
branch_labels = None
depends_on = None

_PENDING = "status = 1"


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _key(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, primary_key=True)


def _version(name: str = "version") -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def upgrade() -> None:
    op.create_table(
        "approvals",
        _key("name"),
        *_texts("kind", "record", "opportunity", "customer", "flow"),
        _version("flow_version"),
        sa.Column("flow_content", Json, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        *_texts("owner", "team"),
        sa.Column("amount", sa.BigInteger),
        *_texts("currency"),
        sa.Column("facts", Json, nullable=False),
        sa.Column("steps", Json, nullable=False),
        sa.Column("due_time", Moment),
        sa.Column("remind_time", Moment),
        sa.Column("end_time", Moment),
        _version(),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    )
    pending, due = sa.text(_PENDING), sa.text("due_time IS NOT NULL")
    op.create_index(
        "approvals_pending",
        "approvals",
        ["record", "flow"],
        unique=True,
        postgresql_where=pending,
        sqlite_where=pending,
    )
    op.create_index("approvals_record", "approvals", ["record", "create_time"])
    op.create_index("approvals_created", "approvals", ["create_time", "name"])
    op.create_index("approvals_owned", "approvals", ["owner", "create_time", "name"])
    op.create_index("approvals_due", "approvals", ["due_time"], postgresql_where=due, sqlite_where=due)
    op.create_table(
        "approval_people",
        sa.Column("approval", sa.Text, sa.ForeignKey("approvals.name", ondelete="CASCADE"), primary_key=True),
        _key("person"),
        sa.Column("waits", sa.Boolean, nullable=False),
    )
    op.create_index("approval_people_person", "approval_people", ["person", "waits"])
    op.create_table("approval_posts", _key("name"), *_texts("region"), _version())
    op.create_table("approval_teams", _key("name"), *_texts("manager", "parent"), _version())
    op.create_table("approval_calendars", _key("name"), sa.Column("hours", Json, nullable=False), _version())
