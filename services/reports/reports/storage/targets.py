"""What is to be reached."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis.database import Moment
from chassis.transaction import Transaction
from reports.domain.target import Target
from reports.storage.tables import metadata

targets = sa.Table(
    "targets",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("kpi", "period", "person", "team")),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("value", "version")),
    *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "update_time")),
    sa.Column("delete_time", Moment),
    sa.Index(
        "targets_one", "kpi", "period", "person", "team", unique=True,
        postgresql_where=sa.text("delete_time IS NULL"), sqlite_where=sa.text("delete_time IS NULL"),
    ),
    sa.Index(
        "targets_deleted", "delete_time",
        postgresql_where=sa.text("delete_time IS NOT NULL"), sqlite_where=sa.text("delete_time IS NOT NULL"),
    ),
)  # fmt: skip
_SELECT = sa.select(*(targets.c[name] for name in Target.__slots__))


def of(tx: Transaction, kpi: str, periods: Sequence[str], shown: sa.ColumnElement[bool]) -> list[Target]:
    """A KPI's targets of these periods, of those that are `shown`."""
    there = targets.c.delete_time.is_(None)
    query = _SELECT.where(targets.c.kpi == kpi, targets.c.period.in_(periods), there, shown)
    return [Target(*row) for row in tx.execute(query)] if periods else []


def of_kpi(tx: Transaction, kpi: str) -> list[str]:
    """The names of a KPI's targets."""
    c = targets.c
    return list(tx.execute(sa.select(c.name).where(c.kpi == kpi, c.delete_time.is_(None)).order_by(c.name)).scalars())
