"""Every KPI that comes with the product is counted anew from the owners' data, and a wrong cell of any is named."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import peer
from chassis.service import Runtime
from embedded import comparing, recounting, reporting
from embedded.recounting.sums import EVERYBODY, Group, Slice, Sums
from reports.domain import kpi
from reports.domain.board import Board, Tile
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi, Measure
from reports.domain.periods import ALL, GRAINS
from reports.domain.posting import APART as OTHERS
from reports.domain.posting import WHOEVER
from reports.domain.shipped import SHIPPED
from reports.domain.view import DERIVED, Figure, Table, View
from reports.settings import company_currency, company_zone
from reports.storage import ledger, sums
from reports.storage.cells import EVER, HOURS, LENDERS, SLOTS
from reports.storage.tables import batches, cells
from reports.usecases import reading
from tests.journeys import busy_year
from tests.journeys.api import Api, until
from tests.journeys.desk import Desk
from tests.journeys.running import PASSWORD, Running

APART = ("active-people", "feature-use", "feature-time", "response-time", "failure-rate")


def _is_held(measure: Measure) -> bool:
    """Whether there are cells of holders: each record of it is somebody's."""
    return "owner" in FACTS[measure.fact].fields


COLUMNS = {kpi.COUNT: "count", kpi.AMOUNT: "amount", kpi.SECONDS: "seconds"}
COMPARED = [(of, one) for of in SHIPPED for one in of.measures if of.name.removeprefix("kpis/") not in APART]


# What is compared, and how, is the same on both deployments: every cell that can be wrong is so on one of them.
ON_ONE = pytest.mark.parametrize("running", ["embedded"], indirect=True)
EACH = [pytest.param(*one, id=f"{one[0].name[5:]}.{one[1].id}") for one in COMPARED]


@pytest.fixture(scope="module")
def here(running: Running) -> Mapping[str, Runtime]:
    """The services of a deployment in which all that can be counted has happened."""
    desk = Desk(Api(running.url, "admin", PASSWORD), running.settle, running.later)
    desk.policy()
    busy_year.live(desk, "大区年终")
    # What was deleted is ended for good, as it is every hour.
    for name in ("leads", "customers", "opportunities", "activities"):
        service = running.runtimes[name]
        (purging,) = (one for one in service.service.loops() if one.name.startswith(("end what", "purge")))
        with service.transaction() as tx:
            purging.run(tx)
    running.settle()
    return running.runtimes


@pytest.fixture(scope="module")
def counted(here: Mapping[str, Runtime], running: Running) -> Sums:
    """Anew, when all is said and summed: the clocks of forty days ring one after the other."""
    found: list[Sums] = []

    def still() -> bool:
        running.settle()
        found.append(comparing.recount(here))
        with here["reports"].reading() as tx:
            summed = tx.execute(sa.select(batches.c.id)).first() is None
        return summed and len(found) > 1 and found[-1] == found[-2]

    until(still, 120)
    return found[-1]


def test_every_kpi_of_the_product_is_compared_but_those_of_how_it_is_used(
    counted: Sums,
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert counted.found
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    status = reporting.check(tries=30)
    said = capsys.readouterr().out
    assert status == 0, said
    assert f"cells of {len(SHIPPED) - len(APART)} KPIs compared with the owners' data: 0 differ." in said
    names = ", ".join(f"kpis/{name}" for name in APART)
    people = re.search(r"Among them what (\d+) of (\d+) people have of their own(, others tomorrow)?\.", said)
    assert people is not None, said
    assert 2 < int(people[1]) <= int(people[2])
    assert f"Not compared: {names} ({recounting.APART['usage.called']})." in said


@pytest.mark.parametrize("name", ["leads-captured", "won-amount", "opportunities-untouched-7d"])
def test_a_wrong_cell_of_everybody_of_one_holder_and_of_two_dimensions_is_named_on_either_deployment(
    here: Mapping[str, Runtime], counted: Sums, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (of,) = (one for one in SHIPPED if one.name == f"kpis/{name}")
    assert _wrong(here, counted, of, of.measures[0], monkeypatch)
    assert _wrong(here, counted, of, of.measures[0], monkeypatch, held=True)
    if comparing.pairs(of):
        assert _wrong(here, counted, of, of.measures[0], monkeypatch, width=2)


@ON_ONE
@pytest.mark.parametrize(("of", "measure"), EACH)
def test_a_wrong_cell_of_any_kpi_is_named(
    here: Mapping[str, Runtime], counted: Sums, of: Kpi, measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _wrong(here, counted, of, measure, monkeypatch)


@ON_ONE
@pytest.mark.parametrize(
    ("of", "measure"), [pytest.param(*one, id=f"{one[0].name[5:]}.{one[1].id}") for one in COMPARED if _is_held(one[1])]
)
def test_a_wrong_cell_of_one_holder_is_named_and_whose_it_is(
    here: Mapping[str, Runtime], counted: Sums, of: Kpi, measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _wrong(here, counted, of, measure, monkeypatch, held=True)


@ON_ONE
def test_a_wrong_cell_of_two_dimensions_is_named_with_both(
    here: Mapping[str, Runtime], counted: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [(of, one) for of, one in COMPARED if one == of.measures[0]]
    kept = [(of, one) for of, one in first if comparing.pairs(of)]
    assert kept
    for of, measure in kept:
        assert _wrong(here, counted, of, measure, monkeypatch, width=2)


def test_B12_what_was_closed_is_compared_of_him_who_closed_it_and_seen_by_whoever_has_it(counted: Sums) -> None:
    for name in ("opportunities-won", "opportunities-lost", "contracts-signed", "stage-entered"):
        of, measure = next((of, one) for of, one in COMPARED if of.name == f"kpis/{name}")
        held = counted.found[replace(measure, id=""), kpi.rated(of, measure)][Slice(("owner",), held=True)]
        assert [(holder, owner) for holder, sums in held.items() for (owner,) in sums if owner != holder], of


def test_what_another_lends_is_compared_as_everybody_and_as_the_holder_of_the_record_sees_it(counted: Sums) -> None:
    for name in ("kpis/won-amount", "kpis/signed-amount"):
        of, measure = next((of, one) for of, one in COMPARED if of.name == name)
        by_region = counted.found[replace(measure, id=""), kpi.rated(of, measure)][Slice(("region",))]
        held = counted.found[replace(measure, id=""), kpi.rated(of, measure)][Slice(("region",), held=True)]
        assert ("西北",) in by_region[EVERYBODY], of
        assert not [holder for holder, sums in held.items() if ("西北",) in sums]
        assert sum(sum(sums.values()) for sums in held.values()) == sum(by_region[EVERYBODY].values())


@ON_ONE
def test_what_was_read_is_not_read_again(
    here: Mapping[str, Runtime], counted: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, str]] = []
    mine = threading.get_ident()

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if threading.get_ident() == mine:  # the house reads, too
            read.append((statement, str(values)))

    monkeypatch.setattr(comparing, "some", lambda holders, today: ())
    kpis = [of for of in SHIPPED if of.name in ("kpis/leads-captured", "kpis/ctre", "kpis/opportunities-untouched-7d")]
    sa.event.listen(here["reports"].database.engine, "before_cursor_execute", note)
    try:
        found = comparing.compare(here, counted, kpis)
    finally:
        sa.event.remove(here["reports"].database.engine, "before_cursor_execute", note)
    assert found.cells > len(read) > 20
    assert len(read) == len(set(read))


@ON_ONE
def test_B25_a_total_that_changes_with_the_groups_is_named(
    here: Mapping[str, Runtime], counted: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, real = next(of for of, _ in COMPARED if of.name == "kpis/forecast"), reading.table

    def by_groups(tx: Any, of: Kpi, view: View) -> Table:
        found = real(tx, of, view)
        more = Figure((found.total.value or 0.0) + 2_000, found.total.inputs) if view.group else found.total
        return replace(found, total=more)

    monkeypatch.setattr(reading, "table", by_groups)
    wrong = comparing.compare(here, counted, [of]).wrong
    for group in ("owner", "team", "stage", "channel"):
        assert [line for line in wrong if line.startswith(f"{of.name}, in all by {group}: the reports say")], wrong


@ON_ONE
def test_once_all_is_right_again_nothing_is_named(here: Mapping[str, Runtime], counted: Sums) -> None:
    """After every wrong cell of the tests above was put right."""
    assert comparing.compare(here, counted).wrong == []


@ON_ONE
def test_a_figure_is_compared_by_spans_of_time_and_as_boards_ask_for_it(
    here: Mapping[str, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    of, measure = next((of, one) for of, one in COMPARED if of.name == "kpis/leads-captured")
    tile = Tile(of.name, period="last_90_days", group_by=(of.dimensions[0], "week"))
    monkeypatch.setattr(comparing, "BOARDS", [Board("boards/mine", "Mine", "", (tile,))])
    counted = comparing.recount(here)
    assert comparing.compare(here, counted, [of]).wrong == []
    with _planted(here["reports"], of, measure):
        wrong = comparing.compare(here, counted, [of]).wrong
    for span in ("day", "week", "month", "quarter"):
        assert [line for line in wrong if line.startswith(f"{of.name} ({measure.id}), {span} = ")], wrong
    with _planted(here["reports"], of, measure, width=1):
        wrong = comparing.compare(here, counted, [of]).wrong
    asked = re.compile(
        rf"{of.dimensions[0]} = \S+, week = 20\S+, period = last_90_days: the reports say \d+, the owners \d+$"
    )
    assert [line for line in wrong if asked.search(line)], wrong


def test_an_amount_without_an_exchange_rate_is_in_no_figure_and_compared_too(
    here: Mapping[str, Runtime], counted: Sums
) -> None:
    of, measure = next((of, one) for of, one in COMPARED if of.name == "kpis/open-amount")
    assert counted.unrated(measure, EVERYBODY) == {"GBP": (300_000, 1)}
    with here["reports"].reading(peer("reports")) as tx:
        asked = reading.question(measure, View(ALL, tx.now.date()))
        number = sums.parts(tx, ledger.live(tx), asked)[0].number
        pounds = [cells.c.copy == ledger.live(tx), cells.c.rollup == number, cells.c.currency == "GBP"]
    pounds.append(cells.c.holder == EVERYBODY)

    def add(one: int) -> None:
        with here["reports"].transaction() as tx:
            assert tx.execute(sa.update(cells).where(*pounds).values(amount=cells.c.amount + one)).rowcount == 1

    add(10_000)
    try:
        wrong = comparing.compare(here, counted, [of]).wrong
    finally:
        add(-10_000)
    where = f"{of.name} ({measure.id}), in all, GBP without a rate"
    assert wrong == [f"{where}: the reports say 31 in 1, the owners 30 in 1"]


def test_where_there_are_many_people_some_are_looked_at_and_others_tomorrow(
    here: Mapping[str, Runtime], counted: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "HOLDERS", 1)
    of = next(of for of, _ in COMPARED if of.name == "kpis/leads-captured")
    found = comparing.compare(here, counted, [of])
    assert found.wrong == []
    assert len(found.looked_at) == 1 < found.people


def _wrong(
    here: Mapping[str, Runtime],
    counted: Sums,
    of: Kpi,
    measure: Measure,
    monkeypatch: pytest.MonkeyPatch,
    held: bool = False,
    width: int = 0,
) -> list[str]:
    """What is named, and named as it is, of a cell of everybody's that is wrong, or of one holder's; of everybody's
    nothing else is looked at."""
    whose = cells.c.holder != EVERYBODY if held else cells.c.holder == EVERYBODY
    with _planted(here["reports"], of, measure, whose, width) as (where, holder), monkeypatch.context() as patch:
        patch.setattr(comparing, "some", lambda holders, today: {holder, ""} if held else ())
        wrong = comparing.compare(here, counted, [of]).wrong
    place = ([f"holder = {holder or '-'}"] if held else []) + ([where] if not held or where != "in all" else [])
    named = f"{of.name} ({measure.id}), {', '.join(place)}: the reports say "
    assert [line for line in wrong if line.startswith(named)], (named, wrong)
    assert all((f"holder = {holder or '-'}" in line) == held for line in wrong), wrong
    return wrong


@contextmanager
def _planted(
    reports: Runtime,
    of: Kpi,
    measure: Measure,
    holder: sa.ColumnElement[bool] = cells.c.holder == EVERYBODY,
    width: int = 0,
) -> Iterator[tuple[str, str]]:
    """One more in one cell that the KPI is read from; where that shows, and whose it is. `width`: of how
    many dimensions it is at least."""
    with reports.reading(peer("reports")) as tx:
        # The total of channels' evenness is made of groups' figures; a return's of those that have a cost.
        apart = (kpi.BY_EVENNESS, kpi.BY_COUNTED)
        groups = [one.group for one in comparing.slices(of) if one.period == "all"]
        groups = [group for group in groups if (group or of.total not in apart) and len(group) >= width]
        group, cell = next(found for group in groups if (found := _cell(tx, of, measure, group, holder)))
    key = [cells.c[name] == cell[name] for name in (column.name for column in cells.primary_key)]
    column = cells.c[_column(measure)]

    def add(one: int) -> None:
        with reports.transaction() as tx:
            assert tx.execute(sa.update(cells).where(*key).values({column.name: column + one})).rowcount == 1

    add(1)
    try:
        terms = [f"{name} = {value or '-'}" for name, value in zip(group, cell["values"], strict=True)]
        yield ", ".join(terms) or "in all", cell["holder"]
    finally:
        add(-1)


def _column(measure: Measure) -> str:
    """What counts once, in all that was since a day, by the mark of its latest day."""
    return "amount" if FACTS[measure.fact].once else COLUMNS[measure.value]


def _cell(
    tx: Any, of: Kpi, measure: Measure, group: Group, holder: sa.ColumnElement[bool]
) -> tuple[Group, dict[str, Any]] | None:
    """Such a cell that the measure is summed from by this group, with the values of the group in it."""
    over = tuple(dict.fromkeys((*group, *kpi.added(of))))
    asked = reading.question(measure, View(ALL, tx.now.astimezone(company_zone()).date(), over), over)
    parts = sums.parts(tx, ledger.live(tx), asked)
    if not parts or set(group) & {*DERIVED, *GRAINS}:
        return None
    number, rollup, asked = parts[0].number, parts[0].rollup, parts[0].asked
    slots = dict(zip(rollup.dimensions, SLOTS, strict=False))
    where = [cells.c.rollup == number, cells.c.copy == ledger.live(tx), holder]
    where += [cells.c[slots[name]].in_(values) for name, values in asked.where.items()]
    where.append(cells.c.currency.in_(("", company_currency())))
    where.append(cells.c[_column(measure)] != 0)
    # What lends it something is the holder's too, or is not in it: the rest he does not see.
    where += [sa.or_(cells.c[name] == WHOEVER, cells.c[name].startswith(OTHERS)) for name in LENDERS]
    if rollup.grain != EVER and asked.end is not None:
        unit = HOURS[rollup.grain]
        where.append(cells.c.bucket < asked.end // unit)
        where.append(cells.c.bucket >= (asked.begin or 0) // unit)
    newest = sa.select(*cells.columns).where(*where).order_by(cells.c.holder.desc(), cells.c.bucket.desc()).limit(1)
    row = tx.execute(newest).mappings().first()
    if row is None:
        return None
    return group, {**row, "values": [row[slots[name]] for name in group]}
