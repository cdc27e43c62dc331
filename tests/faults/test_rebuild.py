"""The read model beside a cluster of processes: made anew and checked by commands of their own, and by the running
house itself, whose processes are killed meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from chassis.service import runtime
from chassis.settings import Settings
from embedded.catalogue import NAMES, load
from embedded.cluster import Cluster
from reports.storage.tables import cells, copies, rollups
from reports.usecases import rebuilding
from tests.faults.check import engine
from tests.journeys.deal import LEADS, PASSWORD, play

pytestmark = pytest.mark.cluster
_ENVIRONMENT = {
    "DEALWRIGHT_ADMIN_PASSWORD": PASSWORD,
    "DEALWRIGHT_LOG_LEVEL": "WARNING",
    "DEALWRIGHT_SIGN_IN_RATE": "0",
    "DEALWRIGHT_ADDRESS_RATE": "0",
}


@dataclass
class Worked:
    """A cluster in which ten leads became money in the bank."""

    cluster: Cluster
    reports: sa.Engine

    def command(self, *words: str, alone: bool = False) -> tuple[int, str]:
        """Exit status and what it printed; `alone`: as in a pod of the reports, where no other database is."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("DEALWRIGHT_")}
        if alone:
            env |= self.cluster.environment("reports") | {"DEALWRIGHT_SERVICE": "reports"}
        else:
            env |= {f"DEALWRIGHT_DATABASE_URL_{name.upper()}": self.cluster.databases[name] for name in NAMES}
            env |= {"DATA": str(self.cluster.folder / "nothing")}
        done = subprocess.run(
            [sys.executable, "-m", "embedded.command", "reports", *words],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
        )
        return done.returncode, done.stdout

    def copy(self) -> int:
        with self.reports.connect() as on:
            return int(on.execute(sa.select(copies.c.copy).where(copies.c.state == "LIVE")).scalar_one())

    def cells(self) -> dict[Any, Any]:
        """Of the copy that answers, but for how Dealwright is used: it counts our own calls."""
        c, r = cells.c, rollups.c
        joined = cells.join(rollups, sa.and_(c.copy == r.copy, c.rollup == r.rollup))
        key = (r.fact, r.dimensions, r.grain, c.holder, c.bucket, c.d1, c.d2, c.d3, c.currency)
        query = sa.select(*key, c["count"], c.amount, c.seconds).select_from(joined).join(
            copies, sa.and_(copies.c.copy == c.copy, copies.c.state == "LIVE")
        )  # fmt: skip
        with self.reports.connect() as on:
            rows = on.execute(query.where(sa.not_(r.fact.startswith("usage."))))
            return {tuple(row[:-3]): tuple(row[-3:]) for row in rows if any(row[-3:])}


@pytest.fixture(scope="module")
def worked() -> Iterator[Worked]:
    with tempfile.TemporaryDirectory(prefix="rebuild-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as another user when we are root
        with Cluster(Path(folder) / "cluster", _ENVIRONMENT, durable=False) as cluster:
            paid, _ = play(cluster.url, PASSWORD, lambda text: None)
            assert paid == LEADS
            reports = engine(cluster.databases["reports"])
            yield Worked(cluster, reports)
            reports.dispose()


def _until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.1)


def _settled(worked: Worked) -> dict[Any, Any]:
    """The sums once they change no more."""
    before: dict[Any, Any] = {}
    while (now := worked.cells()) != before:
        before = now
        time.sleep(2.0)
    return now


def test_B41_figures_are_those_counted_from_the_owners_databases(worked: Worked) -> None:
    _settled(worked)
    status, said = worked.command("check")
    assert status == 0, said
    assert " 0 differ" in said


def test_a_command_beside_the_databases_makes_the_read_model_anew(worked: Worked) -> None:
    before, copy = _settled(worked), worked.copy()
    assert any(key[0].startswith("payment.") for key in before)
    status, said = worked.command("rebuild")
    assert status == 0, said
    assert "The new copy answers." in said
    assert worked.copy() == copy + 1
    assert _settled(worked) == before
    assert worked.command("check")[0] == 0


def test_in_a_pod_of_the_reports_the_running_house_makes_it_anew_over_its_services(worked: Worked) -> None:
    """And a wrong sum is right afterwards."""
    before, copy = _settled(worked), worked.copy()
    wrong = (cells.c.copy == copy, cells.c.holder == "*", cells.c.d1 == "quote", cells.c.rollup.in_(
        sa.select(rollups.c.rollup).where(
            rollups.c.copy == copy, rollups.c.fact == "deal.entered", rollups.c.dimensions == "stage"
        )
    ))  # fmt: skip
    with worked.reports.begin() as on:
        assert on.execute(sa.update(cells).where(*wrong).values(count=cells.c["count"] + 1)).rowcount
    status, said = worked.command("check")
    assert status == 1
    assert "kpis/stage-entered (entered), stage = quote: the reports say" in said
    status, said = worked.command("check", alone=True)
    assert status == 0
    assert "the figures cannot be compared" in " ".join(said.split())
    status, said = worked.command("rebuild", alone=True)
    assert status == 0, said
    assert worked.copy() == copy + 1
    assert _settled(worked) == before
    status, said = worked.command("check")
    assert status == 0, said


def test_it_goes_on_when_processes_of_it_are_killed(worked: Worked) -> None:
    """That of the reports, and one that it asks."""
    before, copy = _settled(worked), worked.copy()
    worked.cluster.kill("reports serve")
    worked.cluster.kill("contracts serve")
    settings = Settings(
        data=worked.cluster.folder,
        database_url=worked.cluster.databases["reports"],
        token_key=SecretStr(worked.cluster.token_key),
    )
    with runtime(load("reports"), settings).transaction() as tx:
        rebuilding.begin(tx)
    worked.cluster.restart("reports serve")
    time.sleep(3)
    assert worked.copy() == copy, "without contracts nobody knows what comes first"
    worked.cluster.restart("contracts serve")
    _until(lambda: worked.copy() == copy + 1)
    assert _settled(worked) == before
