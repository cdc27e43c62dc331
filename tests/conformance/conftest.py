"""The probe on each pair of bus and database; real parts and the consumers are shared by the whole suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chassis.testing.parts import Postgres, RabbitMQ

pytest.register_assert_rewrite("tests.conformance.checks", "tests.conformance.deployments")

from tests.conformance.deployments import Cluster, Deployment, Local  # noqa: E402


@pytest.fixture(scope="session")
def local_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Local(tmp_path_factory.mktemp("local")).running() as deployment:
        yield deployment


@pytest.fixture(scope="session")
def local_postgres(tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres) -> Iterator[Deployment]:
    url = postgres_server.create_database("local_bus")
    with Local(tmp_path_factory.mktemp("local"), url).running() as deployment:
        yield deployment


@pytest.fixture(scope="session")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres, rabbitmq_server: RabbitMQ
) -> Iterator[Cluster]:
    """The cluster's shape: this process publishes as a `serve` process does, a `work` process beside it handles."""
    url = postgres_server.create_database("rabbit")
    with Cluster(tmp_path_factory.mktemp("cluster"), url, rabbitmq_server.url).running() as deployment:
        yield deployment


@pytest.fixture(
    params=[
        "local_sqlite",
        pytest.param("local_postgres", marks=pytest.mark.cluster),
        pytest.param("cluster", marks=pytest.mark.cluster),
    ]
)
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """The same behaviours on every pair of bus and database."""
    found: Deployment = request.getfixturevalue(request.param)
    return found
