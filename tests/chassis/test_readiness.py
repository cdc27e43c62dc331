"""Whether a process says of itself what is true, while the parts it stands on are killed and come back."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from chassis import ids
from chassis.bus import publisher
from chassis.testing.parts import Postgres, RabbitMQ, postgres, rabbitmq
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadTouched
from tests.conformance.deployments import Cluster, Program, body, envelope, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """Killed here, so not the one that other suites share."""
    with postgres(durable=False) as server:
        yield server


@pytest.fixture(scope="module")
def broker() -> Iterator[RabbitMQ]:
    with rabbitmq() as server:
        yield server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, database: Postgres, broker: RabbitMQ) -> Iterator[Cluster]:
    url = database.create_database("readiness")
    folder = tmp_path_factory.mktemp("readiness")
    with Cluster(folder, url, broker.url, drain_seconds=2.0).running() as made:
        yield made


@pytest.fixture(scope="module")
def worker(cluster: Cluster) -> Program:
    return cluster.workers[0]


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[Program]:
    program = Program("serve", cluster.folder, cluster.environment).start()
    yield program
    program.stop()


def ask(program: Program, path: str = "/readyz") -> tuple[int, str]:
    word = "working" if program.role == "work" else "serving"
    port = json.loads(program.said(f'"event": "{word}"'))["status"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


READY = (200, "ready\n")


def test_U6_a_worker_is_ready_when_it_consumes_and_unready_without_its_broker(
    worker: Program, server: Program, broker: RabbitMQ
) -> None:
    wait_for(lambda: ask(worker) == READY)
    wait_for(lambda: ask(server) == READY)
    broker.kill()
    wait_for(lambda: ask(worker) == (503, "not ready: broker\n"), what="the worker misses its broker")
    assert ask(worker, "/healthz") == (200, "ok\n"), "nobody restarts it for that"
    assert ask(server) == READY, "what a server announces waits in the outbox"
    broker.restart()
    wait_for(lambda: ask(worker) == READY, 40, "the worker consumes again")


def test_U6_both_roles_are_unready_without_their_database(worker: Program, server: Program, database: Postgres) -> None:
    for program in (worker, server):
        wait_for(lambda program=program: ask(program) == READY)  # type: ignore[misc]
    database.kill()
    for program in (worker, server):
        away = (503, "not ready: database\n")
        wait_for(lambda program=program, away=away: ask(program) == away)  # type: ignore[misc]
        assert ask(program, "/healthz") == (200, "ok\n")
    database.restart()
    for program in (worker, server):
        wait_for(lambda program=program: ask(program) == READY)  # type: ignore[misc]


def test_U6_a_worker_that_starts_before_its_broker_answers_that_it_waits_for_it(cluster: Cluster) -> None:
    away = {"DEALWRIGHT_BROKER_URL": "amqp://guest:guest@127.0.0.1:1//", "DEALWRIGHT_METRICS_PORT": "0"}
    program = Program("work", cluster.folder, {**cluster.environment, **away}).start()
    try:
        program.said("declaring waits")
        port = json.loads(program.said('"event": "status"'))["port"]
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
        assert (refused.value.code, refused.value.read()) == (503, b"not ready: broker\n")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            assert answer.status == 200
    finally:
        assert program.stop() == 0


def _gauge(program: Program, name: str) -> float:
    lines = [line for line in ask(program, "/metrics")[1].splitlines() if line.startswith(name)]
    assert len(lines) == 1, name
    return float(lines[0].rpartition(" ")[2])


def test_U6_a_queue_that_is_not_emptied_shows_in_the_metrics_while_nothing_is_handled(
    cluster: Cluster, worker: Program
) -> None:
    depth, held = (f'dealwright_queue_{name}{{queue="probe.captured"}}' for name in ("messages", "held_seconds"))
    wait_for(lambda: (_gauge(worker, depth), _gauge(worker, held)) == (0.0, 0.0))
    kind = LeadCaptured.DESCRIPTOR.full_name
    cluster.emit(LeadCaptured(lead=f"leads/{ids.new_id()}", text="sleep 6"))
    time.sleep(0.5)
    with publisher.connection(cluster.settings.broker_url, 5.0) as connected:
        channel = publisher.Confirmed(connected, 5.0)
        for _ in range(200):  # more messages than one process may hold
            channel.send(kind, body(envelope(LeadCaptured(lead=f"leads/{ids.new_id()}"))))
        channel.wait()
    wait_for(lambda: _gauge(worker, depth) >= 100, 5, "the broker's own count")
    wait_for(lambda: _gauge(worker, held) > 2, 5, "how long the oldest has been in hand")
    wait_for(lambda: (_gauge(worker, depth), _gauge(worker, held)) == (0.0, 0.0), 30, "all is handled")


def test_U6_audit_rows_that_nobody_seals_show_in_the_metrics_with_their_age(cluster: Cluster, worker: Program) -> None:
    pending = cluster.runtime.service.tables.audit_pending
    rows = 'dealwright_audit_unsealed_rows{service="probe"}'
    age = 'dealwright_audit_unsealed_seconds{service="probe"}'
    # A row that makes every turn of the sealer fail: it waits, and what the sealer itself measures stands still.
    old = ids.first_id_at(time.time() - 100)
    with cluster.runtime.database.write() as connection:
        connection.execute(pending.insert().values(id=old, rows=3, body=b"\x01" * 144))
        connection.exec_driver_sql("alter table audit_blocks rename to audit_blocks_away")
    try:
        wait_for(lambda: _gauge(worker, rows) >= 3 and _gauge(worker, age) > 99, 15)
    finally:
        with cluster.runtime.database.write() as connection:
            connection.exec_driver_sql("alter table audit_blocks_away rename to audit_blocks")
    wait_for(lambda: (_gauge(worker, rows), _gauge(worker, age)) == (0.0, 0.0), 15)
    cluster.emit(LeadTouched(lead=f"leads/{ids.new_id()}"))
    cluster.settle()
