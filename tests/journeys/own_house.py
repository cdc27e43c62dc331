"""A house in a process of its own, for what would crowd the one that all journeys share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from chassis.testing.kernel import Port
from tests.journeys.api import Api

PASSWORD = "journeys-administrator"


@contextmanager
def own_house(folder: Path, **settings: str) -> Iterator[Api]:
    """The administrator's way into a new one with these settings; it is stopped in the end."""
    web, door = Port(), Port()
    environment = {
        **os.environ,
        "DATA": str(folder / "data"),
        "PORT": str(web.number),
        "GRPC_PORT": str(door.number),
        "DEALWRIGHT_ADMIN_PASSWORD": PASSWORD,
        "DEALWRIGHT_SIGN_IN_RATE": "0",
        "DEALWRIGHT_ADDRESS_RATE": "0",
        "DEALWRIGHT_LOG_LEVEL": "WARNING",
        **settings,
    }
    url = f"http://127.0.0.1:{web.number}"
    with (folder / "log").open("w") as log:
        house = subprocess.Popen(
            [sys.executable, "-m", "embedded.command", "up"], env=environment, stdout=log, stderr=log
        )
    try:
        _await(url, house)
        yield Api(url, "admin", PASSWORD)
    finally:
        house.terminate()
        house.wait(30)
        web.close()
        door.close()


def _await(url: str, house: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while True:
        assert house.poll() is None, "the house did not start"
        try:
            if requests.get(f"{url}/readyz", timeout=1).ok:
                return
        except OSError:
            pass
        assert time.monotonic() < end, "the house did not get ready"
        time.sleep(0.1)
