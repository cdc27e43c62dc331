"""The ledger, what is known of records, the sums, names, people, exchange rates."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "reports_0001"
down_revision = None
branch_labels = ("reports",)
depends_on = None


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False, server_default="") for name in names]


def _wholes(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _key(name: str, kind: type = sa.Integer) -> "sa.Column[int]":
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _name() -> "sa.Column[str]":
    return sa.Column("name", sa.Text, primary_key=True)


def _targets() -> None:
    op.create_table(
        "targets",
        _name(),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kpi", "period", "person", "team")),
        *_wholes("value", "version"),
        *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "update_time")),
        sa.Column("delete_time", Moment),
    )
    there, gone = sa.text("delete_time IS NULL"), sa.text("delete_time IS NOT NULL")
    key = ["kpi", "period", "person", "team"]
    op.create_index("targets_one", "targets", key, unique=True, postgresql_where=there, sqlite_where=there)
    op.create_index("targets_deleted", "targets", ["delete_time"], postgresql_where=gone, sqlite_where=gone)


def _costs() -> None:
    op.create_table(
        "channel_costs",
        _name(),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("channel", "month")),
        *_wholes("amount"),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("currency", "note")),
        *_wholes("version"),
        *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "update_time")),
        sa.Column("delete_time", Moment),
    )
    there, gone = sa.text("delete_time IS NULL"), sa.text("delete_time IS NOT NULL")
    key = ["channel", "month"]
    op.create_index("channel_costs_one", "channel_costs", key, unique=True, postgresql_where=there, sqlite_where=there)
    deleted = ["delete_time"]
    op.create_index("channel_costs_deleted", "channel_costs", deleted, postgresql_where=gone, sqlite_where=gone)


def _alerts() -> None:
    op.create_table(
        "alert_rules",
        _name(),
        *_texts("display_name", "display_name_zh", "kpi", "group_by"),
        sa.Column("condition", sa.Integer, nullable=False),
        *_texts("limit_value"),
        sa.Column("span", sa.Integer, nullable=False),
        sa.Column("notify", Json, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        *_texts("minimum", "looked_at"),
        *_wholes("version"),
        *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "update_time")),
        sa.Column("delete_time", Moment),
    )
    gone = sa.text("delete_time IS NOT NULL")
    op.create_index("alert_rules_deleted", "alert_rules", ["delete_time"], postgresql_where=gone, sqlite_where=gone)
    op.create_table(
        "alerts",
        _name(),
        *_texts("rule", "kpi", "title", "title_zh", "key", "label", "begin_date", "end_date"),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("previous", sa.Float),
        sa.Column("people", Json, nullable=False),
        sa.Column("raise_time", Moment, nullable=False),
        *_texts("group_by"),
        sa.UniqueConstraint("rule", "key", "begin_date", name="alerts_one"),
    )
    op.create_index("alerts_raised", "alerts", ["raise_time", "name"])


def _exports() -> None:
    op.create_table(
        "export_schedules",
        _name(),
        *_texts("display_name", "display_name_zh", "report"),
        sa.Column("group_by", Json, nullable=False),
        *_texts("filter"),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("format", "span", "hour")),
        sa.Column("people", Json, nullable=False),
        *_texts("language"),
        sa.Column("enabled", sa.Boolean, nullable=False),
        *_texts("sent_until"),
        *_wholes("version"),
        *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "update_time")),
        sa.Column("delete_time", Moment),
    )
    gone = sa.text("delete_time IS NOT NULL")
    op.create_index(
        "export_schedules_deleted", "export_schedules", ["delete_time"], postgresql_where=gone, sqlite_where=gone
    )
    op.create_table(
        "export_mails",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("schedule", "person", "begin_date")),
        *_texts("end_date", "state", "why"),
        sa.Column("tries", sa.Integer, nullable=False),
        *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "due_time")),
    )
    waits = sa.text("state IN ('WAITING', 'SENDING')")
    op.create_index("export_mails_due", "export_mails", ["due_time"], postgresql_where=waits, sqlite_where=waits)


def upgrade() -> None:
    _targets()
    _costs()
    _alerts()
    _exports()
    op.create_table(
        "people",
        _name(),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("display_name", "team", "manager", "role")),
        sa.Column("active", sa.Boolean, nullable=False),
        *_wholes("version"),
    )
    op.create_index("people_team", "people", ["team"])
    op.create_table("labels", _name(), *_texts("display_name"), *_wholes("version"))
    op.create_table("regions", _name(), *_texts("region"), *_wholes("version"))
    op.create_table(
        "exchange_rates",
        _name(),
        *_texts("from_currency", "to_currency", "date", "rate"),
        sa.Column("gone", sa.Boolean, nullable=False),
        *_wholes("version"),
    )
    op.create_index("exchange_rates_of", "exchange_rates", ["from_currency", "to_currency", "date"])
    op.create_table(
        "copies",
        _key("copy"),
        *_texts("state"),
        sa.Column("begin_time", Moment, nullable=False),
        sa.Column("roll_time", Moment),
        *_texts("worker"),
        sa.Column("held_until", Moment),
        sa.Column("end_time", Moment),
        *_texts("compared"),
    )
    op.create_table(
        "walks",
        _key("copy"),
        sa.Column("service", sa.Text, primary_key=True),
        *_texts("place"),
        *_wholes("events", "passed_over"),
    )
    op.create_table(
        "subjects",
        _key("copy"),
        _name(),
        *_texts("customer", "lead", "rate", "holder"),
        *_wholes("learn_time"),
        sa.Column("state", Json(none_as_null=True)),
    )
    for link in ("customer", "lead", "rate"):
        there = sa.text(f"{link} <> ''")
        op.create_index(f"subjects_of_{link}", "subjects", ["copy", link], postgresql_where=there, sqlite_where=there)
    op.create_index("subjects_of_holder", "subjects", ["copy", "holder"])
    op.create_table(
        "batches",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("copy", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "postings",
        _key("copy"),
        _key("batch", sa.BigInteger),
        _key("place"),
        *_texts("fact", "record", "event"),
        *_wholes("learn_time", "happen_time", "hour", "count", "amount", "seconds"),
        *_texts("currency", "holder", "owner", "channel", "region", "industry", "customer", "product"),
        *_texts("pipeline", "stage", "reason", "detail"),
    )
    op.create_index("postings_of_fact", "postings", ["copy", "fact", "hour"])
    op.create_index("postings_of_holder", "postings", ["copy", "holder", "fact", "hour"])
    op.create_index("postings_of_record", "postings", ["copy", "record"])
    op.create_table(
        "rollups",
        _key("copy"),
        _key("rollup"),
        *_texts("fact", "dimensions", "grain"),
        sa.Column("filled", sa.Boolean, nullable=False),
        sa.UniqueConstraint("copy", "fact", "dimensions", "grain", name="rollups_one"),
    )
    op.create_table(
        "cells",
        _key("copy"),
        _key("rollup"),
        sa.Column("holder", sa.Text, primary_key=True),
        _key("bucket", sa.BigInteger),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("d1", "d2", "d3", "currency")),
        *_wholes("count", "amount", "seconds"),
    )
    _made_by_people()


def _made_by_people() -> None:
    """KPIs and boards."""
    for name, more in (("kpis", ("revision", "version")), ("boards", ("revision",))):
        op.create_table(
            name,
            _name(),
            sa.Column("content", Json, nullable=False),
            *_texts("owner"),
            *_wholes(*more),
            *(sa.Column(time, Moment, nullable=False) for time in ("create_time", "update_time")),
            sa.Column("delete_time", Moment),
        )
    op.create_table(
        "kpi_versions",
        _name(),
        _key("version", sa.BigInteger),
        sa.Column("content", Json, nullable=False),
        *_texts("owner"),
        sa.Column("begin_time", Moment, nullable=False),
    )
    op.create_table(
        "settings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("content", Json, nullable=False),
        *_wholes("version"),
    )
