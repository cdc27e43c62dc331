"""What records lend each other, where stages stand, which team is above which, alerts that are corrected and of teams.

What was known of records, and what they posted, is not what it was: the ledger has nothing of them after it, and is
made anew out of history while the service runs. What no service keeps the history of stays in it.
"""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "reports_0002"
down_revision = "reports_0001"
branch_labels = None
depends_on = None

_THESE = sa.text("fact = 'activity.followed_up'")
_UNKEPT = ("usage", "attendance", "channelCosts")


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False, server_default="") for name in names]


def _wholes(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _key(name: str, kind: type = sa.Integer) -> "sa.Column[int]":
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def upgrade() -> None:
    _alerts()
    op.add_column("labels", sa.Column("place", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table("teams", sa.Column("name", sa.Text, primary_key=True), *_texts("parent"), *_wholes("version"))
    op.execute("DELETE FROM copies WHERE state <> 'LIVE'")
    op.add_column("copies", sa.Column("edition", sa.Integer, nullable=False, server_default="1"))
    for table in ("rollups", "walks", "batches"):
        op.execute(f"DELETE FROM {table}")
    for table, record in (("postings", "record"), ("subjects", "name")):
        kept = " OR ".join(f"{record} LIKE '{kind}/%'" for kind in _UNKEPT)
        op.execute(f"DELETE FROM {table} WHERE NOT ({kept}) OR copy NOT IN (SELECT copy FROM copies)")
    for column in _texts("lead", "customer_holder", "lead_holder"):
        op.add_column("postings", column)
    op.execute("UPDATE postings SET customer_holder = '*', lead_holder = '*'")
    op.create_index(
        "postings_of_follow_ups", "postings", ["copy", "customer"], postgresql_where=_THESE, sqlite_where=_THESE
    )
    op.drop_table("cells")
    op.create_table(
        "cells",
        _key("copy"),
        _key("rollup"),
        sa.Column("holder", sa.Text, primary_key=True),
        _key("bucket", sa.BigInteger),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("d1", "d2", "d3", "currency")),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("customer_holder", "lead_holder")),
        *_wholes("count", "amount", "seconds"),
    )


def _alerts() -> None:
    op.add_column("alert_rules", sa.Column("look_time", Moment))
    with op.batch_alter_table("alerts") as alerts:
        for name in ("corrected_value", "corrected_previous"):
            alerts.add_column(sa.Column(name, sa.Float))
        alerts.add_column(sa.Column("correct_time", Moment))
        alerts.add_column(sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()))
        alerts.add_column(sa.Column("team", sa.Text, nullable=False, server_default=""))
        alerts.drop_constraint("alerts_one")
        alerts.create_unique_constraint("alerts_one", ["rule", "key", "team", "begin_date"])
