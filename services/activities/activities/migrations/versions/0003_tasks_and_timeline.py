"""Tasks, changes of requirements, what other systems recorded, and timelines."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "activities_0003"
down_revision = "activities_0002"
branch_labels = None
depends_on = None


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _kept() -> list[sa.Column[object]]:
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    ]


def _index(table: str, name: str, *columns: str, where: str = "", unique: bool = False) -> None:
    only = sa.text(where) if where else None
    op.create_index(f"{table}_{name}", table, list(columns), unique=unique, postgresql_where=only, sqlite_where=only)


def upgrade() -> None:
    _tasks()
    _change_requests()
    _interactions()
    _timeline()


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("name", sa.Text, primary_key=True),
        _number("kind"),
        *_text("title", "title_en", "detail"),
        _number("status"),
        *_text("record", "customer", "opportunity", "parent", "owner", "team", "creator"),
        sa.Column("due_time", Moment),
        *_text("part", "deliverable"),
        sa.Column("mentions", Json, nullable=False),
        sa.Column("attachments", Json, nullable=False),
        sa.Column("done_time", Moment),
        *_text("result"),
        sa.Column("custom", Json),
        *_text("origin"),
        *_kept(),
    )
    _index("tasks", "due", "due_time", "name")
    _index("tasks", "owned", "owner", "status", "due_time")
    _index("tasks", "of_team", "team", "status", "due_time")
    _index("tasks", "of_record", "record")
    _index("tasks", "asked", "creator", "create_time")
    _index("tasks", "of_customer", "customer", where="customer <> ''")
    _index("tasks", "of_opportunity", "opportunity", where="opportunity <> ''")
    _index("tasks", "parts", "parent", where="parent <> ''")
    _index("tasks", "origin", "origin", where="origin <> ''", unique=True)
    _index("tasks", "deleted", "delete_time", where="delete_time IS NOT NULL")


def _change_requests() -> None:
    op.create_table(
        "change_requests",
        sa.Column("name", sa.Text, primary_key=True),
        *_text("record", "customer", "opportunity"),
        _number("type"),
        *_text("detail"),
        _number("schedule_days"),
        sa.Column("surcharge", sa.BigInteger),
        *_text("currency", "owner", "team"),
        *_kept(),
    )
    _index("change_requests", "made", "create_time", "name")
    for column in ("record", "customer", "owner"):
        _index("change_requests", f"of_{column}", column, "create_time")
    _index("change_requests", "deleted", "delete_time", where="delete_time IS NOT NULL")


def _interactions() -> None:
    op.create_table(
        "interactions",
        sa.Column("name", sa.Text, primary_key=True),
        *_text("record", "customer", "opportunity", "lead"),
        _number("kind"),
        *_text("system", "external_id", "title", "text"),
        sa.Column("detail", Json, nullable=False),
        sa.Column("attachments", Json, nullable=False),
        sa.Column("happen_time", Moment, nullable=False),
        *_text("owner", "team"),
        *_kept(),
    )
    _index("interactions", "known", "system", "external_id", unique=True)
    _index("interactions", "happened", "happen_time", "name")
    for column in ("record", "customer", "owner"):
        _index("interactions", f"of_{column}", column, "happen_time")


def _timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column("key", sa.Text, primary_key=True),
        *_text("record", "resource"),
        _number("kind"),
        *_text("title_zh", "title_en", "actor"),
        sa.Column("happen_time", Moment, nullable=False),
        sa.Column("learn_time", Moment, nullable=False),
        *_text("source", "customer", "opportunity"),
        sa.Column("detail", Json, nullable=False),
    )
    _index("timeline", "of_record", "record", "happen_time", "key")
    for column in ("customer", "opportunity"):
        _index("timeline", f"of_{column}", column, "happen_time", "key", where=f"{column} <> ''")
