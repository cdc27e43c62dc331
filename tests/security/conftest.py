"""One house for the permission tests, one behind the gateway for bad input."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.security.cells import Runner
from tests.security.examples import COVERAGE
from tests.security.front import Front, open_front
from tests.security.house import House, open_house
from tests.security.watching import Commits, Watch


@pytest.fixture(scope="session")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as made:
        yield made


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture(scope="session")
def watch(house: House) -> Iterator[Watch]:
    made = Watch(house.folder)
    yield made
    made.close()


@pytest.fixture(scope="session")
def runner(house: House, watch: Watch, patch: pytest.MonkeyPatch) -> Runner:
    commits = Commits(runtime.database for runtime in house.runtimes.values())
    commits.watch(patch)
    return Runner(house, watch, commits)


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with open_front(tmp_path_factory.mktemp("front")) as made:
        yield made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What Schemathesis covered."""
    if COVERAGE.codes:
        COVERAGE.save()
        terminalreporter.section("schemathesis")
        for line in COVERAGE.lines():
            terminalreporter.write_line(line)
