"""Backup and restore of the embedded deployment: one tar.gz with every SQLite file, copied while it runs."""

from __future__ import annotations

import os
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from rich.console import Console

_ALSO = ("token.key",)


def _data() -> Path:
    return Path(os.environ.get("DATA", "var"))


def backup(file: Path) -> int:
    """Writes the archive (readable by its owner alone). Exit status 1 when there is nothing to back up.

    Each database is a consistent snapshot; what one service announced and another had not yet taken is in the
    outbox of the first and is delivered after a restore.
    """
    data = _data()
    databases = sorted(data.glob("*.db"))
    if not databases:
        Console().print(f"There is no database under {data}.", style="red")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        # The consumers' snapshots first: an event may then be delivered twice (and is taken once), never not at all.
        for path in sorted(databases, key=lambda p: _order(p.stem)):
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(Path(folder) / path.name)) as copy:
                source.backup(copy)
        os.umask(0o077)
        with tarfile.open(file, "w:gz") as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.add(path, path.name)
            for name in _ALSO:
                if (data / name).exists():
                    archive.add(data / name, name)
    Console().print(f"{len(databases)} databases in {file}.")
    return 0


def restore(file: Path) -> int:
    """Unpacks an archive into an empty data folder. Exit status 1 when the folder holds a database already."""
    data = _data()
    if list(data.glob("*.db")):
        Console().print(f"{data} holds databases already: move them away first.", style="red")
        return 1
    data.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file) as archive:
        archive.extractall(data, filter="data")
    Console().print(f"Restored to {data}.")
    return 0


def _order(service: str) -> int:
    """The gateway and the rules consume what leads and the directory announce."""
    return {"gateway": 0, "rules": 1, "leads": 2, "directory": 3}.get(service, 0)
