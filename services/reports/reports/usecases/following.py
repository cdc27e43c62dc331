"""What was done about the customers behind a figure (B5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from chassis.access import Scope
from chassis.database import in_values
from chassis.transaction import Transaction
from reports.domain.facts import FACTS
from reports.storage import ledger, sums
from reports.storage.tables import postings
from reports.usecases import reaching, rights

MOST = 5
_FACT = FACTS["activity.followed_up"]
# As the index has it.
_LITERALLY: sa.ColumnElement[str] = sa.literal_column(f"'{_FACT.id}'")


def latest(tx: Transaction, customers: Sequence[str], as_of: int | None) -> Mapping[str, Sequence[Any]]:
    """Of each customer the last follow-ups that the caller may see, the newest first, as they were known then: rows of
    record, customer, owner, channel (the method), detail (the outcome), happen_time. None for a caller whose role shows
    no follow-ups or hides of them any of that."""
    grant = tx.principal.grant(_FACT.resource)
    told = [*_FACT.fields.values(), _FACT.moment]
    if not customers or grant.read == Scope.NONE or not all(rights.shows(tx, _FACT, text) for text in told):
        return {}
    c = postings.c
    within = reaching.reach(tx, _FACT).within
    said = (c.record, c.customer, c.owner, c.channel, c.detail, c.happen_time)
    there = (
        sa.select(*said)
        .where(c.copy == ledger.live(tx), c.fact == _LITERALLY, in_values(c.customer, customers, tx.dialect))
        .where(*([] if within is None else [sums.seen_now(ledger.live(tx), within)]))
        .where(*([] if as_of is None else [c.learn_time <= as_of]))
        .group_by(*said)
        .having(sa.func.sum(c.count) > 0)
        .subquery()
    )
    place = sa.func.row_number().over(
        partition_by=there.c.customer, order_by=(there.c.happen_time.desc(), there.c.record)
    )
    each = sa.select(there, place.label("nth")).subquery()
    query = sa.select(each).where(each.c.nth <= MOST).order_by(each.c.customer, each.c.nth)
    found: dict[str, list[Any]] = defaultdict(list)
    for row in tx.execute(query):
        found[row.customer].append(row)
    return found
