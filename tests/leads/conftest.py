"""A desk on SQLite and one on PostgreSQL. Puts the repository on the path, so that tests import `tests.leads.desk`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.migration import migrate
from chassis.testing.postgres import Postgres
from tests.leads import owners
from tests.leads.desk import Desk, open_runtime
from tests.leads.owners import Owners

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def leads_template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database on the private PostgreSQL, to be copied."""
    server: Postgres = request.getfixturevalue("postgres_server")
    runtime = open_runtime(server.create_database("leads_template"), tmp_path_factory.mktemp("template"))
    migrate(runtime)
    owners.install(runtime)
    runtime.database.dispose()
    return "leads_template"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres_server: Postgres, leads_template: str) -> Iterator[str]:
    name = f"leads_{next(_numbers)}"
    yield postgres_server.create_database(name, leads_template)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """After each test: every change of an owner went through the one compare-and-set (C2)."""
    if request.param == "sqlite":
        runtime = open_runtime(f"sqlite:///{tmp_path / 'leads.db'}", tmp_path)
        migrate(runtime)
        owners.install(runtime)
    else:
        runtime = open_runtime(request.getfixturevalue("postgres_url"), tmp_path)
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
