"""Rules, and what they told."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis.database import Json, Moment, insert_rows
from chassis.transaction import Transaction
from reports.domain.alert import Alert, AlertRule
from reports.storage.tables import metadata, people, regions


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False, server_default="") for name in names]


alert_rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *_texts("display_name", "display_name_zh", "kpi", "group_by"),
    sa.Column("condition", sa.Integer, nullable=False),
    *_texts("limit_value"),
    sa.Column("span", sa.Integer, nullable=False),
    sa.Column("notify", Json, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    *_texts("minimum", "looked_at"),
    sa.Column("version", sa.BigInteger, nullable=False),
    *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "update_time")),
    sa.Column("delete_time", Moment),
    sa.Index(
        "alert_rules_deleted",
        "delete_time",
        postgresql_where=sa.text("delete_time IS NOT NULL"),
        sqlite_where=sa.text("delete_time IS NOT NULL"),
    ),
)
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *_texts("rule", "kpi", "title", "title_zh", "key", "label", "begin_date", "end_date"),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("previous", sa.Float),
    sa.Column("people", Json, nullable=False),
    sa.Column("raise_time", Moment, nullable=False),
    *_texts("group_by"),
    sa.UniqueConstraint("rule", "key", "begin_date", name="alerts_one"),
    sa.Index("alerts_raised", "raise_time", "name"),
)
_ALERT = tuple(Alert.__slots__)
_RULE = tuple(AlertRule.__slots__)


def enabled(tx: Transaction) -> list[AlertRule]:
    """The rules to look by, held until the commit; those that another process holds are left to it."""
    c = alert_rules.c
    query = sa.select(*(c[name] for name in _RULE)).where(c.enabled, c.delete_time.is_(None)).order_by(c.name)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [AlertRule(*row) for row in tx.execute(query)]


def looked(tx: Transaction, rule: str, begin: str) -> None:
    """Remembers how far a rule has looked."""
    tx.execute(sa.update(alert_rules).where(alert_rules.c.name == rule).values(looked_at=begin))


def add(tx: Transaction, of: Alert) -> bool:
    """Keeps an alert; False where the rule told of the same group and span before."""
    row = [getattr(of, name) for name in _ALERT]
    conflict = "(rule, key, begin_date) DO NOTHING"
    return bool(insert_rows(tx.connection, alerts, _ALERT, [row], conflict, returning=("name",)))


def any_rule(tx: Transaction) -> bool:
    return tx.execute(sa.select(alert_rules.c.name).limit(1)).first() is not None


def of_role(tx: Transaction, role: str, region: str = "") -> list[str]:
    """Active people with a role (its id), of a region where that is said."""
    query = sa.select(people.c.name).where(people.c.role == role, people.c.active)
    if region:
        query = query.join(regions, regions.c.name == people.c.name).where(regions.c.region == region)
    return [row[0] for row in tx.execute(query.order_by(people.c.name))]


def managers(tx: Transaction, names: Sequence[str]) -> list[str]:
    """Of these people, whoever leads them."""
    query = sa.select(people.c.manager).where(people.c.name.in_(list(names)), people.c.manager != "")
    return sorted({row[0] for row in tx.execute(query)})
