"""Opportunities, their moves, who may read them, numbers, pipelines, our copies of people, customers and contacts."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "opportunities_0001"
down_revision = None
branch_labels = ("opportunities",)
depends_on = None


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _whole(name: str, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _small(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, nullable=False)


def _moment(name: str, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, Moment, nullable=nullable)


def _of_one(primary: bool) -> "sa.Column[str]":
    key = sa.ForeignKey("opportunities.name", ondelete="CASCADE")
    return sa.Column("opportunity", sa.Text, key, primary_key=primary, nullable=False)


def upgrade() -> None:
    op.create_table(
        "opportunities",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("number", "title", "customer", "contact", "lead", "pipeline", "stage"),
        _small("status"),
        _whole("amount", nullable=True),
        *_texts("currency", "expected_close_date"),
        _small("win_probability"),
        *_texts("need"),
        sa.Column("products", Json, nullable=False),
        _whole("budget", nullable=True),
        *_texts("budget_currency", "decision_cycle", "blocker"),
        _small("importance"),
        sa.Column("collaborators", Json, nullable=False),
        *_texts("owner", "team"),
        _whole("owner_version"),
        sa.Column("custom", Json),
        *_texts("position", "phone", "email", "source", "industry", "company_size", "follow_up_status"),
        sa.Column("checklist_done", Json, nullable=False),
        _moment("stage_time"),
        _moment("close_time", nullable=True),
        *_texts("status_reason", "resume_stage"),
        _whole("version"),
        _moment("create_time"),
        _moment("update_time"),
        _moment("delete_time", nullable=True),
    )
    op.create_index("opportunities_number", "opportunities", ["number"], unique=True)
    op.create_index("opportunities_created", "opportunities", ["create_time", "name"])
    op.create_index("opportunities_updated", "opportunities", ["update_time", "name"])
    op.create_index("opportunities_owned", "opportunities", ["owner", "create_time", "name"])
    op.create_index("opportunities_owned_updated", "opportunities", ["owner", "update_time", "name"])
    op.create_index("opportunities_of_customer", "opportunities", ["customer", "create_time"])
    op.create_index("opportunities_in_stage", "opportunities", ["pipeline", "stage"])
    there = sa.text("delete_time IS NOT NULL")
    op.create_index(
        "opportunities_deleted", "opportunities", ["delete_time"], postgresql_where=there, sqlite_where=there
    )
    op.create_table(
        "stage_changes",
        sa.Column("id", sa.Text, primary_key=True),
        _of_one(primary=False),
        *_texts("from_stage", "to_stage"),
        _small("from_status"),
        _small("to_status"),
        _moment("happen_time"),
        *_texts("actor"),
        sa.Column("forced", sa.Boolean, nullable=False),
        *_texts("reason"),
    )
    op.create_index("stage_changes_of", "stage_changes", ["opportunity", "id"])
    op.create_table(
        "shares",
        _of_one(primary=True),
        sa.Column("person", sa.Text, primary_key=True),
        *_texts("given_by"),
        _moment("start_time"),
        _moment("end_time"),
    )
    op.create_index("shares_person", "shares", ["person"])
    op.create_index("shares_end", "shares", ["end_time"])
    op.create_table("collaborators", _of_one(primary=True), sa.Column("person", sa.Text, primary_key=True))
    op.create_index("collaborators_person", "collaborators", ["person"])
    op.create_table("numbers", sa.Column("day", sa.Text, primary_key=True), _whole("last"))
    op.create_table(
        "pipelines",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("content", Json, nullable=False),
        _whole("version"),
    )
    op.create_table(
        "parties",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("customer"),
        sa.Column("deleted", sa.Boolean, nullable=False),
        _whole("version"),
    )
    op.create_table(
        "people",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("display_name", "team", "manager", "role"),
        sa.Column("active", sa.Boolean, nullable=False),
        _whole("version"),
    )
    op.create_index("people_team", "people", ["team"])


def downgrade() -> None:
    for table in ("people", "parties", "pipelines", "numbers", "collaborators", "shares", "stage_changes"):
        op.drop_table(table)
    op.drop_table("opportunities")
