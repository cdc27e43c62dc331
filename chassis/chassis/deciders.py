"""The copy of who decides about records that are others', as every service keeps it whose records people decide about:
they read what they decide about, and what they have decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction

_COLUMNS = ("decision", "person", "record", "reads", "version")
_NEWER = """(decision, person) DO UPDATE SET reads = excluded.reads, version = excluded.version
    WHERE deciders.version < excluded.version"""


@dataclass(frozen=True, slots=True)
class Decision:
    """`reads`: of everybody who ever had to do with it, whether he reads its record now."""

    name: str
    record: str
    reads: Mapping[str, bool]
    version: int


def columns() -> list[sa.Column[Any]]:
    """For the table and for the migration that makes it."""
    return [
        sa.Column("decision", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("reads", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    ]


def table(metadata: sa.MetaData) -> sa.Table:
    there = sa.text("reads")
    by_person = sa.Index("deciders_person", "person", postgresql_where=there, sqlite_where=there)
    return sa.Table("deciders", metadata, *columns(), by_person, sa.Index("deciders_record", "record"))


def know(tx: Transaction, deciders: sa.Table, told: Sequence[Decision]) -> None:
    """Keeps the newest of each."""
    newest = {one.name: one for one in sorted(told, key=lambda one: one.version)}
    rows = [
        (name, person, of.record, reads, of.version)
        for name, of in sorted(newest.items())
        for person, reads in sorted(of.reads.items())
    ]
    insert_rows(tx.connection, deciders, _COLUMNS, rows, conflict=_NEWER)


def forget(tx: Transaction, deciders: sa.Table, record: str) -> None:
    """The record is gone for good."""
    tx.execute(sa.delete(deciders).where(deciders.c.record == record))


def records_of(deciders: sa.Table, person: str) -> sa.Select[Any]:
    """SQL for the records that somebody reads because he decides, or decided, about them."""
    return sa.select(deciders.c.record).where(deciders.c.person == person, deciders.c.reads)
