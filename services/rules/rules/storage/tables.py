"""The journal, what waits, who has what, and which clocks ran out: as tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis.database import Moment
from chassis.tables import attach

metadata = sa.MetaData()
attach(metadata)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    # The lead or the person that the entry is about, without its collection.
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Index("journal_subject", "subject", "seq"),
)
journal_head = sa.Table(
    "journal_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.LargeBinary, nullable=False),
    # Over the hash and the state, so that a damaged one shows when it is read.
    sa.Column("digest", sa.LargeBinary, nullable=False, server_default=sa.text("''")),
)
# What a waiting lead was announced with, so that a new policy can look at its text again.
waiting_leads = sa.Table(
    "waiting_leads",
    metadata,
    sa.Column("lead", sa.Text, primary_key=True),
    sa.Column("event", sa.LargeBinary, nullable=False),
)
# The newest ownership known of each lead, with its clocks: one row a lead, so that starting them costs one.
ownerships = sa.Table(
    "ownerships",
    metadata,
    sa.Column("lead", sa.Text, primary_key=True),
    sa.Column("owner_version", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("decision", sa.BigInteger, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False),
    sa.Column("misses", sa.Integer, nullable=False, server_default="0"),
    sa.Column("contacted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("response_due", Moment),
    sa.Column("response_fired", Moment),
    sa.Column("reclaim_due", Moment),
    sa.Column("reclaim_fired", Moment),
    sa.Column("nurture_due", Moment),
    sa.Column("nurture_fired", Moment),
    # The first of the clocks that run; empty when none does.
    sa.Column("next_due", Moment),
    sa.Index(
        "ownerships_due",
        "next_due",
        postgresql_where=sa.text("next_due IS NOT NULL"),
        sqlite_where=sa.text("next_due IS NOT NULL"),
    ),
)

# Clocks that ran out, of whatever ownership: its row is overwritten by the next one.
fired_clocks = sa.Table(
    "fired_clocks",
    metadata,
    sa.Column("lead", sa.Text, primary_key=True),
    sa.Column("owner_version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("due", Moment, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("fired", Moment, nullable=False),
)


def blob(value: Any) -> bytes:
    """A stored blob. SQLite keeps whatever kind of value a meddling hand wrote there: verification is to name it."""
    return value.encode() if isinstance(value, str) else bytes(value)
