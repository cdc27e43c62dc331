"""Which sums are kept ready: those that KPIs are made of."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.transaction import Transaction
from reports.domain import kpi
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi
from reports.domain.shipped import SHIPPED
from reports.storage import cells, definitions, ledger
from reports.storage.cells import DAY, EVER, HOUR, SLOTS, Rollup


def make(tx: Transaction) -> None:
    """Makes sure of the sums that all KPIs are made of."""
    _keep(tx, {**{one.name: one for one in SHIPPED}, **definitions.every_kpi(tx)}.values())


def keep(tx: Transaction, of: Kpi) -> None:
    """Makes sure of the sums that this KPI is made of."""
    _keep(tx, [of])


def _keep(tx: Transaction, of: Iterable[Kpi]) -> None:
    wanted = [rollup for one in of if one.delete_time is None for rollup in rollups(one)]
    for copy in ledger.summed(tx):
        cells.add(tx, copy, wanted)


def rollups(of: Kpi) -> list[Rollup]:
    """For each of its dimensions alone, and for none; with what its measures narrow by, and a sum is made by."""
    found: list[Rollup] = []
    added = kpi.added(of)
    for measure in of.measures:
        if FACTS[measure.fact].once:
            continue  # sums of days do not tell of how many it was
        narrowed = tuple(name for name, _ in measure.where)
        grain = EVER if measure.span == kpi.STOCK else DAY
        for dimensions in ((), *((name,) for name in of.dimensions)):
            names = tuple(sorted({*narrowed, *dimensions, *added}))
            if len(names) <= len(SLOTS):
                found.append(Rollup(measure.fact, names, grain))
                if FACTS[measure.fact].hourly and grain == DAY and set(dimensions) <= {"channel"}:
                    found.append(Rollup(measure.fact, names, HOUR))
    return list(dict.fromkeys(found))
