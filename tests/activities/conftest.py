"""A desk on SQLite and one on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import arrivals
from chassis.migration import migrate
from chassis.testing.postgres import Postgres
from tests.activities.desk import Desk, open_runtime
from tests.activities.office import Office

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def activities_template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database on the private PostgreSQL, to be copied."""
    server: Postgres = request.getfixturevalue("postgres_server")
    runtime = open_runtime(server.create_database("activities_template"), tmp_path_factory.mktemp("template"))
    migrate(runtime)
    runtime.database.dispose()
    return "activities_template"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres_server: Postgres, activities_template: str) -> Iterator[str]:
    name = f"activities_{next(_numbers)}"
    yield postgres_server.create_database(name, activities_template)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    if request.param == "sqlite":
        runtime = open_runtime(f"sqlite:///{tmp_path / 'activities.db'}", tmp_path)
        migrate(runtime)
    else:
        runtime = open_runtime(request.getfixturevalue("postgres_url"), tmp_path)
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
