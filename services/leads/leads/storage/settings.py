"""The settings row: what the company set, and the version of our part of the blueprint."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from leads.domain.settings import LeadSettings, from_plain, to_plain
from leads.storage.tables import lead_settings

_ID = "leads"


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


def save(tx: Transaction, settings: LeadSettings) -> None:
    """Writes the settings and raises the version."""
    insert_rows(
        tx.connection,
        lead_settings,
        ("id", "content", "version"),
        [(_ID, to_plain(settings), 1)],
        conflict="(id) DO UPDATE SET content = excluded.content, version = lead_settings.version + 1",
    )
