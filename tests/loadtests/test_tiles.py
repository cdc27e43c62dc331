"""What is laid over the days of a year for the bench of the reports: like what was made, and a likeness that is asked
for can be missing; and what the bench says of its samples."""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.migration import migrate
from chassis.service import Runtime
from chassis.testing.postgres import Postgres
from loadtests import asking, embedded_tiles, ingest, spread, tiles, visible
from loadtests.driving import LoadFailed
from loadtests.spread import Kind
from reports.storage.tables import cells, postings, subjects
from reports.usecases import learning, rolling
from reports.wire import telling
from tests.reports.deals import Deal
from tests.reports.desk import envelope, open_runtime


def _told(url: str, folder: Path) -> Runtime:
    """Two deals of a customer's, summed."""
    reports = open_runtime(url, folder)
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
    return reports


@pytest.mark.cluster
def test_loaded_records_are_like_those_they_are_made_from_and_their_sums_are_those_of_their_postings(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    dsn = postgres_server.create_database("spread")
    reports = _told(dsn, tmp_path)
    said: list[str] = []
    assert spread.load(dsn, [Kind("opportunities", 0, 30)], said.append) == 60
    assert spread.load(dsn, [Kind("opportunities", 30, 400)], said.append) == 800
    assert said == 2 * ["postings", "subjects, cells", "indexes"]
    unlike, compared = spread.differences(dsn, 30)
    assert (unlike, compared) == ([], 30)
    with psycopg.connect(dsn, autocommit=True) as on:

        def one(query: str) -> int:
            return int((on.execute(query).fetchone() or (0,))[0])

        names = one("select count(distinct record) from postings")
        assert one("select count(*) from subjects where state is not null") >= names == 2 * 431
        # Each class of records is in 20 windows: two deals are on 40 days of the year, and on the one that was told.
        assert one("select count(distinct hour / 24) from postings where fact = 'deal.opened'") == 42
        assert one("select count(distinct customer) from postings where customer <> ''") == 431
        assert one("select count(*) from pg_index where indrelid = 'postings'::regclass") == 5
        assert one("select count(*) from postings where copy >= 1000") == 0
        on.execute("update cells set count = count + 1 where holder = '*'")
        assert "its postings" in spread.differences(dsn, 30)[0][0]
        on.execute("update postings set stage = 'nowhere' where batch >= 10000000000 and fact = 'deal.entered'")
    assert "no record of the API's posted so" in spread.differences(dsn, 30)[0][0]
    reports.database.dispose()
    postgres_server.drop_database("spread")


@pytest.mark.cluster
def test_what_is_embedded_is_laid_over_the_days_too(postgres_server: Postgres, tmp_path: Path) -> None:
    reports = _told(f"sqlite:///{tmp_path}/reports.db", tmp_path)
    with reports.reading() as tx:
        sums = sa.select(sa.func.sum(cells.c.count)).where(cells.c.holder == "*")
        before = tx.execute(sums).scalar_one()
    embedded_tiles.fill(tmp_path / "reports.db", postgres_server, 1_000, lambda text: None)
    with reports.reading() as tx:
        # A fifth of the leads are deals.
        assert tx.execute(sa.select(sa.func.count()).where(subjects.c.state.is_not(None))).scalar_one() == 2 + 200
        assert tx.execute(sa.select(sa.func.count(postings.c.record.distinct()))).scalar_one() == 2 + 200
        assert tx.execute(sums).scalar_one() == 101 * before
    reports.database.dispose()


def test_of_each_kind_there_are_as_many_as_belong_to_the_leads() -> None:
    there, begin = (
        {"leads": 500, "customers": 100, "contracts": 50},
        dict.fromkeys(("leads", "customers", "contracts"), 0),
    )
    assert spread.kinds(there, begin, 10_000) == [
        Kind("leads", 0, 20), Kind("customers", 0, 10), Kind("contracts", 0, 10),
    ]  # fmt: skip
    assert spread.kinds(there, begin, 1_000_000)[0] == Kind("leads", 20, 1_980)
    assert begin == {"leads": 2_000, "customers": 1_000, "contracts": 1_000}


def test_growth_is_that_of_the_tile_that_grew_most_and_no_ratio_of_next_to_nothing() -> None:
    few = {"/v1/reports/a?x": [10.0] * 3, "/v1/reports/b?x": [10.0] * 3, "/v1/reports/c?x": [0.5] * 3}
    now = {"/v1/reports/a?x": [10.0] * 3, "/v1/reports/b?x": [1.0, 90.0, 95.0], "/v1/reports/c?x": [5.0] * 3}
    found = tiles.growth(few, now, 10_000, 1_000_000)
    assert (found.value, found.verdict) == (9.0, "MISSED")
    assert "(b)" in found.title
    assert found.details["ratios"]["/v1/reports/c?x"] == 1.0


def test_live_tiles_are_measured_at_the_load_that_is_said_and_a_worker_that_falls_behind_is_told() -> None:
    with pytest.raises(LoadFailed, match="only 499 events/s"):
        visible.figure([0.1] * 6, 60, 499.4)
    assert "behind" not in visible.figure([0.5, 0.4, 0.5, 0.5, 0.5, 0.6], 60, 500).how
    late = visible.figure([0.2, 0.2, 0.3, 0.3, 0.4, 0.4], 60, 500)
    assert (late.details["lastThirdToFirst"], late.details["rising"]) == (2.0, True)
    assert late.how.endswith("2.00 x the first: a worker falls behind")


def test_events_of_other_records_are_those_of_the_same_people() -> None:
    lead, person = (hashlib.sha256(kind).hexdigest()[:32].encode() for kind in (b"lead", b"person"))
    body = b"\x0a\x26leads/" + lead + b"\x12\x27people/" + person + b"\x0a\x26leads/" + lead
    found = ingest.renamed(body)
    assert len(found) == len(body)
    assert lead not in found
    assert found.count(b"\x12\x27people/" + person) == 1
    assert found[: 2 + 38] == found[-(2 + 38) :]
    assert ids.made_at(found[8:40].decode()) == ids.made_at(lead.decode()), "as new as it was"
    assert ingest.renamed(body, "again") not in (body, found)


def test_a_tile_that_was_slow_once_is_asked_for_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    took = {"/a": iter([1.0, 90.0, *[1.0] * 118]), "/b": iter([2.0] * 121)}
    monkeypatch.setattr(asking, "once", lambda url, path, token: next(took[path]))
    found = asking.timed("", "", ["/a", "/b"], 19)
    assert {path: len(times) for path, times in found.items()} == {"/a": 119, "/b": 119}
    assert asking.slowest(found)[0] == "/b"
