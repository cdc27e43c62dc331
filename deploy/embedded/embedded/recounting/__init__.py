"""The figures, counted anew straight from what the owners of records keep of them, in plain Python: no fold, no posting
and no cell of the reports is looked at. What it finds otherwise than the reports is named, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from embedded.owners import Owners
from embedded.recounting import activities, customers, deals, leads, papers
from embedded.recounting.counted import Counted as Counted
from embedded.recounting.known import Known
from embedded.recounting.rates import Rates

_TELEMETRY = "each gateway tells the calls of a minute once, and nobody but the figures keeps them"
APART = dict.fromkeys(("usage.called", "usage.failed", "usage.attended"), _TELEMETRY)
"""Facts that cannot be counted anew, and why."""


def count(owners: Owners, zone: ZoneInfo, rates: Rates) -> Iterator[Counted]:
    """All that is counted, but what is APART. Each service is read once, those first whose records others are grouped
    by: `known` hands that on."""
    known = Known(owners, zone)
    yield from activities.count(owners, known)
    yield from leads.count(owners, known)
    yield from deals.count(owners, known)
    yield from leads.count_business(known)
    yield from papers.count(owners, known)
    yield from customers.count(known, rates)
