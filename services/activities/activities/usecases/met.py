"""Follow-ups that are brought a second time: by another import, another person, another row."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from activities.domain.follow_up import FollowUp, Wanted, marks
from activities.storage import known as stored
from activities.storage.follow_ups import follow_ups
from activities.usecases.kinds import FOLLOW_UPS
from chassis.database import in_values
from chassis.transaction import Transaction


class Met:
    """Those that there are, and those that are made meanwhile; `seen` are the records that the caller may see. Holds
    the records, so that two who bring the same at once bring it once."""

    def __init__(self, tx: Transaction, wanted: Sequence[Wanted], seen: Collection[str]) -> None:
        self._seen = seen
        self._there: dict[tuple[object, ...], FollowUp] = {}
        again = [one for one in wanted if one.once and one.values["record"] in seen]
        if again:
            stored.hold(tx, sorted({one.values["record"] for one in again}))
            for one in _there(tx, again):
                self.add(one)

    def find(self, wanted: Wanted) -> FollowUp | None:
        if not wanted.once or wanted.values["record"] not in self._seen:
            return None
        found = (self._there.get(mark) for mark in marks(wanted.origin, wanted.values))
        return next((one for one in found if one is not None and one.record in self._seen), None)

    def add(self, one: FollowUp) -> None:
        said = {"record": one.record, "happen_time": one.happen_time, "summary": one.summary}
        for mark in marks(one.origin, said):
            self._there.setdefault(mark, one)


def _there(tx: Transaction, wanted: Sequence[Wanted]) -> list[FollowUp]:
    c = follow_ups.c
    criteria = []
    if origins := sorted({one.origin for one in wanted if one.origin}):
        criteria.append(sa.and_(c.origin != "", in_values(c.origin, origins, tx.dialect)))
    dated = [one.values for one in wanted if one.values.get("happen_time")]
    if dated:
        times = [one["happen_time"] for one in dated]
        names = sorted({one["record"] for one in dated})
        criteria.append(
            sa.and_(in_values(c.record, names, tx.dialect), c.happen_time >= min(times), c.happen_time <= max(times))
        )
    queries = [FOLLOW_UPS.select.where(c.delete_time.is_(None), of).order_by(c.name) for of in criteria]
    return [FollowUp(*row) for query in queries for row in tx.execute(query)]
