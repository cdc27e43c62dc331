"""The roles as real processes, and what the `work` role says to RabbitMQ."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from chassis import ids
from chassis.bus import publisher
from chassis.migration import migrate
from chassis.testing.parts import RabbitMQ
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadReleased, LeadTouched
from tests.conformance.client import Client, put
from tests.conformance.deployments import Cluster, Local, Program, wait_for
from tests.conformance.probe import handled

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: object, rabbitmq_server: RabbitMQ
) -> Iterator[Cluster]:
    url = postgres_server.create_database("roles")  # type: ignore[attr-defined]
    folder = tmp_path_factory.mktemp("roles")
    made = Cluster(folder, url, rabbitmq_server.url, drain_seconds=5.0)
    made.worker_environment["PROBE_MODULES"] = str(folder / "work-modules")
    with made.running():
        yield made


def modules(program: Program, path: Path) -> set[str]:
    program.signal(signal.SIGUSR1)
    return set(wait_for(lambda: path.exists() and path.read_text()).split())


def status(program: Program, word: str, path: str) -> tuple[int, str]:
    port = json.loads(program.said(f'"event": "{word}"'))["status"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_work_loads_no_grpc_and_patched_itself_first(cluster: Cluster) -> None:
    loaded = modules(cluster.workers[0], cluster.folder / "work-modules")
    assert {"eventlet", "nameko"} <= loaded
    assert not {m for m in loaded if m == "grpc" or m.startswith(("grpc.", "opentelemetry.exporter.otlp.proto.grpc"))}
    log = cluster.workers[0].log.read_text()
    assert "RLock(s) were not greened" not in log
    assert "Traceback" not in log


def test_serve_loads_no_eventlet(cluster: Cluster) -> None:
    path = cluster.folder / "serve-modules"
    program = Program("serve", cluster.folder, {**cluster.environment, "PROBE_MODULES": str(path)}).start()
    try:
        program.said("serving")
        loaded = modules(program, path)
        assert "grpc" in loaded
        assert not {m for m in loaded if m.split(".")[0] in ("eventlet", "nameko")}
        assert not {m for m in loaded if m.startswith("tests.conformance.probe_subscribers")}
        assert status(program, "serving", "/readyz") == (200, "ready\n")
    finally:
        assert program.stop() == 0


def test_queues_are_quorum_queues_that_are_consumed_and_published_to_with_confirms(
    cluster: Cluster, rabbitmq_server: RabbitMQ
) -> None:
    listed = json.loads(rabbitmq_server.ctl("list_queues", "name", "type", "durable", "arguments", "--formatter=json"))
    mine = {q["name"]: q for q in listed if q["name"].startswith("probe.")}
    assert set(mine) == {"probe.touched", "probe.contacted", "probe.released", "probe.captured"}
    for queue in mine.values():
        assert (queue["type"], queue["durable"]) == ("quorum", True)
        assert ["x-queue-type", "longstr", "quorum"] in [list(a) for a in queue["arguments"]]
    channels = json.loads(
        rabbitmq_server.ctl("list_channels", "confirm", "prefetch_count", "consumer_count", "--formatter=json")
    )
    assert sorted(c["confirm"] for c in channels if c["consumer_count"] == 0) == [False, True, True], (
        "one relay in each process, and one that counts"
    )
    consumers = json.loads(
        rabbitmq_server.ctl("list_consumers", "queue_name", "ack_required", "prefetch_count", "--formatter=json")
    )
    assert sorted(c["queue_name"] for c in consumers) == sorted(mine)
    assert all(c["ack_required"] and c["prefetch_count"] > 0 for c in consumers)


def test_a_stopped_worker_finishes_what_it_has_in_hand_and_leaves_nothing_to_deliver_again(
    cluster: Cluster, rabbitmq_server: RabbitMQ
) -> None:
    run = f"leads/{ids.new_id()}"
    cluster.emit(LeadCaptured(lead=run, text="sleep 1"))
    time.sleep(0.4)
    worker = cluster.workers[0]
    assert worker.stop() == 0
    assert cluster.count("captured", run) == 1
    # The broker counts a little late; what was not acknowledged would stay.
    for _ in range(20):
        left = json.loads(rabbitmq_server.ctl("list_queues", "name", "messages", "--formatter=json"))
        counts = {q["name"]: q["messages"] for q in left if q["name"] == "probe.captured"}
        if counts == {"probe.captured": 0}:
            break
        time.sleep(0.3)
    assert counts == {"probe.captured": 0}
    worker.start().said("working")


def test_a_worker_that_waits_for_its_database_still_stops(cluster: Cluster) -> None:
    run = f"leads/{ids.new_id()}"
    away = {"DEALWRIGHT_DATABASE_URL": "postgresql://postgres@127.0.0.1:1/nowhere"}
    cluster.workers[0].stop()
    worker = Program("work", cluster.folder, {**cluster.environment, **away}).start()
    worker.said("working")
    cluster.emit(LeadTouched(lead=run))
    worker.said("delivery waits")
    assert worker.stop() == 0
    cluster.workers[0].start().said("working")
    wait_for(lambda: cluster.count("touched", run) == 1)


def test_an_idle_relay_answers_heartbeats_instead_of_losing_its_connection(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(publisher, "_HEARTBEAT", 1)
    second = cluster.new_runtime()
    relay = publisher.Publisher(second)
    relay.start()
    time.sleep(4.5)  # four heartbeats
    relay.stop()
    second.database.dispose()
    assert "publishing waits" not in capfd.readouterr().err


def test_metrics_tell_what_was_handled(cluster: Cluster) -> None:
    run = f"leads/{ids.new_id()}"
    cluster.emit(LeadTouched(lead=run))
    wait_for(lambda: cluster.count("touched", run) == 1)
    worker = cluster.workers[0]
    mine = 'dealwright_handled_events_total{queue="probe.touched"}'
    wait_for(lambda: mine in status(worker, "working", "/metrics")[1])
    text = status(worker, "working", "/metrics")[1]
    for metric in ("inbox_lag_seconds", "handle_seconds_count", "batch_size_count", "outbox_depth", "parked_events"):
        assert f"dealwright_{metric}" in text


class Collector:
    """Takes OTLP over HTTP, as a collector would."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, str, str]] = []
        spans = self.spans

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
                for resource in sent.resource_spans:
                    for scope in resource.scope_spans:
                        for s in scope.spans:
                            spans.append((s.name, s.trace_id.hex(), s.span_id.hex(), s.parent_span_id.hex()))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def test_a_trace_follows_a_call_across_the_bus_and_no_phone_is_in_any_log(cluster: Cluster) -> None:
    collector = Collector()
    tracing = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "DEALWRIGHT_TRACE_RATIO": "1.0",
        "PROBE_MODULES": str(cluster.folder / "traced-modules"),
    }
    cluster.workers[0].stop()
    worker = Program("work", cluster.folder, {**cluster.environment, **tracing}).start()
    server = Program("serve", cluster.folder, {**cluster.environment, **tracing}).start()
    worker.said("working")
    port = json.loads(server.said('"event": "serving"'))["port"]
    trace, parent = os.urandom(16).hex(), os.urandom(8).hex()
    name = f"notes/{ids.new_id()}"
    try:
        with Client(f"127.0.0.1:{port}") as client:
            client.call("Put", put(name, "text", phone="13800138000"), traceparent=f"00-{trace}-{parent}-01")
            with pytest.raises(Exception, match="INTERNAL"):
                client.call("Put", put(f"{name}x", "fail", phone="13900139000"))
        wait_for(lambda: cluster.count("touched", name) == 1)
        cluster.emit(LeadReleased(lead=f"{name}r"))
        # Two processes report, each in its own time.
        wait_for(lambda: {"probe/Put", "probe.touched"} <= {s[0] for s in collector.spans if s[1] == trace})
        found = {s[0]: s for s in collector.spans if s[1] == trace}
        assert found["probe/Put"][3] == parent
        assert found["probe.touched"][3] == found["probe/Put"][2], "the handler's span hangs below the call's"
        row = cluster.rows(sa.select(handled).where(handled.c.subject == name))[0]
        assert row.traceparent == f"00-{trace}-{found['probe.touched'][2]}-01"
        assert not {m for m in modules(worker, cluster.folder / "traced-modules") if m.split(".")[0] == "grpc"}
    finally:
        server.stop()
        worker.stop()
        collector.stop()
        cluster.workers[0].start().said("working")
    logs = "".join(path.read_text() for path in cluster.folder.glob("*.log"))
    assert "RuntimeError" in logs
    for personal in ("13800138000", "13900139000", "asked to fail"):
        assert personal not in logs


_DIES_BETWEEN_LOOK_AND_WRITE = """
import types
from chassis.bus import worker

class Gone:
    def ack_message(self, message):
        raise ConnectionResetError

entry = worker.Deliveries(most=1, queue=types.SimpleNamespace(name="q"))
entry.queue_consumer = Gone()
work = entry._under_way = worker._Work(entry._waiting, 1)
work.done = [object()]
entry._handled(work, None)
print(entry._under_way, worker._broken.is_set())
"""


def test_a_broker_that_dies_before_the_acknowledgement_ends_no_worker() -> None:
    done = subprocess.run([sys.executable, "-c", _DIES_BETWEEN_LOOK_AND_WRITE], capture_output=True, text=True)
    assert done.stdout.split()[-2:] == ["None", "False"], done.stderr


_WAITS_FOR_MORE = """
import sys, types
from chassis.bus import worker
from chassis import clock

entry = worker.Deliveries(most=2_048, pace=30.0, queue=types.SimpleNamespace(name="q"))
taken = []
entry.container = types.SimpleNamespace(spawn_worker=lambda *args, **more: taken.append(len(entry._waiting)))
entry._not_before = clock.monotonic() + 30
for size in map(int, sys.argv[1:]):
    entry.received(types.SimpleNamespace(body=bytes(size)))
print(taken)
"""


@pytest.mark.parametrize(
    ("sizes", "taken"),
    [
        (["1000"] * 31, "[]"),
        (["1000"] * 32, "[32]"),
        (["300000"] * 3, "[]"),
        (["300000"] * 4, "[4]"),
    ],
)
def test_U2_a_paced_subscription_waits_for_a_full_delivery_be_it_of_many_messages_or_of_large_ones(
    sizes: list[str], taken: str
) -> None:
    done = subprocess.run([sys.executable, "-c", _WAITS_FOR_MORE, *sizes], capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == taken, done.stderr


def test_the_embedded_process_loads_neither_broker_nor_worker(tmp_path: Path) -> None:
    local = Local(tmp_path)
    migrate(local.runtime)
    path = tmp_path / "modules"
    program = Program("embedded", tmp_path, {**local.environment, "PROBE_MODULES": str(path)}).start()
    program.said("address")
    loaded = modules(program, path)
    assert program.stop() == 0
    assert not {m for m in loaded if m.split(".")[0] in ("eventlet", "nameko", "kombu", "psycopg")}
