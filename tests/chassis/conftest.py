"""Databases with the table of things, for the suites on lists."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from chassis.database import Database
from chassis.testing.parts import Postgres
from tests.chassis.things import metadata


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('paging') / 'a.db'}")
    metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def chinese_postgres(postgres_server: Postgres) -> Iterator[Database]:
    """Sorts text by the rules of Chinese where this build of PostgreSQL knows them, as a company's server may."""
    name = "test_paging"
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        try:
            connection.execute("create database test_paging template template0 locale_provider icu icu_locale 'zh'")
        except psycopg.errors.FeatureNotSupported:
            postgres_server.create_database(name)
    database = Database(postgres_server.dsn_of(name))
    metadata.create_all(database.engine)
    yield database
    database.dispose()
    postgres_server.drop_database(name)
