"""Whose an opportunity is: given by hand, confirmed by whoever leads, handed over for one who left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from chassis import people, records
from chassis.database import in_values
from chassis.errors import Refused, Stale
from chassis.people import Person
from chassis.transaction import Transaction
from opportunities.domain.opportunity import CLOSED, RUNNING, Opportunity, Status
from opportunities.storage.tables import opportunities
from opportunities.storage.tables import people as people_table
from opportunities.usecases import moving
from opportunities.usecases.kind import KIND, leading, may_own, runs, staff
from opportunities.wire import asking, events


def transfer(tx: Transaction, name: str, etag: str, owner: str, known: int, reason: str) -> Opportunity:
    """By hand: a compare-and-set on `known`, the version of the owner, and on the row's.

    Raises Stale when somebody else gave it away first, Denied for who may not lead.
    """
    before = records.hold(tx, KIND, name, etag)
    leading(tx)
    person = staff(tx, [owner], "owner")[owner]
    may_own(tx, person)
    if known and known != before.owner_version:
        raise records.stale(tx, KIND, before, only=("owner", "owner_version"))
    if owner == before.owner:
        return before
    saved = records.save(tx, KIND, before, _given(before, person), "transferred")
    _told(tx, before, saved, "MANUAL", bool(reason))
    return saved


def confirm(tx: Transaction, name: str, etag: str, owner: str) -> Opportunity:
    """Whoever leads says yes, or gives it to somebody else (O35). Raises NOT_AWAITING, Denied, Invalid."""
    before = records.hold(tx, KIND, name, etag)
    leading(tx)
    if before.status != Status.AWAITING_CONFIRMATION:
        raise Refused("NOT_AWAITING", "This opportunity does not await confirmation.", "该商机不在待确认状态。")
    after = before
    if owner and owner != before.owner:
        person = staff(tx, [owner], "owner")[owner]
        may_own(tx, person)
        after = _given(before, person)
    saved = moving.confirm(tx, before, after)
    if after is not before:
        _told(tx, before, saved, "CONFIRMED")
    tx.emit(events.confirmed(saved, tx.principal.actor, before.owner if after is not before else ""))
    if saved.owner and saved.owner != tx.principal.person:
        tx.emit(asking.confirmed(saved))
    return saved


def hand_over(tx: Transaction, name: str, leaver: str, owner: str) -> None:
    """A manager said who takes what a leaver had (C16). It goes to him if the leaver still has it; if he has left, too,
    it waits again. Raises Stale where we have not heard of the person yet: the news comes again."""
    before = records.of_names(tx, KIND, [name], lock=True).get(name)
    if before is not None and before.owner == leaver:
        _hand_over(tx, before, owner)


def go_along(tx: Transaction, customers: Sequence[str], leaver: str, owner: str) -> None:
    """A leaver's customer, who goes by these names, is another's: what is over of his deals with it goes along, for
    nobody asks whose it is to be. What runs waits for a word of its own. Raises Stale where we have not heard of the
    person yet."""
    c = opportunities.c
    mine = in_values(c.customer, sorted(customers), tx.dialect)
    query = sa.select(c.name).where(mine, c.owner == leaver, c.owner != "")
    names = list(tx.execute(query.where(c.status.in_(sorted(int(status) for status in CLOSED)))).scalars())
    for _, before in sorted(records.of_names(tx, KIND, names, lock=True).items()):
        if before.owner == leaver and before.status in CLOSED:
            _hand_over(tx, before, owner)


def _hand_over(tx: Transaction, before: Opportunity, owner: str) -> None:
    person = people.find(tx, people_table, owner)
    if person is None:
        raise Stale(owner)
    saved = records.save(tx, KIND, before, _given(before, person), "transferred")
    _told(tx, before, saved, "HAND_OVER", from_leaver=True)


def left(tx: Transaction, gone: Sequence[Person]) -> None:
    """What these people had, and still have to do, waits for a manager's word."""
    names = sorted(person.name for person in gone)
    if not names:
        return
    query = KIND.select.where(
        in_values(opportunities.c.owner, names, tx.dialect),
        opportunities.c.status.in_([sa.literal_column(str(int(status))) for status in sorted(RUNNING)]),
        opportunities.c.delete_time.is_(None),
    )
    for row in tx.execute(query.order_by(opportunities.c.name)):
        tx.emit(events.left_behind(Opportunity(*row)))


def _given(before: Opportunity, to: Person) -> Opportunity:
    return replace(before, owner=to.name, team=to.team, owner_version=before.owner_version + 1)


def _told(
    tx: Transaction, before: Opportunity, after: Opportunity, how: str, because: bool = False, from_leaver: bool = False
) -> None:
    tx.audit("opportunity.owner", after.name, {"from": before.owner, "to": after.owner, "how": how, "because": because})
    left = people.left(tx, people_table, [before.owner, after.owner])
    # Where it waits for the new one it is told that it does.
    if (from_leaver or before.owner in left) and not (runs(after) and after.owner in left):
        tx.emit(events.left_behind(after, before.owner, settled=True))
