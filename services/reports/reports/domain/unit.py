"""Of what a formula's figure is, told by how it grows with what it is made of: one that is in money doubles with the
amounts, a ratio does not grow with anything (Bridgman, "Dimensional Analysis", 1922)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reports.domain import formula, kpi
from reports.domain.facts import FACTS
from reports.domain.kpi import Measure

MONEY, TIME, THINGS = "money", "seconds", "count"
UNITS = {
    kpi.COUNTS: "COUNT",
    kpi.MONEY: "MONEY",
    kpi.RATIO: "RATIO",
    kpi.IN_SECONDS: "SECONDS",
    kpi.IN_HOURS: "HOURS",
    kpi.IN_DAYS: "DAYS",
    kpi.NUMBER: "NUMBER",
}
_TIMES = (kpi.IN_SECONDS, kpi.IN_HOURS, kpi.IN_DAYS)
_FAR = 1e6
# Where a formula is looked at: one may have no value at some of them.
_PLACES = (1.37, 0.61, 7.9)


def fitting(source: str, measures: Sequence[Measure]) -> tuple[int, ...]:
    """The units that the figure of a sound formula may have; NUMBER always. All where it cannot be told."""
    of = {one.id: _of(one) for one in measures}
    found = [_growth(source, of, what) for what in (MONEY, TIME, THINGS)]
    money, time, things = (0.0 if one is None else one for one in found)
    if all(one is None for one in found):
        return tuple(UNITS)
    fits = {kpi.NUMBER}
    if (money, time) == (1, 0) and things <= 0:
        fits.add(kpi.MONEY)
    if (money, time) == (0, 1) and things <= 0:
        fits.update(_TIMES)
    if (money, time) == (0, 0) and things in (0, 1):
        fits.add(kpi.RATIO if things == 0 else kpi.COUNTS)
    return tuple(sorted(fits))


def _of(measure: Measure) -> str:
    if measure.value == kpi.AMOUNT:
        return FACTS[measure.fact].amounts_to
    return TIME if measure.value == kpi.SECONDS else THINGS


def _growth(source: str, of: Mapping[str, str], what: str) -> float | None:
    """With which power of all that is of `what` the figure grows where that is large; None where there is no figure."""
    for place in _PLACES:
        base = {id: place * (3 + step) ** 1.7 for step, id in enumerate(sorted(of))}
        far = [
            formula.value(source, {id: value * (scale if of[id] == what else 1) for id, value in base.items()})
            for scale in (_FAR, _FAR**2)
        ]
        if all(far):
            one, two = (math.log(abs(value or 1.0)) for value in far)
            return round((two - one) / math.log(_FAR), 2) + 0.0
    return None
