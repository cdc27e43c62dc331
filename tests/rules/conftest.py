"""A rules service on SQLite and one on PostgreSQL. Puts this folder on the path, so that tests and the drill import
`checker`, `story` and `house` alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.testing.postgres import Postgres
from tests.rules.house import House, furnish, open_runtime

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def rules_template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database on the private PostgreSQL, to be copied."""
    server: Postgres = request.getfixturevalue("postgres_server")
    runtime = open_runtime(server.create_database("rules_template"), tmp_path_factory.mktemp("template"))
    furnish(runtime)
    runtime.database.dispose()
    return "rules_template"


@pytest.fixture
def rules_postgres(postgres_server: Postgres, rules_template: str) -> Iterator[str]:
    """The URL of a migrated database of one's own."""
    name = f"rules_{next(_numbers)}"
    yield postgres_server.create_database(name, rules_template)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    if request.param == "sqlite":
        runtime = open_runtime(f"sqlite:///{tmp_path / 'rules.db'}", tmp_path)
        furnish(runtime)
    else:
        runtime = open_runtime(request.getfixturevalue("rules_postgres"), tmp_path)
    yield House(runtime)
    runtime.database.dispose()
