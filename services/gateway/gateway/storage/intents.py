"""What is being applied of the blueprint, as rows: opened before the first part is changed, closed after the last.

At most one is open. Whoever carries it out holds it until a moment and puts that off with every step; who finds the
moment past may take it over, and the one who lost it stops at its next step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from google.protobuf.struct_pb2 import Struct

from chassis import access
from chassis.access import Principal
from chassis.transaction import Transaction
from gateway.storage.tables import blueprint_applies as applies
from gateway.storage.tables import blueprint_steps as rows


class Lost(Exception):
    """Another gateway has taken it over."""


@dataclass(frozen=True)
class Step:
    """One part that is to change: what it was, what it becomes, the version that was planned against; its version when
    it was applied, 0 before."""

    owner: str
    before: Struct
    after: Struct
    version: int
    done: int = 0


@dataclass(frozen=True)
class Apply:
    id: str
    caller: Principal
    steps: tuple[Step, ...]
    held_until: datetime
    undoing: bool = False


def add(tx: Transaction, apply: Apply) -> None:
    """Raises sqlalchemy's IntegrityError when another is open."""
    tx.execute(
        sa.insert(applies).values(
            id=apply.id,
            open=True,
            undoing=apply.undoing,
            caller=access.claims(apply.caller),
            held_until=apply.held_until,
            result="",
        )
    )
    for place, step in enumerate(apply.steps):
        tx.execute(
            sa.insert(rows).values(
                apply=apply.id,
                place=place,
                owner=step.owner,
                before=step.before.SerializeToString(),
                after=step.after.SerializeToString(),
                version=step.version,
            )
        )


def newest(tx: Transaction) -> tuple[str, bool]:
    """The id of the last one, "" before the first, and whether it is open."""
    found = tx.execute(sa.select(applies.c.id, applies.c.open).order_by(applies.c.id.desc()).limit(1)).first()
    return (found.id, bool(found.open)) if found else ("", False)


def take(tx: Transaction, until: datetime) -> Apply | None:
    """The open one, when nobody holds it any more."""
    found = tx.execute(sa.select(applies).where(applies.c.open, applies.c.held_until <= tx.now)).first()
    if found is None:
        return None
    steps = tx.execute(sa.select(rows).where(rows.c.apply == found.id).order_by(rows.c.place))
    apply = Apply(
        found.id,
        access.claimed(found.caller),
        tuple(
            Step(s.owner, Struct.FromString(s.before), Struct.FromString(s.after), s.version, s.done or 0)
            for s in steps
        ),
        found.held_until,
        found.undoing,
    )
    try:
        return _keep(tx, apply, held_until=until)
    except Lost:  # to a gateway that looked at the same moment
        return None


def applied(tx: Transaction, apply: Apply, owner: str, version: int, until: datetime) -> Apply:
    """One step is done. Raises Lost."""
    apply = _keep(tx, apply, held_until=until)
    tx.execute(sa.update(rows).where(rows.c.apply == apply.id, rows.c.owner == owner).values(done=version))
    return replace(apply, steps=tuple(replace(s, done=version) if s.owner == owner else s for s in apply.steps))


def turn_back(tx: Transaction, apply: Apply, until: datetime) -> Apply:
    """From now on it is undone. Raises Lost."""
    return replace(_keep(tx, apply, held_until=until, undoing=True), undoing=True)


def let_go(tx: Transaction, apply: Apply) -> None:
    """Whoever looks next carries on. Raises Lost."""
    _keep(tx, apply, held_until=tx.now)


def close(tx: Transaction, apply: Apply, result: str) -> None:
    """Raises Lost."""
    _keep(tx, apply, open=None, result=result)
    tx.execute(sa.delete(rows).where(rows.c.apply == apply.id))


def _keep(tx: Transaction, apply: Apply, **values: object) -> Apply:
    mine = sa.and_(applies.c.id == apply.id, applies.c.open, applies.c.held_until == apply.held_until)
    if tx.execute(sa.update(applies).where(mine).values(**values)).rowcount != 1:
        raise Lost
    until = values.get("held_until")
    return replace(apply, held_until=until) if isinstance(until, datetime) else apply
