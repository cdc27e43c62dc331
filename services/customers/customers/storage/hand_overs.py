"""What leavers had and still have on record."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis import ids
from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from customers.domain.customer import HandOver, HandOverState, LeftBehind
from customers.storage.tables import HAND_OVER_COLUMNS, customers, hand_overs

SELECT = sa.select(*(hand_overs.c[name] for name in HAND_OVER_COLUMNS))
_OPEN, _CONFIRMED = int(HandOverState.OPEN), int(HandOverState.CONFIRMED)


def owned_by(tx: Transaction, people: Sequence[str]) -> list[LeftBehind]:
    """Every customer that these people have, deleted ones too: they may come back."""
    c = customers.c
    query = sa.select(c.name, c.owner, c.display_name, c.owner_version).where(
        in_values(c.owner, list(people), tx.dialect), c.owner != "", c.merged_into == ""
    )
    return [LeftBehind(row[0], row[0], row[1], row[2], row[3]) for row in tx.execute(query.order_by(c.name))]


def put(tx: Transaction, waiting: Sequence[LeftBehind]) -> list[HandOver]:
    """Puts each on the list unless it is there. Returns those that are new."""
    rows = [
        (
            *(f"handOvers/{ids.new_id()}", one.customer, one.person, _OPEN, "", "", tx.now, None),
            *(one.record, one.kind, one.title, one.version),
        )
        for one in waiting
    ]
    made = insert_rows(
        tx.connection,
        hand_overs,
        HAND_OVER_COLUMNS,
        rows,
        conflict=f"(record) WHERE state = {_OPEN} DO NOTHING",
        returning=("name",),
    )
    new = {row[0] for row in made}
    return [HandOver(*row) for row in rows if row[0] in new]


def newest(tx: Transaction, record: str) -> HandOver | None:
    """What was last heard of a record, held until the commit."""
    query = SELECT.where(hand_overs.c.record == record).order_by(hand_overs.c.version.desc(), hand_overs.c.name.desc())
    if tx.dialect == "postgresql":
        query = query.with_for_update()
    row = tx.execute(query.limit(1)).first()
    return HandOver(*row) if row else None


def end(tx: Transaction, known: HandOver | None, told: LeftBehind, by: str) -> None:
    """A record waits no longer; where that is heard before that it waits, it is kept for the late news."""
    if known is None:
        row = (
            *(f"handOvers/{ids.new_id()}", told.customer, told.person, _CONFIRMED, told.owner, by, tx.now, tx.now),
            *(told.record, told.kind, told.title, told.version),
        )
        insert_rows(tx.connection, hand_overs, HAND_OVER_COLUMNS, [row])
        return
    done: dict[str, object] = {"version": told.version, "state": _CONFIRMED, "owner": told.owner}
    if known.state == _OPEN:
        done.update(confirmed_by=by, confirm_time=tx.now)
    tx.execute(sa.update(hand_overs).where(hand_overs.c.name == known.name).values(**done))


def by_name(tx: Transaction, names: Sequence[str]) -> dict[str, HandOver]:
    query = SELECT.where(in_values(hand_overs.c.name, sorted(set(names)), tx.dialect)).order_by(hand_overs.c.name)
    if tx.dialect == "postgresql":
        query = query.with_for_update()
    return {row[0]: HandOver(*row) for row in tx.execute(query)}


def settle(tx: Transaction, record: str, owner: str) -> list[str]:
    """Whoever has the record now: nothing waits any more. Returns what did."""
    waiting = (hand_overs.c.record == record, hand_overs.c.state == sa.literal_column(str(_OPEN)))
    names = list(tx.execute(sa.select(hand_overs.c.name).where(*waiting)).scalars())
    if names:
        done = {"state": _CONFIRMED, "owner": owner, "confirmed_by": tx.origin.actor}
        tx.execute(sa.update(hand_overs).where(*waiting).values(**done, confirm_time=tx.now))
    return names


def give(tx: Transaction, customer: str, to: str) -> None:
    """What is on the list of one customer is another's."""
    tx.execute(sa.update(hand_overs).where(hand_overs.c.customer == customer).values(customer=to))


def forget(tx: Transaction, record: str) -> None:
    tx.execute(sa.delete(hand_overs).where(hand_overs.c.record == record))
