"""The figures of KPIs, of what a caller may see."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis import money
from chassis.access import Scope, visible
from chassis.errors import Denied
from chassis.transaction import Transaction
from reports.domain import formula, kpi, periods
from reports.domain.facts import FACTS, Fact
from reports.domain.kpi import Kpi, Measure
from reports.domain.view import DERIVED, Figure, Row, Table, View
from reports.settings import company_currency, company_zone
from reports.storage import ledger, names, rates, sums
from reports.storage.sums import Covered, Question, Sum
from reports.storage.tables import people

RECORDS = ("contacts/", "contracts/", "customers/", "leads/", "opportunities/")


def table(tx: Transaction, of: Kpi, view: View) -> Table:
    """The figures by group, in the order of their keys, and of all together: where they are made of the figures of the
    KPI's first dimension, each of those in it. Raises Denied for what the caller may not see, naming the field."""
    asked = view.group
    over = replace(view, group=tuple(dict.fromkeys((*asked, *kpi.added(of)))))
    for measure in of.measures:
        refuse_hidden(tx, measure, over)
    found: dict[tuple[str, ...], dict[str, tuple[int, Decimal, int]]] = defaultdict(dict)
    whole: dict[str, tuple[int, Decimal, int]] = {}
    for measure in of.measures:
        groups = _groups(tx, measure, over)
        for keys, amounts in groups.items():
            found[keys][measure.id] = amounts
        whole[measure.id] = _added(groups.values())
    finest = [Row(keys, _figure(of, given)) for keys, given in sorted(found.items())] if over.group else []
    even = of.total == kpi.BY_EVENNESS
    rows = finest if over.group == asked and not even else _together(of, finest, len(asked))
    once = any(FACTS[one.fact].once for one in of.measures) and any(name in periods.GRAINS for name in asked)
    if asked and (once or (even and of.dimensions)):
        return Table(rows, table(tx, of, replace(view, group=())).total)  # the same however it is grouped
    all_of_it = _figure(of, whole)
    value = kpi.total(of, [row.figure.value for row in finest], all_of_it.value) if over.group else all_of_it.value
    return Table(rows if asked else [], Figure(value, all_of_it.inputs))


def _together(of: Kpi, finest: Sequence[Row], width: int) -> list[Row]:
    """What a sum or an evenness is made of, by the first `width` of its keys."""
    groups: dict[tuple[str, ...], list[Figure]] = defaultdict(list)
    for row in finest:
        groups[row.keys[:width]].append(row.figure)
    return [
        Row(
            keys,
            Figure(
                kpi.total(of, [one.value for one in parts], None),
                {one.id: math.fsum(part.inputs[one.id] for part in parts) for one in of.measures},
            ),
        )
        for keys, parts in sorted(groups.items())
    ]


def narrowed(tx: Transaction, view: View) -> View:
    """The view with what is known of owners (their manager, team, region) as the owners whose it is now. Raises Denied
    for a caller who may not know that of people."""
    _refuse_people(tx, view.where)
    derived = {name: values for name, values in view.where.items() if name in DERIVED}
    if not derived:
        return view
    where = {name: values for name, values in view.where.items() if name not in DERIVED}
    known = names.owners(tx, derived)
    where["owner"] = tuple(one for one in known if one in where["owner"]) if "owner" in where else tuple(known)
    return replace(view, where=where)


def located(tx: Transaction, of: Kpi, view: View) -> View:
    """The view with the keys of its cell as what it is narrowed by."""
    where = dict(view.where)
    for name, key in zip(view.group, view.keys, strict=False):
        if name not in periods.GRAINS:
            source = DERIVED.get(name, name)
            values = (key,) if source == name else _owners(tx, of, view, name, key)
            where[source] = tuple(one for one in where.get(source, values) if one in values)
    return replace(view, where=where)


def _owners(tx: Transaction, of: Kpi, view: View, name: str, key: str) -> tuple[str, ...]:
    """The owners in a cell: those of whom nothing is known, too, are of no team."""
    found: set[str] = set()
    for measure in of.measures:
        asked = question(measure, view, ("owner",))
        found |= {one.keys[0] for one in sums.answer(tx, ledger.live(tx), asked, covered(tx, FACTS[measure.fact]))}
    staff = names.staff(tx, sorted(found))
    return tuple(one for one in sorted(found) if staff.get(one, {}).get(name, "") == key)


def figure(of: Kpi, view: View, found: Table) -> Figure:
    """That of the cell of its keys; of all together where it has none."""
    if not view.keys:
        return found.total
    return next((row.figure for row in found.rows if row.keys == view.keys), nothing(of))


def nothing(of: Kpi) -> Figure:
    """The figure of a group of which nothing was counted."""
    found = _figure(of, {})
    return replace(found, value=None) if of.total == kpi.BY_EVENNESS else found


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
    grain = next((name for name in view.group if name in periods.GRAINS), "")
    return Question(
        measure.fact,
        begin,
        end,
        where,
        tuple(dict.fromkeys(DERIVED.get(name, name) for name in group if name not in periods.GRAINS)),
        ("HOUR" if grain == "hour" else "DAY") if grain else "",
        view.as_of,
        company_currency(),
        # What there is now is worth what it would bring now.
        today // 24 if measure.span in (kpi.STOCK, kpi.OLDER) else None,
        FACTS[measure.fact].held,
        FACTS[measure.fact].once,
    )


def eve(day: date) -> int:
    """The last microsecond before a day of the company's."""
    began = datetime.combine(day, time(), company_zone()).astimezone(UTC)
    return int(began.timestamp()) * 1_000_000 - 1


def refuse_hidden(tx: Transaction, measure: Measure, view: View) -> Fact:
    """The fact that a measure counts. Raises Denied for a caller who may not read its records, or a field that tells
    what the figure is made of, grouped by or filtered by, wherever that field comes from."""
    fact = FACTS[measure.fact]
    tx.principal.require(fact.resource, fact.verb)
    used = {kpi.AMOUNT: ["amount"], kpi.SECONDS: ["seconds"]}.get(measure.value, [])
    group = [DERIVED.get(name, name) for name in view.group if name not in periods.GRAINS]
    made_of = [fact.fields[name] for name in (*used, *group, *view.where, *(n for n, _ in measure.where))]
    for text in (fact.defined, *made_of, *([fact.moment] if _by_time(measure, view) else [])):
        refuse(tx, fact, text)
    _refuse_people(tx, view.group)
    return fact


def refuse(tx: Transaction, fact: Fact, text: str) -> None:
    """Raises Denied, naming the first right that the caller lacks of the fields that a fact names there."""
    right = _missing(tx, fact, text)
    if right:
        raise Denied(right)


def shows(tx: Transaction, fact: Fact, text: str) -> bool:
    """Whether the caller may see all the fields that a fact names there."""
    return not _missing(tx, fact, text)


def concealed(tx: Transaction, fact: Fact) -> frozenset[str]:
    """What the ledger has of a fact's records and the caller's role does not show: "amount", "seconds", dimensions."""
    return frozenset(name for name, text in fact.fields.items() if not shows(tx, fact, text))


def open_to(tx: Transaction, fact: Fact) -> bool:
    """Whether the caller's role hides nothing at all of what a fact's records, and those it is made of, are."""
    made_of = [*fact.fields.values(), fact.moment, fact.defined]
    resources = {fact.resource, *(resource for text in made_of for resource, _ in fact.sources(text))}
    return not concealed(tx, fact) and not any(tx.principal.grant(one).hidden for one in resources)


def _missing(tx: Transaction, fact: Fact, text: str) -> str:
    own = tx.principal.scope(fact.resource, fact.verb)
    for resource, field in fact.sources(text):
        # Of another's records one sees what one may read of as many of those as of these.
        if resource != fact.resource and tx.principal.scope(resource, "read") < own:
            return f"{resource}.read"
        if field in tx.principal.grant(resource).hidden:
            return f"{resource}.{field}.read"
    return ""


def _by_time(measure: Measure, view: View) -> bool:
    """Whether a figure tells when something happened. An amount is turned by the rate of its day, and what was known
    on a day tells what had happened by then."""
    if view.as_of is not None or any(name in periods.GRAINS for name in view.group):
        return True
    if measure.span == kpi.STOCK:
        return False
    bounded = (view.period.begin, view.period.end) != (None, None)
    return bounded or measure.span != kpi.PERIOD or measure.value == kpi.AMOUNT


def _refuse_people(tx: Transaction, dimensions: Iterable[str]) -> None:
    """What is known of an owner is a person's."""
    for name in dimensions:
        if name in DERIVED:
            tx.principal.require("people", "read")
            field = {"owner_region": "region"}.get(name, name)
            if field in tx.principal.grant("people").hidden:
                raise Denied(f"people.{field}.read")


def covered(tx: Transaction, fact: Fact) -> Covered | None:
    """The criterion of what the caller sees of a fact by its holder; None: all of it. What nobody holds is for
    everybody whose scope is a team."""
    scope = tx.principal.require(fact.resource, fact.verb)
    if scope is Scope.ALL:
        return None

    def within(holder: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        mine = visible(tx.principal, scope, holder, people)
        return sa.or_(mine, holder == "") if scope is Scope.TEAM else mine

    return within


def _groups(tx: Transaction, measure: Measure, view: View) -> dict[tuple[str, ...], tuple[int, Decimal, int]]:
    asked = question(measure, view, view.group)
    if any(not values for values in asked.where.values()):
        return {}
    fact = FACTS[measure.fact]
    found = sums.answer(tx, ledger.live(tx), asked, covered(tx, fact))
    keys = _keys(tx, asked, view, found)
    grain = next((name for name in view.group if name in periods.GRAINS), "hour")
    if fact.once and grain not in ("hour", "day"):
        return _by_span(tx, measure, view, grain, {key[view.group.index(grain)] for key in keys})
    turn = rates.turner(tx, company_currency(), {(one.currency, one.day) for one in found if one.day})
    groups: dict[tuple[str, ...], list[tuple[int, Decimal, int]]] = defaultdict(list)
    for key, one in zip(keys, found, strict=True):
        groups[key].append((one.count, turn(one.amount, one.currency, one.day), one.seconds))
    return {key: _added(parts) for key, parts in groups.items()}


def _by_span(
    tx: Transaction, measure: Measure, view: View, grain: str, spans: Iterable[str]
) -> dict[tuple[str, ...], tuple[int, Decimal, int]]:
    """What counts once in each span of time, which is not so often as in its days."""
    at = view.group.index(grain)
    apart = view.group[:at] + view.group[at + 1 :]
    return {
        (*key[:at], span, *key[at:]): amounts
        for span in spans
        for key, amounts in _groups(
            tx, measure, replace(view, group=apart, hours=periods.of_key(grain, span).hours)
        ).items()
    }


def rates_used(tx: Transaction, measure: Measure, view: View) -> list[tuple[str, str, str]]:
    """The exchange rates that turn what a measure counted into the company's currency: (currency, date, rate)."""
    if measure.value != kpi.AMOUNT:
        return []  # they would tell of amounts that were not asked for, nor whether they may be seen
    found = sums.answer(tx, ledger.live(tx), question(measure, view), covered(tx, FACTS[measure.fact]))
    home = company_currency()
    return [
        (currency, day, str(rate))
        for currency, on in sorted({(one.currency, one.day) for one in found if one.day})
        if (used := rates.at(tx, currency, home, (periods.EPOCH + timedelta(days=on)).isoformat()))
        for rate, day in (used,)
    ]


def _keys(tx: Transaction, asked: Question, view: View, found: Sequence[Sum]) -> list[tuple[str, ...]]:
    place = {name: at for at, name in enumerate(asked.group)}
    owners = {one.keys[place["owner"]] for one in found} if "owner" in place else set()
    staff = names.staff(tx, sorted(owners)) if set(view.group) & DERIVED.keys() else {}

    def key(one: Sum) -> tuple[str, ...]:
        parts = []
        for name in view.group:
            if name in periods.GRAINS:
                parts.append(periods.key_of(name, one.bucket))
            elif name in DERIVED:
                parts.append(staff.get(one.keys[place["owner"]], {}).get(name, ""))
            else:
                parts.append(one.keys[place[name]])
        return tuple(parts)

    return [key(one) for one in found]


def _added(parts: Any) -> tuple[int, Decimal, int]:
    count, amount, seconds = 0, Decimal(0), 0
    for one in parts:
        count, amount, seconds = count + one[0], amount + one[1], seconds + one[2]
    return count, amount, seconds


def _figure(of: Kpi, given: Mapping[str, tuple[int, Decimal, int]]) -> Figure:
    inputs = kpi.counted(of.measures, {id: (c, float(a), s) for id, (c, a, s) in given.items()})
    found = formula.value(of.formula, inputs)
    if found is not None and of.unit == kpi.MONEY:
        found = float(money.rounded(Decimal(repr(found)), company_currency()))
    return Figure(found, inputs)


def may_group(tx: Transaction, of: Kpi, view: View) -> bool:
    """Whether the caller may see what a view of a KPI is made of, of whatever records."""
    try:
        for measure in of.measures:
            refuse_hidden(tx, measure, view)
    except Denied:
        return False
    return True


def of_all(tx: Transaction, of: Kpi) -> bool:
    """Whether the caller sees all the records that a KPI counts."""
    facts = [FACTS[one.fact] for one in of.measures]
    return all(tx.principal.scope(fact.resource, fact.verb) is Scope.ALL for fact in facts)


def learnt(tx: Transaction) -> datetime:
    """Until when what was learnt is in the figures."""
    return ledger.rolled(tx) or tx.now


def labels(tx: Transaction, view: View, of: Table) -> dict[str, str]:
    """What the keys of a table are called, of those that are names of something and whose names the caller may
    read."""
    keys = {name: {row.keys[place] for row in of.rows} - {""} for place, name in enumerate(view.group)}
    named = {key for name, found in keys.items() if name not in (*periods.GRAINS, "stage") for key in found}
    ways = sorted(keys.get("pipeline") or view.where.get("pipeline", ()))
    return names.stages(tx, sorted(keys.get("stage", ())), ways) | names.called(
        tx, sorted(one for one in named if _named(tx, one))
    )


def _named(tx: Transaction, name: str) -> bool:
    """Whether the caller may know what something is called: of records, whoever may read their names."""
    grant = tx.principal.grant(name.partition("/")[0])
    return "display_name" not in grant.hidden and (grant.read > Scope.NONE or not name.startswith(RECORDS))
