"""The bytes of attachments: written before the row that refers to them, removed when nothing refers to them."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that are in the store, to be referred to."""

    sha256: str
    data: bytes
    store: Contents


@cache
def _opened(url: str) -> Contents:
    return Contents(url)


def opened(runtime: Runtime) -> Contents:
    """This deployment's store."""
    return _opened(ActivitySettings().files_url.get_secret_value() or str(runtime.settings.data / "files"))


def stored(store: Contents, data: bytes) -> Stored:
    """On the disk when it returns."""
    sha256 = address(data)
    if not store.has(sha256):
        store.put(sha256, data)
    return Stored(sha256, data, store)


def refer(tx: Transaction, to: Stored) -> None:
    """What this transaction makes refers to these bytes. A sweep may have removed them since they were stored: from now
    on it does not."""
    files.hold_content(tx, to.sha256)
    if not to.store.has(to.sha256):
        to.store.put(to.sha256, to.data)


def sweep(runtime: Runtime) -> bool:
    """Errand: removes what nothing refers to any more, and in one of the 256 folders, each in its turn within a day,
    what failed uploads left behind. Returns whether there may be more."""
    store = opened(runtime)
    with runtime.transaction() as tx:
        gone = files.unused(tx, _AT_ONCE)
        for sha256 in gone:
            store.remove(sha256)
            files.drop_content(tx, sha256)
        turn = int(tx.now.timestamp() // EVERY)
    sweep_folder(runtime, turn)
    return len(gone) == _AT_ONCE


def sweep_folder(runtime: Runtime, folder: int) -> None:
    now, store = clock.now(), opened(runtime)
    for name, moment in store.stored(folder):
        if moment > now - _ORPHAN:
            continue
        with runtime.transaction() as tx:
            if files.claim_orphan(tx, name):
                store.remove(name)
                files.drop_content(tx, name)
