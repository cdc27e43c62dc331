"""Hands in a rules database: another process on it, and snapshots read and altered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from rules.domain.snapshot import digest, restore, snapshot
from rules.domain.state import State
from rules.storage import snapshots
from tests.rules.house import House, open_runtime


def stored(house: House) -> list[Any]:
    with house.reading() as tx:
        return list(tx.execute(sa.select(snapshots).order_by(snapshots.c.seq)))


@contextmanager
def another_process(house: House, tmp_path: Path) -> Iterator[House]:
    other = House(open_runtime(house.runtime.database.url.render_as_string(hide_password=False), tmp_path))
    other.now, other.versions = house.now, house.versions
    yield other
    other.runtime.database.dispose()


def change(house: House, place: int, **values: Any) -> None:
    with house.runtime.database.write() as connection:
        connection.execute(sa.update(snapshots).where(snapshots.c.seq == place).values(**values))


def turned(state: bytes) -> bytes:
    """The same snapshot with other counts of turns: a had two of c's."""
    known = restore(state)
    ledger = known.ledgers["roster/*"].copy()
    ledger.taken[0] += 2
    ledger.taken[2] -= 2
    return snapshot(State(**{**_fields(known), "ledgers": {**known.ledgers, "roster/*": ledger}}))


def _fields(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.__slots__}


def edited_with_care(row: Any) -> dict[str, Any]:
    state = turned(bytes(row.state))
    return {"state": state, "digest": digest(bytes(row.hash), state)}
