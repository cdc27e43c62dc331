"""Every static check, two at a time, all of them even when one fails; prints the seconds of each.

python .ci/lint.py             check
python .ci/lint.py promise     make the present protos the ones that `buf breaking` compares with
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# protoc's image of the protos and all they import, with comments; written by `uv sync`.
IMAGE = "proto/gen/dealwright/descriptors.binpb"
PROMISED = "proto/promised.binpb"
OURS = ("--path", "dealwright")  # google's files are in the image too, and not ours to lint


def typed() -> list[str]:
    """What mypy reads: folders that have Python files by now."""
    folders = ["chassis", "services", "deploy", "loadtests", "tests", "proto/gen", ".ci"]
    return [name for name in folders if next((ROOT / name).rglob("*.py*"), None) is not None]


def checks() -> dict[str, list[str]]:
    """Name and command of each check, the longest first."""
    return {
        "mypy --strict": ["mypy", *typed()],
        "import contracts": ["lint-imports", "--no-logo"],
        "names": ["python", ".ci/names.py"],
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "buf lint": ["buf", "lint", IMAGE, *OURS],
        "buf breaking": ["buf", "breaking", IMAGE, "--against", PROMISED, "--exclude-imports", *OURS],
    }


def run(command: Sequence[str]) -> tuple[float, int, str]:
    started = time.monotonic()
    done = subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return time.monotonic() - started, done.returncode, done.stdout


def lint() -> int:
    started = time.monotonic()
    failed = []
    with ThreadPoolExecutor(max_workers=2) as workers:
        running = {workers.submit(run, command): name for name, command in checks().items()}
        for finished in as_completed(running):
            seconds, code, output = finished.result()
            name = running[finished]
            if code != 0:
                failed.append(name)
                print(output.rstrip())
            print(f"{name:<18} {seconds:6.1f} s   {'ok' if code == 0 else 'FAILED'}", flush=True)
    if "buf breaking" in failed:
        print("a change of the protos that no released client relies on is accepted by `make promise`")
    print(f"{'all checks':<18} {time.monotonic() - started:6.1f} s   {', '.join(failed) or 'ok'}")
    return 1 if failed else 0


def promise() -> int:
    _, code, output = run(["buf", "build", IMAGE, "-o", PROMISED, "--exclude-source-info"])
    print(output.rstrip() or f"{PROMISED} holds the present protos: commit it")
    return code


if __name__ == "__main__":
    sys.exit(promise() if sys.argv[1:] == ["promise"] else lint())
