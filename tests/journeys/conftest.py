"""One embedded house for all journeys, on free ports, with a clock that can be moved on."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis import clock
from embedded.starting import House
from tests.journeys.api import Api, until
from tests.journeys.desk import Desk
from tests.passwords import cheap

PASSWORD = "journeys-administrator"
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
}


class RunningHouse:
    """A house that runs in this process. Its clock goes on by `later` and never back."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.url = house.gateway.url
        self.front_door = f"127.0.0.1:{house.gateway.grpc_port}"
        self.ahead = timedelta()

    def later(self, by: timedelta) -> None:
        self.ahead += by

    def settle(self) -> None:
        until(self.house.embedding.bus.idle)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        cheap(patch)
        started = House(tmp_path_factory.mktemp("house"))
        started.start()
        running = RunningHouse(started)
        # The one function that tells the time; durations and deadlines go by another clock and stay true.
        real = clock.now
        patch.setattr(clock, "now", lambda: real() + running.ahead)
        yield running
        started.stop()


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
    before = os.umask(0o022)  # a house that ran in this process keeps what it writes to itself
    try:
        with tempfile.TemporaryDirectory(prefix="dealwright-") as name:
            Path(name).chmod(0o755)
            yield Path(name)
    finally:
        os.umask(before)
