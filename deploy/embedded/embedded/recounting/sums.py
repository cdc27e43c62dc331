"""What is counted, summed as the KPIs have it: each measure by no dimension and by each that is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

from embedded.owners import Owners
from embedded.recounting.counted import OF_EVERYBODY, OF_HOLDER, SEVERAL, Counted
from embedded.recounting.rates import Rates
from embedded.recounting.staff import staff
from reports.domain import kpi, periods
from reports.domain.kpi import Kpi, Measure

Group = tuple[str, ...]
Key = tuple[str, ...]
EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class Slice:
    """By what is summed, of which period (as callers write it), and whether apart for each holder."""

    group: Group = ()
    period: str = "all"
    held: bool = False


Asked = tuple[Measure, bool]
"""A measure, without its id, and whether what has no exchange rate is not in it."""


def _asked(of: Kpi, measure: Measure) -> Asked:
    return replace(measure, id=""), kpi.rated(of, measure)


@dataclass(frozen=True, slots=True)
class Sums:
    """`found`: of each measure and slice, what was counted by holder and key. `lacking`: of those in all, by holder and
    currency, the amount that has no exchange rate, and how often."""

    found: Mapping[Asked, Mapping[Slice, Mapping[str, Mapping[Key, Any]]]]
    lacking: Mapping[Asked, Mapping[str, Mapping[str, tuple[int, int]]]]

    def of(self, of: Kpi, measure: Measure, one: Slice, holder: str = EVERYBODY) -> dict[Key, float]:
        """As a KPI is given it: so many, an amount in the company's currency, or seconds."""
        unit = 10_000 if measure.value == kpi.AMOUNT else 1
        sums = self.found[_asked(of, measure)][one].get(holder, {})
        return {key: float(value / unit) for key, value in sums.items()}

    def unrated(self, measure: Measure, holder: str) -> Mapping[str, tuple[int, int]]:
        """What of it has no exchange rate: by currency, ten-thousandths and how often."""
        return self.lacking[replace(measure, id=""), False].get(holder, {})

    def holders(self) -> set[str]:
        """All who hold something; "" is nobody."""
        held = [sums for slices in self.found.values() for one, sums in slices.items() if one.held]
        return {holder for sums in held for holder in sums}


def summed(
    rows: Iterable[Counted], wanted: Iterable[tuple[Kpi, Iterable[Slice]]], today: date, rates: Rates, owners: Owners
) -> Sums:
    """Reads the rows once, and keeps no more of them than their sums."""
    found: dict[Asked, dict[Slice, dict[str, dict[Key, Any]]]] = {}
    for of, slices in wanted:
        for measure in of.measures:
            mine = found.setdefault(_asked(of, measure), {})
            for one in slices:
                mine.setdefault(one, defaultdict(lambda: defaultdict(int)))
    by_fact: dict[str, list[tuple[Asked, list[tuple[Slice, str, date, date, Any]]]]] = defaultdict(list)
    for asked, each in found.items():
        measure = asked[0]
        others = {True: OF_EVERYBODY, False: OF_HOLDER}  # what is in those figures alone that a slice is not of
        bounded = [(one, others[one.held], *_days(measure, one, today), sums) for one, sums in each.items()]
        by_fact[measure.fact].append((asked, bounded))
    people = staff(owners)
    lacking: dict[Asked, Any] = {asked: defaultdict(lambda: defaultdict(lambda: (0, 0))) for asked in found}
    there: set[tuple[Asked, Slice, str, Key, str]] = set()
    for row in rows:
        known, day = _known(row, people), row.when.date()
        for asked, bounded in by_fact[row.fact]:
            measure, rated = asked
            if rated and _unrated(measure, row, today, rates):
                continue
            if all(known.get(name, "") in values for name, values in measure.where):
                value = _value(measure, row, today, rates)
                for one, not_its, begin, end, sums in bounded:
                    if begin <= day < end and row.whose != not_its:
                        holder = known.get("holder", known.get("owner", "")) if one.held else EVERYBODY
                        for key in _keys(known, one.group):
                            if row.once:
                                again = (asked, one, holder, key, row.once)
                                if again in there:
                                    continue
                                there.add(again)
                            sums[holder][key] += value
                        if (
                            value == 0
                            and one.group == ()
                            and one.period == "all"
                            and measure.value == kpi.AMOUNT
                            and _unrated(measure, row, today, rates)
                        ):
                            amount, count = lacking[asked][holder][row.currency]
                            lacking[asked][holder][row.currency] = amount + row.amount, count + 1
    return Sums(found, lacking)


def _known(row: Counted, people: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What it may be grouped by, and who holds it: its owner where that is not said."""
    owner = row.of.get("owner", "")
    when = {**_spans(row.when.date()), "hour": f"{row.when:%Y-%m-%dT%H}"}
    return {**row.of, **when, **people.get(owner, {})}


def _keys(known: Mapping[str, str], group: Group) -> list[Key]:
    """Its key; of several products those of each."""
    key = tuple([known.get(name, "") for name in group])
    if "product" not in group:
        return [key]
    at = group.index("product")
    return [(*key[:at], one, *key[at + 1 :]) for one in key[at].split(SEVERAL)]


@lru_cache(maxsize=4_096)
def _spans(day: date) -> dict[str, str]:
    """The first days of what a day lies in."""
    first = {
        "day": day,
        "week": day - timedelta(days=day.isoweekday() - 1),
        "month": day.replace(day=1),
        "quarter": date(day.year, (1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10)[day.month - 1], 1),
        "year": date(day.year, 1, 1),
    }
    return {name: begin.isoformat() for name, begin in first.items()}


def _days(measure: Measure, one: Slice, today: date) -> tuple[date, date]:
    """From which day on, and until before which, a measure counts in a slice."""
    asked = periods.read(one.period, today)
    begin, end = asked.begin or date.min, asked.end or date.max
    if measure.span == kpi.STOCK:
        return date.min, date.max
    if measure.span == kpi.OLDER:
        return date.min, today - timedelta(days=measure.days)
    if measure.span == kpi.LAST:
        end = min(end, today + timedelta(days=1))
        begin = end - timedelta(days=measure.days)
    return begin, end


def _value(measure: Measure, row: Counted, today: date, rates: Rates) -> int | Fraction:
    if measure.value == kpi.COUNT:
        return 1
    if measure.value == kpi.SECONDS:
        return row.seconds
    if row.currency in ("", rates.home):
        return row.amount
    return row.amount * rates.of(row.currency, _rated_on(measure, row, today))


def _unrated(measure: Measure, row: Counted, today: date, rates: Rates) -> bool:
    """Whether no rate is known for its amount."""
    if not row.amount:
        return False
    return rates.known(row.currency, _rated_on(measure, row, today)) is None


def _rated_on(measure: Measure, row: Counted, today: date) -> date:
    """What there is now is worth what it would bring now."""
    return today if measure.span in (kpi.STOCK, kpi.OLDER) else row.when.date()
