"""What a new database begins with: the copy that answers, and the sums of the KPIs that come with the product; and what
a new release does to one of before."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.transaction import Transaction
from reports.storage import ledger
from reports.storage.tables import copies
from reports.usecases import alert_rules, ready, rebuilding, schedules


def start(tx: Transaction) -> None:
    """Again, it changes nothing that is there."""
    if tx.execute(sa.select(copies.c.copy)).first() is None:
        tx.execute(sa.insert(copies).values(copy=1, state=ledger.LIVE, begin_time=tx.now, edition=ledger.EDITION))
    ready.make(tx)
    if ledger.outdated(tx):
        rebuilding.begin(tx)
    alert_rules.start(tx)
    schedules.start(tx)
