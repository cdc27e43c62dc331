"""The customers, contacts and opportunities that their services told of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.access import Scope, visible
from chassis.database import Json, Moment, in_values, insert_rows
from chassis.transaction import Transaction
from contracts.domain.party import Party
from contracts.storage.tables import metadata, people

parties = sa.Table(
    "parties",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("title", "owner", "team", "customer", "contact", "number")),
    sa.Column("amount", sa.BigInteger),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("products", Json, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("lost", sa.Boolean, nullable=False, server_default=sa.false()),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("tier", "region", "address", "phone", "email")),
    sa.Column("shared", sa.Boolean, nullable=False),
)

# Who works on an opportunity, persons and teams.
collaborators = sa.Table(
    "collaborators",
    metadata,
    sa.Column("opportunity", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Index("collaborators_person", "person"),
)

# Those an opportunity is shared with until `end_time`; `told_time` is when what we know was announced.
shares = sa.Table(
    "shares",
    metadata,
    sa.Column("opportunity", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("end_time", Moment, nullable=False),
    sa.Column("told_time", Moment, nullable=False),
    sa.Index("shares_person", "person"),
)
_COLUMNS = tuple(field.name for field in fields(Party))
_NEWER = (
    "(name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    + " WHERE parties.version < excluded.version"
)


def know(tx: Transaction, told: Sequence[Party]) -> list[str]:
    """Keeps the newest state of each. Returns the names of those that were news."""
    newest = {one.name: one for one in sorted(told, key=lambda one: one.version)}
    rows = [astuple(newest[name]) for name in sorted(newest)]
    written = insert_rows(tx.connection, parties, _COLUMNS, rows, conflict=_NEWER, returning=("name",))
    return [row[0] for row in written]


def told_of(tx: Transaction, names: Collection[str], hold: bool = False) -> dict[str, Party]:
    """Those of these names that are known, deleted ones too; `hold`: news of them waits for the commit."""
    wanted = sorted({name for name in names if name})
    query = sa.select(*(parties.c[column] for column in _COLUMNS)).where(in_values(parties.c.name, wanted, tx.dialect))
    if hold and tx.dialect == "postgresql":
        query = query.order_by(parties.c.name).with_for_update(read=True)
    return {row[0]: Party(*row) for row in tx.execute(query)} if wanted else {}


def lock(tx: Transaction, name: str) -> None:
    """Whoever holds one, or wants to, waits for the other's commit."""
    if tx.dialect == "postgresql":
        tx.execute(sa.select(parties.c.name).where(parties.c.name == name).with_for_update())


def find_all(tx: Transaction, names: Sequence[str], hold: bool = False) -> dict[str, Party]:
    """Those of these names that are known and not deleted: of a customer that was merged the one that it is part of,
    and of a contact or an opportunity with the customer that stands."""
    told = told_of(tx, names, hold)
    stands = standing(tx, {of.customer for of in told.values()} - {""}, hold)
    found = {}
    for name, of in told.items():
        whose = stands.get(of.customer)
        if whose is not None:
            of = whose if of.merged else replace(of, customer=whose.name)
        if not of.deleted:
            found[name] = of
    return found


def standing(tx: Transaction, customers: Collection[str], hold: bool = False) -> dict[str, Party]:
    """What we know of these customers, deleted ones too, or of those that they are part of by every merge we were told
    of; `hold`: news of them waits for the commit."""
    ends = {name: name for name in customers}
    known: dict[str, Party] = {}
    for _ in range(_LONGEST):
        known |= told_of(tx, set(ends.values()) - known.keys(), hold)
        into = {name: known[end].customer for name, end in ends.items() if end in known and known[end].merged}
        if not into:
            break
        ends |= into
    return {name: known[end] for name, end in ends.items() if end in known}


# A merge of merged ones; more of them than that is a circle.
_LONGEST = 8


def find(tx: Transaction, name: str, hold: bool = False) -> Party | None:
    """One that is known and not deleted."""
    return find_all(tx, [name], hold).get(name)


def set_collaborators(tx: Transaction, of: Mapping[str, Sequence[str]]) -> None:
    """Who works on these opportunities, instead of whoever did."""
    tx.execute(sa.delete(collaborators).where(in_values(collaborators.c.opportunity, sorted(of), tx.dialect)))
    rows = [(opportunity, person) for opportunity in sorted(of) for person in sorted(set(of[opportunity]))]
    insert_rows(tx.connection, collaborators, ("opportunity", "person"), rows)


def keep_share(tx: Transaction, opportunity: str, person: str, end: datetime, told: datetime) -> None:
    insert_rows(
        tx.connection,
        shares,
        ("opportunity", "person", "end_time", "told_time"),
        [(opportunity, person, end, told)],
        conflict="(opportunity, person) DO UPDATE SET end_time = excluded.end_time, told_time = excluded.told_time "
        "WHERE shares.told_time <= excluded.told_time",
    )


def shared(person: str, teams: Sequence[str], now: datetime) -> sa.CompoundSelect[Any]:
    """SQL for the opportunities that somebody works on, himself or with one of his teams, or has shared with him."""
    working = sa.select(collaborators.c.opportunity).where(collaborators.c.person.in_([person, *teams]))
    return working.union(sa.select(shares.c.opportunity).where(shares.c.person == person, shares.c.end_time > now))


def readable(tx: Transaction, resource: str, names: Sequence[str]) -> set[str]:
    """Those of these customers or opportunities that the caller's right on `resource` covers, as their own services
    decide it."""
    caller = tx.principal
    scope = caller.scope(resource, "read")
    if scope is Scope.ALL or not names:
        return set(names)
    p = parties.c
    seen = visible(caller, scope, p.owner, people)
    if scope is Scope.TEAM:
        seen = sa.or_(seen, p.owner == "")
    if scope is not Scope.NONE and caller.teams:
        seen = sa.or_(seen, sa.and_(p.shared, p.team != "", p.team.in_(caller.teams)))
    if resource == "opportunities" and scope is not Scope.NONE and caller.person:
        seen = sa.or_(seen, p.name.in_(shared(caller.person, caller.teams, tx.now)))
    query = sa.select(p.name).where(in_values(p.name, sorted(set(names)), tx.dialect), seen)
    return set(tx.execute(query).scalars())
