"""The ledger's new postings, summed into cells; and new sums, filled with what was posted before."""

from __future__ import annotations

from chassis.transaction import Transaction
from reports.storage import cells, ledger
from reports.wire import figures


def roll(tx: Transaction) -> bool:
    """Sums what is new, and tells that figures have changed. Returns whether there may be more."""
    more = False
    live = ledger.live(tx)
    for copy in ledger.filled(tx):
        if cells.claim(tx, copy):
            fresh = cells.fresh(tx, copy)
            moved = cells.roll(tx, copy, fresh) if fresh else set()
            if copy == live:
                tx.emit_all(figures.changed(moved, tx.now))
            more = bool(fresh) or cells.fill(tx, copy) or more
    return more
