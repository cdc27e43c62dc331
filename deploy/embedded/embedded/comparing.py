"""The figures that the reports answer, beside those that are counted anew from the owners' data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.access import peer
from chassis.service import Runtime
from embedded import recounting
from embedded.owners import Owners
from embedded.recounting import figures
from embedded.recounting.rates import Rates
from embedded.recounting.staff import OF_OWNERS
from embedded.recounting.sums import Group, Key, Sums, summed
from reports.domain.facts import FACTS
from reports.domain.kpi import BY_EVENNESS, BY_SUM, Kpi
from reports.domain.periods import ALL
from reports.domain.shipped import SHIPPED
from reports.domain.view import Figure, View
from reports.settings import company_currency, company_zone
from reports.usecases import reading


@dataclass
class Comparison:
    """`wrong`: a line for each cell that differs. `apart`: by why they cannot be compared, the KPIs."""

    cells: int = 0
    kpis: int = 0
    wrong: list[str] = field(default_factory=list)
    apart: dict[str, list[str]] = field(default_factory=dict)


def recount(here: Mapping[str, Runtime]) -> Sums:
    """What the shipped KPIs are made of, counted anew. `here`: the services by name."""
    owners, zone = Owners(here), company_zone()
    with here["reports"].reading() as tx:
        today = tx.now.astimezone(zone).date()
    wanted = [(of, {*groups(of), *(_finest(of, group) for group in groups(of))}) for of in SHIPPED]
    rates = Rates(owners, company_currency())
    return summed(recounting.count(owners, zone, rates), wanted, today, rates, owners)


def groups(of: Kpi) -> list[Group]:
    """What a KPI is compared by: in all, by day, by hour where people look at it so, by each of its dimensions, and by
    what is known of owners."""
    hourly = any(FACTS[measure.fact].hourly for measure in of.measures)
    names = [*of.dimensions, *(OF_OWNERS if "owner" in of.dimensions else ())]
    return [(), ("day",), *([("hour",)] if hourly else []), *((name,) for name in names)]


def _finest(of: Kpi, group: Group) -> Group:
    """By what the figures are made that a sum adds up, a forecast stage by stage of each pipeline, or whose evenness is
    told, channel by channel."""
    parts = {BY_SUM: ("pipeline", "stage"), BY_EVENNESS: of.dimensions[:1]}.get(of.total, ())
    return tuple(dict.fromkeys((*group, *parts)))


def compare(here: Mapping[str, Runtime], sums: Sums, kpis: Sequence[Kpi] = SHIPPED) -> Comparison:
    """Over all time."""
    found = Comparison()
    with here["reports"].reading(peer("reports")) as tx:
        today = tx.now.astimezone(company_zone()).date()
        for of in kpis:
            why = next((recounting.APART[one.fact] for one in of.measures if one.fact in recounting.APART), "")
            if why:
                found.apart.setdefault(why, []).append(of.name)
                continue
            found.kpis += 1
            for group in groups(of):
                table = reading.table(tx, of, View(ALL, today, group))
                theirs = {row.keys: row.figure for row in table.rows} if group else {(): table.total}
                _lay_beside(found, of, group, theirs, _ours(of, group, sums))
    return found


def _ours(of: Kpi, group: Group, sums: Sums) -> dict[Key, Figure]:
    """The same of what was counted anew."""
    if of.total in (BY_SUM, BY_EVENNESS):
        parts: dict[Key, list[Figure]] = {} if group else {(): []}
        for key, part in _figures(of, _finest(of, group), sums).items():
            parts.setdefault(key[: len(group)], []).append(part)
        return {key: _together(of, each) for key, each in parts.items()}
    return _figures(of, group, sums)


def _figures(of: Kpi, group: Group, sums: Sums) -> dict[Key, Figure]:
    counted = {measure.id: sums.of(measure, group) for measure in of.measures}
    found = {}
    for key in {key for each in counted.values() for key in each} | (set() if group else {()}):
        inputs = {id: each.get(key, 0.0) for id, each in counted.items()}
        found[key] = Figure(figures.figure(of, inputs, company_currency()), inputs)
    return found


def _together(of: Kpi, parts: Sequence[Figure]) -> Figure:
    there = [one.value for one in parts if one.value is not None]
    inputs = {one.id: math.fsum(part.inputs[one.id] for part in parts) for one in of.measures}
    if of.total == BY_EVENNESS:
        return Figure(figures.evenness(there), inputs)
    return Figure(math.fsum(there) if there else None, inputs)


def _lay_beside(
    found: Comparison, of: Kpi, group: Group, theirs: Mapping[Any, Figure], ours: Mapping[Any, Figure]
) -> None:
    none = Figure(None, {})
    for key in sorted({*theirs, *ours}):
        said, counted = theirs.get(key, none), ours.get(key, none)
        where = ", ".join(f"{name} = {value or '-'}" for name, value in zip(group, key, strict=True)) or "in all"
        wrong = []
        for measure in of.measures:
            there, here = (round(one.inputs.get(measure.id, 0.0), 4) for one in (said, counted))
            if there != here:
                wrong.append(f"{of.name} ({measure.id}), {where}: the reports say {there:g}, the owners {here:g}")
        # What is made of the same comes to the same.
        if not wrong and said is not none and counted is not none and not _same(said.value, counted.value):
            wrong.append(f"{of.name}, {where}: the reports say {_text(said.value)}, the owners {_text(counted.value)}")
        found.cells += len(of.measures) + 1
        found.wrong += wrong


def _same(one: float | None, other: float | None) -> bool:
    """To the last digits of a fraction."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def _text(value: float | None) -> str:
    return "nothing" if value is None else f"{value:g}"
