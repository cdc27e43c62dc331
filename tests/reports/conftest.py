"""A desk on SQLite and one on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.testing.postgres import Postgres
from tests.migrated import Migrated
from tests.reports.desk import Desk, open_runtime

MIGRATED = Migrated(open_runtime)


@pytest.fixture(scope="session")
def migrated() -> Migrated:
    return MIGRATED


@pytest.fixture
def postgres_url(postgres_server: Postgres, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of one's own."""
    with MIGRATED.postgres(postgres_server, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    url = MIGRATED.sqlite(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    runtime = open_runtime(url, tmp_path)
    made = Desk(runtime)
    made.hire(
        ("people/li", "teams/east", "sales"),
        ("people/zhao", "teams/east", "sales"),
        ("people/wang", "teams/west", "sales"),
        ("people/boss", "teams/east", "manager"),
    )
    yield made
    runtime.database.dispose()
