"""What the kernel knows: reserved ports, who listens where, who is whose child. Linux only (proc(5))."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
_LISTEN, _LINE = b"0A", 150


class Port:
    """A loopback TCP port that nobody else is given until `close`.

    The socket held here is bound and never listens: a server that sets SO_REUSEADDR (they all do) may listen
    on the port, while the kernel hands it neither to another `bind` to port 0 nor to an outgoing connection.
    Without that, a client that reconnects to a killed server can connect to itself and take the port.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind((HOST, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()


class Running(NamedTuple):
    """One process, told apart from a later one that got the same id by its start (clock ticks since boot)."""

    pid: int
    since: int


def running(pid: int) -> Running | None:
    """The process with this id, None when there is none or only its exit code is left."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else Running(pid, int(fields[19]))


def descendants(pid: int) -> list[Running]:
    """Children of `pid`, their children and so on, the process itself not included."""
    found: list[Running] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                    if process := running(int(child)):
                        found += [process, *descendants(process.pid)]
    return found


def working_in(folder: Path, program: Path) -> list[Running]:
    """Processes of `program` whose working directory is `folder`: what a killed server leaves behind."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            home, image = os.readlink(f"/proc/{entry}/cwd"), os.readlink(f"/proc/{entry}/exe")
            if (home, image) == (str(folder), str(program.resolve())) and (process := running(int(entry))):
                found.append(process)
    return found


def end(processes: Iterable[Running], seconds: float = 10) -> None:
    """SIGKILL each process that is still the same one, and wait until none is left."""
    left = [process for process in processes if running(process.pid) == process]
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + seconds
    while any(running(process.pid) == process for process in left) and time.monotonic() < deadline:
        time.sleep(0.01)


def listeners(port: int) -> set[str]:
    """Inodes of the TCP sockets that listen on `port`, on any address."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        # Those that listen come first, says the kernel's own page about these files. To look for the others is ten
        # milliseconds of the processor, so a line is read at a time, and no more than one of theirs.
        with contextlib.suppress(OSError), open(table, "rb", buffering=_LINE) as lines:
            next(lines, None)
            for line in lines:
                column = line.split()
                if column[3] != _LISTEN:
                    break
                if int(column[1].rpartition(b":")[2], 16) == port:
                    found.add(column[9].decode())
    return found


def sockets(pid: int) -> set[str]:
    """Inodes of the sockets that process `pid` has open; empty when it is gone."""
    found = set()
    with contextlib.suppress(OSError):
        for handle in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{handle}")
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found
