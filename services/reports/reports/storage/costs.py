"""What channels cost."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import Moment
from reports.storage.tables import metadata

channel_costs = sa.Table(
    "channel_costs",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("channel", "month")),
    sa.Column("amount", sa.BigInteger, nullable=False),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("currency", "note")),
    sa.Column("version", sa.BigInteger, nullable=False),
    *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "update_time")),
    sa.Column("delete_time", Moment),
    sa.Index(
        "channel_costs_one", "channel", "month", unique=True,
        postgresql_where=sa.text("delete_time IS NULL"), sqlite_where=sa.text("delete_time IS NULL"),
    ),
    sa.Index(
        "channel_costs_deleted", "delete_time",
        postgresql_where=sa.text("delete_time IS NOT NULL"), sqlite_where=sa.text("delete_time IS NOT NULL"),
    ),
)  # fmt: skip
