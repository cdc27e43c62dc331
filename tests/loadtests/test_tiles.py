"""What is laid over the days of a year for the bench of the reports: like what was made, and a likeness that is asked
for can be missing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from chassis.migration import migrate
from chassis.testing.postgres import Postgres
from loadtests import spread, tiles
from loadtests.spread import Kind
from reports.domain.shipped import SHIPPED
from reports.usecases import learning, rolling
from reports.wire import telling
from tests.reports.deals import Deal
from tests.reports.desk import envelope, open_runtime

pytestmark = pytest.mark.cluster


def test_loaded_records_are_like_those_they_are_made_from_and_their_sums_are_those_of_their_postings(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    dsn = postgres_server.create_database("spread")
    reports = open_runtime(dsn, tmp_path)
    migrate(reports)
    deals = [
        Deal("opportunities/a", "2026-11-02T10:00").move("need", "2026-11-03T10:00").win("2026-11-12T10:00"),
        Deal("opportunities/b", "2026-11-04T10:00", 3000, "people/wang", {"customer": "customers/a"}),
    ]
    with reports.transaction() as tx:
        learning.learn(tx, [news for one in deals for told in one.told for news in telling.told(envelope(*told))])
    more = True
    while more:
        with reports.transaction() as tx:
            more = rolling.roll(tx)
    said: list[str] = []
    assert spread.load(dsn, [Kind("opportunities", 0, 30)], said.append) == 60
    assert spread.load(dsn, [Kind("opportunities", 30, 400)], said.append) == 800
    assert len(said) == 2
    unlike, compared = spread.differences(dsn, 30)
    assert (unlike, compared) == ([], 30)
    with psycopg.connect(dsn, autocommit=True) as on:
        (subjects,) = on.execute("select count(*) from subjects where state is not null").fetchone() or (0,)
        (names,) = on.execute("select count(distinct record) from postings").fetchone() or (0,)
        assert subjects >= names == 2 * 431
        on.execute("update postings set stage = 'nowhere' where batch >= 10000000000 and fact = 'deal.entered'")
    assert "no record of the API's posted so" in spread.differences(dsn, 30)[0][0]
    took = tiles._embedded(dsn, 1)
    assert len(took) == len(SHIPPED)
    reports.database.dispose()
    postgres_server.drop_database("spread")
