"""Starts generators and waits for them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from loadtests.generator import Job, Outcome

ROOT = Path(__file__).resolve().parent.parent


class LoadFailed(RuntimeError):
    """The load was not what it should be: a call failed, a lead was refused, a process died."""


@contextmanager
def generator(job: Job) -> Iterator[Callable[[], Outcome]]:
    """A generator that has its requests ready; calling what this yields starts it and waits for its end.

    Raises LoadFailed when a call fails or a lead is not created.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtests.generator", json.dumps(asdict(job))],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def run() -> Outcome:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise LoadFailed(_ending(process))
        process.stdin.write("go\n")
        process.stdin.flush()
        try:
            output, _ = process.communicate(timeout=job.seconds + 90)
        except subprocess.TimeoutExpired as late:
            raise LoadFailed(f"{job.mode}: the generator did not end in time") from late
        if process.returncode:
            raise LoadFailed(f"{job.mode}: {output[-500:]} (exit {process.returncode})")
        outcome = Outcome(**json.loads(output))
        if outcome.refused:
            raise LoadFailed(f"{job.mode}: {outcome.refused} leads were refused, the first because {outcome.why}")
        return outcome

    try:
        yield run
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def drive(job: Job) -> Outcome:
    """Prepares a job and runs it."""
    with generator(job) as run:
        return run()


def _ending(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=30)
    return f"the generator ended before it began: {errors[-1500:]}"
