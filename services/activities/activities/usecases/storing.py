"""The bytes of attachments: written before the row that refers to them, removed when nothing refers to them."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from activities.settings import ActivitySettings
from activities.storage import files
from activities.storage.contents import Contents, address
from chassis import clock
from chassis.service import Runtime
from chassis.transaction import Transaction

# An upload whose row is not there after this has failed.
_ORPHAN = timedelta(days=1)
_AT_ONCE = 50
EVERY = 300.0


@cache
def _opened(url: str) -> Contents:
    return Contents(url)


def contents() -> Contents:
    """This process's store."""
    return _opened(ActivitySettings().files)


def stored(data: bytes) -> str:
    """Their name; on the disk when it returns."""
    sha256 = address(data)
    if not contents().has(sha256):
        contents().put(sha256, data)
    return sha256


def refer(tx: Transaction, sha256: str, data: bytes) -> None:
    """What this transaction makes refers to these bytes. A sweep may have removed them since they were stored: from now
    on it does not."""
    files.hold_content(tx, sha256)
    if not contents().has(sha256):
        contents().put(sha256, data)


def sweep(runtime: Runtime) -> bool:
    """Errand: removes what nothing refers to any more, and in one of the 256 folders, each in its turn within a day,
    what failed uploads left behind. Returns whether there may be more."""
    with runtime.transaction() as tx:
        gone = files.unused(tx, _AT_ONCE)
        for sha256 in gone:
            contents().remove(sha256)
            files.drop_content(tx, sha256)
        turn = int(tx.now.timestamp() // EVERY)
    sweep_folder(runtime, turn)
    return len(gone) == _AT_ONCE


def sweep_folder(runtime: Runtime, folder: int) -> None:
    now = clock.now()
    for name, moment in contents().stored(folder):
        if moment > now - _ORPHAN:
            continue
        with runtime.transaction() as tx:
            if files.claim_orphan(tx, name):
                contents().remove(name)
                files.drop_content(tx, name)
