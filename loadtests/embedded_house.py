"""The embedded deployment as a user starts it: `dealwright up`, SQLite in a fresh folder, through the front door."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chassis import ids
from chassis.testing.kernel import Port
from dealwright.bus.v1.envelope_pb2 import EventBatch
from loadtests import machine, population
from loadtests.driving import ROOT, LoadFailed, drive
from loadtests.figures import Figure
from loadtests.generator import Job, Outcome
from loadtests.measures import Size
from loadtests.population import Population
from loadtests.watching import ANNOUNCED, ASSIGNED


@dataclass
class Embedded:
    """A running, populated one."""

    pid: int
    url: str
    front_door: str
    data: Path
    people: Population
    started_in: float
    resting: float

    def finished(self, outcome: Outcome, seconds: float = 120) -> float:
        """Leads a second until the live feed, which everybody watches, took the last LeadAssigned. Raises LoadFailed
        when some are missing."""
        since, deadline = ids.first_id_at(outcome.began - 0.05), time.monotonic() + seconds
        with _reading(self.data / "leads.db") as leads, _reading(self.data / "gateway.db") as gateway:
            while True:
                (waiting,) = leads.execute("select exists (select 1 from leads where status = 1)").fetchone()
                announced = [] if waiting else _announced(leads, since)
                if len(announced) >= outcome.leads:
                    told, last = gateway.execute(
                        "select count(*), max(handled_at) from inbox where subscriber = 'gateway.feed' "
                        "and event_id in (select value from json_each(?))",
                        (json.dumps(announced),),
                    ).fetchone()
                    if told == len(announced):
                        break
                if time.monotonic() > deadline:
                    raise LoadFailed(f"embedded: not assigned and told of within {seconds:.0f} s")
                time.sleep(0.05)
            standing = dict(
                leads.execute(
                    "select status, count(*) from leads where name >= ? group by status", (f"leads/{since}",)
                ).fetchall()
            )
        if standing != {ASSIGNED: outcome.leads} or len(announced) != outcome.leads:
            raise LoadFailed(
                f"embedded: {outcome.leads} acknowledged; by status {standing}, announced {len(announced)}"
            )
        return outcome.leads / (int(last) / 1e6 - outcome.began)

    def rest(self, seconds: float = 120) -> None:
        """Waits until everything that followed is done, too. Raises LoadFailed."""
        deadline = time.monotonic() + seconds
        while any(self._under_way()):
            if time.monotonic() > deadline:
                raise LoadFailed(f"embedded: not everything that followed was done within {seconds:.0f} s")
            time.sleep(0.1)

    def _under_way(self) -> Iterator[bool]:
        for database in self.data.glob("*.db"):
            with _reading(database) as one:
                yield one.execute("select exists (select 1 from outbox where published_at is null)").fetchone()[0]


def _announced(leads: sqlite3.Connection, since: str) -> list[str]:
    """The ids of the LeadAssigned events since then."""
    found = leads.execute("select body from outbox where id >= ? and type = ?", (since, ANNOUNCED)).fetchall()
    return [event.id for (body,) in found for event in EventBatch.FromString(bytes(body)).events]


@contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        yield connection


@contextmanager
def embedded() -> Iterator[Embedded]:
    """Starts it in a folder of its own and stops it. Raises LoadFailed when it does not become ready."""
    ports = [Port(), Port()]
    http, grpc = (port.number for port in ports)
    url = f"http://127.0.0.1:{http}"
    with tempfile.TemporaryDirectory(prefix="dealwright-bench-", ignore_cleanup_errors=True) as folder:
        began = time.monotonic()
        log = Path(folder) / "log"
        environment = {
            **os.environ,
            "PORT": str(http),
            "GRPC_PORT": str(grpc),
            "DATA": f"{folder}/data",
            "DEALWRIGHT_ADMIN_PASSWORD": population.PASSWORD,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "embedded.command", "up"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            while not _ready(url):
                if process.poll() is not None or time.monotonic() - began > 60:
                    raise LoadFailed(f"embedded did not start: {log.read_text(errors='replace')[-1500:]}")
                time.sleep(0.02)
            started = time.monotonic() - began
            time.sleep(2)
            resting = machine.resident(process.pid)
            people = population.settle_in(url, population.PASSWORD)
            time.sleep(1)
            door = f"127.0.0.1:{grpc}"
            yield Embedded(process.pid, url, door, Path(folder) / "data", people, started, resting)
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()
            for port in ports:
                port.close()


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def measure(size: Size) -> tuple[list[Figure], float]:
    """Batches until ASSIGNED and told of, and memory; with the seconds until it was ready."""
    with embedded() as house:
        samples: list[float] = []
        followed: list[float] = []
        first = 0

        def batch(count: int) -> float:
            nonlocal first
            job = Job("batch", house.front_door, house.people.office, first, count, in_flight=2, seconds=120)
            first += count
            rate = house.finished(drive(job))
            began = time.monotonic()
            house.rest()
            followed.append(time.monotonic() - began)
            return rate

        batch(2000)
        for _ in range(size.rounds):
            samples.append(batch(size.embedded))
        loaded = machine.resident(house.pid)
        started = house.started_in
        memory = house.resting
    return [
        Figure(
            "embedded", "embedded on SQLite, batchCapture of 1 000", "leads/s", samples, must=1000, aim=3000,
            how="`dealwright up`, through its gRPC front door, until the live feed took the last LeadAssigned",
            details={"everythingThatFollowsDoneSecondsLater": followed},
        ),
        Figure(
            "memory embedded", "memory of the whole embedded process at rest", "MB", [memory], must=300, aim=200,
            higher=False, how="VmRSS two seconds after it was ready", details={"afterLoadMB": loaded},
        ),
    ], started  # fmt: skip
