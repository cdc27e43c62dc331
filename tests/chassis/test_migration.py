"""Migrations on both databases: the whole schema, twice without harm, and two at once one after the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chassis.migration import migrate
from chassis.transaction import Transaction
from tests.conformance.deployments import Local
from tests.conformance.probe import metadata, notes


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("fresh_database")) if request.param == "postgres" else ""


def test_the_migrated_schema_is_that_of_the_code(url: str, tmp_path: Path) -> None:
    deployment = Local(tmp_path, url)
    migrate(deployment.runtime)
    with deployment.runtime.database.read() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    deployment.runtime.database.dispose()


def test_a_second_migration_changes_nothing_and_keeps_the_rows(url: str, tmp_path: Path) -> None:
    deployment = Local(tmp_path, url)
    migrate(deployment.runtime)
    with deployment.runtime.transaction() as tx:
        tx.execute(sa.insert(notes).values(name="notes/1", text="", phone="", batch=1))
    migrate(deployment.runtime)
    assert len(deployment.rows(sa.select(notes))) == 1
    deployment.runtime.database.dispose()


def test_many_that_migrate_at_once_wait_for_each_other(url: str, tmp_path: Path) -> None:
    if not url:
        pytest.skip("embedded, one process migrates: SQLite's files have no second")
    deployments = [Local(tmp_path, url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda d: migrate(d.runtime), deployments))
    assert deployments[0].rows(sa.select(notes)) == []
    for deployment in deployments:
        deployment.runtime.database.dispose()


def test_a_seed_runs_in_a_transaction_of_its_own(url: str, tmp_path: Path) -> None:
    deployment = Local(tmp_path, url)

    def seed(tx: Transaction) -> None:
        if not tx.execute(sa.select(notes.c.name)).first():
            tx.execute(sa.insert(notes).values(name="notes/first", text="", phone="", batch=1))

    deployment.runtime.service = replace(deployment.runtime.service, seed=seed)
    migrate(deployment.runtime)
    migrate(deployment.runtime)
    assert [r.name for r in deployment.rows(sa.select(notes.c.name))] == ["notes/first"]
    deployment.runtime.database.dispose()
