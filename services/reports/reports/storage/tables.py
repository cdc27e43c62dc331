"""The tables.

Whatever is made from events has `copy` first: while a second copy is built from the services' history, the first
answers. What people made (KPIs, boards, targets) is there once.
"""

from __future__ import annotations

import sqlalchemy as sa

from chassis import parts
from chassis import people as people_copy
from chassis.database import Json, Moment

metadata = sa.MetaData()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _copy() -> sa.Column[int]:
    return sa.Column("copy", sa.Integer, primary_key=True, autoincrement=False)


people = people_copy.table(metadata)


# What people made or changed; every version that a KPI had; how often any of them was changed.
def _kept(name: str, *more: sa.Column[int]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("content", Json, nullable=False),
        *more,
        _text("owner"),
        _whole("revision"),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    )


kpis = _kept("kpis", _whole("version"))
boards = _kept("boards")
kpi_versions = sa.Table(
    "kpi_versions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", Json, nullable=False),
    _text("owner"),
    sa.Column("begin_time", Moment, nullable=False),
)
settings = parts.table(metadata)

# What records and stages are called, where stages stand, people's regions, the teams above teams, exchange rates: the
# newest that was told.
labels = sa.Table(
    "labels",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("display_name"),
    _whole("version"),
    _whole("place"),
)
regions = sa.Table(
    "regions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("region"),
    _whole("version"),
)
teams = sa.Table(
    "teams",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("parent"),
    _whole("version"),
)
exchange_rates = sa.Table(
    "exchange_rates",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(_text, ("from_currency", "to_currency", "date", "rate")),
    sa.Column("gone", sa.Boolean, nullable=False),
    _whole("version"),
    sa.Index("exchange_rates_of", "from_currency", "to_currency", "date"),
)
# All that was told of each, and when `contracts` learnt it (microseconds since 1970; 0: told before that was kept).
rate_states = sa.Table(
    "rate_states",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    *map(_text, ("from_currency", "to_currency", "date", "rate")),
    sa.Column("gone", sa.Boolean, nullable=False),
    _whole("learn_time"),
    sa.Index("rate_states_of", "from_currency", "to_currency", "date"),
)

# LIVE answers. BUILDING is made from history, JOINING hears what is new besides; OLD goes. Whoever works on one of them
# holds it for a while. `compared` is the last record of which it was seen whether both were learnt at the same times,
# `edition` the ledger's when it was begun.
copies = sa.Table(
    "copies",
    metadata,
    sa.Column("copy", sa.Integer, primary_key=True, autoincrement=False),
    _text("state"),
    sa.Column("begin_time", Moment, nullable=False),
    sa.Column("roll_time", Moment),
    _text("worker"),
    sa.Column("held_until", Moment),
    sa.Column("end_time", Moment),
    _text("compared"),
    sa.Column("edition", sa.Integer, nullable=False, server_default="1"),
)

# How far each service's history is in a copy that is built: the id of the last message, and how many events.
walks = sa.Table(
    "walks",
    metadata,
    _copy(),
    sa.Column("service", sa.Text, primary_key=True),
    _text("place"),
    _whole("events"),
    _whole("passed_over"),
)

# What is known of each record; `customer`, `lead` and `rate` are the records that tell more of it, `holder` is whose it
# is.
subjects = sa.Table(
    "subjects",
    metadata,
    _copy(),
    sa.Column("name", sa.Text, primary_key=True),
    *map(_text, ("customer", "lead", "rate", "holder")),
    _whole("learn_time"),
    sa.Column("state", Json(none_as_null=True)),
    *(
        sa.Index(
            f"subjects_of_{link}",
            "copy",
            link,
            postgresql_where=sa.text(f"{link} <> ''"),
            sqlite_where=sa.text(f"{link} <> ''"),
        )
        for link in ("customer", "lead", "rate")
    ),
    sa.Index("subjects_of_holder", "copy", "holder"),
)

# Transactions whose postings are not in the cells yet. Their numbers are never used again.
batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("copy", sa.Integer, nullable=False),
    sqlite_autoincrement=True,
)

_FOLLOW_UPS = sa.text("fact = 'activity.followed_up'")
# Times in microseconds since 1970; `hour` counts hours of the company's clock since then.
postings = sa.Table(
    "postings",
    metadata,
    _copy(),
    sa.Column("batch", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    _text("fact"),
    _text("record"),
    _text("event"),
    *map(_whole, ("learn_time", "happen_time", "hour", "count", "amount", "seconds")),
    *map(_text, ("currency", "holder", "owner", "channel", "region", "industry", "customer", "product")),
    *map(_text, ("pipeline", "stage", "reason", "detail", "lead", "customer_holder", "lead_holder")),
    sa.Index("postings_of_fact", "copy", "fact", "hour"),
    sa.Index("postings_of_holder", "copy", "holder", "fact", "hour"),
    sa.Index("postings_of_record", "copy", "record"),
    # Only what was done about a customer is looked for by customer.
    sa.Index("postings_of_follow_ups", "copy", "customer", postgresql_where=_FOLLOW_UPS, sqlite_where=_FOLLOW_UPS),
)

# What is summed as postings come: a fact by some dimensions and a grain of time. One that is not `filled` is not read
# yet, nor added to.
rollups = sa.Table(
    "rollups",
    metadata,
    _copy(),
    sa.Column("rollup", sa.Integer, primary_key=True, autoincrement=False),
    _text("fact"),
    _text("dimensions"),
    _text("grain"),
    sa.Column("filled", sa.Boolean, nullable=False),
    sa.UniqueConstraint("copy", "fact", "dimensions", "grain", name="rollups_one"),
)

# `holder` is "*" for everybody's; `bucket` the hour or the day of the company's clock, 0 for all time. The other
# holders are "*" where what lends something is his, too.
cells = sa.Table(
    "cells",
    metadata,
    _copy(),
    sa.Column("rollup", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("holder", sa.Text, primary_key=True),
    sa.Column("bucket", sa.BigInteger, primary_key=True, autoincrement=False),
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("d1", "d2", "d3", "currency")),
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("customer_holder", "lead_holder")),
    *map(_whole, ("count", "amount", "seconds")),
)
