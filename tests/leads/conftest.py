"""A desk on SQLite and one on PostgreSQL. Puts the repository on the path, so that tests import `tests.leads.desk`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.migration import migrate
from chassis.service import Runtime
from chassis.testing.postgres import Postgres
from tests.leads import owners
from tests.leads.desk import Desk, open_runtime
from tests.leads.owners import Owners
from tests.migrated import Migrated


def _prepare(runtime: Runtime) -> None:
    migrate(runtime)
    owners.install(runtime)


MIGRATED = Migrated(open_runtime, _prepare)


@pytest.fixture
def postgres_url(postgres_server: Postgres, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of one's own."""
    with MIGRATED.postgres(postgres_server, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """After each test: every change of an owner went through the one compare-and-set (C2)."""
    url = MIGRATED.sqlite(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    runtime = open_runtime(url, tmp_path)
    made = Desk(runtime)
    made.owners = Owners(runtime, monkeypatch)
    yield made
    assert made.owners.strangers() == []
    runtime.database.dispose()


@pytest.fixture
def staff(desk: Desk) -> None:
    desk.hire(
        ("people/li", "teams/east", "sales"),
        ("people/wang", "teams/west", "sales"),
        ("people/boss", "teams/east", "manager"),
    )
