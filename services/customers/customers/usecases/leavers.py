"""What belongs to somebody who has left waits on the hand-over list, however and whenever it came to be his (C16)."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import people
from chassis.transaction import Transaction
from customers.domain.customer import Customer, LeftBehind
from customers.storage import hand_overs as stored
from customers.storage.tables import people as people_table


def given(tx: Transaction, before: Customer | None, after: Customer) -> None:
    """A customer that is new, back, or another's than before."""
    anew = before is None or not before.stands or before.owner != after.owner
    if anew and after.stands and after.owner and people.left(tx, people_table, [after.owner]):
        put(tx, [LeftBehind(after.name, after.name, after.owner, after.display_name, after.owner_version)])


def put(tx: Transaction, waiting: Sequence[LeftBehind]) -> None:
    for made in stored.put(tx, waiting):
        tx.audit("handOver.opened", made.name, {"record": made.record, "person": made.person})
