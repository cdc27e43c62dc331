"""The one statement that writes a lead's owner. `usecases.ownership` alone calls it."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from chassis.database import update_rows
from chassis.transaction import Transaction
from leads.domain.lead import Lead
from leads.storage.tables import leads

_SET = (
    *("owner", "owner_version", "owners", "status", "status_reason", "status_time", "deciding", "tags"),
    *("assign_time", "respond_by", "escalated_to", "version"),
)
# The version and the status are compared with their old values and set to new ones.
_set = attrgetter(*_SET)


def compare_and_set(tx: Transaction, changes: Sequence[tuple[Lead, Lead]]) -> set[str]:
    """Writes each (lead as read, lead as it shall be) whose owner version and status are still as read. Returns the
    names of those written; the rest lost."""
    rows = sorted((before.name, before.owner_version, before.status, after) for before, after in changes)
    written = update_rows(
        tx.connection,
        leads,
        ("name", "owner_version", "status"),
        _SET,
        [(name, version, status, *_set(after)) for name, version, status, after in rows],
        returning=("name",),
    )
    return {row[0] for row in written}
