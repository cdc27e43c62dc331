"""Every database of a cluster on one machine: what nine migrations import is imported once, and each is a child.

    python -m embedded.migrating FOLDER < environments.json     {"leads": {"DEALWRIGHT_DATABASE_URL": ...}, ...}

What each of them says is in FOLDER/<service>.log; printed are the names of those that failed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from embedded.catalogue import load
from embedded.command import app

_NEEDED = ("psycopg", "chassis.roles", "chassis.migration", "chassis.bus.publisher", "embedded.starting")


def main(folder: Path, environments: Mapping[str, Mapping[str, str]]) -> int:
    for module in _NEEDED:
        import_module(module)
    for name in environments:
        load(name).subscribers()
    children = {_child(name, environment, folder / f"{name}.log"): name for name, environment in environments.items()}
    failed = []
    for pid, name in children.items():
        if os.waitpid(pid, 0)[1]:
            failed.append(name)
    print(*failed)
    return int(bool(failed))


def _child(name: str, environment: Mapping[str, str], log: Path) -> int:
    """`dealwright migrate <name>` with this environment and no other; its process id."""
    pid = os.fork()
    if pid:
        return pid
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ.clear()
    os.environ.update(environment)
    status = 1
    try:
        app(["migrate", name])
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), json.load(sys.stdin)))
