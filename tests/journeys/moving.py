"""A cluster whose clock can be moved on, as that of the house which runs in the tests' own process.

python tests/journeys/moving.py serve leads      a process of it: the file of MOVED_BY has the seconds
"""

from __future__ import annotations

import importlib
import os
import sys
from datetime import timedelta
from pathlib import Path


def _move(file: Path) -> None:
    """The one function that tells the time; durations and deadlines go by another clock and stay true."""
    from chassis import clock

    real = clock.now
    clock.now = lambda: real() + timedelta(seconds=float(file.read_text()))


def main() -> None:
    role = sys.argv[1]
    if role == "work":
        from chassis.bus import worker  # patches the process first
    _move(Path(os.environ["MOVED_BY"]))
    if role == "work":
        # What `dealwright work` comes to. That one starts itself anew, and by the real clock.
        from chassis.service import runtime
        from chassis.settings import Settings

        sys.exit(worker.run(runtime(importlib.import_module(f"{sys.argv[2]}.main").service, Settings())))
    from embedded.command import app

    app()


if __name__ == "__main__":
    main()
