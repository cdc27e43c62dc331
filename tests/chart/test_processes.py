"""Every pod of the chart as a process on this machine: it runs with the environment that the chart renders, answers on
every port that the chart declares, and passes the probes that the chart asks."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import sqlalchemy as sa
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.testing.kernel import Port
from chassis.testing.process import Process
from embedded.catalogue import NAMES
from tests.chart.test_pods import component, container, role
from tests.conformance.deployments import wait_for

if TYPE_CHECKING:
    from chassis.testing.parts import Postgres, RabbitMQ, Valkey
    from tests.chart.conftest import Chart, Manifest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
DEALWRIGHT = [sys.executable, "-m", "embedded.command"]


class Pod:
    """One pod as a process. `ports` maps the names of its declared ports to where they are here."""

    def __init__(self, name: str, pod: Manifest) -> None:
        self.name = name
        self.spec = container(pod)
        self.service, self.role = component(pod), role(pod)
        self._held = {port["name"]: Port() for port in self.spec["ports"]}
        self.ports = {name: port.number for name, port in self._held.items()}
        self.process: Process | None = None

    def environment(
        self, settings: dict[str, str], secrets: dict[str, str], grpc_ports: dict[str, int]
    ) -> dict[str, str]:
        """As rendered, but for the machine: host, ports and the addresses of peers."""
        found = environment(self.spec, settings, secrets)
        moved = {str(port["containerPort"]): str(self.ports[port["name"]]) for port in self.spec["ports"]}
        for name, value in found.items():
            if name.startswith("DEALWRIGHT_PEER_"):
                peer, _, port = value.removeprefix("dealwright-").partition(":")
                assert port == "50051"
                found[name] = f"127.0.0.1:{grpc_ports[peer]}"
            elif name.endswith("PORT"):
                found[name] = moved.get(value, "0")
        return found

    def start(self, folder: Path, env: dict[str, str]) -> None:
        folder.mkdir()
        self.process = Process(
            self.name, [*DEALWRIGHT, *self.spec["args"]], folder=folder, ports=list(self.ports.values()), env=env
        )
        self.process.start(self.ready, seconds=90)

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop(15)
        for port in self._held.values():
            port.close()

    def ready(self) -> bool:
        return self.passes("readinessProbe")

    def passes(self, probe: str) -> bool:
        asked = self.spec[probe]
        if "grpc" in asked:
            assert asked["grpc"]["port"] == 50051
            return self.serves()
        return self.get(asked["httpGet"]["port"], asked["httpGet"]["path"])[0] == 200

    def serves(self) -> bool:
        """What gRPC's own health service answers on the port called grpc."""
        with grpc.insecure_channel(f"127.0.0.1:{self.ports['grpc']}") as channel, suppress(grpc.RpcError):
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=3)
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
        return False

    def get(self, port: str, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[port]}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as problem:
            return 0, str(problem)


def environment(spec: dict[str, Any], settings: dict[str, str], secrets: dict[str, str]) -> dict[str, str]:
    found = dict(settings) if "envFrom" in spec else {}
    for entry in spec["env"]:
        if "value" in entry:
            found[entry["name"]] = entry["value"]
        elif not entry["valueFrom"]["secretKeyRef"].get("optional"):
            found[entry["name"]] = secrets[entry["valueFrom"]["secretKeyRef"]["key"]]
    return {**found, "DEALWRIGHT_HOST": "127.0.0.1", "PYTHONUNBUFFERED": "1"}


class Release:
    """An install of the chart with its defaults."""

    def __init__(self, objects: list[Manifest], secrets: dict[str, str], folder: Path) -> None:
        self.folder, self.secrets = folder, secrets
        (config,) = (o for o in objects if o["kind"] == "ConfigMap")
        self.settings = {**config["data"], "DEALWRIGHT_DATA": str(folder / "data")}
        self.jobs = [o for o in objects if o["kind"] == "Job"]
        self.pods = {
            o["metadata"]["name"].removeprefix("dealwright-"): Pod(o["metadata"]["name"], o["spec"]["template"])
            for o in objects
            if o["kind"] == "Deployment"
        }
        self.migrated: dict[str, str] = {}
        self.databases = {
            name: sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
            for key, url in secrets.items()
            if (name := key.removesuffix("-database-url")) != key
        }

    def migrate(self) -> None:
        """As Helm runs hooks of one weight: by their names, each to its end."""
        for job in sorted(self.jobs, key=lambda o: str(o["metadata"]["name"])):
            spec = job["spec"]["template"]["spec"]["containers"][0]
            env = {"PATH": "", **environment(spec, self.settings, self.secrets), "DEALWRIGHT_DATA": str(self.folder)}
            done = subprocess.run(
                [*DEALWRIGHT, *spec["args"]], env=env, capture_output=True, text=True, check=False, timeout=120
            )
            assert done.returncode == 0, done.stderr[-3000:]
            self.migrated[spec["args"][1]] = done.stderr

    def start(self) -> None:
        grpc_ports = {p.service: p.ports["grpc"] for p in self.pods.values() if p.role == "serve"}
        with ThreadPoolExecutor(3) as starting:
            list(
                starting.map(
                    lambda p: p.start(self.folder / p.name, p.environment(self.settings, self.secrets, grpc_ports)),
                    self.pods.values(),
                )
            )


@pytest.fixture(scope="module")
def release(
    chart: Chart,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: Postgres,
    rabbitmq_server: RabbitMQ,
    valkey_server: Valkey,
) -> Iterator[Release]:
    """Migrated, not started."""
    objects = chart.render()
    secrets = {
        "token-key": base64.b64encode(b"k" * 48).decode(),
        "broker-url": rabbitmq_server.url,
        "redis-url": valkey_server.url,
        **{
            f"{name}-database-url": postgres_server.create_database(f"chart_{name}")
            for name in (
                o["spec"]["template"]["spec"]["containers"][0]["args"][1] for o in objects if o["kind"] == "Job"
            )
        },
    }
    made = Release(objects, secrets, tmp_path_factory.mktemp("release"))
    made.migrate()
    yield made
    for engine in made.databases.values():
        engine.dispose()


@pytest.fixture(scope="module")
def running(release: Release) -> Iterator[Release]:
    with ExitStack() as stopping:
        for pod in release.pods.values():
            stopping.callback(pod.stop)
        release.start()
        yield release


def test_U7_a_migration_publishes_nothing_so_that_the_order_of_services_does_not_matter(
    release: Release, rabbitmq_server: RabbitMQ
) -> None:
    announced = 0
    for name, engine in release.databases.items():
        with engine.connect() as connection:
            rows = connection.execute(sa.text("select count(*), count(published_at) from outbox")).one()
        announced += rows[0]
        assert rows[1] == 0, f"{name} published before the last queue was declared"
    assert announced, "seeds do announce something, else this test says nothing"
    listed = json.loads(rabbitmq_server.ctl("list_queues", "name", "messages", "--formatter=json"))
    queues = {q["name"]: q["messages"] for q in listed}
    assert {"rules.know_people", "leads.people", "gateway.keep_people"} <= set(queues)


def test_U7_a_migration_tells_what_it_did_in_structured_lines(release: Release) -> None:
    assert set(release.migrated) == {*NAMES}
    for name, said in release.migrated.items():
        lines = [json.loads(line) for line in said.splitlines()]
        (last,) = (line for line in lines if line["event"] == "migrated")
        assert last["service"] == name
        assert last["level"] == "info"
        assert last["timestamp"]


def test_U6_U7_every_process_answers_on_every_port_that_the_chart_declares(running: Release) -> None:
    names = {(pod.service, pod.role) for pod in running.pods.values()}
    assert names == {(s, r) for s in NAMES for r in ("serve", "work")}
    for pod in running.pods.values():
        expected = {"serve": {"metrics", "grpc"}, "work": {"metrics"}}[pod.role]
        assert set(pod.ports) == expected | ({"http"} if pod.name == "dealwright-gateway-serve" else set())
        for port in set(pod.ports) - {"grpc"}:
            for path in ("/healthz", "/readyz", "/metrics"):
                assert pod.get(port, path)[0] == 200, (pod.name, port, path)
            assert "# TYPE dealwright_" in pod.get(port, "/metrics")[1], pod.name
        assert "grpc" not in pod.ports or pod.serves(), pod.name


def test_U7_every_process_passes_the_probes_that_the_chart_asks(running: Release) -> None:
    for pod in running.pods.values():
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert pod.passes(probe), (pod.name, probe)


def test_U7_one_service_that_is_away_does_not_take_the_gateway_with_it(running: Release) -> None:
    gateway, rules = running.pods["gateway-serve"], running.pods["rules-serve"]
    # A service that is busy answers late now and then, and then counts as away.
    wait_for(lambda: json.loads(gateway.get("http", "/readyz")[1]) == {"status": "ready", "away": []})
    assert rules.process is not None
    rules.process.kill()
    assert gateway.ready(), "its pods stay where callers find them"
    code, body = gateway.get("http", "/readyz")
    assert (code, json.loads(body)) == (200, {"status": "ready", "away": ["rules"]})
    assert gateway.get("metrics", "/readyz") == (200, "ready\n")
    assert gateway.get("http", "/v1/leads")[0] == 401, "it answers for itself"
