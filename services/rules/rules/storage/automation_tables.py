"""The automations as tables: what they watch, what of it ran out, how far today's scans are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis import parts
from chassis.database import Json, Moment
from rules.storage.tables import metadata

settings = parts.table(metadata)


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


# What clocks of automations run for, in the order of domain.watching.Watched; its clocks are derived from it, so that
# a row costs the same however many automations there are.
watched = sa.Table(
    "watched",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("facts", Json, nullable=False),
    sa.Column("runs", sa.Boolean, nullable=False),
    sa.Column("opened", Moment),
    sa.Column("staged", Moment),
    sa.Column("touched", Moment),
    sa.Column("turns", Json, nullable=False),
    sa.Column("follow_up", Json, nullable=False),
    sa.Column("fired", Json, nullable=False),
    # Of an opportunity whose clocks run: its silence, pauses left out. What a daily scan is ordered by.
    sa.Column("silent_since", Moment),
    # The first of the clocks that run; empty when none does.
    sa.Column("next_due", Moment),
    # The rules under which `next_due` was counted; older rows are counted again.
    sa.Column("counted", sa.BigInteger, nullable=False),
    sa.Index("watched_due", "next_due", **_where("next_due IS NOT NULL")),
    sa.Index("watched_silent", "silent_since", "name", **_where("silent_since IS NOT NULL")),
    sa.Index("watched_counted", "counted"),
)

fired_automations = sa.Table(
    "fired_automations",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("automation", sa.Text, primary_key=True),
    sa.Column("due", Moment, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("fired", Moment, nullable=False),
)

# The last day on which each daily automation looked, and how far it is: it goes on after (`since`, `name`).
scans = sa.Table(
    "scans",
    metadata,
    sa.Column("automation", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("since", Moment),
    sa.Column("name", sa.Text, nullable=False),
)
