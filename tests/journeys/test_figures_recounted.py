"""Every KPI that comes with the product is counted anew from the owners' data, and a wrong cell of any is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import peer
from chassis.service import Runtime
from embedded import comparing, recounting, reporting
from embedded.recounting.sums import Group, Sums
from reports.domain import kpi
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi, Measure
from reports.domain.periods import ALL
from reports.domain.shipped import SHIPPED
from reports.domain.view import DERIVED, View
from reports.settings import company_currency, company_zone
from reports.storage import ledger, sums
from reports.storage.cells import EVER, EVERYBODY, HOUR, SLOTS
from reports.storage.tables import cells, postings
from reports.usecases import reading
from tests.journeys import busy_year
from tests.journeys.api import Api, until
from tests.journeys.conftest import RunningHouse
from tests.journeys.desk import Desk

APART = ("active-people", "feature-use", "response-time", "failure-rate")
COLUMNS = {kpi.COUNT: "count", kpi.AMOUNT: "amount", kpi.SECONDS: "seconds"}
COMPARED = [(of, one) for of in SHIPPED for one in of.measures if of.name.removeprefix("kpis/") not in APART]
# Of those that are no sums there are no cells: a day of theirs is planted as a posting.
ONCE = [(of, one) for of, one in COMPARED if FACTS[one.fact].once]


@pytest.fixture(scope="module")
def here(house: RunningHouse, admin: Api) -> Mapping[str, Runtime]:
    """The services of a house in which all that can be counted has happened."""
    desk = Desk(admin, house.settle, house.later)
    desk.policy()
    busy_year.live(desk, "大区年终")
    found: dict[str, Runtime] = house.house.embedding.runtimes
    # What was deleted is ended for good, as it is every hour.
    for name in ("leads", "customers", "opportunities", "activities"):
        (purging,) = (one for one in found[name].service.loops() if one.name.startswith(("end what", "purge")))
        with found[name].transaction() as tx:
            purging.run(tx)
    house.settle()
    return found


@pytest.fixture(scope="module")
def counted(here: Mapping[str, Runtime], house: RunningHouse) -> Sums:
    """Anew, when all is said: the clocks of forty days ring one after the other."""
    found: list[Sums] = []

    def still() -> bool:
        house.settle()
        found.append(comparing.recount(here))
        return not comparing.compare(here, found[-1]).wrong and len(found) > 1 and found[-1] == found[-2]

    until(still, 120)
    return found[-1]


def test_every_kpi_of_the_product_is_compared_but_those_of_how_it_is_used(
    here: Mapping[str, Runtime],
    house: RunningHouse,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATA", str(here["reports"].settings.data))
    status = reporting.check(tries=30)
    said = capsys.readouterr().out
    assert status == 0, said
    assert f"cells of {len(SHIPPED) - len(APART)} KPIs compared with the owners' data: 0 differ." in said
    names = ", ".join(f"kpis/{name}" for name in APART)
    assert f"Not compared: {names} ({recounting.APART['usage.called']})." in said


@pytest.mark.parametrize(
    ("of", "measure"), [pytest.param(*one, id=f"{one[0].name[5:]}.{one[1].id}") for one in COMPARED if one not in ONCE]
)
def test_a_wrong_cell_of_any_kpi_is_named(
    here: Mapping[str, Runtime], counted: Sums, of: Kpi, measure: Measure
) -> None:
    assert comparing.compare(here, counted, [of]).wrong == []
    with _planted(here["reports"], of, measure) as where:
        wrong = comparing.compare(here, counted, [of]).wrong
    assert [line for line in wrong if line.startswith(f"{of.name} ({measure.id}), {where}: the reports say ")], wrong
    assert comparing.compare(here, counted, [of]).wrong == []


@pytest.mark.parametrize(("of", "measure"), ONCE)
def test_a_day_that_is_missing_of_what_counts_once_is_named(
    here: Mapping[str, Runtime], counted: Sums, of: Kpi, measure: Measure
) -> None:
    assert comparing.compare(here, counted, [of]).wrong == []

    def add(one: int) -> None:
        with here["reports"].transaction() as tx:
            assert tx.execute(sa.update(postings).where(*key).values(count=postings.c.count + one)).rowcount == 1

    with here["reports"].reading(peer("reports")) as tx:
        live = [postings.c.copy == ledger.live(tx), postings.c.fact == measure.fact]
        record = sa.select(postings.c.record).where(*live).group_by(postings.c.record)
        once = tx.execute(record.having(sa.func.count() == 1)).scalars().first()
        row = tx.execute(sa.select(postings).where(*live, postings.c.record == once)).mappings().one()
    key = [postings.c[column.name] == row[column.name] for column in postings.primary_key]
    add(-1)
    try:
        wrong = comparing.compare(here, counted, [of]).wrong
    finally:
        add(1)
    assert [line for line in wrong if line.startswith(f"{of.name} ({measure.id}), in all: the reports say ")], wrong
    assert [line for line in wrong if line.startswith(f"{of.name} ({measure.id}), day = ")], wrong


@contextmanager
def _planted(reports: Runtime, of: Kpi, measure: Measure) -> Iterator[str]:
    """One more in one cell that the KPI is read from; where that shows."""
    with reports.reading(peer("reports")) as tx:
        # The total of channels' evenness is made of groups' figures.
        groups = [group for group in comparing.groups(of) if group or of.total != kpi.BY_EVENNESS]
        group, cell = next(found for group in groups if (found := _cell(tx, of, measure, group)))
    key = [cells.c[name] == cell[name] for name in (column.name for column in cells.primary_key)]
    column = cells.c[COLUMNS[measure.value]]

    def add(one: int) -> None:
        with reports.transaction() as tx:
            assert tx.execute(sa.update(cells).where(*key).values({column.name: column + one})).rowcount == 1

    add(1)
    try:
        yield f"{group[0]} = {cell['value'] or '-'}" if group else "in all"
    finally:
        add(-1)


def _cell(tx: Any, of: Kpi, measure: Measure, group: Group) -> tuple[Group, dict[str, Any]] | None:
    """A cell of everybody's that the measure is summed from by this group, with the value of the group in it."""
    over = tuple(dict.fromkeys((*group, *kpi.added(of))))
    asked = reading.question(measure, View(ALL, tx.now.astimezone(company_zone()).date(), over), over)
    fitting = sums.fitting(tx, ledger.live(tx), asked)
    if fitting is None or set(group) & {*DERIVED, "hour", "day"}:
        return None
    number, rollup = fitting
    slots = dict(zip(rollup.dimensions, SLOTS, strict=False))
    where = [cells.c.rollup == number, cells.c.copy == ledger.live(tx), cells.c.holder == EVERYBODY]
    where += [cells.c[slots[name]].in_(values) for name, values in asked.where.items()]
    where.append(cells.c.currency.in_(("", company_currency())))
    where.append(cells.c[COLUMNS[measure.value]] != 0)
    if rollup.grain != EVER and asked.end is not None:
        unit = 1 if rollup.grain == HOUR else 24
        where.append(cells.c.bucket < asked.end // unit)
        where.append(cells.c.bucket >= (asked.begin or 0) // unit)
    row = tx.execute(sa.select(*cells.columns).where(*where).limit(1)).mappings().first()
    if row is None:
        return None
    return group, {**row, "value": row[slots[group[0]]] if group else ""}
