"""A house of before has a ledger of before: it is made anew out of history, and whoever asks meanwhile is answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.migration import migrate
from chassis.service import Runtime
from chassis.testing.postgres import Postgres
from reports.servicer.rebuilder import Rebuilder
from reports.storage import ledger
from reports.storage.tables import copies
from reports.usecases import rebuilding
from tests.reports.desk import Desk, open_runtime
from tests.reports.test_rebuilding import History, _envelopes, _story, _to_the_end

_BEFORE = ("chassis@head", "reports_0001")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runtime]:
    """A database of the first release, with a ledger in it and another in the making."""
    server: Postgres | None = None if request.param == "sqlite" else request.getfixturevalue("postgres_server")
    url = f"sqlite:///{tmp_path}/reports.db" if server is None else server.create_database("reports_before")
    runtime = open_runtime(url, tmp_path)
    migrate(runtime, *_BEFORE)
    now = "2026-11-01 00:00:00"
    with runtime.database.write() as connection:
        for copy, state in ((1, "OLD"), (2, "LIVE"), (3, "BUILDING")):
            connection.execute(
                sa.text(f"INSERT INTO copies (copy, state, begin_time) VALUES ({copy}, '{state}', '{now}')")
            )
        connection.execute(
            sa.text("INSERT INTO subjects (copy, name, learn_time, state) VALUES (2, 'opportunities/000', 1, '[1, 2]')")
        )
        connection.execute(
            sa.text(
                "INSERT INTO postings (copy, batch, place, fact, record, learn_time, happen_time, hour, count, amount, "
                "seconds) VALUES (2, 1, 0, 'deal.won', 'opportunities/000', 1, 1, 1, 1, 5, 0)"
            )
        )
    yield runtime
    runtime.database.dispose()
    if server is not None:
        server.drop_database("reports_before")


def test_B33_B41_the_ledger_of_a_house_of_before_is_made_anew_by_itself(old: Runtime) -> None:
    history = History()
    _envelopes(_story(6), history)
    migrate(old)
    desk = Desk(old)
    assert not desk.figure("opportunities-opened", period="2026-11"), "what is not known yet is not made up"
    _to_the_end(desk, Rebuilder(old, history.page))
    assert desk.figure("opportunities-opened", period="2026-11") == 5
    with old.reading() as tx:
        assert not ledger.outdated(tx)
    migrate(old)
    with old.reading() as tx:
        assert rebuilding.progress(tx) is None


def test_B33_a_new_house_has_nothing_to_make_anew(desk: Desk) -> None:
    with desk.runtime.reading() as tx:
        assert rebuilding.progress(tx) is None
        assert tx.execute(sa.select(copies.c.edition)).scalars().all() == [ledger.EDITION]
