"""A backup takes the attachments along."""

from __future__ import annotations

import sqlite3
import tarfile
from pathlib import Path

import pytest

from embedded.archive import backup, restore

NAME = "ab" * 32


def test_U1_attachments_are_in_a_backup_and_come_back_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "kept.tar.gz"
    (old / "files" / "ab").mkdir(parents=True)
    (old / "files" / "ab" / NAME).write_bytes(b"%PDF-1.7")
    (old / "files" / "ab" / "half.part").write_bytes(b"%PDF")
    sqlite3.connect(old / "activities.db").execute("CREATE TABLE t (a)").connection.close()
    monkeypatch.setenv("DATA", str(old))
    assert backup(file) == 0
    with tarfile.open(file) as archive:
        assert archive.getnames() == ["activities.db", f"files/ab/{NAME}"]
    monkeypatch.setenv("DATA", str(new))
    assert restore(file) == 0
    assert (new / "files" / "ab" / NAME).read_bytes() == b"%PDF-1.7"
    assert (new / "activities.db").exists()
