"""What every suite may ask for: private servers for the session, a database and a folder of its own."""

from __future__ import annotations

import itertools
import os

# Before gRPC is loaded: tests start servers from processes that speak it, and its fork handlers can crash the child.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from chassis.testing.parts import Postgres, RabbitMQ, Valkey, postgres, rabbitmq, valkey

# `ci` gives the same examples on every machine and run; `long` looks for new ones.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile(
    "long", max_examples=2000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("long" if os.environ.get("LONG") == "1" else "ci")

_SERVERS = {"postgres_server", "rabbitmq_server", "valkey_server"}
_SKIPPED = "SKIP_CLUSTER=1"
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a real server as `cluster`; only an explicit SKIP_CLUSTER=1 skips it."""
    for item in items:
        if _SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker("cluster")
        if os.environ.get("SKIP_CLUSTER") == "1" and item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.skip(reason=_SKIPPED))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A private PostgreSQL without fsync: a killed process loses nothing, and tests do not wait for disks."""
    with postgres(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMQ]:
    """A private RabbitMQ with one vhost for the session: give queues and exchanges names of your own."""
    with rabbitmq() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """A private Valkey or Redis."""
    with valkey() as server:
        yield server


@pytest.fixture
def fresh_database(postgres_server: Postgres) -> Iterator[str]:
    """An empty database, dropped afterwards; its dsn (`postgresql://...`)."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_dir(tmp_path: Path) -> Path:
    """A folder for SQLite files."""
    folder = tmp_path / "sqlite"
    folder.mkdir()
    return folder
