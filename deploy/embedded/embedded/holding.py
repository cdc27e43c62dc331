"""The data folder is one process's at a time, and its files are their owner's alone."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from chassis.errors import Refused

_NAME = ".lock"
# Windows locks bytes against reading, too: one far behind the text, so that the holder's id can be read.
_FAR = 1 << 30


class Held:
    """A data folder held by this process, until `close` or its end, however it ends."""

    def __init__(self, file: int) -> None:
        self._file = file

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def make_private(data: Path) -> None:
    """Files of this process are for its owner alone from here on, and databases that were not become so. Means nothing
    on Windows, where files inherit who may read them."""
    os.umask(0o077)
    for file in data.glob("*.db*"):
        with suppress(PermissionError):  # another's file in our folder: he says who reads it
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def let_through(*folders: Path) -> None:
    """For root, whose PostgreSQL runs as another user: that one may pass through the folders, and see nothing there."""
    if sys.platform != "win32" and os.geteuid() == 0:
        for folder in folders:
            folder.chmod(folder.stat().st_mode | 0o011)


def hold(data: Path) -> Held:
    """Takes the folder; where there is none it is made, for its owner alone. Raises Refused, which names the process
    that has it."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(data / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(file)
    except OSError as error:
        holder = os.read(file, 20).decode(errors="replace").strip() or "?"
        os.close(file)
        raise Refused(
            "HELD",
            f"{data} is in use by process {holder}: stop that one, or set DATA to another folder.",
            f"{data} 正由进程 {holder} 使用：请先停止该进程，或用 DATA 指定另一目录。",
        ) from error
    os.ftruncate(file, 0)
    os.write(file, f"{os.getpid()}\n".encode())
    return Held(file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        """Raises OSError when another process has it."""
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(file: int) -> None:
        """Raises OSError when another process has it."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
