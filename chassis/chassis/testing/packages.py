"""Installs the system's RabbitMQ where we may; it has no wheel."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from chassis.testing.process import MissingPart

_WAY_OUT = (
    "install it (Debian, Ubuntu: sudo apt-get install rabbitmq-server), "
    "or set SKIP_CLUSTER=1 to leave the cluster suites out"
)
_POLICY = Path("/usr/sbin/policy-rc.d")


def install_rabbitmq(program: Path) -> None:
    """Install the package rabbitmq-server so that `program` exists, without starting a system server.

    Raises MissingPart when we are not root, this is no Debian, or apt-get cannot.
    """
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        raise MissingPart(f"RabbitMQ 3.10 or later is missing: {_WAY_OUT}")
    with open(Path(tempfile.gettempdir()) / "dealwright-apt.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # suites that start side by side
        if program.exists():
            return
        _run(apt, "update")
        with _no_service_starts():
            _run(apt, "install", "--yes", "--no-install-recommends", "rabbitmq-server")
        _stop_system_server()
    if not program.exists():
        raise MissingPart(f"RabbitMQ: its package came without {program}: {_WAY_OUT}")


def _run(apt: str, *words: str) -> None:
    done = subprocess.run(
        [apt, "-o", "DPkg::Lock::Timeout=300", "-qq", *words],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0 and words[0] != "update":  # the lists that are here may do
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise MissingPart(f"RabbitMQ is missing and apt-get cannot install it ({reason}): {_WAY_OUT}")


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Packages ask this file whether they may start their service (Debian policy 9.3.3)."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _stop_system_server() -> None:
    """Nobody asked for a broker on port 5672, not now and not after the next boot."""
    if Path("/run/systemd/system").is_dir():
        units = ["rabbitmq-server.service", "epmd.service", "epmd.socket"]
        subprocess.run(["systemctl", "disable", "--quiet", "--now", *units], capture_output=True)
    elif Path("/run/rabbitmq/pid").exists() and (service := shutil.which("service")):
        subprocess.run([service, "rabbitmq-server", "stop"], capture_output=True)
