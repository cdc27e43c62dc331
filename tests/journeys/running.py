"""What runs for the journeys: the embedded house in this process and the cluster of many, by one clock that goes on
when somebody says so, and never back."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from pydantic import SecretStr

from chassis import ids
from chassis.service import Runtime, runtime
from chassis.settings import Settings
from embedded.catalogue import NAMES, load
from embedded.cluster import Cluster
from embedded.starting import House, first_sign_in
from tests.journeys.api import growing, until

PASSWORD = "journeys-administrator"
# Seconds.
STILL = 60.0
MOVING = Path(__file__).with_name("moving.py")


class Moved:
    """How far the clock is ahead; processes read it in the file."""

    def __init__(self, file: Path) -> None:
        self.ahead, self.file = timedelta(), file
        self.later(timedelta())

    def later(self, by: timedelta) -> None:
        self.ahead += by
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(self.ahead.total_seconds()))
        fresh.chmod(0o644)
        fresh.replace(self.file)


class Running(Protocol):
    """`runtimes`: its services by name, and in what `environment` a command beside it finds their databases."""

    url: str
    runtimes: Mapping[str, Runtime]
    environment: Mapping[str, str]

    def later(self, by: timedelta) -> None: ...

    def settle(self) -> None:
        """Waits until every event is handled."""


class RunningHouse:
    """A house that runs in this process."""

    def __init__(self, house: House, moved: Moved) -> None:
        self.house, self.later = house, moved.later
        self.url = house.gateway.url
        self.front_door = f"127.0.0.1:{house.gateway.grpc_port}"
        self.runtimes: Mapping[str, Runtime] = house.embedding.runtimes
        self.environment: Mapping[str, str] = {"DATA": str(self.runtimes["reports"].settings.data)}

    def settle(self) -> None:
        until(self.house.embedding.bus.idle)


class MovedCluster(Cluster):
    """Its processes go by the clock that is moved."""

    def __init__(self, folder: Path, moved: Moved) -> None:
        super().__init__(folder, {"MOVED_BY": str(moved.file)}, durable=False)

    def command(self, role: str, name: str) -> list[str]:
        return [sys.executable, str(MOVING), role, name]


class RunningCluster:
    """A process for each role of each service, on PostgreSQL, RabbitMQ and Valkey."""

    def __init__(self, cluster: Cluster, moved: Moved) -> None:
        self.cluster, self.later = cluster, moved.later
        self.url, self.front_door = cluster.url, cluster.front_door
        key = SecretStr(cluster.token_key)
        self.runtimes: Mapping[str, Runtime] = {
            name: runtime(
                load(name), Settings(data=cluster.folder, database_url=cluster.databases[name], token_key=key)
            )
            for name in NAMES
        }
        self.environment: Mapping[str, str] = {
            "DATA": str(cluster.folder / "nothing"),
            **{f"DEALWRIGHT_DATABASE_URL_{name.upper()}": cluster.databases[name] for name in NAMES},
        }
        first_sign_in(self.runtimes["directory"])
        self._settled = 0.0
        # Made once: it is asked some ten times a second while the others want the processor.
        self._asked = {name: _asked(mine) for name, mine in self.runtimes.items()}
        self._queues = [
            (one.queue(name), one.types) for name, mine in self.runtimes.items() for one in mine.service.subscribers()
        ]

    def settle(self) -> None:
        """Fails when nothing more of it was handled for a minute, or not all in five: a busy machine is slow."""
        behind, began = self._behind(), time.monotonic()
        since, pauses = began, growing()
        while behind:
            now = time.monotonic()
            assert now < min(since + STILL, began + 5 * STILL), f"not handled: {behind}"
            time.sleep(next(pauses))
            before, behind = behind, self._behind()
            if behind != before:
                since = now

    def _behind(self) -> Mapping[str, int]:
        """How many events each queue has not handled, and each service not announced, since there were none."""
        began, first = time.time(), ids.first_id_at(self._settled)
        announced, handled, behind = Counter[str](), Counter[str](), dict[str, int]()
        for name, mine in self.runtimes.items():
            with mine.reading() as tx:
                for what, of, count in tx.execute(self._asked[name], {"first": first}):
                    if what == "waiting":
                        behind[f"{name}'s outbox"] = count
                    else:
                        (announced if what == "announced" else handled)[of] += count
        for queue, types in self._queues:
            behind[queue] = max(0, sum(announced[kind] for kind in types) - handled[queue])
        behind = {name: count for name, count in behind.items() if count}
        if not behind:
            self._settled = began
        return behind


def _asked(of: Runtime) -> sa.CompoundSelect[Any]:
    """How many messages wait in its outbox; since an id, of which type how many events were announced, and how many
    were handled by which subscriber: (which of these, type or subscriber, how many)."""
    outbox, inbox, first = (
        of.service.tables.outbox,
        of.service.tables.inbox,
        sa.bindparam("first", type_=of.service.tables.outbox.c.id.type),
    )
    count, events = sa.func.count(), sa.cast(sa.func.sum(outbox.c.events), sa.BigInteger)
    return sa.union_all(
        sa.select(sa.literal("waiting"), sa.literal(""), count).where(outbox.c.published_at.is_(None)),
        sa.select(sa.literal("announced"), outbox.c.type, events).where(outbox.c.id >= first).group_by(outbox.c.type),
        sa.select(sa.literal("handled"), inbox.c.subscriber, count)
        .where(inbox.c.event_id >= first)
        .group_by(inbox.c.subscriber),
    )


@contextmanager
def wide_open() -> Iterator[Path]:
    """A folder that every user may enter: PostgreSQL does not run as root."""
    before = os.umask(0o022)  # a house that ran in this process keeps what it writes to itself
    try:
        with tempfile.TemporaryDirectory(prefix="dealwright-") as name:
            Path(name).chmod(0o755)
            yield Path(name)
    finally:
        os.umask(before)
