"""Our copy of other services' records, and who else may read an opportunity."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter

import sqlalchemy as sa

from activities.domain.known import Known, there
from activities.storage.tables import flag, metadata, text, whole
from chassis.database import Moment, in_values, insert_rows, update_rows
from chassis.transaction import Transaction

# In the order of domain.known.Known.
records = sa.Table(
    "records",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(text, ("kind", "owner", "team", "customer", "opportunity", "lead", "title", "number")),
    flag("shared_with_team"),
    text("merged_into"),
    flag("deleted"),
    *map(whole, ("version", "woken", "answered")),
    text("last_follow_up"),
    sa.Column("last_follow_up_time", Moment),
    sa.Index("records_owned", "owner", "kind"),
    sa.Index("records_of_customer", "customer"),
    sa.Index("records_followed", "kind", "last_follow_up_time", "name"),
)
COLUMNS = tuple(field.name for field in fields(Known))
_row = attrgetter(*COLUMNS)

# Those an opportunity is shared with; `told_time` is when what we know was announced.
shares = sa.Table(
    "shares",
    metadata,
    sa.Column("record", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("end_time", Moment, nullable=False),
    sa.Column("told_time", Moment, nullable=False),
    sa.Index("shares_person", "person"),
)

collaborators = sa.Table(
    "collaborators",
    metadata,
    sa.Column("record", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Index("collaborators_person", "person"),
)

_SELECT = sa.select(*(records.c[name] for name in COLUMNS))
_TOLD = (
    *("owner", "team", "customer", "opportunity", "lead", "title", "number"),
    *("shared_with_team", "merged_into", "deleted", "version"),
)
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _TOLD)
    + " WHERE records.version < excluded.version"
)


_OF_LEADS = ("owner", "team", "title", "deleted", "version", "woken", "answered")
_of_lead = attrgetter("name", *_OF_LEADS)


def hold(tx: Transaction, names: Sequence[str]) -> dict[str, Known]:
    """These records, as they stay until the commit; what nobody spoke of yet is made room for."""
    wanted = set(names)
    found = held(tx, wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        add(tx, [there(name) for name in missing])
        found |= held(tx, missing)
    return found


def add(tx: Transaction, new: Sequence[Known]) -> set[str]:
    """Stores those that were not there, and returns their names: the caller holds them."""
    rows = [_row(one) for one in sorted(new, key=lambda one: one.name)]
    made = insert_rows(tx.connection, records, COLUMNS, rows, conflict="DO NOTHING", returning=("name",))
    return {row[0] for row in made}


def held(tx: Transaction, names: Collection[str]) -> dict[str, Known]:
    """Those of them that are there, as they stay until the commit."""
    query = _SELECT.where(in_values(records.c.name, sorted(names), tx.dialect))
    if tx.dialect == "postgresql":
        query = query.order_by(records.c.name).with_for_update()
    return {row[0]: Known(*row) for row in tx.execute(query)} if names else {}


def find(tx: Transaction, names: Sequence[str], *criteria: sa.ColumnElement[bool]) -> dict[str, Known]:
    query = _SELECT.where(in_values(records.c.name, sorted(set(names)), tx.dialect), *criteria)
    return {row[0]: Known(*row) for row in tx.execute(query)} if names else {}


def keep_told(tx: Transaction, told: Sequence[Known]) -> None:
    """What their services say of them, where that is newer; what we found out ourselves stays."""
    insert_rows(tx.connection, records, COLUMNS, [_row(one) for one in told], conflict=_NEWER)


def save(tx: Transaction, changed: Sequence[Known]) -> None:
    """Writes what the caller holds."""
    rows = [_row(one) for one in sorted(changed, key=lambda one: one.name)]
    update_rows(tx.connection, records, ("name",), COLUMNS[1:], rows)


def save_leads(tx: Transaction, changed: Sequence[Known]) -> None:
    """Writes what leads' events change of leads that the caller holds: it comes with every lead."""
    rows = [_of_lead(one) for one in sorted(changed, key=lambda one: one.name)]
    update_rows(tx.connection, records, ("name",), _OF_LEADS, rows)


def merged(tx: Transaction, into: Mapping[str, str]) -> None:
    """What went on under a name that is now part of another goes on under that one."""
    for gone, standing in sorted(into.items()):
        tx.execute(sa.update(records).where(records.c.merged_into == gone).values(merged_into=standing))
        tx.execute(sa.update(records).where(records.c.customer == gone).values(customer=standing))


def set_collaborators(tx: Transaction, of: Mapping[str, Sequence[str]]) -> None:
    """Who works on these opportunities, instead of whoever did."""
    tx.execute(sa.delete(collaborators).where(in_values(collaborators.c.record, sorted(of), tx.dialect)))
    rows = [(record, person) for record in sorted(of) for person in sorted(set(of[record]))]
    insert_rows(tx.connection, collaborators, ("record", "person"), rows)


def collaborators_of(tx: Transaction, names: Sequence[str]) -> dict[str, set[str]]:
    """Who works on each of these opportunities, persons and teams."""
    c = collaborators.c
    found: dict[str, set[str]] = {name: set() for name in names}
    query = sa.select(c.record, c.person).where(in_values(c.record, sorted(found), tx.dialect))
    for record, who in tx.execute(query) if found else ():
        found[record].add(who)
    return found


def shared_with(tx: Transaction, record: str) -> set[str]:
    """Those an opportunity is shared with now."""
    s = shares.c
    return set(tx.execute(sa.select(s.person).where(s.record == record, s.end_time > tx.now)).scalars())


def keep_share(tx: Transaction, record: str, person: str, end: datetime, told: datetime) -> None:
    insert_rows(
        tx.connection,
        shares,
        ("record", "person", "end_time", "told_time"),
        [(record, person, end, told)],
        conflict="(record, person) DO UPDATE SET end_time = excluded.end_time, told_time = excluded.told_time "
        "WHERE shares.told_time <= excluded.told_time",
    )


def readable(person: str, teams: Sequence[str], now: datetime) -> sa.ColumnElement[bool]:
    """SQL for the opportunities that a person reads as a collaborator, himself or with one of his teams, or by a share
    that has not ended."""
    working = sa.select(collaborators.c.record).where(collaborators.c.person.in_([person, *teams]))
    shared = sa.select(shares.c.record).where(shares.c.person == person, shares.c.end_time > now)
    return sa.or_(records.c.name.in_(working), records.c.name.in_(shared))
