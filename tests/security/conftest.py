"""One house for the permission tests, one behind the gateway for bad input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from chassis.testing.parts import Postgres
from embedded.catalogue import NAMES
from tests.passwords import cheap
from tests.security.cells import Runner
from tests.security.examples import COVERAGE
from tests.security.front import Front, open_front
from tests.security.house import House, open_house
from tests.security.watching import Commits, Watch


@pytest.fixture(scope="session", autouse=True)
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as made:
        cheap(made)
        yield made


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture(scope="session")
def house_on_postgres(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with databases_of(postgres_server, "house") as urls, open_house(tmp_path_factory.mktemp("house"), urls) as made:
        yield made


@pytest.fixture(scope="session")
def watch(house: House) -> Iterator[Watch]:
    made = Watch(house.folder)
    yield made
    made.close()


@pytest.fixture(scope="session")
def runner(house: House, watch: Watch, patch: pytest.MonkeyPatch) -> Runner:
    return running(house, watch, patch)


@pytest.fixture(scope="session")
def runner_on_postgres(house_on_postgres: House, patch: pytest.MonkeyPatch) -> Iterator[Runner]:
    watch = Watch(house_on_postgres.folder, house_on_postgres.databases)
    yield running(house_on_postgres, watch, patch)
    watch.close()


def running(house: House, watch: Watch, patch: pytest.MonkeyPatch) -> Runner:
    commits = Commits(runtime.database for runtime in house.runtimes.values())
    commits.watch(patch)
    return Runner(house, watch, commits)


@contextmanager
def databases_of(server: Postgres, prefix: str) -> Iterator[dict[str, str]]:
    """A database for each service."""
    yield {name: server.create_database(f"{prefix}_{name}") for name in NAMES}
    for name in NAMES:
        server.drop_database(f"{prefix}_{name}")


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)]


@pytest.fixture(params=BOTH)
def either_runner(request: pytest.FixtureRequest) -> Runner:
    made: Runner = request.getfixturevalue("runner" if request.param == "sqlite" else "runner_on_postgres")
    return made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Bad input reaches both databases: what one of them swallows, the other may choke on."""
    if "front" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2].startswith("test_bad_"):
        metafunc.parametrize("front", BOTH, indirect=True, scope="session")


@pytest.fixture(scope="session")
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Over SQLite, where a suite asks for no other."""
    with ExitStack() as open_things:
        urls = None
        if getattr(request, "param", "sqlite") == "postgres":
            server: Postgres = request.getfixturevalue("postgres_server")
            urls = open_things.enter_context(databases_of(server, "front"))
        yield open_things.enter_context(open_front(tmp_path_factory.mktemp("front"), urls))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What Schemathesis covered."""
    if COVERAGE.codes:
        COVERAGE.save()
        terminalreporter.section("schemathesis")
        for line in COVERAGE.lines():
            terminalreporter.write_line(line)
