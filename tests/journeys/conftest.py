"""One embedded house for all journeys, on free ports, and one cluster, with a clock that can be moved on."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import clock
from embedded.starting import House
from tests.journeys.api import Api
from tests.journeys.deal import Book, play
from tests.journeys.desk import Desk
from tests.journeys.running import PASSWORD as PASSWORD
from tests.journeys.running import Moved, MovedCluster, Running, RunningCluster, RunningHouse, wide_open
from tests.journeys.selling import Tale
from tests.passwords import cheap

# A cluster is started from this process, which speaks gRPC: gRPC's own preparations for a fork break that child.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
_regions = itertools.count(1)
_ENVIRONMENT = {
    "PORT": "0",
    "GRPC_PORT": "0",
    "DEALWRIGHT_ADMIN_PASSWORD": PASSWORD,
    # All of these people sign in from one address.
    "DEALWRIGHT_SIGN_IN_RATE": "0",
    "DEALWRIGHT_ADDRESS_RATE": "0",
    "DEALWRIGHT_LOG_LEVEL": "WARNING",
    # How it is used is told each minute otherwise.
    "DEALWRIGHT_USAGE_SECONDS": "1",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is asked of the cluster comes last: twenty processes that nobody asks anything cost a third of a core."""
    items.sort(key=lambda item: item.get_closest_marker("cluster") is not None)
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.timeout(900))  # the first of them starts it, beside other suites


@pytest.fixture(scope="session")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """The clock of all that runs for these tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        cheap(patch)
        made = Moved(tmp_path_factory.mktemp("clock") / "moved-by")
        # The one function that tells the time; durations and deadlines go by another clock and stay true.
        real = clock.now
        patch.setattr(clock, "now", lambda: real() + made.ahead)
        yield made


@pytest.fixture(scope="session")
def house(moved: Moved, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    started = House(tmp_path_factory.mktemp("house"))
    started.start()
    yield RunningHouse(started, moved)
    started.stop()


@pytest.fixture(scope="session")
def cluster(moved: Moved) -> Iterator[RunningCluster]:
    with wide_open() as folder, MovedCluster(folder, moved) as started:
        yield RunningCluster(started, moved)


@pytest.fixture(scope="module", params=["embedded", pytest.param("cluster", marks=pytest.mark.cluster)])
def running(request: pytest.FixtureRequest) -> Running:
    """Both deployments, one after the other."""
    found: Running = request.getfixturevalue("house" if request.param == "embedded" else "cluster")
    return found


@pytest.fixture(scope="session")
def books() -> dict[str, tuple[int, Book]]:
    """By where the deal was played, at most once."""
    return {}


@pytest.fixture(scope="module")
def played(running: Running, books: dict[str, tuple[int, Book]]) -> tuple[int, Book]:
    """Ten leads that became money in the bank: how many were paid in full, and the book. Who approves is afterwards
    whoever it was before."""
    if running.url not in books:
        admin = Api(running.url, "admin", PASSWORD)
        before = admin.get("/v1/blueprint")["content"]["approverGroups"]
        books[running.url] = play(running.url, PASSWORD, lambda text: None, "大区十条", "1391234")
        admin.post("/v1/blueprint:apply", {"content": {"approverGroups": before}})
        running.settle()
    return books[running.url]


@pytest.fixture(scope="session")
def told() -> dict[str, Tale]:
    """By where it was told, at most once."""
    return {}


@pytest.fixture(scope="module")
def tale(running: Running, told: dict[str, Tale]) -> Tale:
    """The team's five weeks, on this deployment."""
    if running.url not in told:
        desk = Desk(Api(running.url, "admin", PASSWORD), running.settle, running.later)
        desk.policy()
        told[running.url] = Tale(desk, running.runtimes["reports"])
    return told[running.url]


@pytest.fixture(scope="session")
def admin(house: RunningHouse) -> Api:
    return Api(house.url, "admin", PASSWORD)


@pytest.fixture
def desk(house: RunningHouse, admin: Api) -> Desk:
    """The administrator's desk, under the default policy."""
    made = Desk(admin, house.settle, house.later)
    made.policy()
    return made


@pytest.fixture
def region() -> str:
    """A region of this test alone, so that its people and leads are."""
    return f"大区{next(_regions)}"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter: PostgreSQL does not run as root."""
    with wide_open() as folder:
        yield folder
