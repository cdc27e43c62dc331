"""Runs every suite (a folder below tests/) in a pytest of its own, some at a time, the longest first; a file that
takes as long as a suite has a pytest of its own, too.

Prints the seconds of each suite, the whole output of one that fails, and last, alone on its line,
`N passed, N failed, N skipped`. Fails when a test fails, a suite breaks, or nothing ran.

    python tests/run.py [suite ...] [-- pytest arguments]

SKIP_CLUSTER=1 leaves out what needs real PostgreSQL, RabbitMQ or Valkey, and says so. LONG=1 tries more.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from chassis.testing.parts import MissingPart, prepare

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "tests"
SECONDS = RESULTS / "seconds.json"
# Files that run beside the rest of their suites.
APART = ("security/test_schemathesis.py", "faults/test_drill.py")
# What is known to take longest on a machine that has not measured yet.
HEAVIEST = ("journeys", APART[0], "security", "reports", "loadtests", APART[1], "chassis", "faults", "chart", "rules")
# One more than two cores can do: much of what they do is to wait.
AT_ONCE = 3
# Where there is so much room in memory, nobody waits for a disk (a process that is killed loses nothing there either).
MEMORY, ENOUGH = Path("/dev/shm"), 3 << 30


@dataclass(frozen=True)
class Outcome:
    """What one suite's pytest reported. `broken` is why it counts as failed although no test did."""

    suite: str
    seconds: float
    passed: int
    failed: int
    skipped: int
    without_cluster: int
    output: str
    broken: str = ""


def suites() -> list[str]:
    """Folders below tests/ with a test file anywhere in them."""
    return sorted(
        folder.name
        for folder in (ROOT / "tests").iterdir()
        if folder.is_dir() and next(folder.rglob("test_*.py"), None) is not None
    )


def longest_first(names: Sequence[str]) -> list[str]:
    """By the seconds of earlier runs; what was never measured goes by HEAVIEST, before the rest."""
    measured: dict[str, float] = {}
    with contextlib.suppress(OSError, ValueError):
        measured = json.loads(SECONDS.read_text())
    guess = {name: 1000.0 - place for place, name in enumerate(HEAVIEST)}
    return sorted(names, key=lambda name: -measured.get(name, guess.get(name, 0.0)))


def with_parts(names: Sequence[str]) -> list[str]:
    """These suites and, each by itself, their files that run apart ("security/test_schemathesis.py")."""
    beside = [one for one in APART if one.partition("/")[0] in names and (ROOT / "tests" / one).exists()]
    return [*names, *beside]


@contextlib.contextmanager
def scratch() -> Iterator[dict[str, str]]:
    """What the environment says of temporary files: for a suite alone, in memory if there is room."""
    try:
        room, flags = shutil.disk_usage(MEMORY).free, os.statvfs(MEMORY).f_flag
        lines = Path("/proc/meminfo").read_text().splitlines()
    except (OSError, AttributeError):
        room, flags, lines = 0, 0, []
    free = next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), 0)
    if min(room, free) < ENOUGH or flags & os.ST_NOEXEC:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="tests-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as another user when we are root
        yield {"TMPDIR": folder}


def run(suite: str, arguments: Sequence[str]) -> Outcome:
    report = RESULTS / f"{suite.removesuffix('.py').replace('/', '-')}.xml"
    report.unlink(missing_ok=True)
    beside = [f"--ignore=tests/{one}" for one in APART if one.startswith(f"{suite}/")]
    # Compiled once, and not by each of some hundred processes.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.monotonic()
    with scratch() as temporary:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", f"tests/{suite}", *beside, "--quiet", f"--junit-xml={report}"),
                # Two plugins that we do not use and that cost each suite half a second.
                *("-p", "no:locust", "-p", "no:valkey", "-o", "junit_logging=no", *arguments),
            ],
            cwd=ROOT,
            env=inherited | temporary,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    # Arguments may leave nothing of a part.
    code = 0 if done.returncode == 5 and arguments else done.returncode
    return read(suite, time.monotonic() - started, report, code, done.stdout)


def read(suite: str, seconds: float, report: Path, code: int, output: str) -> Outcome:
    """Count a suite's junit report; a missing one, or an exit code it does not explain, is a failure."""
    cases: list[ET.Element] = []
    broken = ""
    try:
        cases = list(ET.parse(report).iter("testcase"))
    except (OSError, ET.ParseError):
        broken = f"pytest wrote no report (exit code {code})"
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    reasons = [
        skip.get("message", "")
        for case in cases
        if (skip := case.find("skipped")) is not None and case.find("failure") is None
    ]
    if not broken and code != 0 and failed == 0:
        broken = "no test in it" if code == 5 else f"pytest ended with exit code {code}"
    return Outcome(
        suite=suite,
        seconds=seconds,
        passed=len(cases) - failed - len(reasons),
        failed=failed + bool(broken),
        skipped=len(reasons),
        without_cluster=sum("SKIP_CLUSTER=1" in reason for reason in reasons),
        output=output,
        broken=broken,
    )


def report(outcome: Outcome) -> None:
    counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
    if outcome.failed:
        print(f"\n{'=' * 20} {outcome.suite} {'=' * 20}\n{outcome.output.rstrip()}\n{'=' * 50}")
    print(f"{outcome.suite:<29} {outcome.seconds:7.1f} s   {counts}  {outcome.broken}".rstrip(), flush=True)
    if not outcome.failed:
        # What a suite measured is worth seeing when all is well, too.
        for line in outcome.output.splitlines():
            if line.startswith("figure:"):
                print(f"{'':<29} {line}", flush=True)


def remember(outcomes: Sequence[Outcome]) -> None:
    measured: dict[str, float] = {}
    with contextlib.suppress(OSError, ValueError):
        measured = json.loads(SECONDS.read_text())
    measured |= {outcome.suite: round(outcome.seconds, 1) for outcome in outcomes if not outcome.broken}
    SECONDS.write_text(json.dumps(measured, indent=1, sort_keys=True))


def main(words: Sequence[str]) -> int:
    names, arguments = list(words), []
    if "--" in names:
        cut = names.index("--")
        names, arguments = names[:cut], names[cut + 1 :]
    if unknown := set(names) - set(suites()):
        print(f"no such suite: {', '.join(sorted(unknown))}; there are: {', '.join(suites())}")
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    outcomes: list[Outcome] = []
    without_cluster = os.environ.get("SKIP_CLUSTER") == "1"
    try:
        if not without_cluster:
            prepare()
    except MissingPart as missing:
        print(missing)
        print("0 passed, 1 failed, 0 skipped")
        return 1
    with ThreadPoolExecutor(max_workers=AT_ONCE) as workers:
        parts = longest_first(with_parts(names or suites()))
        running = [workers.submit(run, part, arguments) for part in parts]
        try:
            for finished in as_completed(running):
                outcomes.append(finished.result())
                report(outcomes[-1])
        except KeyboardInterrupt:  # the suites of this moment got it too, and stop their servers
            workers.shutdown(cancel_futures=True)
            return 130
    remember(outcomes)
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    print(f"{'all suites':<29} {time.monotonic() - started:7.1f} s")
    if without_cluster:
        left_out = [f"{o.suite} ({o.without_cluster})" for o in outcomes if o.without_cluster]
        print(f"SKIP_CLUSTER=1 left out the tests on real parts of: {', '.join(left_out) or 'no suite'}")
    if passed + failed == 0:
        print("no test ran")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
