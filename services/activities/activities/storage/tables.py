"""The tables that all of this service shares; each noun has its own beside. And the columns that they are made of."""

from __future__ import annotations

import sqlalchemy as sa

from chassis import deciders as deciders_copy
from chassis import parts
from chassis import people as people_copy
from chassis.database import Moment

metadata = sa.MetaData()

people = people_copy.table(metadata)
settings = parts.table(metadata)
deciders = deciders_copy.table(metadata)


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def kept() -> list[sa.Column[object]]:
    """What every record has, in this order, at its end (chassis.records.Kept)."""
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    ]


def deleted(table: str) -> sa.Index:
    """What was deleted and is to be ended for good."""
    where = sa.text("delete_time IS NOT NULL")
    return sa.Index(f"{table}_deleted", "delete_time", postgresql_where=where, sqlite_where=where)
