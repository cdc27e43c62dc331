"""Postings, appended; and what is known of the records that made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from reports.domain.posting import Posting
from reports.storage.tables import batches, copies, postings, subjects

Within = Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]
"""The criterion of what a caller sees, by the column with the holder."""
EDITION = 4
"""Goes up whenever records post something else than before: what answers is then made anew."""
LIVE, BUILDING, JOINING, OLD = "LIVE", "BUILDING", "JOINING", "OLD"
_SUBJECT = ("copy", "name", "customer", "lead", "rate", "holder", "learn_time", "state")
_KEPT = "(copy, name) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _SUBJECT[2:])
_COLUMNS = ("copy", "batch", "place", "record", "event", "learn_time", "hour", *Posting._fields)


class Subject(NamedTuple):
    """What is known of a record: plain data. `learn_time` is of the newest event that told of it, `holder` whose it
    is; the links are as its folding has them."""

    name: str
    customer: str = ""
    lead: str = ""
    rate: str = ""
    holder: str = ""
    learn_time: int = 0
    state: Any = None


class Entry(NamedTuple):
    """A posting in the ledger: of which record, by which events (their ids, a space between), learnt when, in which
    hour of the company's clock."""

    record: str
    events: str
    learn_time: int
    hour: int
    posting: Posting


def filled(tx: Transaction) -> list[int]:
    """The copies that events are written into as they come."""
    return _in(tx, LIVE, JOINING)


def summed(tx: Transaction) -> list[int]:
    """The copies that have cells."""
    return _in(tx, LIVE, JOINING, BUILDING)


def _in(tx: Transaction, *states: str) -> list[int]:
    """The one that answers, and of others those of this edition."""
    ours = sa.or_(copies.c.state == LIVE, copies.c.edition == EDITION)
    query = sa.select(copies.c.copy).where(copies.c.state.in_(states), ours).order_by(copies.c.copy)
    return [row[0] for row in tx.execute(query)]


def outdated(tx: Transaction) -> bool:
    """Whether the copy that answers has what records posted in an edition before this one."""
    query = sa.select(copies.c.edition).where(copies.c.state == LIVE)
    return int(tx.execute(query).scalar_one()) < EDITION


def live(tx: Transaction) -> int:
    """The copy that answers."""
    return tx.once("live", lambda: int(tx.execute(sa.select(copies.c.copy).where(copies.c.state == LIVE)).scalar_one()))


def rolled(tx: Transaction) -> datetime | None:
    """When the cells of the copy that answers were brought up to date last."""
    found: datetime | None = tx.execute(sa.select(copies.c.roll_time).where(copies.c.state == LIVE)).scalar_one()
    return found


def hold(tx: Transaction, copy: int, names: Sequence[str]) -> dict[str, Subject]:
    """What is known of these records, made where there is nothing yet, held until the commit. `names` are sorted."""
    found = _held(tx, copy, names)
    new = [Subject(name) for name in names if name not in found]
    rows = [(copy, *one) for one in new]
    conflict = "(copy, name) DO NOTHING"
    ours = insert_rows(tx.connection, subjects, _SUBJECT, rows, conflict=conflict, returning=("name",))
    made = {row[0] for row in ours}
    found |= {one.name: one for one in new if one.name in made}
    # Others made the rest meanwhile.
    return found | _held(tx, copy, [name for name in names if name not in found])


def _held(tx: Transaction, copy: int, names: Sequence[str]) -> dict[str, Subject]:
    if not names:
        return {}
    query = sa.select(*(subjects.c[name] for name in _SUBJECT[1:])).where(
        subjects.c.copy == copy, in_values(subjects.c.name, names, tx.dialect)
    )
    if tx.dialect == "postgresql":
        query = query.order_by(subjects.c.name).with_for_update()
    return {row.name: Subject(*row) for row in tx.execute(query)}


def seen(tx: Transaction, copy: int, names: Sequence[str], within: Within) -> list[str]:
    """Those of these records that the caller sees."""
    c = subjects.c
    query = sa.select(c.name).where(c.copy == copy, in_values(c.name, names, tx.dialect), within(c.holder))
    return [row[0] for row in tx.execute(query)]


def told_by(tx: Transaction, copy: int, link: str, names: Sequence[str]) -> dict[str, set[str]]:
    """The records that each of these tells more of; `link` is "customer", or "lead" of leads and contracts."""
    found: dict[str, set[str]] = {}
    if names:
        column = subjects.c[link]
        # Said once more, since no planner sees of over 100 names that none is empty, and the index has no empty ones.
        query = sa.select(column, subjects.c.name).where(subjects.c.copy == copy, column != "")
        for teller, name in tx.execute(query.where(in_values(column, sorted(names), tx.dialect))):
            found.setdefault(teller, set()).add(name)
    return found


def turned_by(tx: Transaction, copy: int, rates: str, begin: str, end: str) -> set[str]:
    """The records that want a rate of these, of a day from `begin` to before `end`."""
    c = subjects.c
    days = (c.rate != "", c.rate >= f"{rates}/{begin}", c.rate < f"{rates}/{end}")
    return set(tx.execute(sa.select(c.name).where(c.copy == copy, *days)).scalars())


def keep(tx: Transaction, copy: int, known: Mapping[str, Subject]) -> None:
    rows = [(copy, *one) for _, one in sorted(known.items())]
    insert_rows(tx.connection, subjects, _SUBJECT, rows, conflict=_KEPT)


def append(tx: Transaction, copy: int, entries: Sequence[Entry]) -> None:
    """Adds to the ledger; the roller finds it by its batch."""
    if not entries:
        return
    batch = tx.execute(sa.insert(batches).values(copy=copy).returning(batches.c.id)).scalar_one()
    rows = [(copy, batch, place, *entry[:4], *entry[4]) for place, entry in enumerate(entries)]
    insert_rows(tx.connection, postings, _COLUMNS, rows)
