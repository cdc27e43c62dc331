"""Approvals, who has to do with each, and what their clocks and approvers need: posts of people, teams, hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import Json, Moment, in_values, insert_rows
from chassis.transaction import Transaction
from contracts.domain.approval import Approval, Run, Status
from contracts.domain.approvers import LONGEST_CHAIN, Colleague, Team
from contracts.storage.tables import metadata, people

_PENDING = f"status = {Status.PENDING:d}"
# A change is of a contract that was signed, and that holds whatever became of the deal.
_OF_SIGNED = "contractChanges/%"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


# In the order of domain.approval.Approval; money in ten-thousandths.
approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(_text, ("kind", "record", "opportunity", "customer", "flow")),
    sa.Column("flow_version", sa.BigInteger, nullable=False),
    sa.Column("flow_content", Json, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    *map(_text, ("owner", "team")),
    sa.Column("amount", sa.BigInteger),
    _text("currency"),
    sa.Column("facts", Json, nullable=False),
    sa.Column("steps", Json, nullable=False),
    sa.Column("due_time", Moment),
    sa.Column("remind_time", Moment),
    sa.Column("end_time", Moment),
    sa.Column("end_reason", sa.Integer, nullable=False, server_default="0"),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("update_time", Moment, nullable=False),
    sa.Column("delete_time", Moment),
    # One run of a flow at a time for a record.
    sa.Index(
        "approvals_pending",
        "record",
        "flow",
        unique=True,
        postgresql_where=sa.text(_PENDING),
        sqlite_where=sa.text(_PENDING),
    ),
    sa.Index("approvals_record", "record", "create_time"),
    sa.Index("approvals_of_deal", "opportunity", postgresql_where=sa.text(_PENDING), sqlite_where=sa.text(_PENDING)),
    sa.Index("approvals_of_customer", "customer"),
    sa.Index("approvals_created", "create_time", "name"),
    sa.Index("approvals_owned", "owner", "create_time", "name"),
    sa.Index(
        "approvals_due",
        "due_time",
        postgresql_where=sa.text("due_time IS NOT NULL"),
        sqlite_where=sa.text("due_time IS NOT NULL"),
    ),
)

# Whoever was asked or told; `waits`: it is his turn; `sits`: the run lasts, and he has or had a say in it.
approval_people = sa.Table(
    "approval_people",
    metadata,
    sa.Column("approval", sa.Text, sa.ForeignKey("approvals.name", ondelete="CASCADE"), primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("waits", sa.Boolean, nullable=False),
    sa.Column("sits", sa.Boolean, nullable=False),
    sa.Index("approval_people_person", "person", "waits"),
    sa.Index("approval_people_sits", "person", postgresql_where=sa.text("sits"), sqlite_where=sa.text("sits")),
)

# What approvals alone need to know of people, teams and hours; newest version wins.
posts = sa.Table(
    "approval_posts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("region"),
    sa.Column("version", sa.BigInteger, nullable=False),
)
teams = sa.Table(
    "approval_teams",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(_text, ("manager", "parent")),
    sa.Column("deleted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("version", sa.BigInteger, nullable=False),
)
calendars = sa.Table(
    "approval_calendars",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("hours", Json, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)


def know(tx: Transaction, table: sa.Table, rows: Iterable[Sequence[Any]]) -> None:
    """Keeps the newest of each row; its name comes first, its version last."""
    newest = {row[0]: row for row in sorted(rows, key=lambda row: int(row[-1]))}
    columns = [column.name for column in table.columns]
    anew = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    insert_rows(
        tx.connection,
        table,
        columns,
        [newest[name] for name in sorted(newest)],
        conflict=f"(name) DO UPDATE SET {anew} WHERE {table.name}.version < excluded.version",
    )


def hours(tx: Transaction, calendar: str) -> Mapping[str, Any] | None:
    """A calendar as plain data; None for one that nobody told of."""
    row = tx.execute(sa.select(calendars.c.hours).where(calendars.c.name == calendar)).first()
    return row[0] if row else None


# --- people ---


def colleagues(tx: Transaction, names: Iterable[str], roles: Iterable[str]) -> dict[str, Colleague]:
    """The active people of these roles, and these people; whoever is above any of them, and so on."""
    p, found = people.c, dict[str, Colleague]()
    query = (
        sa.select(p.name, p.role, p.team, p.manager, p.active, sa.func.coalesce(posts.c.region, ""))
        .select_from(people.outerjoin(posts, posts.c.name == p.name))
        .order_by(p.name)
    )
    wanted = sa.and_(p.role.in_(sorted(set(roles))), p.active.is_(True))
    above = sorted({name for name in names if name})
    for depth in range(LONGEST_CHAIN + 1):
        by_name = in_values(p.name, above, tx.dialect)
        rows = tx.execute(query.where(sa.or_(by_name, wanted) if depth == 0 else by_name))
        new = {row[0]: Colleague(*row) for row in rows if row[0] not in found}
        found |= new
        above = sorted({one.manager for one in new.values()} - found.keys() - {""})
        if not above:
            break
    return found


def all_teams(tx: Transaction) -> dict[str, Team]:
    t = teams.c
    there = sa.select(t.name, t.manager, t.parent).where(t.deleted.is_(False))
    return {row[0]: Team(*row) for row in tx.execute(there)}


# --- approvals ---


def lock_record(tx: Transaction, record: str) -> None:
    """One at a time asks about a record; others wait until the commit."""
    if tx.dialect == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(record, 0))))


def pending_of(tx: Transaction, record: str) -> dict[str, str]:
    """The flows that run for a record at present, and the name of each run."""
    a = approvals.c
    # The status as a literal, so that the index of what is pending is used.
    pending = a.status == sa.literal_column(str(Status.PENDING.value))
    query = sa.select(a.flow, a.name).where(a.record == record, pending)
    return {row[0]: row[1] for row in tx.execute(query.order_by(a.name))}


def pending_of_deals(tx: Transaction, opportunities: Sequence[str]) -> dict[str, str]:
    """The runs about these opportunities, their quotes, and their contracts that are not signed; with the opportunity
    of each."""
    a = approvals.c
    pending = a.status == sa.literal_column(str(Status.PENDING.value))
    query = sa.select(a.name, a.opportunity).where(
        in_values(a.opportunity, sorted(opportunities), tx.dialect), pending, sa.not_(a.record.like(_OF_SIGNED))
    )
    return {row[0]: row[1] for row in tx.execute(query)} if opportunities else {}


def involved(person: str) -> sa.ColumnElement[bool]:
    """SQL for approvals that somebody was asked or told about."""
    return approvals.c.name.in_(sa.select(approval_people.c.approval).where(approval_people.c.person == person))


def sits(tx: Transaction, approval: str, person: str) -> bool:
    """Whether somebody has a say in this one, while it lasts."""
    p = approval_people.c
    found = sa.select(p.approval).where(p.approval == approval, p.person == person, p.sits)
    return tx.execute(found.limit(1)).first() is not None


def sat_on(person: str) -> sa.Select[Any]:
    """SQL for the records of the runs that somebody has a say in, while they last."""
    p = approval_people.c
    return (
        sa.select(approvals.c.record)
        .select_from(approvals.join(approval_people, approvals.c.name == p.approval))
        .where(p.person == person, p.sits)
    )


def waiting_for(person: str) -> sa.ColumnElement[bool]:
    """SQL for approvals where it is somebody's turn."""
    return approvals.c.name.in_(
        sa.select(approval_people.c.approval).where(approval_people.c.person == person, approval_people.c.waits)
    )


def set_people(tx: Transaction, approval: str, of: Run) -> None:
    """Who has to do with an approval. Who was, stays."""
    waiting, sitting = of.waiting, of.sitting
    rows = [(approval, person, person in waiting, person in sitting) for person in sorted(of.involved)]
    insert_rows(
        tx.connection,
        approval_people,
        ("approval", "person", "waits", "sits"),
        rows,
        conflict="(approval, person) DO UPDATE SET waits = excluded.waits, sits = excluded.sits",
    )


def waits_of(tx: Transaction, persons: Sequence[str]) -> list[tuple[str, str]]:
    """(approval, person) of everything that waits for these people."""
    query = sa.select(approval_people.c.approval, approval_people.c.person).where(
        in_values(approval_people.c.person, sorted(persons), tx.dialect), approval_people.c.waits
    )
    return [(row[0], row[1]) for row in tx.execute(query.order_by(approval_people.c.approval))] if persons else []


def take_due(tx: Transaction, select: sa.Select[Any], most: int) -> list[Approval]:
    """Approvals whose clock has run out, held until the commit; those that another process holds are left to it."""
    query = select.where(approvals.c.due_time <= tx.now).order_by(approvals.c.due_time).limit(most)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [Approval(*row) for row in tx.execute(query)]


def last(tx: Transaction, select: sa.Select[Any], flow: str, most: int) -> list[Approval]:
    """The newest approvals that ran by a flow, or any where it is empty."""
    query = select.where(approvals.c.flow == flow) if flow else select
    return [Approval(*row) for row in tx.execute(query.order_by(approvals.c.create_time.desc()).limit(most))]
