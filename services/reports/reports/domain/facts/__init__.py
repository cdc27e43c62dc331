"""The facts that records post, and what a caller needs to see them."""

from __future__ import annotations

from collections.abc import Mapping

from reports.domain.facts import activities, completeness, customers, deals, leads, money, usage
from reports.domain.facts.fact import Fact as Fact

FACTS: Mapping[str, Fact] = {
    one.id: one
    for one in (
        *deals.FACTS,
        *leads.FACTS,
        *customers.FACTS,
        *completeness.FACTS,
        *activities.FACTS,
        *money.FACTS,
        *usage.FACTS,
    )
}
