"""Tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

import sqlalchemy as sa

from activities.domain.task import Parts, Status, Task, TaskKind
from activities.storage.tables import deleted, kept, metadata, number, people, text
from chassis.database import Json, Moment, in_values, insert_rows
from chassis.transaction import Transaction


def _partial(name: str, where: str, *columns: str, unique: bool = False) -> sa.Index:
    return sa.Index(name, *columns, unique=unique, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


# In the order of domain.task.Task.
tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    number("kind"),
    *map(text, ("title", "title_en", "detail")),
    number("status"),
    *map(text, ("record", "customer", "opportunity", "parent", "owner", "team", "creator")),
    sa.Column("due_time", Moment),
    *map(text, ("part", "deliverable")),
    sa.Column("mentions", Json, nullable=False),
    sa.Column("attachments", Json, nullable=False),
    sa.Column("done_time", Moment),
    text("result"),
    sa.Column("custom", Json),
    text("origin"),
    *kept(),
    sa.Index("tasks_due", "due_time", "name"),
    sa.Index("tasks_owned", "owner", "status", "due_time"),
    sa.Index("tasks_of_team", "team", "status", "due_time"),
    sa.Index("tasks_of_record", "record"),
    sa.Index("tasks_asked", "creator", "create_time"),
    _partial("tasks_of_customer", "customer <> ''", "customer"),
    _partial("tasks_of_opportunity", "opportunity <> ''", "opportunity"),
    _partial("tasks_parts", "parent <> ''", "parent"),
    _partial("tasks_origin", "origin <> ''", "origin", unique=True),
    deleted("tasks"),
)
COLUMNS = tuple(field.name for field in fields(Task))
_row = attrgetter(*COLUMNS)
TASKS = sa.select(*(tasks.c[name] for name in COLUMNS))


def add_once(tx: Transaction, wanted: Sequence[Task]) -> list[Task]:
    """Stores those whose origin made no task yet, and returns them."""
    by_origin = {one.origin: one for one in wanted}
    made = insert_rows(
        tx.connection,
        tasks,
        COLUMNS,
        [_row(by_origin[origin]) for origin in sorted(by_origin)],
        conflict="(origin) WHERE origin <> '' DO NOTHING",
        returning=("name",),
    )
    names = {row[0] for row in made}
    return [one for one in by_origin.values() if one.name in names]


def of_origins(tx: Transaction, origins: Sequence[str]) -> dict[str, Task]:
    """Tasks by their origin, held until the commit, deleted ones left out."""
    query = TASKS.where(
        in_values(tasks.c.origin, sorted(set(origins)), tx.dialect), tasks.c.origin != "", tasks.c.delete_time.is_(None)
    )
    if tx.dialect == "postgresql":
        query = query.order_by(tasks.c.name).with_for_update()
    found = [Task(*row) for row in tx.execute(query)] if origins else []
    return {one.origin: one for one in found}


def on_record(tx: Transaction, record: str) -> list[Task]:
    """Every task about it that the system made, held until the commit."""
    query = TASKS.where(tasks.c.record == record, tasks.c.origin != "")
    if tx.dialect == "postgresql":
        query = query.order_by(tasks.c.name).with_for_update()
    return [Task(*row) for row in tx.execute(query)]


def open_parts(tx: Transaction, opportunity: str) -> list[Task]:
    """The parts of a deal that are still to be done, held until the commit."""
    return _open(tx, tasks.c.opportunity == opportunity, tasks.c.kind == TaskKind.COLLABORATION.value)


def open_of(tx: Transaction, owners: Sequence[str]) -> list[Task]:
    """What these people have still to do, held until the commit."""
    return _open(tx, in_values(tasks.c.owner, sorted(set(owners)), tx.dialect)) if owners else []


def open_of_leavers(tx: Transaction, names: Sequence[str]) -> list[Task]:
    """What people who left have still to do about these records, or for these customers; held until the commit."""
    wanted = sorted(set(names))
    theirs = sa.and_(in_values(tasks.c.customer, wanted, tx.dialect), tasks.c.customer != "")
    about = [in_values(tasks.c.record, wanted, tx.dialect), theirs]
    gone = sa.select(people.c.name).where(people.c.active.is_(False))
    return _open(tx, sa.or_(*about), tasks.c.owner.in_(gone)) if wanted else []


def _open(tx: Transaction, *criteria: sa.ColumnElement[bool]) -> list[Task]:
    still = tasks.c.status.in_([Status.OPEN.value, Status.IN_PROGRESS.value])
    query = TASKS.where(*criteria, still, tasks.c.delete_time.is_(None))
    if tx.dialect == "postgresql":
        query = query.order_by(tasks.c.name).with_for_update()
    return [Task(*row) for row in tx.execute(query)]


def remove(tx: Transaction, name: str) -> None:
    tx.execute(sa.delete(tasks).where(tasks.c.name == name))


def parts(tx: Transaction, names: Sequence[str]) -> dict[str, Parts]:
    """How far the parts of these tasks are."""
    c = tasks.c
    done = sa.func.sum(sa.case((c.status == Status.DONE, 1), else_=0))
    query = (
        sa.select(c.parent, sa.func.count(), done)
        .where(in_values(c.parent, sorted(set(names)), tx.dialect), c.parent != "")
        .where(c.delete_time.is_(None), c.status != Status.CANCELLED)
        .group_by(c.parent)
    )
    return {row[0]: Parts(int(row[1]), int(row[2])) for row in tx.execute(query)} if names else {}
