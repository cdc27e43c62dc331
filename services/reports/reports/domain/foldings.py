"""Every kind of record, by the first part of its names."""

from __future__ import annotations

from collections.abc import Mapping

from reports.domain import activity, cost, customer, deal, lead, paper, rate, usage
from reports.domain.folding import Folding

FOLDINGS: Mapping[str, Folding] = {
    "opportunities": deal.FOLDING,
    "leads": lead.FOLDING,
    "customers": customer.FOLDING,
    "channelCosts": cost.FOLDING,
    "rates": rate.FOLDING,
    **activity.FOLDINGS,
    **paper.FOLDINGS,
    **usage.FOLDINGS,
}
