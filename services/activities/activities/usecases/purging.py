"""What was deleted 30 days ago ends for good."""

from __future__ import annotations

from activities.usecases import attachments, check_ins, templates
from chassis import records as kept
from chassis.transaction import Transaction


def purge_files(tx: Transaction) -> bool:
    """Returns whether there may be more."""
    more = kept.purge(tx, attachments.KIND)
    more = kept.purge(tx, check_ins.KIND) or more
    return kept.purge(tx, templates.KIND) or more
