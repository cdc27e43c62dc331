"""`dealwright reports rebuild` and `check` beside a running house, in which ten leads became money in the bank."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from embedded import reporting
from reports.storage import ledger
from reports.storage.tables import cells, rollups
from reports.usecases import rebuilding
from tests.journeys.api import until
from tests.journeys.deal import Book
from tests.journeys.desk import Desk
from tests.journeys.running import RunningHouse
from tests.journeys.test_opportunities import dragged, log, opened


@pytest.fixture(scope="module", params=["embedded"])
def running(house: RunningHouse) -> RunningHouse:
    """Of the two: beside a cluster it is tests/faults/test_rebuild.py that does all this."""
    return house


@pytest.fixture
def folder(running: RunningHouse, played: tuple[int, Book], monkeypatch: pytest.MonkeyPatch) -> RunningHouse:
    assert played
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    return running


def _cells(house: RunningHouse) -> tuple[int, dict[Any, Any]]:
    """Of all but calls, which each gateway tells once a minute, whatever else goes on."""
    c, r = cells.c, rollups.c
    joined = cells.join(rollups, sa.and_(c.copy == r.copy, c.rollup == r.rollup))
    with house.runtimes["reports"].reading() as tx:
        copy = ledger.live(tx)
        key = (r.fact, r.dimensions, r.grain, c.holder, c.bucket, c.d1, c.d2, c.d3, c.currency)
        query = (
            sa.select(*key, c["count"], c.amount, c.seconds)
            .select_from(joined)
            .where(c.copy == copy, r.fact.not_like("usage.%"))
        )
        return copy, {tuple(row[:-3]): tuple(row[-3:]) for row in tx.execute(query) if any(row[-3:])}


def test_figures_are_those_counted_from_the_owners_data_and_a_wrong_cell_is_named(
    desk: Desk, region: str, folder: RunningHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    first, second = opened(mine), opened(mine)
    log(mine, first)
    dragged(mine, first, "need-clear")
    mine.post(f"/v1/{second['name']}:lose", {"reason": "PRICE"})
    desk.settle()
    status = reporting.check()
    said = capsys.readouterr().out
    assert status == 0, said
    assert "0 differ" in said
    reports = folder.runtimes["reports"]
    wrong = (cells.c.holder == "*", cells.c.d1 == "quote", cells.c.rollup.in_(
        sa.select(rollups.c.rollup).where(rollups.c.fact == "deal.entered", rollups.c.dimensions == "stage")
    ))  # fmt: skip
    with reports.transaction() as tx:
        assert tx.execute(sa.update(cells).where(*wrong).values(count=cells.c["count"] + 1)).rowcount
    assert reporting.check(tries=1) == 1
    assert "kpis/stage-entered (entered), stage = quote: the reports say" in capsys.readouterr().out
    assert reporting.rebuild() == 0
    assert reporting.check() == 0


def test_the_command_makes_the_read_model_anew_from_what_the_services_keep(
    folder: RunningHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, before = _cells(folder)
    assert any(key[0].startswith("lead.") for key in before)
    assert any(key[0].startswith("payment.") for key in before)
    assert reporting.rebuild() == 0
    assert "The new copy answers." in capsys.readouterr().out
    folder.settle()
    until(lambda: _cells(folder)[1] == before)
    assert _cells(folder) == (copy + 1, before)


def test_the_running_house_makes_it_anew_by_itself_out_of_what_its_services_answer(folder: RunningHouse) -> None:
    folder.settle()
    copy, before = _cells(folder)
    with folder.runtimes["reports"].transaction() as tx:
        rebuilding.begin(tx)
    until(lambda: _cells(folder)[0] == copy + 1, 60)
    # What came in meanwhile is summed a moment after the new copy has begun to answer.
    folder.settle()
    until(lambda: _cells(folder)[1] == before)
    assert _cells(folder) == (copy + 1, before)
