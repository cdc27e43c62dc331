"""Reports that are mailed, and each mail of theirs: one for a schedule, a person and a span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime

import sqlalchemy as sa

from chassis.database import Json, Moment, insert_rows
from chassis.transaction import Transaction
from reports.domain.schedule import SENDING, WAITING, ExportSchedule, Mail
from reports.storage.tables import metadata


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False, server_default="") for name in names]


_GONE, _WAITS = sa.text("delete_time IS NOT NULL"), sa.text("state IN ('WAITING', 'SENDING')")
schedules = sa.Table(
    "export_schedules",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *_texts("display_name", "display_name_zh", "report"),
    sa.Column("group_by", Json, nullable=False),
    *_texts("filter"),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("format", "span", "hour")),
    sa.Column("people", Json, nullable=False),
    *_texts("language"),
    sa.Column("enabled", sa.Boolean, nullable=False),
    *_texts("sent_until"),
    sa.Column("version", sa.BigInteger, nullable=False),
    *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "update_time")),
    sa.Column("delete_time", Moment),
    sa.Index("export_schedules_deleted", "delete_time", postgresql_where=_GONE, sqlite_where=_GONE),
)
mails = sa.Table(
    "export_mails",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("schedule", "person", "begin_date")),
    *_texts("end_date", "state", "why"),
    sa.Column("tries", sa.Integer, nullable=False),
    *(sa.Column(name, Moment, nullable=False) for name in ("create_time", "due_time")),
    sa.Index("export_mails_due", "due_time", postgresql_where=_WAITS, sqlite_where=_WAITS),
)
_SCHEDULE = tuple(ExportSchedule.__slots__)
_MAIL = tuple(Mail.__slots__)
_KEY = ("schedule", "person", "begin_date")


def every(tx: Transaction, deleted: bool) -> list[ExportSchedule]:
    """All of them by name, deleted ones too where that is said."""
    c = schedules.c
    query = sa.select(*(c[name] for name in _SCHEDULE)).order_by(c.name)
    return [ExportSchedule(*row) for row in tx.execute(query if deleted else query.where(c.delete_time.is_(None)))]


def enabled(tx: Transaction) -> list[ExportSchedule]:
    """Held until the commit; those that another process holds are left to it."""
    c = schedules.c
    query = sa.select(*(c[name] for name in _SCHEDULE)).where(c.enabled, c.delete_time.is_(None)).order_by(c.name)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [ExportSchedule(*row) for row in tx.execute(query)]


def as_made(tx: Transaction, names: Sequence[str], wait: bool = False) -> list[ExportSchedule]:
    """Of these the disabled ones that nobody touched since they were made, held as `enabled` holds them.
    `wait`: those that another process holds as well."""
    c = schedules.c
    query = sa.select(*(c[name] for name in _SCHEDULE)).where(c.name.in_(names), c.version == 1, ~c.enabled)
    query = query.where(c.delete_time.is_(None)).order_by(c.name)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=not wait)
    return [ExportSchedule(*row) for row in tx.execute(query)]


def of_name(tx: Transaction, name: str) -> ExportSchedule | None:
    row = tx.execute(sa.select(*(schedules.c[one] for one in _SCHEDULE)).where(schedules.c.name == name)).first()
    return None if row is None else ExportSchedule(*row)


def of_report(tx: Transaction, report: str) -> list[str]:
    """The names of the schedules of a report."""
    c = schedules.c
    query = sa.select(c.name).where(c.report == report, c.delete_time.is_(None)).order_by(c.name)
    return list(tx.execute(query).scalars())


def sent(tx: Transaction, schedule: str, begin: str) -> None:
    """Remembers how far a schedule has gone out."""
    tx.execute(sa.update(schedules).where(schedules.c.name == schedule).values(sent_until=begin))


def plan(tx: Transaction, found: Sequence[Mail]) -> None:
    """What was planned before stays as it is."""
    insert_rows(tx.connection, mails, _MAIL, [astuple(one) for one in found], f"({', '.join(_KEY)}) DO NOTHING")


def due(tx: Transaction, now: datetime, most: int) -> list[Mail]:
    """Held until the commit; those that another process holds are left to it."""
    c = mails.c
    query = sa.select(*(c[name] for name in _MAIL)).where(c.state.in_((WAITING, SENDING)), c.due_time <= now)
    query = query.order_by(c.due_time, *(c[name] for name in _KEY)).limit(most)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [Mail(*row) for row in tx.execute(query)]


def keep(tx: Transaction, of: Mail, was: str) -> bool:
    """Writes it down; False where its state is not what it `was` any more."""
    same = [mails.c[name] == getattr(of, name) for name in _KEY]
    values = {name: getattr(of, name) for name in ("state", "why", "tries", "due_time")}
    changed = sa.update(mails).where(*same, mails.c.state == was).values(**values).returning(mails.c.person)
    return tx.execute(changed).first() is not None


def forget(tx: Transaction, before: datetime) -> None:
    """What became of mails is kept for a while."""
    tx.execute(sa.delete(mails).where(mails.c.create_time < before, mails.c.state.not_in((WAITING, SENDING))))
