"""What hangs on others' records goes along where those become another customer's: when customers are merged (C20), and
when a lead becomes a customer's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from activities.domain.known import CUSTOMERS, Known, newest
from activities.storage import known as stored
from activities.storage.tables import metadata
from activities.usecases import check_ins
from activities.usecases.kinds import FOLLOW_UPS, TASKS
from activities.usecases.known import standing
from chassis import records
from chassis.database import in_values
from chassis.records import Kind
from chassis.transaction import Transaction

# Others count these by their customers, and hear of each that goes along.
_COUNTED: Mapping[str, Kind[Any]] = {kind.table.name: kind for kind in (FOLLOW_UPS, TASKS, check_ins.KIND)}
_AT_ONCE = 200


def know(
    tx: Transaction, told: Sequence[Known], collaborators: Mapping[str, Sequence[str]] | None = None
) -> dict[str, set[str]]:
    """Keeps the newest state of each, with the collaborators of opportunities; what hangs on a record that is now
    another customer's goes along. Returns who, person or team, works on which opportunity no more."""
    wanted = newest(told)
    before = stored.hold(tx, sorted(wanted))
    fresh = [_followed(tx, one) for name, one in sorted(wanted.items()) if one.version > before[name].version]
    stored.keep_told(tx, fresh)
    let_go: dict[str, set[str]] = {}
    if collaborators:
        working = {one.name: collaborators.get(one.name, ()) for one in fresh}
        were = stored.collaborators_of(tx, list(working))
        let_go = {name: left for name, now in working.items() if (left := were[name] - set(now))}
        stored.set_collaborators(tx, working)
    merged = {one.name: one.merged_into for one in fresh if one.merged_into and not before[one.name].merged_into}
    if merged:
        stored.merged(tx, merged)
    for gone, into in merged.items():
        _move(tx, "customer", gone, customer=into)
    turned = {
        one.name: one
        for one in fresh
        if one.kind != CUSTOMERS
        and (one.customer, one.opportunity) != (before[one.name].customer, before[one.name].opportunity)
    }
    for table, one in _hung(tx, turned):
        _move_in(tx, table, "record", one.name, customer=one.customer, opportunity=one.opportunity)
    return let_go


def _followed(tx: Transaction, told: Known) -> Known:
    """What is told of a customer that was merged meanwhile is about the one that stands."""
    return replace(told, customer=standing(tx, told.customer)) if told.customer else told


def lead_welcomed(tx: Transaction, lead: str, customer: str) -> None:
    """The lead is this customer's from now on, with all that became of it."""
    held = stored.hold(tx, [lead])[lead]
    now = standing(tx, customer)
    if held.customer != now:
        stored.save(tx, [replace(held, customer=now)])
        _move(tx, "record", lead, customer=now)


def _hung(tx: Transaction, on: Mapping[str, Known]) -> list[tuple[sa.Table, Known]]:
    """Those of these records that something hangs on which is of others than they are, and where: of the many that are
    new, hardly any."""
    found = []
    for table in _hanging() if on else ():
        of = [name for name in ("customer", "opportunity") if name in table.c]
        named = in_values(table.c.record, sorted(on), tx.dialect)
        rows = tx.execute(sa.select(table.c.record, *(table.c[name] for name in of)).where(named).distinct())
        stray = {record for record, *values in rows if values != [getattr(on[record], name) for name in of]}
        found += [(table, on[record]) for record in sorted(stray)]
    return found


def _hanging() -> list[sa.Table]:
    """The tables of what hangs on records."""
    return [table for table in metadata.tables.values() if {"record", "customer"} <= set(table.c.keys())]


def _move(tx: Transaction, by: str, value: str, **to: str) -> None:
    """What hangs on this record, or is this customer's, belongs to these from now on."""
    for table in _hanging():
        _move_in(tx, table, by, value, **to)


def _move_in(tx: Transaction, table: sa.Table, by: str, value: str, **to: str) -> None:
    values = {name: new for name, new in to.items() if name in table.c}
    theirs = sa.and_(table.c[by] == value, sa.or_(*(table.c[name] != new for name, new in values.items())))
    kind = _COUNTED.get(table.name)
    if kind is None:
        tx.execute(sa.update(table).where(theirs).values(values))
        return
    query = sa.select(table.c.name).where(theirs).order_by(table.c.name).limit(_AT_ONCE)
    while names := list(tx.execute(query).scalars()):
        held = sorted(records.of_names(tx, kind, names, lock=True).items())
        records.save_all(tx, kind, [(one, replace(one, **values)) for _, one in held], "moved")
