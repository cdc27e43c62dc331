"""What leavers had and still have on record."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis import ids
from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from customers.domain.customer import HandOver, HandOverState
from customers.storage.tables import HAND_OVER_COLUMNS, customers, hand_overs

SELECT = sa.select(*(hand_overs.c[name] for name in HAND_OVER_COLUMNS))


def owned_by(tx: Transaction, people: Sequence[str]) -> list[tuple[str, str]]:
    """(customer, owner) of every customer that these people have, deleted ones too: they may come back."""
    query = sa.select(customers.c.name, customers.c.owner).where(
        in_values(customers.c.owner, list(people), tx.dialect), customers.c.owner != "", customers.c.merged_into == ""
    )
    return [(row[0], row[1]) for row in tx.execute(query.order_by(customers.c.name))]


def put(tx: Transaction, waiting: Sequence[tuple[str, str]]) -> list[HandOver]:
    """Puts each (customer, leaver) on the list unless it is there. Returns those that are new."""
    rows = [
        (f"handOvers/{ids.new_id()}", customer, person, int(HandOverState.OPEN), "", "", tx.now, None)
        for customer, person in waiting
    ]
    made = insert_rows(
        tx.connection,
        hand_overs,
        HAND_OVER_COLUMNS,
        rows,
        conflict=f"(customer) WHERE state = {HandOverState.OPEN:d} DO NOTHING",
        returning=("name",),
    )
    new = {row[0] for row in made}
    return [HandOver(*row) for row in rows if row[0] in new]


def by_name(tx: Transaction, names: Sequence[str]) -> dict[str, HandOver]:
    query = SELECT.where(in_values(hand_overs.c.name, sorted(set(names)), tx.dialect)).order_by(hand_overs.c.name)
    if tx.dialect == "postgresql":
        query = query.with_for_update()
    return {row[0]: HandOver(*row) for row in tx.execute(query)}


def settle(tx: Transaction, customer: str, owner: str) -> list[str]:
    """Whoever has the customer now: nothing waits any more. Returns what did."""
    waiting = (hand_overs.c.customer == customer, hand_overs.c.state == sa.literal_column(str(int(HandOverState.OPEN))))
    names = list(tx.execute(sa.select(hand_overs.c.name).where(*waiting)).scalars())
    if names:
        done = {"state": int(HandOverState.CONFIRMED), "owner": owner, "confirmed_by": tx.origin.actor}
        tx.execute(sa.update(hand_overs).where(*waiting).values(**done, confirm_time=tx.now))
    return names


def forget(tx: Transaction, customer: str) -> None:
    tx.execute(sa.delete(hand_overs).where(hand_overs.c.customer == customer))
