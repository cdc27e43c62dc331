"""From the lead to the last ticket: one business, one chain (O39)."""

from __future__ import annotations

from chassis import records
from chassis.access import Scope
from chassis.transaction import Transaction
from opportunities.domain.chain import Link, Phase
from opportunities.domain.opportunity import Status
from opportunities.domain.related import Sort
from opportunities.storage import related
from opportunities.usecases.kind import KIND

# By the right that it takes to read them.
_LINKED = {
    Sort.QUOTE: ("quotes", Phase.IN_SALE),
    Sort.APPROVAL: ("approvals", Phase.IN_SALE),
    Sort.CONTRACT: ("contracts", Phase.IN_SALE),
    Sort.TICKET: ("tasks", Phase.AFTER_SALE),
}


def links(tx: Transaction, name: str) -> list[Link]:
    """In the order in which they began, of what the caller's role may read. Raises NotFound for an opportunity out of
    reach."""
    of = records.find(tx, KIND, name, deleted=True)
    before = [(of.lead, "leads"), (of.customer, "customers")]
    found = [Link(Phase.PRE_SALE, record, "", None) for record, right in before if record and _may(tx, right)]
    found.append(Link(Phase.PRE_SALE, of.name, Status(of.status).name, of.create_time))
    for one in related.of(tx, [name], *_LINKED)[name]:
        right, phase = _LINKED[Sort(one.sort)]
        if not one.gone and _may(tx, right):
            found.append(Link(phase, one.name, one.state, one.begin_time))
    return found


def _may(tx: Transaction, right: str) -> bool:
    return tx.principal.scope(right, "read") is not Scope.NONE
