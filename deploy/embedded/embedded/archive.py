"""Backup and restore of the embedded deployment: one tar.gz with every SQLite file and attachment, made while it runs
or not."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.console import Console

from chassis.errors import Refused
from embedded.holding import hold, make_private

_ALSO = ("token.key",)
_FILES = "files"
_KEPT = re.compile(rf"{_FILES}/[0-9a-f]{{2}}/[0-9a-f]{{64}}")


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
    os.umask(0o077)
    with tempfile.TemporaryDirectory() as folder:
        # The consumers' snapshots first: an event may then be delivered twice (and is taken once), never not at all.
        for path in sorted(databases, key=lambda p: _order(p.stem)):
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(Path(folder) / path.name)) as copy:
                source.backup(copy)
        with tarfile.open(file, "w:gz") as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.add(path, path.name)
            for name in _ALSO:
                if (data / name).exists():
                    archive.add(data / name, name)
            # After the databases: whatever a row of theirs refers to was there before it.
            for path in sorted((data / _FILES).rglob("*")):
                name = path.relative_to(data).as_posix()
                if _KEPT.fullmatch(name):
                    archive.add(path, name)
    Console().print(f"{len(databases)} databases in {file}.")
    return 0


def restore(file: Path) -> int:
    """Unpacks an archive into a data folder without databases: all of it or nothing.

    Raises Refused when a process runs on the folder, when it holds a database, or when the file is no backup.
    """
    data = _data()
    with closing(hold(data)):
        make_private(data)
        if list(data.glob("*.db")):
            raise Refused(
                "NOT_EMPTY",
                f"{data} holds databases already: move them away first.",
                f"{data} 中已有数据库，请先将其移走。",
            )
        with tempfile.TemporaryDirectory(dir=data) as folder:
            try:
                count = _unpack(file, Path(folder))
            except (tarfile.TarError, EOFError, zlib.error) as error:
                raise _no_backup(file, str(error).partition("\n")[0] or type(error).__name__) from error
            if not count:
                raise _no_backup(file, "no database in it")
            for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
                place = data / path.relative_to(folder)
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.replace(place)
    Console().print(f"{count} databases restored to {data}.")
    return 0


def _unpack(file: Path, folder: Path) -> int:
    """How many databases were in it. Anything that no backup holds stays in the archive: what is taken out are plain
    files by names of ours, whatever else the archive says of them."""
    count = 0
    with tarfile.open(file) as archive:
        for member in archive:
            is_database = re.fullmatch(r"[a-z_]+\.db", member.name) is not None
            if member.isfile() and (is_database or member.name in _ALSO or _KEPT.fullmatch(member.name)):
                content, place = archive.extractfile(member), folder / member.name
                assert content is not None  # it is a file
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with content, open(place, "wb", opener=partial(os.open, mode=0o600)) as there:
                    shutil.copyfileobj(content, there)
                count += is_database
    return count


def _no_backup(file: Path, why: str) -> Refused:
    return Refused(
        "NO_BACKUP",
        f"{file} is no backup that `dealwright backup` made ({why}).",
        f"{file} 不是 dealwright backup 生成的备份。",
    )


def _order(service: str) -> int:
    """Who consumes what others announce comes before them."""
    order = (
        "gateway",
        "reports",
        "activities",
        "contracts",
        "opportunities",
        "customers",
        "rules",
        "leads",
        "directory",
    )
    return order.index(service) if service in order else 0
