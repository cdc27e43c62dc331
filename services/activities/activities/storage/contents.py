"""The bytes of files, each kept once under its hash: in a folder, or wherever fsspec reaches."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec

from chassis import ids

_FOLDERS = 256
_UNFINISHED = ".part"


def address(data: bytes) -> str:
    """What the bytes are called: their SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


class Contents:
    """A store at an address that fsspec takes. Whatever it answers for a name are the bytes that have this hash."""

    def __init__(self, url: str) -> None:
        found: tuple[Any, str] = fsspec.url_to_fs(url)
        self._files, self._root = found
        self._local = "file" in self._files.protocol

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"

    def has(self, sha256: str) -> bool:
        return bool(self._files.exists(self._path(sha256)))

    def put(self, sha256: str, data: bytes) -> None:
        """On the disk, whole, when it returns. Again changes nothing."""
        path = self._path(sha256)
        if self._local:
            _put_local(Path(path), data)
        else:
            self._files.pipe_file(path, data)

    def get(self, sha256: str) -> bytes | None:
        """None where they are not there, or not what they were."""
        try:
            data: bytes = self._files.cat_file(self._path(sha256))
        except FileNotFoundError:
            return None
        return data if address(data) == sha256 else None

    def remove(self, sha256: str) -> None:
        try:
            self._files.rm_file(self._path(sha256))
        except FileNotFoundError:
            return

    def stored(self, folder: int) -> Iterator[tuple[str, datetime]]:
        """Name and moment of what lies in one of the 256 folders."""
        path = f"{self._root}/{folder % _FOLDERS:02x}"
        self._files.invalidate_cache(path)
        try:
            listed = self._files.ls(path, detail=True)
        except FileNotFoundError:
            return
        for one in listed:
            yield str(one["name"]).rpartition("/")[2], _moment(one)


def _put_local(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{ids.new_id()}{_UNFINISHED}")
    with unfinished.open("xb") as file:
        unfinished.chmod(0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _moment(one: Any) -> datetime:
    """When it was written, whatever the store calls that; long ago where it does not say."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = one.get(key)
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    return datetime.fromtimestamp(0, UTC)
