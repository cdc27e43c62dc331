"""Installs the system's packages where we may: RabbitMQ, which has no wheel, and what a test needs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from chassis.testing.process import MissingPart

_CLUSTER = ", or set SKIP_CLUSTER=1 to leave the cluster suites out"
_POLICY = Path("/usr/sbin/policy-rc.d")


def install_rabbitmq(program: Path) -> None:
    """Install the package rabbitmq-server so that `program` exists, without starting a system server.

    Raises MissingPart when we are not root, this is no Debian, or apt-get cannot.
    """
    if install("RabbitMQ 3.10 or later", "rabbitmq-server", program.exists, _CLUSTER):
        _stop_system_server()
    if not program.exists():
        raise MissingPart(f"RabbitMQ: its package came without {program}: {_way_out('rabbitmq-server', _CLUSTER)}")


def install(part: str, package: str, there: Callable[[], bool], otherwise: str = "") -> bool:
    """Install a system package unless the part is `there` by then; whether it did. Starts no service.

    Raises MissingPart, one line that names the part, the package and `otherwise`, another way out.
    """
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        raise MissingPart(f"{part} is missing: {_way_out(package, otherwise)}")
    with open(Path(tempfile.gettempdir()) / "dealwright-apt.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # suites that start side by side
        if there():
            return False
        _run(apt, "update")
        with _no_service_starts():
            reason = _run(apt, "install", "--yes", "--no-install-recommends", package)
    if reason:
        raise MissingPart(f"{part} is missing and apt-get cannot install it ({reason}): {_way_out(package, otherwise)}")
    return True


def _way_out(package: str, otherwise: str) -> str:
    return f"install it (Debian, Ubuntu: sudo apt-get install {package}){otherwise}"


def _run(apt: str, *words: str) -> str:
    """Why it failed, "" if it did not. A failed update does no harm: the lists that are here may do."""
    done = subprocess.run(
        [apt, "-o", "DPkg::Lock::Timeout=300", "-qq", *words],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return (done.stderr.strip().splitlines() or ["no reason given"])[-1] if done.returncode else ""


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
