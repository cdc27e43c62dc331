"""Whom a figure is shown to: whoever may read each field that it is made of."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.errors import Denied
from chassis.transaction import Transaction
from reports.domain import kpi, periods
from reports.domain.facts import FACTS, Fact
from reports.domain.kpi import Kpi, Measure
from reports.domain.view import DERIVED, View


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
    refuse_people(tx, view.group)
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


def refuse_people(tx: Transaction, dimensions: Iterable[str]) -> None:
    """What is known of an owner is a person's."""
    for name in dimensions:
        if name in DERIVED:
            tx.principal.require("people", "read")
            field = {"owner_region": "region"}.get(name, name)
            if field in tx.principal.grant("people").hidden:
                raise Denied(f"people.{field}.read")


def may_group(tx: Transaction, of: Kpi, view: View) -> bool:
    """Whether the caller may see what a view of a KPI is made of, of whatever records."""
    try:
        for measure in of.measures:
            refuse_hidden(tx, measure, view)
    except Denied:
        return False
    return True
