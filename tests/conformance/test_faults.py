"""What the bus promises while parts of it die. Each fault is short here; LONG=1 keeps the broker away for minutes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from chassis import ids
from chassis.bus.publisher import Confirmed, Publisher
from chassis.database import is_unavailable
from chassis.migration import migrate
from chassis.testing.parts import Postgres, RabbitMQ
from chassis.transaction import OutboxRow
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadContacted, LeadTouched
from tests.conformance import checks
from tests.conformance.checks import TOUCHED, names
from tests.conformance.deployments import Cluster, Deployment, Local, Program, body, envelope, wait_for

LONG = os.environ.get("LONG") == "1"
AWAY = 180.0 if LONG else 3.0


@pytest.fixture
def run() -> str:
    return f"leads/{ids.new_id()}"


class Stream:
    """Events in a steady flow from a thread; what was committed is in `sent`."""

    def __init__(self, deployment: Deployment, run: str) -> None:
        self.sent: list[str] = []
        self.doubtful: list[str] = []
        self._deployment, self._run = deployment, run
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._emit)

    def _emit(self) -> None:
        while not self._stopping.wait(0.004):
            name = f"{self._run}-{len(self.sent) + len(self.doubtful):05}"
            try:
                self._deployment.emit(LeadTouched(lead=name), LeadContacted(lead=name, owner_version=1))
            except Exception as problem:
                if not is_unavailable(problem):
                    raise
                self.doubtful.append(name)
                time.sleep(0.05)
            else:
                self.sent.append(name)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            self._thread.join()

    def check(self, seconds: float = 40.0) -> None:
        """Every committed event took effect once; a doubtful one at most once."""
        sent = set(self.sent)

        def arrived(subscriber: str) -> bool:
            return sent <= set(self._deployment.subjects(subscriber, self._run))

        for subscriber in ("touched", "contacted"):
            wait_for(partial(arrived, subscriber), seconds, "all that was committed is handled")
        self._deployment.settle(seconds)
        for subscriber in ("touched", "contacted"):
            handled = self._deployment.subjects(subscriber, self._run)
            assert len(handled) == len(set(handled)), "handled twice"
            assert set(handled) <= sent | set(self.doubtful)


def test_a_consumer_killed_in_a_transaction_loses_and_repeats_nothing(cluster: Cluster, run: str) -> None:
    stream = Stream(cluster, run)
    with stream.flowing():
        wait_for(lambda: len(stream.sent) > 50)
        checks.check_killed_in_a_transaction(cluster, run)
        cluster.kill_consumer()
        time.sleep(0.3)
        cluster.restart_consumer()
    stream.check()


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def test_an_embedded_process_killed_in_a_transaction_loses_and_repeats_nothing(
    database: str, tmp_path: Path, run: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("fresh_database") if database == "postgres" else ""
    local = Local(tmp_path, url)
    migrate(local.runtime)
    local.emit(*(LeadTouched(lead=name) for name in names(run, 500)))
    for name in names(run, 50):
        local.emit(LeadContacted(lead=name, owner_version=1), LeadCaptured(lead=name))
    local.emit(LeadCaptured(lead=f"{run}-die", text="die probe"))
    program = Program("embedded", tmp_path, local.environment).start()
    wait_for(lambda: not program.alive())
    program.start().said("address")
    wait_for(lambda: local.count("captured", f"{run}-die") == 1)
    program.kill()
    program.start().said("address")
    local.settle()
    assert program.stop() == 0
    assert local.subjects("touched", run) == names(run, 500)
    assert local.subjects("contacted", run) == names(run, 50)
    assert local.subjects("captured", run) == [*names(run, 50), f"{run}-die"]
    local.runtime.database.dispose()


def test_a_broker_that_is_killed_and_stays_away_loses_and_repeats_nothing(
    cluster: Cluster, rabbitmq_server: RabbitMQ, run: str
) -> None:
    stream = Stream(cluster, run)
    with stream.flowing():
        wait_for(lambda: len(stream.sent) > 50)
        rabbitmq_server.kill()
        time.sleep(AWAY)
        waiting = cluster.unpublished()
        rabbitmq_server.restart()
        back = time.monotonic()
        wait_for(lambda: cluster.count("touched", f"{run}-00") > 60, 60)
        lag = time.monotonic() - back
    assert not stream.doubtful, "the database was there all the time"
    assert waiting > 50
    stream.check()
    assert lag < 15, "consumers and relay are back soon after the broker"


def test_a_database_that_is_killed_and_comes_back_loses_and_repeats_nothing(
    cluster: Cluster, postgres_server: Postgres, run: str
) -> None:
    stream = Stream(cluster, run)
    with stream.flowing():
        wait_for(lambda: len(stream.sent) > 50)
        postgres_server.kill()
        time.sleep(1.0)
        postgres_server.restart()
        already = len(stream.sent)
        wait_for(lambda: len(stream.sent) > already + 50)
    assert stream.doubtful
    stream.check()


def test_the_local_bus_survives_its_database(local_postgres: Local, postgres_server: Postgres, run: str) -> None:
    stream = Stream(local_postgres, run)
    with stream.flowing():
        wait_for(lambda: len(stream.sent) > 50)
        postgres_server.kill()
        time.sleep(0.5)
        postgres_server.restart()
        already = len(stream.sent)
        wait_for(lambda: len(stream.sent) > already + 50)
    stream.check()


def test_what_a_publisher_left_behind_when_it_died_is_published_by_another(cluster: Cluster, run: str) -> None:
    """The moment between commit and publish, held fast: rows are committed and nobody is told."""
    silent = cluster.new_runtime()
    with silent.transaction() as tx:
        tx.emit_all(LeadTouched(lead=name) for name in names(run, 600))
    started = time.monotonic()
    wait_for(lambda: cluster.count("touched", run) == 600)
    assert time.monotonic() - started < 10
    cluster.settle()
    assert cluster.subjects("touched", run) == names(run, 600)
    silent.database.dispose()


def test_two_relays_share_what_was_left_behind(cluster: Cluster, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep holds its rows until they are marked, so that another's skips them."""
    second = cluster.new_runtime()
    relay = Publisher(second)
    relay.start()
    time.sleep(0.3)  # its first sweep
    sent: list[tuple[object, str]] = []
    publish = Publisher._publish

    def slowly(self: Publisher, channel: Confirmed, rows: Sequence[OutboxRow]) -> None:
        time.sleep(0.6)
        publish(self, channel, rows)
        sent.extend((self, row.id) for row in rows)

    monkeypatch.setattr(Publisher, "_publish", slowly)
    cluster.workers[0].signal(signal.SIGSTOP)  # it has a relay as well
    try:
        mine = cluster.put_left_behind(TOUCHED, [body(envelope(LeadTouched(lead=name))) for name in names(run, 2000)])
        wait_for(lambda: cluster.unpublished() == 0)
    finally:
        cluster.workers[0].signal(signal.SIGCONT)
    wait_for(lambda: cluster.count("touched", run) == 2000)
    cluster.settle()
    relay.stop()
    second.database.dispose()
    assert sorted(i for _, i in sent if i in mine) == sorted(mine), "each row is published once"
    assert {who for who, i in sent if i in mine} == {relay, cluster.relay}, "both took part"


def test_nothing_is_marked_that_the_broker_did_not_confirm(
    cluster: Cluster, rabbitmq_server: RabbitMQ, run: str
) -> None:
    checks.check_marked_after_the_confirm(cluster, rabbitmq_server, run)
