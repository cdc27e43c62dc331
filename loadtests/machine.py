"""Where and on what a figure was taken, and how much memory a process holds."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def description() -> dict[str, Any]:
    """The machine, without its name: processor, cores, memory, kernel, Python, load at this moment."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    total = next(
        int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memoryMB": total // 1024,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "loadAverage": os.getloadavg(),
    }


def commit() -> str:
    """The commit of the working tree, with "+" behind it when something is changed; "" outside a repository."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    head = git("rev-parse", "HEAD")
    return head + ("+" if head and git("status", "--porcelain", "--untracked-files=no") else "")


def resident(pid: int) -> float:
    """Resident memory of a process in MB (10^6 bytes). Raises OSError when it is gone."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """CPU seconds that the whole machine has worked since it started, on all cores."""
    first = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, first)
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


class Neighbours:
    """How much of the machine others used between two moments: figures taken beside them are too low."""

    def __init__(self, ours: float) -> None:
        """`ours` is the CPU seconds so far of what is measured; this process and its children are ours too."""
        self._began, self._busy, self._ours = time.monotonic(), busy_seconds(), ours + _own()

    def share(self, ours: float) -> float:
        """0 to 1, of all cores."""
        others = busy_seconds() - self._busy - (ours + _own() - self._ours)
        return max(0.0, others / ((time.monotonic() - self._began) * (os.cpu_count() or 1)))


def _own() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
