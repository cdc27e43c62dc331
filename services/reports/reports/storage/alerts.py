"""Rules, and what they told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from chassis import ids
from chassis.database import Json, Moment, in_values, insert_rows
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
    sa.Column("look_time", Moment),
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
    *(sa.Column(name, sa.Float) for name in ("corrected_value", "corrected_previous")),
    sa.Column("correct_time", Moment),
    sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    *_texts("team"),
    sa.UniqueConstraint("rule", "key", "team", "begin_date", name="alerts_one"),
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


def every(tx: Transaction, deleted: bool) -> list[AlertRule]:
    """All rules by name, deleted ones too where that is said."""
    c = alert_rules.c
    query = sa.select(*(c[name] for name in _RULE)).order_by(c.name)
    return [AlertRule(*row) for row in tx.execute(query if deleted else query.where(c.delete_time.is_(None)))]


def of_kpi(tx: Transaction, kpi: str) -> list[AlertRule]:
    """The rules that look at a KPI."""
    c = alert_rules.c
    query = sa.select(*(c[name] for name in _RULE)).where(c.kpi == kpi, c.delete_time.is_(None))
    return [AlertRule(*row) for row in tx.execute(query.order_by(c.name))]


def looked(tx: Transaction, rule: str, begin: str) -> None:
    """Remembers how far a rule has looked, and when."""
    done = sa.update(alert_rules).where(alert_rules.c.name == rule)
    tx.execute(done.values(looked_at=begin, look_time=tx.now))


def came(tx: Transaction, before: datetime, since: datetime) -> bool:
    """Whether events that were told of before a moment have come in since another, or failed and are tried again."""
    older = ids.first_id_at(before.timestamp())
    inbox, failures = tx.tables.inbox, tx.tables.failures
    late = sa.select(inbox.c.event_id).where(inbox.c.event_id < older, inbox.c.handled_at > since).limit(1)
    tried = sa.select(failures.c.event_id).where(failures.c.event_id < older, failures.c.next_attempt_at.is_not(None))
    return any(tx.execute(query).first() is not None for query in (late, tried.limit(1)))


def of_span(tx: Transaction, rule: str, begin: str) -> dict[tuple[str, str], Alert]:
    """What a rule told of a span, by group and team."""
    c = alerts.c
    query = sa.select(*(c[name] for name in _ALERT)).where(c.rule == rule, c.begin_date == begin)
    return {(row.key, row.team): Alert(*row) for row in tx.execute(query)}


def standing(tx: Transaction, of: Collection[str]) -> list[Alert]:
    """The alerts of these KPIs that hold, of the last span that their rules looked at."""
    c, rule = alerts.c, alert_rules.c
    query = sa.select(*(c[name] for name in _ALERT)).join(alert_rules, rule.name == c.rule)
    its = (rule.enabled, rule.delete_time.is_(None), c.begin_date == rule.looked_at, c.withdrawn.is_(False))
    found = tx.execute(query.where(in_values(c.kpi, sorted(of), tx.dialect), *its).order_by(c.name))
    return [Alert(*row) for row in found]


def correct(tx: Transaction, of: Alert) -> None:
    """Writes down what turned out otherwise."""
    names = ("corrected_value", "corrected_previous", "correct_time", "withdrawn")
    values = {name: getattr(of, name) for name in names}
    tx.execute(sa.update(alerts).where(alerts.c.name == of.name).values(**values))


def add(tx: Transaction, of: Alert) -> bool:
    """Keeps an alert; False where the rule told of the same group and span before."""
    row = [getattr(of, name) for name in _ALERT]
    conflict = "(rule, key, team, begin_date) DO NOTHING"
    return bool(insert_rows(tx.connection, alerts, _ALERT, [row], conflict, returning=("name",)))


def rules_of(tx: Transaction, kpi: str) -> list[str]:
    """The names of the rules that look at a KPI."""
    c = alert_rules.c
    return list(tx.execute(sa.select(c.name).where(c.kpi == kpi, c.delete_time.is_(None)).order_by(c.name)).scalars())


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


def teams(tx: Transaction) -> list[str]:
    """Those that somebody is in."""
    query = sa.select(people.c.team).where(people.c.active, people.c.team != "").distinct()
    return sorted(tx.execute(query).scalars())


def selling(tx: Transaction, by: str) -> list[tuple[str, str]]:
    """Of the active people who sell, what they are grouped by, and whose team that is."""
    columns = {"owner": people.c.name, "region": regions.c.region, "owner_region": regions.c.region}
    column = columns[by] if by in columns else people.c[by]
    query = sa.select(column, people.c.team).select_from(people.outerjoin(regions, regions.c.name == people.c.name))
    rows = tx.execute(query.where(people.c.role == "sales", people.c.active, column != "").distinct())
    return [(row[0], row[1]) for row in rows]


def active(tx: Transaction, names: Sequence[str]) -> set[str]:
    """Those of these people who have not left."""
    query = sa.select(people.c.name).where(in_values(people.c.name, names, tx.dialect), people.c.active)
    return set(tx.execute(query).scalars())


def leaders(tx: Transaction, team: str, role: str) -> list[str]:
    """Who leads a team: those of it with this role, else whoever leads its people."""
    c = people.c
    of_team = tx.execute(sa.select(c.name, c.role).where(c.team == team, c.active).order_by(c.name)).all()
    return [row.name for row in of_team if row.role == role] or managers(tx, [row.name for row in of_team])


def there(tx: Transaction, names: Sequence[str]) -> list[str]:
    """Of these people those who have not left; for one who has, whoever leads him, or who leads that one."""
    c, found, asked = people.c, list[str](), set[str]()
    while wanted := [name for name in dict.fromkeys(names) if name not in asked]:
        asked |= set(wanted)
        known = {row.name: row for row in tx.execute(sa.select(c.name, c.active, c.manager).where(c.name.in_(wanted)))}
        found += [name for name in wanted if name in known and known[name].active]
        names = [row.manager for _, row in sorted(known.items()) if row.manager and not row.active]
    return list(dict.fromkeys(found))
