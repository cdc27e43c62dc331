"""The gateway as a process: what it loads, its schema, HTTPS, ports that are taken, a real Valkey."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
import trustme

from chassis import cache, clock
from chassis.testing.parts import Valkey
from gateway.storage.tables import metadata


def loaded(code: str, *names: str) -> list[bool]:
    check = f"import sys; {code}; print(*[n in sys.modules for n in {names!r}])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return [word == "True" for word in done.stdout.split()]


def test_work_loads_no_grpc_and_serve_no_eventlet() -> None:
    assert loaded("from gateway.main import service; service.subscribers()", "grpc", "starlette") == [False, False]
    assert loaded("import gateway.doors.serving, gateway.servicer", "eventlet", "nameko") == [False, False]


def test_the_tables_and_the_migrations_agree(world: Any) -> None:
    found = sa.inspect(world.runtime.database.engine)
    for table in metadata.tables.values():
        assert {c["name"] for c in found.get_columns(table.name)} == {c.name for c in table.columns}, table.name


def test_https_is_served_with_a_certificate_and_the_front_door_takes_it_too(world: Any, tmp_path: Path) -> None:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    opened = world.open(tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem")
    try:
        assert opened.url.startswith("https://")
        assert requests.get(f"{opened.url}/healthz", verify=str(tmp_path / "ca.pem"), timeout=5).status_code == 200
        credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        with grpc.secure_channel(f"127.0.0.1:{opened.grpc_port}", credentials) as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    finally:
        opened.stop()


@pytest.mark.parametrize("door", ["http_port", "front_door_port"])
def test_a_port_that_is_taken_is_an_error_at_the_start(world: Any, door: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="port"):
            world.open(**{door: taken.getsockname()[1]})


def test_a_gateway_that_stops_lets_go_of_its_ports(world: Any) -> None:
    opened = world.open()
    port = opened.port
    opened.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2)
    again = world.open(http_port=port)
    again.stop()


def test_on_a_real_valkey_the_feed_is_read_and_its_death_stops_nobody(
    world: Any, valkey_server: Valkey, client_at: Any
) -> None:
    from dealwright.leads.v1.events_pb2 import LeadUnassigned
    from gateway.usecases import stream

    opened = world.open(redis_url=valkey_server.url, feed_stream="feed:test", feed_heartbeat=0.2)
    try:
        boss = client_at(opened.url, "admin/root/head")
        answer = boss("GET", "/v1/feed", stream=True)
        lines: Any = answer.iter_lines(chunk_size=1, decode_unicode=True)
        assert next(lines) == "retry: 2000"
        store = cache.client(valkey_server.url)

        def put(lead: str) -> None:
            outline = stream.Outline(LeadUnassigned(lead=lead), "leads", ())
            entry = stream.entry(outline, {}, clock.now())
            stream.append(store, "feed:test", 100, {stream.fingerprint(outline.event): entry}, clock.now())

        put("leads/one")
        put("leads/one")
        put("leads/two")
        subjects: list[str] = []
        while len(subjects) < 2:
            line = next(lines)
            if line.startswith("data: ") and '"subject"' in line:
                subjects.append(line.split('"subject":"')[1].split('"')[0])
        assert subjects == ["leads/one", "leads/two"]
        valkey_server.kill()
        body = {"lead": {"phone": "1"}}
        assert boss("POST", "/v1/leads:capture", json=body).status_code == 200
        with pytest.raises(ConnectionError):
            put("leads/three")
        valkey_server.restart()
        put("leads/three")
        while True:
            line = next(lines)
            if "leads/three" in line:
                break
    finally:
        opened.stop()
        valkey_server.restart()
