"""What a KPI makes of what was counted: in one group, and in several together."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from chassis import money
from reports.domain import formula, kpi
from reports.domain.kpi import Amounts, Kpi
from reports.domain.view import Figure

Given = Mapping[str, Amounts]
"""What each measure counted."""


def figure(of: Kpi, given: Given, home: str) -> Figure:
    """That of the formula; `home` is the company's currency."""
    return made(of, kpi.counted(of.measures, given), home)


def made(of: Kpi, inputs: Mapping[str, float], home: str) -> Figure:
    """What the formula makes of its inputs."""
    return Figure(_told(of, formula.value(of.formula, inputs), home), inputs)


def together(of: Kpi, parts: Sequence[Given], home: str, alone: bool = False) -> Figure:
    """The figure of several groups: of those of `kpi.added`, of which each is there once, unless it is a row's sum or
    its formula's. `alone`: they are of one group of the first dimension, which has what it has though none of it is one
    that makes a figure."""
    if of.total == kpi.BY_COUNTED:
        counting = [part for part in parts if kpi.counted(of.measures[:1], part)[of.measures[0].id]]
        parts = counting or (parts if alone else [])
    whole = figure(of, {one.id: added(part[one.id] for part in parts if one.id in part) for one in of.measures}, home)
    if of.total in (kpi.BY_FORMULA, kpi.BY_COUNTED):
        return whole
    if of.total == kpi.BY_SHARE:
        return _weighed(of, [kpi.counted(of.measures, part) for part in parts], whole.inputs, home)
    inputs = [kpi.counted(of.measures, part) for part in parts]
    each = [(formula.value(of.formula, given), given) for given in inputs]
    there = [value for value, _ in each if value is not None]
    if of.total == kpi.BY_EVENNESS:
        return Figure(kpi.evenness(there), whole.inputs)
    weighed = next(one.id for one in of.measures if one not in kpi.experience(of))
    left_out = math.fsum(given[weighed] for value, given in each if value is None)
    return Figure(_told(of, math.fsum(there) if there else None, home), whole.inputs, left_out)


def nothing(of: Kpi, inputs: Mapping[str, float], home: str) -> Figure:
    """The figure of a group of which nothing was counted, but perhaps of some `inputs`."""
    found = made(of, kpi.counted(of.measures, {}) | dict(inputs), home)
    return Figure(None, found.inputs) if of.total in (kpi.BY_EVENNESS, kpi.BY_SHARE) else found


def added(parts: Iterable[Amounts]) -> Amounts:
    count, amount, seconds = 0, Decimal(0), 0
    for one in parts:
        count, amount, seconds = count + one[0], amount + one[1], seconds + one[2]
    return count, amount, seconds


def merged(found: Mapping[tuple[str, ...], Given], places: Sequence[int]) -> dict[tuple[str, ...], dict[str, Amounts]]:
    """What was counted, by these of the keys."""
    groups: dict[tuple[str, ...], dict[str, list[Amounts]]] = defaultdict(lambda: defaultdict(list))
    for keys, given in found.items():
        of = groups[tuple(keys[place] for place in places)]
        for id, amounts in given.items():
            of[id].append(amounts)
    return {keys: {id: added(each) for id, each in of.items()} for keys, of in groups.items()}


def _weighed(of: Kpi, parts: Sequence[Mapping[str, float]], whole: Mapping[str, float], home: str) -> Figure:
    """The mean of the parts' figures by what the last measure counted in each, and how much of that is in parts that
    have none. In the formula that measure is what it counted in all."""
    weight = of.measures[-1].id
    each = [(formula.value(of.formula, {**part, weight: whole[weight]}), part[weight]) for part in parts]
    there = [(value, share) for value, share in each if value is not None]
    among = math.fsum(share for _, share in there)
    mean = math.fsum(value * share for value, share in there) / among if among else None
    return Figure(_told(of, mean, home), whole, math.fsum(share for value, share in each if value is None))


def _told(of: Kpi, value: float | None, home: str) -> float | None:
    """As it is told: None where it is larger than a figure can be, money in whole coins."""
    found = kpi.held(value)
    return float(money.rounded(Decimal(repr(found)), home)) if found is not None and of.unit == kpi.MONEY else found
