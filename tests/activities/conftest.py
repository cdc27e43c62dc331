"""A desk on SQLite and one on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import arrivals
from chassis.testing.postgres import Postgres
from tests.activities.desk import Desk, open_runtime
from tests.activities.office import Office
from tests.migrated import Migrated

MIGRATED = Migrated(open_runtime)


@pytest.fixture
def postgres_url(postgres_server: Postgres, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of one's own."""
    with MIGRATED.postgres(postgres_server, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = MIGRATED.sqlite(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    runtime = open_runtime(url, tmp_path)
    made = Office(runtime)
    yield made
    runtime.database.dispose()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a record that nobody tells of."""
    monkeypatch.setattr(arrivals, "_PATIENCE", 0.01)


@pytest.fixture(autouse=True)
def staff(request: pytest.FixtureRequest) -> None:
    """The people of the desk, where there is one."""
    if "desk" in request.fixturenames:
        desk: Desk = request.getfixturevalue("desk")
        desk.hire(
            ("people/li", "teams/east", "sales"),
            ("people/zhao", "teams/east", "sales"),
            ("people/wang", "teams/west", "sales"),
            ("people/boss", "teams/east", "manager"),
            ("people/admin", "", "admin"),
            ("people/fang", "teams/finance", "finance"),
        )


@pytest.fixture
def known_records(desk: Office) -> None:
    """The records that files and visits are about: those with numbers below 10."""
    for number in range(1, 10):
        desk.customer("", of=f"customers/{number:032x}")
        desk.opportunity("", of=f"opportunities/{number:032x}")
