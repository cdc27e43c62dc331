"""The settings row: what the company set, and the version of our part of the blueprint."""

from __future__ import annotations

from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from leads.domain.settings import LeadSettings, from_plain, to_plain
from leads.storage.tables import lead_settings

_ID = "leads"
_REMEMBERED = timedelta(seconds=1)
_recent: WeakKeyDictionary[sa.Engine, tuple[datetime, LeadSettings]] = WeakKeyDictionary()


def load(tx: Transaction, lock: bool = False) -> tuple[LeadSettings, int]:
    """The settings and the version of the part; defaults and 0 before anybody has set anything."""
    query = sa.select(lead_settings.c.content, lead_settings.c.version).where(lead_settings.c.id == _ID)
    if lock and tx.dialect == "postgresql":
        query = query.with_for_update()
    row = tx.execute(query).first()
    if row is None:
        return LeadSettings(), 0
    # A setting that a later version took away must not stop this one from reading the rest.
    known = {k: v for k, v in row.content.items() if k in to_plain(LeadSettings())}
    return from_plain(known, LeadSettings())[0], row.version


def recent(tx: Transaction) -> LeadSettings:
    """The settings as they were at most a second ago: a capture has no round trip to spare for what hardly changes."""
    engine = tx.connection.engine
    known = _recent.get(engine)
    if known is None or not timedelta() <= tx.now - known[0] < _REMEMBERED:
        known = _recent[engine] = (tx.now, load(tx)[0])
    return known[1]


def save(tx: Transaction, settings: LeadSettings) -> None:
    """Writes the settings and raises the version."""
    tx.after_commit(_recent.clear)
    insert_rows(
        tx.connection,
        lead_settings,
        ("id", "content", "version"),
        [(_ID, to_plain(settings), 1)],
        conflict="(id) DO UPDATE SET content = excluded.content, version = lead_settings.version + 1",
    )
