"""The `dealwright` command: what keeps it from starting is said in one line, and what to change."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.testing.process import MissingPart, PartFailed
from embedded.command import app

CHINESE = re.compile(r"[\u4e00-\u9fff]")
FREE = {"PORT": "0", "GRPC_PORT": "0"}
MISSING = "RabbitMQ 3.10 or later is missing: install the package rabbitmq-server"
DIED = "migrate directory failed:\nlog line\nDEALWRIGHT_ADMIN_PASSWORD: must have at least 10 characters 至少 10 个字符"
PORT_OF_ANOTHER = "gateway serve: port 8080 is taken by a process that we did not start"


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


def run(data: Path, *verb: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DEALWRIGHT_")}
    env = {**kept, **FREE, "DATA": str(data), **settings}
    words = [sys.executable, "-m", "embedded.command", *verb]
    return subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)


def the_line(done: subprocess.CompletedProcess[str]) -> str:
    """What was printed, without what gRPC's own core says of a port."""
    assert done.returncode == 1, done
    lines = [one for one in (done.stdout + done.stderr).splitlines() if "add_port.cc" not in one]
    assert len(lines) == 1, "\n".join(lines)
    assert CHINESE.search(lines[0]), lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DEALWRIGHT_ADMIN_PASSWORD": "short"}, ("DEALWRIGHT_ADMIN_PASSWORD", "10 characters")),
        ({"PORT": "abc"}, ("PORT=abc", "change PORT")),
        ({"DEALWRIGHT_GRPC_THREADS": "1"}, ("DEALWRIGHT_GRPC_THREADS=1", "greater than or equal to 2")),
        ({"DATA": "/proc/nowhere"}, ("/proc/nowhere", "check")),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    tmp_path: Path, settings: Mapping[str, str], words: tuple[str, ...]
) -> None:
    line = the_line(run(tmp_path / "data", "up", **settings))
    assert all(word in line for word in words), line


@pytest.mark.parametrize("door", ["PORT", "GRPC_PORT"])
def test_a_taken_port_is_one_line_that_names_the_setting(tmp_path: Path, taken: str, door: str) -> None:
    line = the_line(run(tmp_path / "data", "up", **{door: taken}))
    assert f"port {taken}" in line
    assert f"set {door} to a free port" in line


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    assert "nothing.yaml" in the_line(run(tmp_path, "apply", str(tmp_path / "nothing.yaml")))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (MissingPart(MISSING), (MISSING, "缺少 RabbitMQ 3.10 or later")),
        (PartFailed(DIED), ("migrate directory failed", "DEALWRIGHT_ADMIN_PASSWORD: must have")),
        (PartFailed(PORT_OF_ANOTHER), ("port 8080 is taken", "set PORT to")),
    ],
)
def test_a_part_that_is_missing_or_fails_is_one_line(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, words: tuple[str, ...]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setattr("embedded.cluster.Cluster.__init__", fail)
    done = CliRunner().invoke(app, ["up", "--cluster"])
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert all(word in line for word in words), line
    assert CHINESE.search(line)


def test_an_error_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("embedded.cluster.Cluster.__init__", fail)
    assert isinstance(CliRunner().invoke(app, ["up", "--cluster"]).exception, ZeroDivisionError)


def test_a_migration_that_fails_is_named_and_says_why_and_the_others_are_done(tmp_path: Path) -> None:
    """Each has its own settings, and none of another's."""
    common = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environments = {
        "directory": {**common, "DEALWRIGHT_DATA": str(tmp_path), "DEALWRIGHT_ADMIN_PASSWORD": "short"},
        "leads": {**common, "DEALWRIGHT_DATA": str(tmp_path)},
        "customers": {**common, "DEALWRIGHT_DATA": str(tmp_path), "DEALWRIGHT_GRPC_THREADS": "1"},
    }
    done = subprocess.run(
        [sys.executable, "-m", "embedded.migrating", str(tmp_path)],
        input=json.dumps(environments),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout.split()) == (1, ["directory", "customers"]), done.stderr
    assert "10 characters" in (tmp_path / "directory.log").read_text()
    assert "DEALWRIGHT_GRPC_THREADS" in (tmp_path / "customers.log").read_text()
    with closing(sqlite3.connect(tmp_path / "leads.db")) as leads:
        assert leads.execute("select count(*) from leads").fetchone() == (0,)
