"""The figures that the reports answer, beside those that are counted anew from the owners' data."""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import combinations

from chassis.access import Grant, Principal, Scope, peer
from chassis.service import Runtime
from chassis.transaction import Transaction
from embedded import recounting
from embedded.owners import Owners
from embedded.recounting import figures
from embedded.recounting.rates import Rates
from embedded.recounting.staff import OF_OWNERS
from embedded.recounting.sums import EVERYBODY, Group, Key, Slice, Sums, summed
from embedded.remembering import Remembering
from reports.domain import periods
from reports.domain.board import Tile
from reports.domain.checking import can_group, grains
from reports.domain.facts import FACTS
from reports.domain.kpi import BY_COUNTED, BY_EVENNESS, BY_FORMULA, BY_SHARE, BY_SUM, PERIOD, Kpi, experience, standing
from reports.domain.shipped import SHIPPED
from reports.domain.shipped.boards import BOARDS
from reports.domain.view import Figure, Table, View
from reports.settings import company_currency, company_zone
from reports.usecases import copies, reading, ready

HOLDERS = 5
"""Of how many people what they have of their own is compared; of more there are, others every day."""
_SPANS = ("day", "week", "month", "quarter")
_BY_STAGE = ("pipeline", "stage")


@dataclass
class Comparison:
    """`wrong`: a line for each cell that differs. `apart`: by why they cannot be compared, the KPIs. `people`: how many
    hold something, of whom `looked_at` were compared."""

    cells: int = 0
    kpis: int = 0
    people: int = 0
    wrong: list[str] = field(default_factory=list)
    apart: dict[str, list[str]] = field(default_factory=dict)
    looked_at: set[str] = field(default_factory=set)


def recount(here: Mapping[str, Runtime]) -> Sums:
    """What the shipped KPIs are made of, counted anew. `here`: the services by name."""
    owners, zone = Owners(here), company_zone()
    with here["reports"].reading() as tx:
        today = tx.now.astimezone(zone).date()
    wanted = []
    for of in SHIPPED:
        asked = {*slices(of), *map(_whole, slices(of))}
        finest = {*asked, *(_finest(of, one) for one in asked)}
        wanted.append((of, finest | {_untimed(one) for one in finest}))
    rates = Rates(owners, company_currency())
    return summed(recounting.count(owners, zone, rates), wanted, today, rates, owners)


def slices(of: Kpi) -> list[Slice]:
    """What a KPI is compared by. Of everybody: in all, by spans of time, by each of its dimensions and what is known of
    owners, by each two whose sums are kept, and as the boards ask for it. Of each holder: in all, by month, and by each
    dimension."""
    timely = bool(grains(of))
    hourly = any(FACTS[measure.fact].hourly for measure in of.measures)
    names = [(name,) for name in (*of.dimensions, *(OF_OWNERS if "owner" in of.dimensions else ()))]
    times = [(span,) for span in (*_SPANS, *(["hour"] if hourly else [])) if timely]
    held = [(), *([("month",)] if timely else []), *((name,) for name in of.dimensions)]
    everybody = [Slice(group) for group in ((), *times, *names, *pairs(of))]
    return list(
        dict.fromkeys(
            [
                *everybody,
                *(Slice(tile.group_by, period) for tile, period in _tiles(of)),
                *(Slice(group, held=True) for group in held),
            ]
        )
    )


def pairs(of: Kpi) -> list[Group]:
    """The dimensions, two by two, by which its sums are kept."""
    can = can_group(of)
    kept = [*ready.rollups(of), *(rollup for tile, _ in _tiles(of) for rollup in ready.of_tile(of, tile))]
    found = {pair for rollup in kept for pair in combinations(rollup.dimensions, 2)}
    return sorted(pair for pair in found if {*pair} <= {*can})


def _tiles(of: Kpi) -> list[tuple[Tile, str]]:
    """The tiles that show it, and their periods."""
    return [
        (tile, tile.period or board.period)
        for board in BOARDS
        for tile in board.tiles
        if of.name in (tile.kpi, tile.overlay_kpi, *tile.more_kpis)
        and {*tile.group_by} <= {*can_group(of), *grains(of)}
    ]


def _finest(of: Kpi, one: Slice) -> Slice:
    """By what the figures are made that a sum adds up, a forecast stage by stage of each pipeline, or that are told of
    channels together, channel by channel; what they cost, month by month, too."""
    parts = {BY_FORMULA: (), BY_SUM: _BY_STAGE}.get(of.total, of.dimensions[:1])
    if of.total == BY_COUNTED and all(measure.span == PERIOD for measure in of.measures):
        parts = (*parts, "month")
    return Slice(tuple(dict.fromkeys((*one.group, *parts))), one.period, one.held)


def _whole(one: Slice) -> Slice:
    """All of it together."""
    return Slice((), one.period, one.held)


def _untimed(one: Slice) -> Slice:
    return Slice(tuple(name for name in one.group if name not in periods.GRAINS), one.period, one.held)


def compare(here: Mapping[str, Runtime], sums: Sums, kpis: Sequence[Kpi] = SHIPPED) -> Comparison:
    """What everybody has together, and then what people have of their own, as each of them sees it."""
    found = Comparison()
    compared = []
    for of in kpis:
        why = next((recounting.APART[one.fact] for one in of.measures if one.fact in recounting.APART), "")
        if why:
            found.apart.setdefault(why, []).append(of.name)
        else:
            compared.append(of)
    found.kpis = len(compared)
    with here["reports"].reading(peer("reports")) as tx:
        today = tx.now.astimezone(company_zone()).date()
        _compare(found, Remembering.of(tx), compared, today, sums, EVERYBODY)
        holders = sums.holders() | {*copies.people_known(tx)}
    found.people = len(holders - {""})
    for holder in some(holders, today):
        found.looked_at.add(holder)
        with here["reports"].reading(_who_has(holder)) as tx:
            _compare(found, Remembering.of(tx), compared, today, sums, holder)
    return found


def some(holders: Iterable[str], today: date) -> Collection[str]:
    """At most HOLDERS, others on each day."""

    def lot(holder: str) -> tuple[int, str]:
        return zlib.crc32(f"{today} {holder}".encode()), holder

    return sorted(sorted(holders, key=lot)[:HOLDERS])


def _who_has(holder: str) -> Principal:
    """Whoever sees what this person has alone; of "" what nobody has."""
    scope = Scope.OWN if holder else Scope.TEAM
    grant = Grant(read=scope, write=scope)
    return Principal(holder, grants=dict.fromkeys(("people", *(fact.resource for fact in FACTS.values())), grant))


def _compare(found: Comparison, tx: Transaction, kpis: Iterable[Kpi], today: date, sums: Sums, holder: str) -> None:
    for of in kpis:
        for one in slices(of):
            if one.held == (holder != EVERYBODY):
                table = reading.table(tx, of, View(periods.read(one.period, today), today, one.group))
                theirs: dict[Key, Figure] = {row.keys: row.figure for row in table.rows}
                if not one.group:
                    theirs = {(): table.total}
                _lay_beside(found, of, one, holder, theirs, _ours(of, one, sums, holder))
                if one.group:
                    whole = _ours(of, _whole(one), sums, holder)
                    _lay_beside(found, of, _whole(one), holder, {(): table.total}, whole, one.group)
                if one.group == () and one.period == "all":
                    _lay_lacking(found, of, one, holder, table, sums)


def _ours(of: Kpi, one: Slice, sums: Sums, holder: str) -> dict[Key, Figure]:
    """The same of what was counted anew. Nobody has a return of his own: what channels cost, they cost the company."""
    found = _counted(of, one, sums, holder)
    company = {measure.fact == "cost.spent" for measure in of.measures}
    return {key: replace(each, value=None) for key, each in found.items()} if one.held and len(company) > 1 else found


def _counted(of: Kpi, one: Slice, sums: Sums, holder: str) -> dict[Key, Figure]:
    if of.total in (BY_SUM, BY_EVENNESS) or _finest(of, one) != one:
        parts: dict[Key, list[Figure]] = {} if one.group else {(): []}
        for key, part in _figures(of, _finest(of, one), sums, holder, told=False).items():
            parts.setdefault(key[: len(one.group)], []).append(part)
        went = _of_stages(of, one, sums, holder)
        alone = {*of.dimensions[:1]} <= {*one.group}
        return {key: _together(of, each, _of_these(went, one.group, key), alone) for key, each in parts.items()}
    return _figures(of, one, sums, holder)


def _of_stages(of: Kpi, one: Slice, sums: Sums, holder: str) -> dict[Key, dict[str, float]]:
    """Of each stage, how it went: by that a forecast weighs what is open, whoever's it is."""
    found: dict[Key, dict[str, float]] = {}
    for measure in experience(of):
        for stage, value in sums.of(of, measure, Slice(_BY_STAGE, one.period, one.held), holder).items():
            found.setdefault(stage, {})[measure.id] = value
    return found


def _of_these(went: Mapping[Key, Mapping[str, float]], group: Group, key: Key) -> dict[str, float]:
    """All of it in the stages that a row is of."""
    asked = dict(zip(group, key, strict=True))
    found: dict[str, float] = defaultdict(float)
    for stage, given in went.items():
        if all(asked.get(name, value) == value for name, value in zip(_BY_STAGE, stage, strict=True)):
            for id, value in given.items():
                found[id] += value
    return found


def _figures(of: Kpi, one: Slice, sums: Sums, holder: str, told: bool = True) -> dict[Key, Figure]:
    """Those of the formula; `told`: as they are told, money in whole coins."""
    past = experience(of)
    counted = {measure.id: sums.of(of, measure, one, holder) for measure in of.measures if measure not in past}
    if past:
        went, keys = _of_stages(of, one, sums, holder), {key for each in counted.values() for key in each}
        if len(one.group) == len(_BY_STAGE):
            keys |= {tuple(dict(zip(_BY_STAGE, stage, strict=True))[name] for name in one.group) for stage in went}
        places = [one.group.index(name) for name in _BY_STAGE]
        for measure in past:
            counted[measure.id] = {
                key: went.get(tuple(key[place] for place in places), {}).get(measure.id, 0.0) for key in keys
            }
    at = next((place for place, name in enumerate(one.group) if name in periods.GRAINS), None)
    if at is not None:
        for measure in standing(of):  # each day has the whole of it
            whole = sums.of(of, measure, _untimed(one), holder)
            days = {key for each in of.measures if each.span == PERIOD for key in counted[each.id]}
            apart = {key: key[:at] + key[at + 1 :] for key in days}
            counted[measure.id] = {key: whole[rest] for key, rest in apart.items() if rest in whole}
    found = {}
    for key in {key for each in counted.values() for key in each} | (set() if one.group else {()}):
        inputs = {id: each.get(key, 0.0) for id, each in counted.items()}
        value = figures.value(of, inputs)
        found[key] = Figure(figures.told(of, value, company_currency()) if told else value, inputs)
    return found


def _together(of: Kpi, parts: Sequence[Figure], went: Mapping[str, float], alone: bool) -> Figure:
    """`alone`: they are of one channel, which has what it brought, though nothing tells what that cost."""
    if of.total == BY_COUNTED:
        counting = [one for one in parts if one.inputs[of.measures[0].id]]
        parts = counting or (parts if alone else [])
    there = [one.value for one in parts if one.value is not None]
    inputs = {one.id: _added(part.inputs[one.id] for part in parts) for one in of.measures} | {**went}
    if of.total == BY_COUNTED:
        return Figure(figures.figure(of, inputs, company_currency()), inputs)
    if of.total == BY_SHARE:
        return _weighed(of, parts, inputs)
    if of.total == BY_EVENNESS:
        return Figure(figures.evenness(there), inputs)
    return Figure(figures.told(of, math.fsum(there) if there else None, company_currency()), inputs)


def _added(each: Iterable[float]) -> float:
    """As decimals are added: half a coin stays half a coin."""
    return float(sum((Decimal(repr(one)) for one in each), Decimal(0)))


def _weighed(of: Kpi, parts: Sequence[Figure], inputs: Mapping[str, float]) -> Figure:
    """Each part's figure by its share of what the last measure counted in those that have one."""
    weight = of.measures[-1].id
    there = [one for one in parts if one.value is not None]
    among = math.fsum(one.inputs[weight] for one in there)
    if not among:
        return Figure(None, inputs)
    shares = [one.inputs[weight] / among for one in there]
    each = [figures.figure(of, {**one.inputs, weight: inputs[weight]}, company_currency()) or 0.0 for one in there]
    return Figure(math.fsum(share * value for share, value in zip(shares, each, strict=True)), inputs)


def _lay_beside(
    found: Comparison,
    of: Kpi,
    one: Slice,
    holder: str,
    theirs: Mapping[Key, Figure],
    ours: Mapping[Key, Figure],
    by: Group = (),
) -> None:
    """`by`: what a table was grouped by of which they are the total."""
    none = Figure(None, {})
    for key in sorted({*theirs, *ours}):
        said, counted = theirs.get(key, none), ours.get(key, none)
        where = place(one, holder, key) + (f" by {', '.join(by)}" if by else "")
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


def _lay_lacking(found: Comparison, of: Kpi, one: Slice, holder: str, table: Table, sums: Sums) -> None:
    """What is in no figure, for want of an exchange rate."""
    theirs = {(part.measure, part.currency): (part.amount, part.count) for part in table.unrated}
    ours = {(each.id, name): part for each in of.measures for name, part in sums.unrated(each, holder).items()}
    for measure, currency in sorted({*theirs, *ours}):
        said, counted = (each.get((measure, currency), (0, 0)) for each in (theirs, ours))
        found.cells += 1
        if said != counted:
            where = f"{of.name} ({measure}), {place(one, holder, ())}, {currency} without a rate"
            (there, often), (here, times) = said, counted
            found.wrong.append(
                f"{where}: the reports say {there / 10_000:g} in {often}, the owners {here / 10_000:g} in {times}"
            )


def place(one: Slice, holder: str, key: Key) -> str:
    """Where a cell is: whose, by which keys, and when."""
    parts = [("holder", holder)] if one.held else []
    parts += zip(one.group, key, strict=True)
    parts += [("period", one.period)] if one.period != "all" else []
    return ", ".join(f"{name} = {value or '-'}" for name, value in parts) or "in all"


def _same(one: float | None, other: float | None) -> bool:
    """To the last digits of a fraction."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def _text(value: float | None) -> str:
    return "nothing" if value is None else f"{value:g}"
