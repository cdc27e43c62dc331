"""A server process of our own: a proven listener, a log, and no survivor when we go.

A listener is trusted when the kernel says that the socket belongs to the process we started, and processes
are stopped by that id, never by name or port.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from chassis.testing.kernel import descendants, end, listeners, running, sockets

# Reads its standard input, a pipe that only we hold: end of file means that we died without stopping the
# server, so it stops the server ($1, by signal $2) and removes the folder ($3) if that was a temporary one.
GUARDIAN = """
trap '' INT TERM HUP
read -r word && exit 0
kill -s "$2" "$1" 2>/dev/null
for _ in $(seq 100); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
kill -s KILL "$1" 2>/dev/null
[ -z "$3" ] || rm -rf -- "$3"
"""
_NOBODY = 65534


class MissingPart(RuntimeError):
    """A part is neither here nor installable; the message is one line: what is missing and the way out."""


class PartFailed(RuntimeError):
    """A part is here but did not start, or its port is another's; the message ends with its log."""


class Identity(TypedDict, total=False):
    """Arguments of Popen that choose whom a child runs as."""

    user: int
    group: int
    extra_groups: list[int]


def run_as(uid: int | None) -> Identity:
    return {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}


def require_linux(part: str) -> None:
    """Raise MissingPart on systems whose process table we cannot read."""
    if not sys.platform.startswith("linux"):
        raise MissingPart(
            f"{part}: private servers are started on Linux only, not on {sys.platform}; "
            "run this on Linux or in a container, or set SKIP_CLUSTER=1 to leave the cluster suites out"
        )


def home(part: str, folder: Path | None) -> tuple[Path, bool]:
    """The folder of a part and whether it is a temporary one; when root, an unprivileged user's."""
    if folder is not None:
        fresh = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        folder = folder.resolve()
        if fresh and (uid := owner(folder)) is not None:
            os.chown(folder, uid, uid)
        return folder, False
    base = Path(tempfile.gettempdir()).resolve()
    if os.geteuid() == 0 and not _open_to_all(base):
        base = Path("/tmp")
    folder = Path(tempfile.mkdtemp(prefix=f"dealwright-{part}-", dir=base))
    if (uid := owner(folder)) is not None:
        os.chown(folder, uid, uid)
    return folder, True


def owner(folder: Path) -> int | None:
    """Whom the server of `folder` runs as: None for ourselves, another's id when we are root.

    A folder inside one that only root may enter (/root) leaves no choice, and gives None as well.
    """
    if os.geteuid() != 0 or not _open_to_all(folder.parent):
        return None
    return folder.stat().st_uid or _NOBODY


def _open_to_all(folder: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


def may_run(program: Path, uid: int | None) -> bool:
    """Whether that user may enter the program's folders and run it (a wheel under /root: no)."""
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, **run_as(uid))
    except PermissionError:
        return False
    return True


class Process:
    """One child process that owns the listeners of its ports. `pid` is its id while it runs."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        ports: Sequence[int],
        env: Mapping[str, str] | None = None,
        uid: int | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        remove: Path | None = None,
    ) -> None:
        self.name = name
        self.log = folder / f"{Path(argv[0]).name}.log"
        self._argv = [str(word) for word in argv]
        self._folder, self._ports, self._uid = folder, ports, uid
        self._env = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **(env or {})}
        self._stop_signal, self._remove = stop_signal, remove
        self._child: subprocess.Popen[bytes] | None = None
        self._guardian: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Id of the child; PartFailed when it was stopped."""
        if self._child is None:
            raise PartFailed(f"{self.name} is not running")
        return self._child.pid

    def start(self, answers: Callable[[], bool], seconds: float = 60) -> None:
        """Start the child and wait until every port is its own and `answers` is true.

        Raises PartFailed when it exits, takes longer than `seconds`, or another process holds a port.
        """
        for port in self._ports:
            if listeners(port):
                raise PartFailed(f"{self.name}: port {port} is taken by a process that we did not start")
        with open(self.log, "ab") as log:
            if self._uid is not None:
                os.fchown(log.fileno(), self._uid, self._uid)
            self._child = subprocess.Popen(
                self._argv,
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop the server afterwards, in order
                **run_as(self._uid),
            )
        self._guardian = subprocess.Popen(
            [
                *("/bin/sh", "-c", GUARDIAN, "guardian", str(self._child.pid)),
                *(self._stop_signal.name.removeprefix("SIG"), str(self._remove or "")),
            ],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._wait(answers, seconds)
        except BaseException:
            self.kill()
            raise

    def _wait(self, answers: Callable[[], bool], seconds: float) -> None:
        started = time.monotonic()
        while (waited := time.monotonic() - started) < seconds:
            if running(self.pid) is None:
                raise PartFailed(f"{self.name} ended while starting:\n{self.last_lines()}")
            if all(self.owns(port) for port in self._ports) and answers():
                return
            time.sleep(min(0.01 + waited / 10, 0.1))  # reading the table of sockets takes milliseconds
        raise PartFailed(f"{self.name} did not answer within {seconds:.0f} s:\n{self.last_lines()}")

    def owns(self, port: int) -> bool:
        """Whether this child, or a child of it, is the one that listens on `port`.

        False without a listener; PartFailed when there is one and it is another's.
        """
        heard = listeners(port)
        if not heard:
            return False
        family = [self.pid, *(process.pid for process in descendants(self.pid))]
        if not heard - {inode for pid in family for inode in sockets(pid)}:
            return True
        if heard & listeners(port):  # it was not just closed between the two readings
            raise PartFailed(f"{self.name}: port {port} is taken by a process that we did not start")
        return False

    def kill(self) -> None:
        """SIGKILL the child and its descendants, as a power cut would; nothing is left running."""
        if self._child is None:
            return
        if self._child.returncode is None and (itself := running(self._child.pid)):
            end([itself, *descendants(itself.pid)])
        self._reap()

    def stop(self, seconds: float = 30) -> None:
        """Ask the child to stop and wait; kill it, and what it left behind, after `seconds`."""
        if self._child is None:
            return
        family = descendants(self._child.pid)
        self._child.send_signal(self._stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(seconds)
        self.kill()
        end(family)

    def _reap(self) -> None:
        assert self._child is not None
        self._child.wait()
        self._child = None
        if self._guardian is not None:
            self._guardian.communicate(b"done\n")
            self._guardian = None

    def last_lines(self, count: int = 12) -> str:
        """The end of the child's log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        except OSError:
            return ""


class Part(ABC):
    """A server that is one process of ours. Whoever derives from it says when it answers."""

    def __init__(self, process: Process, port: int) -> None:
        self._process, self.port = process, port

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL the server and every process of it; its data stays."""
        self._process.kill()

    def restart(self) -> None:
        """Start on the same port and data, after a crash or (killing it first) without one."""
        self.kill()
        self._process.start(self._answers)

    def stop(self) -> None:
        self._process.stop()

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it is ready."""
