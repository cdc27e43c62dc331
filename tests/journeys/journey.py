"""`make journey`: ten leads from a web form to the money in the bank.

    python -m tests.journeys.journey [--cluster]

Starts a fresh deployment, plays every part of a sales team, prints the time of each step and every state that a record
passes, and ends with `figure: 10 of 10 leads paid, ... s`. Exit 1 when a lead does not get there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from chassis.service import runtime
from chassis.settings import Settings
from embedded.catalogue import load
from embedded.cluster import Cluster
from embedded.starting import House, first_sign_in
from tests.journeys.deal import LEADS, PASSWORD, play

ENVIRONMENT = {
    "DEALWRIGHT_ADMIN_PASSWORD": PASSWORD,
    "DEALWRIGHT_LOG_LEVEL": "WARNING",
    # All of these people sign in from one address.
    "DEALWRIGHT_SIGN_IN_RATE": "0",
    "DEALWRIGHT_ADDRESS_RATE": "0",
}


@contextmanager
def deployment(folder: Path, cluster: bool) -> Iterator[str]:
    """The address of a fresh one."""
    if cluster:
        with Cluster(folder, ENVIRONMENT) as parts:
            database, key = parts.databases["directory"], SecretStr(parts.token_key)
            first_sign_in(runtime(load("directory"), Settings(data=folder, database_url=database, token_key=key)))
            yield parts.url
        return
    house = House(folder)
    house.start()
    try:
        yield house.gateway.url
    finally:
        house.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cluster", action="store_true", help="on PostgreSQL, RabbitMQ and Valkey")
    wanted = parser.parse_args()
    os.environ.update({**ENVIRONMENT, "PORT": "0", "GRPC_PORT": "0"})
    with tempfile.TemporaryDirectory(prefix="journey-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as another user when we are root
        with deployment(Path(folder), wanted.cluster) as url:
            began = time.monotonic()
            paid, book = play(url, PASSWORD)
            seconds = time.monotonic() - began
    print("\n".join(book.table()))
    path = Path("build/figures/journey.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {"machine": platform.platform(), "cores": os.cpu_count(), "paid": paid, "seconds": seconds}
    path.write_text(json.dumps({**said, "steps": book.steps}, ensure_ascii=False, indent=1))
    print(f"figure: {paid} of {LEADS} leads paid, {seconds:.1f} s")
    return 0 if paid == LEADS else 1


if __name__ == "__main__":
    sys.exit(main())
