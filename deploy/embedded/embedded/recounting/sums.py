"""What is counted, summed as the KPIs have it: each measure by no dimension and by each that is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from embedded.owners import Owners
from embedded.recounting.counted import Counted
from embedded.recounting.rates import Rates
from embedded.recounting.staff import staff
from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure

Group = tuple[str, ...]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """`found`: of each measure (without its id) and group, what was counted by key."""

    found: Mapping[Measure, Mapping[Group, Mapping[Key, Any]]]

    def of(self, measure: Measure, group: Group) -> dict[Key, float]:
        """As a KPI is given it: so many, an amount in the company's currency, or seconds."""
        unit = 10_000 if measure.value == kpi.AMOUNT else 1
        sums = self.found[replace(measure, id="")][group]
        return {key: float(value / unit) for key, value in sums.items()}


def summed(
    rows: Iterable[Counted], wanted: Iterable[tuple[Kpi, Iterable[Group]]], today: date, rates: Rates, owners: Owners
) -> Sums:
    """Reads the rows once, and keeps no more of them than their sums."""
    found: dict[Measure, dict[Group, dict[Key, Any]]] = {}
    for of, groups in wanted:
        for measure in of.measures:
            mine = found.setdefault(replace(measure, id=""), {})
            for group in groups:
                mine.setdefault(group, defaultdict(int))
    by_fact: dict[str, list[Measure]] = defaultdict(list)
    for measure in found:
        by_fact[measure.fact].append(measure)
    people = staff(owners)
    there: set[tuple[Measure, Group, Key, str]] = set()
    for row in rows:
        known = _known(row, people)
        for measure in by_fact[row.fact]:
            if _within(measure, row, known, today):
                value = _value(measure, row, today, rates)
                for group, sums in found[measure].items():
                    key = tuple(known.get(name, "") for name in group)
                    one = (measure, group, key, row.once)
                    if one not in there:
                        sums[key] += value
                    if row.once:
                        there.add(one)
    return Sums(found)


def _known(row: Counted, people: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What it may be grouped by."""
    of_owner = people.get(row.of.get("owner", ""), {})
    when = {"day": row.when.date().isoformat(), "hour": f"{row.when:%Y-%m-%dT%H}"}
    return {**row.of, **when, **of_owner}


def _within(measure: Measure, row: Counted, known: Mapping[str, str], today: date) -> bool:
    begin, end = date.min, date.max
    if measure.span == kpi.OLDER:
        end = today - timedelta(days=measure.days)
    elif measure.span == kpi.LAST:
        end = today + timedelta(days=1)
        begin = end - timedelta(days=measure.days)
    return begin <= row.when.date() < end and all(known.get(name, "") in values for name, values in measure.where)


def _value(measure: Measure, row: Counted, today: date, rates: Rates) -> int | Fraction:
    if measure.value == kpi.COUNT:
        return 1
    if measure.value == kpi.SECONDS:
        return row.seconds
    if row.currency in ("", rates.home):
        return row.amount
    # What there is now is worth what it would bring now.
    day = today if measure.span in (kpi.STOCK, kpi.OLDER) else row.when.date()
    return row.amount * rates.of(row.currency, day)
