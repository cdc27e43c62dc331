"""`make bench LOCUST=1`: a populated cluster under locustfile.py's steps; the same figures for each step.

Locust itself costs more CPU a call than the lean generator that `make bench` uses, so these figures are lower.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from chassis.testing.process import MissingPart, PartFailed
from loadtests import figures, setting
from loadtests.driving import ROOT, LoadFailed
from loadtests.figures import Figure, percentile
from loadtests.setting import House
from loadtests.yardsticks import P1

console = Console(width=150, highlight=False)
_MOST_LEADS = 5_000_000


@dataclass(frozen=True)
class Steps:
    """Users of each step, and how long each lasts."""

    users: tuple[int, ...]
    seconds: float


FULL = Steps((8, 16, 32, 64), 15)
SHORT = Steps((4, 16), 5)


def run(house: House, steps: Steps) -> list[Figure]:
    """Runs Locust and reports each step. Raises LoadFailed when a call failed or a lead was lost."""
    p1 = P1(house.cluster.parts.postgres)
    before = p1.measure(3)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        environment = {
            **os.environ,
            "DEALWRIGHT_TOKEN": house.population.office,
            "DEALWRIGHT_FRONT_DOOR": house.cluster.front_door,
            "LOAD_STEPS": ",".join(map(str, steps.users)),
            "LOAD_STEP_SECONDS": str(steps.seconds),
            "LOAD_FIRST": str(house.numbers(_MOST_LEADS)),
            "LOAD_REPORT": str(report),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        }
        began = time.time()
        done = subprocess.run(
            [
                *(str(Path(sys.executable).parent / "locust"), "--headless", "--only-summary"),
                *("--locustfile", str(ROOT / "loadtests" / "locustfile.py"), "--host", house.cluster.url),
                *("--exit-code-on-error", "3", "--stop-timeout", "30"),
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=len(steps.users) * steps.seconds + 120,
        )
        if done.returncode:
            raise LoadFailed(f"locust ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
        content = json.loads(report.read_text())
    house.watcher.settled(began)
    standing = house.watcher.standing(began)
    if set(standing) != {3}:
        raise LoadFailed(f"leads by status: {standing}, all should be ASSIGNED (3)")
    after = p1.measure(3)
    p1.drop()
    return _figures(house, steps, content, (before + after) / 2)


def _figures(house: House, steps: Steps, content: dict[str, object], p1: float) -> list[Figure]:
    samples: list[tuple[float, str, float, bool]] = content["samples"]  # type: ignore[assignment]
    first = min(at - ms / 1000 for at, _, ms, _ in samples)
    found = [Figure("P1", "yardstick P1", "leads/s", [p1])]
    for number, users in enumerate(steps.users):
        start, end = first + number * steps.seconds, first + (number + 1) * steps.seconds
        name = f"{users} users: "
        rate = house.watcher.announced_between(start, end) / steps.seconds
        found.append(
            Figure(f"step {users}", name + "leads ASSIGNED and announced", "leads/s", [rate], "P1", [rate / p1])
        )
        for kind in sorted({kind for _, kind, _, _ in samples}):
            times = [ms for at, of, ms, _ in samples if of == kind and start <= at < end]
            for share in (0.5, 0.99) if times else ():
                title = f"{name}{kind}, p{share * 100:.0f} of {len(times)} calls"
                found.append(Figure(f"step {users} {kind}", title, "ms", [percentile(times, share)], higher=False))
    return found


def main() -> int:
    """The stepped load on a cluster of its own. Returns the exit code."""
    steps = SHORT if os.environ.get("BENCH") == "short" else FULL
    try:
        with setting.house() as house:
            found = run(house, steps)
    except (LoadFailed, MissingPart, PartFailed) as problem:
        console.print(f"the load failed: {problem}", style="bold red", markup=False, soft_wrap=True)
        return 2
    figures.show(found, console, "make bench LOCUST=1")
    figures.write("locust", found, users=steps.users, stepSeconds=steps.seconds)
    best = max((f for f in found if f.yardstick), key=lambda f: f.value)
    console.print(
        f"figure: locust {best.key}: {figures.number(best.value)} leads/s ASSIGNED and announced through REST and "
        f"gRPC = {figures.number(best.judged)} x P1",
        soft_wrap=True,
        markup=False,
    )
    return 0
