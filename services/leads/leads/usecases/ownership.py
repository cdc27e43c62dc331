"""The one way by which a lead changes hands: decisions of the rules, claims, moves by hand, releases, reclaims,
returns, deletion. Everything ends in one compare-and-set, so no fault gives a lead two owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chassis.errors import Stale
from chassis.transaction import Transaction
from leads.domain.lead import Lead
from leads.domain.ownership import Change, apply
from leads.storage import leads as stored
from leads.storage import ownership
from leads.usecases import leavers, rights


def change(tx: Transaction, changes: Sequence[Change]) -> dict[str, Lead]:
    """Carries out changes, at most one a lead. Returns the leads as they are now by name; those that lost the
    compare-and-set are missing."""
    return write(tx, [(c.lead, apply(c, tx.now)) for c in changes])


def write(tx: Transaction, changes: Sequence[tuple[Lead, Lead]]) -> dict[str, Lead]:
    """The same for (lead as read, lead as it shall be)."""
    after = {lead.name: now for lead, now in changes}
    written = ownership.compare_and_set(tx, changes)
    leavers.move(tx, [(lead, now) for lead, now in changes if lead.name in written])
    return {name: lead for name, lead in after.items() if name in written}


def change_one(tx: Transaction, wanted: Change) -> Lead:
    """One person's change. Raises Stale when somebody else was faster."""
    return write_one(tx, wanted.lead, apply(wanted, tx.now))


def write_one(tx: Transaction, before: Lead, wanted: Lead) -> Lead:
    """The same for a lead as read, and as it shall be."""
    after: Mapping[str, Lead] = write(tx, [(before, wanted)])
    name = wanted.name
    if name not in after:
        now = stored.by_name(tx, [name]).get(name)
        raise rights.stale(tx, now, only=("owner", "owner_version", "status")) if now else Stale(name)
    return after[name]
