"""Nothing about a hidden field changes what its caller sees, whatever he asks: two houses that differ in the values of
one field of one resource alone answer whoever may not read that field alike, or refuse him.

Which facts come from which fields is not taken from the product's own map of them: it is found by telling both houses
what happened and comparing what was posted. What would show each difference is asked; the rest of what can be asked
in part, the same part each time.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied
from chassis.testing.postgres import Postgres
from chassis.transaction import Origin, Transaction
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import kpi, periods
from reports.domain.checking import can_group
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi, Measure
from reports.domain.posting import DIMENSIONS
from reports.domain.shipped import SHIPPED
from reports.domain.view import View
from reports.storage.tables import postings
from reports.usecases import explaining, exporting, reading
from reports.wire import messages
from tests.migrated import Migrated
from tests.reports.desk import ADMIN, Desk, moment, open_runtime
from tests.reports.houses import MESSAGES, build, heard

_READ = ("record", "fact", "hour", "happen_time", "count", "amount", "currency", "seconds", "owner", "holder")
_COLUMNS = tuple(dict.fromkeys((*_READ, *DIMENSIONS)))
_VALUES = {kpi.AMOUNT: "amount", kpi.SECONDS: "seconds"}
_TODAY = moment("2026-11-22T12:00").date()
# Whether there is a record at all, and what it is called, is not one of the fields that a role hides.
NEVER = {"name", "etag", "delete_time", "merged_into"}
_TELLING = {
    "channelCosts": {"channel", "month", "amount"},
    "checkIns": {"owner", "customer", "happen_time"},
    "contracts": {"owner", "customer", "amount", "status", "sign_date", "expiry_date", "finance_mode", "opportunity"},
    "customers": {"owner", "region", "industry", "channel", "tier", "stage", "create_time", "signed_amount"},
    "followUps": {"owner", "customer", "method", "outcome", "happen_time", "create_time", "lead", "opportunity"},
    "instalments": {"owner", "customer", "amount", "paid", "due_date", "status"},
    "invoices": {"owner", "customer", "amount", "issue_date", "void_time"},
    "leads": {"owner", "region", "industry", "channel", "capture_time", "assign_time", "first_response_time"}
    | {"status_reason"},
    "opportunities": {"owner", "customer", "amount", "status", "stage", "close_time", "open_time", "status_reason"}
    | {"source", "industry", "products", "lead", "pipeline", "stage_time"},
    "payments": {"owner", "customer", "amount", "pay_date", "method"},
    "tasks": {"owner", "customer", "status", "due_time", "done_time", "kind"},
}
"""The fields by which what is posted differs, at least: else a house is not altered as it should be."""
_OWNERS = {"team": ("teams/east",), "manager": ("people/boss",), "owner_region": ("华东",)}
# A person's are in no posting: they are looked up when they are asked for, by these dimensions.
_LOOKED_UP: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]] = {
    "people": {
        "team": {"team": ("teams/east", "teams/other")},
        "manager": {"manager": ("people/boss", "people/other")},
        "region": {"owner_region": ("华东", "华东x")},
        "display_name": {"owner": ("people/li",)},
    },
    "customers": {"display_name": {"customer": ("customers/1",)}},
}
_BY_OWNER = ("deal.won", "lead.captured", "contract.signed")
_BY_CHANCE = 2
"""How many questions are taken by chance for each fact that a field changes."""


def _made_up() -> Iterator[Kpi]:
    """A KPI for whatever can be counted of each fact."""
    for fact in FACTS.values():
        values = [kpi.COUNT] + [value for value, name in _VALUES.items() if name in fact.fields]
        spans = [(kpi.PERIOD, 0), (kpi.LAST, 30)] + ([(kpi.STOCK, 0), (kpi.OLDER, 20)] if fact.stock else [])
        for value in values:
            for span, days in spans:
                measure = Measure("it", fact.id, value, span=span, days=days)
                yield Kpi(f"kpis/{fact.id}", "x", "x", "", "", kpi.NUMBER, (measure,), "it", ())


_MADE_UP: dict[str, list[Kpi]] = defaultdict(list)
_BY_FACT: dict[str, list[Kpi]] = defaultdict(list)
for _one in (*SHIPPED, *_made_up()):
    for _fact in {measure.fact for measure in _one.measures}:
        _BY_FACT[_fact].append(_one)
        if _one not in SHIPPED:
            _MADE_UP[_fact].append(_one)
_WHOLE = View(periods.ALL, _TODAY)
_TIMED = (
    replace(_WHOLE, period=periods.read("2026-11", periods.EPOCH)),
    replace(_WHOLE, as_of=int(moment("2026-11-20T10:00").timestamp()) * 1_000_000),
    replace(_WHOLE, group=("hour",)),
    replace(_WHOLE, group=("month",)),
)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel("2026-11-22T04:00:00+00:00", tick=True):
        yield


Asked = tuple[Kpi, View]


class Houses:
    """Builds houses, on SQLite unless there is a server. `few`: of all that can be asked a part, to be done in time."""

    def __init__(self, migrated: Migrated, folders: pytest.TempPathFactory, server: Postgres | None) -> None:
        self._migrated, self._folders, self._server = migrated, folders, server
        self.few = server is not None and os.environ.get("LONG") != "1"

    @contextmanager
    def __call__(self, resource: str = "", field: str = "", away: str = "") -> Iterator[Desk]:
        folder = self._folders.mktemp("house")
        with ExitStack() as stack:
            if self._server is None:
                url = self._migrated.sqlite(folder)
            else:
                url = stack.enter_context(self._migrated.postgres(self._server, folder))
            one = Desk(open_runtime(url, folder))
            stack.callback(one.runtime.database.dispose)
            build(one, resource, field, away)
            yield one

    def fields(self, there: Iterable[str], of: set[str], chance: Random, most: int = 1) -> list[str]:
        """The fields to go through: all, or where there are to be few so many of these."""
        return sorted(chance.sample(sorted(of), min(most, len(of))) if self.few else there)

    def asked(self, asked: Iterable[Asked], chance: Random, most: int = 16) -> list[Asked]:
        """The questions to ask: all, or where there are to be few so many."""
        every = [*asked]
        return chance.sample(every, min(most, len(every))) if self.few else every


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def houses(request: pytest.FixtureRequest, migrated: Migrated, tmp_path_factory: pytest.TempPathFactory) -> Houses:
    server = request.getfixturevalue("postgres_server") if request.param == "postgres" else None
    return Houses(migrated, tmp_path_factory, server)


def posted(desk: Desk) -> dict[str, list[Any]]:
    """What is posted of each fact, in all."""
    columns = [postings.c[name] for name in _COLUMNS]
    found: dict[str, list[Any]] = defaultdict(list)
    with desk.runtime.database.read() as connection:
        for row in connection.execute(sa.select(*columns).order_by(*columns)):
            found[row.fact].append(tuple(row))
    return found


def differing(first: Sequence[Any], second: Sequence[Any]) -> dict[str, list[str]]:
    """The columns in which they do, with a value that one has alone, or else any."""
    found = {}
    for place, name in enumerate(_COLUMNS):
        one, other = ([row[place] for row in rows] for rows in (first, second))
        if one != other:
            found[name] = [max(f"{value}" for value in ({*one} ^ {*other} or one))]
    return found


def _by(of: Kpi, values: Mapping[str, Sequence[str]]) -> Iterator[View]:
    """By each of these dimensions and its values, where the KPI has it."""
    for name in sorted(values.keys() & {*can_group(of)}):
        yield replace(_WHOLE, group=(name,))
        yield from (replace(_WHOLE, where={name: (value,)}) for value in values[name])


def questions(fact: str, differing: Mapping[str, Sequence[str]], chance: Random) -> Iterator[tuple[Kpi, View]]:
    """What would show that a fact's postings differ so, and some of whatever else can be asked: LONG=1 asks it all."""
    timed = _TIMED if "happen_time" in differing else ()
    for of in _MADE_UP[fact]:
        (measure,) = of.measures
        if measure.value == kpi.COUNT and measure.span == kpi.PERIOD:
            yield from ((of, view) for view in (_WHOLE, *timed, *_by(of, differing)))
        elif timed or (measure.span == kpi.PERIOD and _VALUES.get(measure.value) in differing):
            yield of, _WHOLE
    others = [(of, view) for of in _BY_FACT[fact] for view in (_WHOLE, *_TIMED, *_by(of, {**_OWNERS, **differing}))]
    yield from others if os.environ.get("LONG") == "1" else chance.sample(others, min(_BY_CHANCE, len(others)))


def answers(tx: Transaction, of: Kpi, view: View) -> list[str]:
    """A figure, what explains it, its records, and what of it may be taken along; or which right is missing."""

    def table(tx: Transaction) -> str:
        found = reading.table(tx, of, reading.narrowed(tx, view))
        return f"{messages.tile(of, view, found, reading.labels(tx, view, found), {})}"

    def explained(tx: Transaction, measure: str) -> str:
        request = pb.ExplainFigureRequest(measure=measure)
        return f"{messages.explanation(of, explaining.explain(tx, of, reading.narrowed(tx, view), request))}"

    def listed(tx: Transaction, measure: str) -> str:
        request = pb.ListRecordsRequest(measure=measure, page_size=2)
        records, token = explaining.records(tx, of, reading.narrowed(tx, view), request)
        return f"{[messages.counted(one) for one in records]} {token}"

    def either(ask: Callable[..., str], *more: Any) -> str:
        try:
            return ask(tx, *more)
        except Denied as problem:
            return problem.right

    found = [either(table)]
    if view == _WHOLE:
        found.append(either(lambda tx: table(replace(tx, principal=exporting.exporter(tx.principal)))))
    for one in of.measures if not view.group else ():
        found += [either(explained, one.id), either(listed, one.id)]
    return found


def _without(resource: str, field: str) -> Principal:
    everything = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)
    grants = {**ADMIN.grants, "people": everything, resource: replace(everything, hidden=frozenset({field}))}
    return replace(ADMIN, grants=grants)


def told(one: Desk, other: Desk, who: Principal, asked: Iterable[tuple[Kpi, View]]) -> str:
    """What tells him the two houses apart."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(of.runtime.transaction(who, Origin(who.actor))) for of in (one, other))
        for of, view in asked:
            for mine, his in zip(answers(first, of, view), answers(second, of, view), strict=True):
                if mine != his:
                    return f"{of.name} {of.measures} {view}\n{mine}\n---\n{his}"
    return ""


@pytest.mark.parametrize("resource", sorted(MESSAGES))
def test_P3_two_houses_that_differ_in_a_hidden_field_alone_look_alike(houses: Houses, resource: str) -> None:
    telling, looked_up, as_it_is = set(), _LOOKED_UP.get(resource, {}), heard()
    all_fields = {part.name for part in MESSAGES[resource].DESCRIPTOR.fields} - NEVER
    fields = houses.fields(all_fields, _TELLING.get(resource, all_fields & {*looked_up}), Random(resource))
    with houses(resource) as one:
        before = posted(one)
        there = {fact.id for fact in FACTS.values() if fact.resource not in ("people", "channelCosts")}
        assert {*before} >= there, "a house with all there is"
        for field in fields:
            if field not in looked_up and heard(resource, field) == as_it_is:
                continue
            with houses(resource, field) as other:
                now = posted(other)
                facts = sorted(fact for fact in before.keys() | now.keys() if before[fact] != now[fact])
                telling |= {field} if facts else set()
                apart = {fact: differing(before[fact], now[fact]) for fact in facts} | (
                    dict.fromkeys(_BY_OWNER, looked_up[field]) if field in looked_up else {}
                )
                chance = Random(f"{resource}.{field}")
                asked = (pair for fact in sorted(apart) for pair in questions(fact, apart[fact], chance))
                said = told(one, other, _without(resource, field), houses.asked(asked, chance))
                assert not said, f"{resource}.{field}: {said}"
    assert telling >= _TELLING.get(resource, set()) & {*fields}, "houses that do not differ prove nothing"
