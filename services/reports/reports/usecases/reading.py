"""The figures of KPIs, of what a caller may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, date, datetime, time
from types import MappingProxyType

from chassis.transaction import Transaction
from reports.domain import customer, kpi, periods, several, total
from reports.domain.facts import FACTS, Fact
from reports.domain.kpi import Amounts, Kpi, Measure
from reports.domain.total import Given
from reports.domain.view import DERIVED, Figure, Row, Table, Unrated, View
from reports.settings import company_currency, company_zone
from reports.storage import cells, ledger, names, rates, sums
from reports.storage.sums import Question, Sum
from reports.usecases import reaching, rights

_LAST = 1_000_000
RECORDS = ("contacts/", "contracts/", "customers/", "leads/", "opportunities/")


def table(tx: Transaction, of: Kpi, view: View) -> Table:
    """The figures by group, in the order of their keys, and of all together: where they are made of the groups of the
    KPI's first dimension, each of those in it. A return has no value for whoever sees a part of what came. Raises
    Denied for what the caller may not see, naming the field."""
    found = _table(tx, of, view)
    if not reaching.in_part(tx, [FACTS[one.fact] for one in of.measures]):
        return found
    rows = [replace(row, figure=replace(row.figure, value=None)) for row in found.rows]
    return replace(found, rows=rows, total=replace(found.total, value=None))


def _table(tx: Transaction, of: Kpi, view: View) -> Table:
    asked, parts = view.group, parts_of(of)
    over = replace(view, group=tuple(dict.fromkeys((*asked, *parts))))
    for measure in of.measures:
        rights.refuse_hidden(tx, measure, over)
    found: dict[tuple[str, ...], dict[str, Amounts]] = defaultdict(dict)
    unrated: list[Unrated] = []
    by_time = any(name in periods.GRAINS for name in asked)
    still, past = (kpi.standing(of) if by_time else ()), kpi.experience(of)
    for measure in sorted((one for one in of.measures if one not in past), key=lambda one: one in still):
        each = (tx, of, measure, over, unrated)
        groups = _in_each(*each, found) if measure in still else _groups(*each)
        for keys, amounts in groups.items():
            found[keys][measure.id] = amounts
    places = [place for place, name in enumerate(over.group) if name in parts]
    merged = total.merged(found, places)
    went = _went(tx, of, over, unrated)
    for part, given in went.items():
        merged.setdefault(part, {}).update(given)
        if {*asked} <= {*parts}:
            found[part]  # of which there is nothing now
    for keys in found if went else ():
        found[keys].update(went.get(tuple(keys[place] for place in places), {}))
    rows = _rows(of, found, asked, over.group == asked and of.total != kpi.BY_EVENNESS)
    if went:
        rows = _with_experience(of, rows, [place for place in places if place < len(asked)], went)
    once = any(FACTS[one.fact].once for one in of.measures)
    if asked and (still or (once and (by_time or parts)) or several.DIMENSIONS & {*asked}):
        return replace(_table(tx, of, replace(view, group=())), rows=rows)  # the same however it is grouped
    return Table(rows, total.together(of, list(merged.values()), company_currency()), unrated)


def parts_of(of: Kpi) -> tuple[str, ...]:
    """By what a KPI's figures are made of parts. What counts once in a period has none by the month."""
    once = any(FACTS[one.fact].once for one in of.measures)
    return (*kpi.added(of), "month") if kpi.monthly(of) and not once else kpi.added(of)


def _rows(of: Kpi, found: Mapping[tuple[str, ...], Given], asked: Sequence[str], apart: bool) -> list[Row]:
    """By the first of the keys, those that were `asked`; `apart`: they are all, and each is its formula's."""
    home = company_currency()
    if apart:
        return [Row(keys, total.figure(of, given, home)) for keys, given in sorted(found.items()) if keys]
    groups: dict[tuple[str, ...], list[Given]] = defaultdict(list)
    for keys, given in found.items():
        groups[keys[: len(asked)]].append(given)
    alone = {*kpi.added(of)} <= {*asked}
    return [Row(keys, total.together(of, each, home, alone)) for keys, each in sorted(groups.items()) if keys]


def _went(tx: Transaction, of: Kpi, view: View, unrated: list[Unrated]) -> dict[tuple[str, ...], dict[str, Amounts]]:
    """What `kpi.experience` counted, by `kpi.added`: in the order in which the view's groups have those."""
    found: dict[tuple[str, ...], dict[str, Amounts]] = defaultdict(dict)
    for measure in kpi.experience(of):
        alone = replace(taken(of, measure, view), group=tuple(name for name in view.group if name in kpi.added(of)))
        for part, amounts in _groups(tx, of, measure, alone, unrated).items():
            found[part][measure.id] = amounts
    return found


def taken(of: Kpi, measure: Measure, view: View) -> View:
    """A view as a measure of a KPI takes it: what went before is narrowed by nothing but what a sum is made by."""
    if measure not in kpi.experience(of):
        return view
    return replace(view, where={name: values for name, values in view.where.items() if name in kpi.added(of)})


def _with_experience(
    of: Kpi, rows: Sequence[Row], places: Sequence[int], went: Mapping[tuple[str, ...], Given]
) -> list[Row]:
    """The rows with all that went before as what their formula was given, also of where they have nothing now: that is
    what it was weighed by. `places`: of their keys, which are of those by which it is known."""
    whole = total.merged(went, range(len(places)))

    def inputs(row: Row) -> Mapping[str, float]:
        its = whole.get(tuple(row.keys[place] for place in places), {})
        return {**row.figure.inputs, **kpi.counted(kpi.experience(of), its)}

    return [replace(row, figure=replace(row.figure, inputs=inputs(row))) for row in rows]


def narrowed(tx: Transaction, view: View) -> View:
    """The view with what is known of owners (their manager, team, region) as the owners whose it is now. Raises Denied
    for a caller who may not know that of people."""
    rights.refuse_people(tx, view.where)
    derived = {name: values for name, values in view.where.items() if name in DERIVED}
    if not derived:
        return view
    where = {name: values for name, values in view.where.items() if name not in DERIVED}
    known = names.owners(tx, derived)
    where["owner"] = tuple(one for one in known if one in where["owner"]) if "owner" in where else tuple(known)
    return replace(view, where=where)


def nothing(of: Kpi, inputs: Mapping[str, float] = MappingProxyType({})) -> Figure:
    """The figure of a group of which nothing was counted, but perhaps of some `inputs`."""
    return total.nothing(of, inputs, company_currency())


def question(measure: Measure, view: View, group: Sequence[str] = ()) -> Question:
    """What to sum for a measure. Dimensions that both the measure and the view narrow must fit both."""
    begin, end = view.period.hours
    today = (view.today - periods.EPOCH).days * 24
    if measure.span == kpi.STOCK:
        begin = end = None
    elif measure.span == kpi.OLDER:
        begin, end = None, today - measure.days * 24
    elif measure.span == kpi.LAST:
        end = today + 24 if end is None else min(today + 24, end)
        begin = end - measure.days * 24
    first, last = view.hours
    begin = max((edge for edge in (begin, first) if edge is not None), default=None)
    end = min((edge for edge in (end, last) if edge is not None), default=None)
    where = dict(measure.where)
    for name, values in view.where.items():
        where[name] = tuple(v for v in values if v in where[name]) if name in where else values
    return Question(
        measure.fact,
        begin,
        end,
        where,
        tuple(dict.fromkeys(DERIVED.get(name, name) for name in group if name not in periods.GRAINS)),
        _summed_by({*view.group} & {*periods.GRAINS}, FACTS[measure.fact]),
        view.as_of,
        company_currency(),
        # What there is now is worth what it would bring now.
        today // 24 if measure.span in (kpi.STOCK, kpi.OLDER) else None,
        FACTS[measure.fact].held,
        FACTS[measure.fact].once,
    )


def _summed_by(grains: Set[str], fact: Fact) -> str:
    """What the sums come by for these grains of time: of what counts once, not more than by the day. A week lies in two
    months."""
    if not grains or "hour" in grains:
        return cells.HOUR if grains else ""
    if fact.once or "day" in grains:
        return cells.DAY
    if "week" in grains:
        return sums.WEEK if len(grains) == 1 else cells.DAY
    return sums.MONTH


def start(day: date) -> datetime:
    """The moment at which a day of the company's begins."""
    return datetime.combine(day, time(), company_zone()).astimezone(UTC)


def eve(day: date) -> int:
    """The last microsecond before a day of the company's."""
    return int(start(day).timestamp()) * 1_000_000 - 1


def _groups(
    tx: Transaction, of: Kpi, measure: Measure, view: View, unrated: list[Unrated]
) -> dict[tuple[str, ...], Amounts]:
    """What a measure counted, by group; what of it has no exchange rate is noted."""
    asked = question(measure, view, view.group)
    if any(not values for values in asked.where.values()):
        return {}
    fact = FACTS[measure.fact]
    told = tx.once(asked.key, lambda: sums.answer(tx, ledger.live(tx), asked, reaching.reach(tx, fact)))
    found = _in_each_of_several(asked, told)
    keys = _keys(tx, asked, view, found)
    grain = next((name for name in view.group if name in periods.GRAINS), "hour")
    if fact.once and grain not in ("hour", "day"):
        return _by_span(tx, of, measure, view, grain, {key[view.group.index(grain)] for key in keys})
    known = rates.known(tx, company_currency(), {(one.currency, one.day) for one in found}, view.as_of)
    turn = rates.turner(known)
    if measure.value == kpi.AMOUNT:
        unrated += _unrated(measure, [one for one in found if not _has_rate(one, known)])
    groups: dict[tuple[str, ...], list[Amounts]] = defaultdict(list)
    rated = kpi.rated(of, measure)
    for key, one in zip(keys, found, strict=True):
        if not rated or _has_rate(one, known):
            groups[key].append((one.count, turn(one.amount, one.currency, one.day), one.seconds))
    return {key: total.added(parts) for key, parts in groups.items()}


def _has_rate(one: Sum, known: Container[tuple[str, int]]) -> bool:
    return not one.day or (one.currency, one.day) in known


def _in_each_of_several(asked: Question, found: Sequence[Sum]) -> Sequence[Sum]:
    """What has several values of what is asked by, in the group of each; of a filter's, in theirs alone."""
    for at, name in enumerate(asked.group):
        if name in several.DIMENSIONS:
            wanted = asked.where.get(name)
            found = [
                replace(one, keys=(*one.keys[:at], value, *one.keys[at + 1 :]))
                for one in found
                for value in several.parted(one.keys[at])
                if wanted is None or value in wanted
            ]
    return found


def _unrated(measure: Measure, found: Iterable[Sum]) -> list[Unrated]:
    """By currency."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in found:
        sums[one.currency][0] += one.amount
        sums[one.currency][1] += one.count
    return [Unrated(measure.id, currency, *sums[currency]) for currency in sorted(sums)]


def _by_span(
    tx: Transaction, of: Kpi, measure: Measure, view: View, grain: str, spans: Iterable[str]
) -> dict[tuple[str, ...], Amounts]:
    """What counts once in each span of time, which is not so often as in its days."""
    at = view.group.index(grain)
    apart = view.group[:at] + view.group[at + 1 :]
    return {
        (*key[:at], span, *key[at:]): amounts
        for span in spans
        for key, amounts in _groups(
            tx, of, measure, replace(view, group=apart, hours=periods.of_key(grain, span).hours), []
        ).items()
    }


def _in_each(
    tx: Transaction,
    of: Kpi,
    measure: Measure,
    view: View,
    unrated: list[Unrated],
    there: Iterable[tuple[str, ...]],
) -> dict[tuple[str, ...], Amounts]:
    """What there is now, the same in each span of time that is `there`."""
    at = next(place for place, name in enumerate(view.group) if name in periods.GRAINS)
    now = _groups(tx, of, measure, replace(view, group=view.group[:at] + view.group[at + 1 :]), unrated)
    return {keys: now[rest] for keys in there if (rest := keys[:at] + keys[at + 1 :]) in now}


def _keys(tx: Transaction, asked: Question, view: View, found: Sequence[Sum]) -> list[tuple[str, ...]]:
    place = {name: at for at, name in enumerate(asked.group)}
    owners = {one.keys[place["owner"]] for one in found} if "owner" in place else set()
    staff = names.staff(tx, sorted(owners)) if set(view.group) & DERIVED.keys() else {}

    def key(one: Sum) -> tuple[str, ...]:
        parts = []
        for name in view.group:
            if name in periods.GRAINS:
                day = one.bucket // 24 if asked.grain == cells.HOUR else one.bucket
                parts.append(periods.key_of(name, one.bucket if name == "hour" else day))
            elif name in DERIVED:
                parts.append(staff.get(one.keys[place["owner"]], {}).get(name, ""))
            else:
                parts.append(one.keys[place[name]])
        return tuple(parts)

    return [key(one) for one in found]


def learnt(tx: Transaction) -> datetime:
    """Until when what was learnt is in the figures."""
    return ledger.rolled(tx) or tx.now


def ordered(tx: Transaction, view: View, of: Table) -> Table:
    """Stages in the order in which they are passed: by their pipeline's way; of several together by the first place
    that they have in one. Those of no way last."""
    if "stage" not in view.group:
        return of
    asked = view.where.get("pipeline", ())
    own = names.places(tx)
    first = {id: place for place, id in enumerate(customer.STAGES, 1)}
    for (way, id), place in own.items():
        if not asked or way in asked:
            first[id] = min(place, first.get(id, place))

    def order(row: Row) -> list[tuple[int, str]]:
        keys = dict(zip(view.group, row.keys, strict=True))
        stage = keys["stage"]
        at = own.get((keys["pipeline"], stage), _LAST) if "pipeline" in keys else first.get(stage, _LAST)
        return [(at if name == "stage" else 0, key) for name, key in keys.items()]

    return replace(of, rows=sorted(of.rows, key=order))


def labels(tx: Transaction, view: View, of: Table) -> dict[str, str]:
    """What the keys of a table are called, of those that are names of something and whose names the caller may
    read."""
    keys = {name: {row.keys[place] for row in of.rows} - {""} for place, name in enumerate(view.group)}
    named = {key for name, found in keys.items() if name not in (*periods.GRAINS, "stage") for key in found}
    ways = sorted(keys.get("pipeline") or view.where.get("pipeline", ()))
    stages = names.stages(tx, sorted(keys.get("stage", ())), ways, together="pipeline" not in keys)
    return stages | called(tx, named)


def called(tx: Transaction, keys: Iterable[str]) -> dict[str, str]:
    """What these are called, of those of which the caller may know it: of records, those that he may read."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for name in sorted(keys):
        by_kind[name.partition("/")[0]].append(name)
    found: list[str] = []
    for kind, its in by_kind.items():
        if "display_name" in tx.principal.grant(kind).hidden:
            continue
        within = reaching.within(tx, tx.principal.scope(kind, "read")) if f"{kind}/" in RECORDS else None
        found += its if within is None else ledger.seen(tx, ledger.live(tx), its, within)
    return names.called(tx, found)
