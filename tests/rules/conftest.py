"""A rules service on SQLite and one on PostgreSQL. Puts this folder on the path, so that tests and the drill import
`checker`, `story` and `house` alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.testing.postgres import Postgres
from tests.migrated import Migrated
from tests.rules.house import House, furnish, open_runtime

MIGRATED = Migrated(open_runtime, furnish)


@pytest.fixture
def rules_postgres(postgres_server: Postgres, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of one's own."""
    with MIGRATED.postgres(postgres_server, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = MIGRATED.sqlite(tmp_path) if request.param == "sqlite" else request.getfixturevalue("rules_postgres")
    runtime = open_runtime(url, tmp_path)
    yield House(runtime)
    runtime.database.dispose()
