"""The gRPC server of a `serve` process, through its socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import sqlalchemy as sa
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from chassis import server
from chassis.server import Server
from gateway.peers.channels import options
from tests.conformance.client import Client, code, details, put
from tests.conformance.deployments import Deployment, wait_for
from tests.conformance.probe import notes


class Served(Deployment):
    """A server in this process on SQLite."""

    threads = 16

    def start(self) -> None:
        self.server = Server(self.runtime, "127.0.0.1", 0, self.threads)
        self.address = f"127.0.0.1:{self.server.start()}"
        self.client = Client(self.address)
        self.stopped = False

    def stop(self) -> None:
        self.client.channel.close()
        if not self.stopped:
            self.server.stop(1.0)

    def names(self) -> list[str]:
        return [r.name for r in self.rows(sa.select(notes.c.name).order_by(notes.c.name))]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path).running() as deployment:
        yield deployment


def test_a_wrong_field_is_named_in_both_languages(served: Served) -> None:
    for method in ("Put", "Keep"):
        with pytest.raises(grpc.RpcError) as wrong:
            served.client.call(method, put(""))
        assert code(wrong.value) == "INVALID_ARGUMENT"
        found = details(wrong.value)
        (violation,) = found["BadRequest"].field_violations
        assert (violation.field, violation.description) == ("note.name", "is required")
        assert violation.localized_message.message == "必填"
        assert found["ErrorInfo"].reason == "INVALID"
        assert found["LocalizedMessage"].locale == "zh-CN"
    assert served.names() == []


def test_an_error_of_ours_tells_the_caller_nothing_of_it(served: Served) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        served.client.call("Put", put("notes/1", "fail"))
    assert code(failed.value) == "INTERNAL"
    assert "13800138000" not in str(failed.value)


@pytest.mark.parametrize("method", ["Put", "Keep", "List"])
def test_a_call_that_takes_too_long_is_answered_at_its_deadline(served: Served, method: str) -> None:
    started = time.monotonic()
    with pytest.raises(grpc.RpcError) as late:
        served.client.call(method, put("notes/1", "sleep 1.2"), timeout=0.3)
    assert code(late.value) == "DEADLINE_EXCEEDED"
    assert time.monotonic() - started < 1.0


def test_a_batched_call_that_waits_for_its_turn_has_the_servers_deadline(tmp_path: Path) -> None:
    with Served(tmp_path, default_deadline=0.3).running() as served:
        first = served.client.start("Keep", put("notes/0", "sleep 1"))
        time.sleep(0.1)
        with pytest.raises(grpc.RpcError) as late:
            served.client.call("Keep", put("notes/1", "sleep 1"), timeout=20)
        assert code(late.value) == "DEADLINE_EXCEEDED"
        assert first.result()


def test_a_call_that_waited_past_its_deadline_is_not_begun(tmp_path: Path) -> None:
    """Its caller has gone and may have asked elsewhere."""
    deployment = Served(tmp_path)
    deployment.threads = 2
    with deployment.running() as served:
        busy = [served.client.start("List", put("x", "sleep 0.6")) for _ in range(2)]
        time.sleep(0.1)
        with pytest.raises(grpc.RpcError):
            served.client.call("Put", put("notes/late"), timeout=0.2)
        for call in busy:
            call.result()
        time.sleep(0.2)
        assert served.names() == []


def test_a_message_above_the_limit_is_refused_and_one_below_it_is_not(tmp_path: Path) -> None:
    with Served(tmp_path, max_message_bytes=400_000, max_upload_bytes=1024).running() as served:
        served.client.call("Put", put("notes/1", "x" * 390_000))
        with pytest.raises(grpc.RpcError) as big:
            served.client.call("Put", put("notes/2", "x" * 410_000))
        assert code(big.value) == "RESOURCE_EXHAUSTED"
        assert served.names() == ["notes/1"]


def test_health_is_told_for_the_server_and_for_each_service(served: Served) -> None:
    stub = health_pb2_grpc.HealthStub(served.client.channel)
    for name in ("", "dealwright.probe.v1.ProbeService"):
        assert stub.Check(health_pb2.HealthCheckRequest(service=name)).status == 1
    with pytest.raises(grpc.RpcError):
        stub.Check(health_pb2.HealthCheckRequest(service="nobody"))


@pytest.mark.parametrize("production", [False, True])
def test_reflection_is_on_for_developers_and_off_in_production(tmp_path: Path, production: bool) -> None:
    with Served(tmp_path, production=production).running() as served:
        asked = ProtoReflectionDescriptorDatabase(served.client.channel)
        if production:
            with pytest.raises(grpc.RpcError) as none:
                asked.get_services()
            assert code(none.value) == "UNIMPLEMENTED"
        else:
            assert "dealwright.probe.v1.ProbeService" in asked.get_services()


def test_a_graceful_stop_says_not_serving_and_lets_calls_under_way_finish(served: Served) -> None:
    stub = health_pb2_grpc.HealthStub(served.client.channel)
    seen: list[int] = []

    def watch() -> None:
        try:
            for answer in stub.Watch(health_pb2.HealthCheckRequest()):
                seen.append(answer.status)
        except grpc.RpcError:
            pass

    watcher = threading.Thread(target=watch)
    watcher.start()
    wait_for(lambda: seen == [1])
    calls = [served.client.start(m, put(f"notes/{m}", "sleep 0.5")) for m in ("Put", "Keep", "List")]
    time.sleep(0.2)
    with ThreadPoolExecutor(1) as stopping:
        started = time.monotonic()
        stopped = stopping.submit(served.server.stop, 10.0)
        time.sleep(0.15)
        with Client(served.address) as late, pytest.raises(grpc.RpcError) as refused:
            late.call("Put", put("notes/late"), timeout=1)
        assert code(refused.value) == "UNAVAILABLE"
        for call in calls:
            call.result()
        stopped.result()
    served.stopped = True
    assert time.monotonic() - started < 3, "a watcher holds nobody up"
    watcher.join()
    assert seen == [1, 2], "NOT_SERVING was announced"
    assert served.names() == ["notes/Keep", "notes/Put"]


def test_a_stop_does_not_wait_longer_than_it_may(served: Served) -> None:
    call = served.client.start("List", put("x", "sleep 3"))
    time.sleep(0.2)
    started = time.monotonic()
    served.server.stop(0.3)
    served.stopped = True
    assert time.monotonic() - started < 2
    with pytest.raises(grpc.RpcError):
        call.result()


def test_a_taken_port_is_an_error_at_once(served: Served) -> None:
    with pytest.raises((OSError, RuntimeError)):
        Server(served.runtime, "127.0.0.1", int(served.address.rsplit(":", 1)[1]), 2)


def test_a_method_without_a_mark_fails_the_start(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.conformance.probe_servicer import ProbeServicer

    monkeypatch.delattr(ProbeServicer, "List")
    with pytest.raises(TypeError, match="List has no handler"):
        Server(served.runtime, "127.0.0.1", 0, 2)


def test_a_caller_who_asks_now_and_then_whether_we_live_is_not_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the gateway does, a hundred times as often; by default gRPC allows one such ping in two hours."""
    settings = {key: value for key, value in options(Deployment(tmp_path).settings) if "keepalive" in key}
    every, least = settings["grpc.keepalive_time_ms"], server.PING_INTERVAL_MS
    assert (every, least) == (30_000, 10_000), "this test shortens them"
    monkeypatch.setattr(server, "PING_INTERVAL_MS", least // 100)
    with Served(tmp_path).running() as served:
        patient = {**settings, "grpc.keepalive_time_ms": every // 100, "grpc.http2.max_pings_without_data": 0}
        states: list[grpc.ChannelConnectivity] = []
        with grpc.insecure_channel(served.address, options=list(patient.items())) as channel:
            grpc.channel_ready_future(channel).result(5)
            channel.subscribe(states.append)
            time.sleep(4.5)  # no client pings oftener than once a second, and the fourth would be one too many
        assert set(states) <= {grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.SHUTDOWN}
        assert states
