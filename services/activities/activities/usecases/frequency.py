"""How often people follow up (F16)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from activities.storage.follow_ups import follow_ups
from activities.usecases.kinds import FOLLOW_UPS
from chassis import paging, records
from chassis.transaction import Transaction


class Often(NamedTuple):
    """`outcome` is a number of the contract."""

    owner: str
    outcome: int
    found: int
    last: datetime


def summarize(tx: Transaction, filter_text: str) -> list[Often]:
    """Counts by person and outcome, in their order, of what the caller may see; what is hidden from him, they are not
    told apart by. Raises Invalid for a filter."""
    c, hidden = follow_ups.c, tx.principal.grant(FOLLOW_UPS.resource).hidden
    owner = sa.literal("") if "owner" in hidden else c.owner
    outcome = sa.literal(0) if "outcome" in hidden else c.outcome
    count, last = sa.func.count().label("found"), sa.func.max(c.happen_time).label("last")
    query = sa.select(owner.label("owner"), outcome.label("outcome"), count, last).where(
        records.criteria(FOLLOW_UPS, tx.principal, "read"), c.delete_time.is_(None)
    )
    wanted = paging.criteria(filter_text, FOLLOW_UPS.columns, hidden)
    if wanted is not None:
        query = query.where(wanted)
    rows = tx.execute(query.group_by(sa.literal_column("1"), sa.literal_column("2")))
    return sorted(Often(*row) for row in rows)
