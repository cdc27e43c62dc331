"""How Dealwright is used: calls by person and feature, counted in memory and told of once a minute (X13).

What was counted since is lost where a process dies: it is a measure of use, nobody was promised it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass

import structlog

from chassis import clock, ids
from chassis.service import Runtime
from dealwright.gateway.v1.events_pb2 import UsageCounted

_JOIN_SECONDS = 5.0
# A company of 5 000 that uses every feature in one minute stays below it; beyond, calls are counted to nobody.
_MOST_ROWS = 200_000
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Row:
    calls: int = 0
    failures: int = 0
    seconds: float = 0.0


class Usage:
    """Counts from any thread; a thread of its own tells, from `start` to `stop`."""

    def __init__(self, runtime: Runtime, every: float = 60.0) -> None:
        self._runtime, self._every = runtime, every
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], _Row] = defaultdict(_Row)
        self._since = clock.now()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway usage", daemon=True)

    def count(self, person: str, feature: str, seconds: float, failed: bool = False) -> None:
        """One call of a person, "" for nobody."""
        with self._lock:
            key = (person, feature) if len(self._rows) < _MOST_ROWS else ("", feature)
            row = self._rows[key]
            row.calls += 1
            row.failures += failed
            row.seconds += seconds

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tells what is left."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_SECONDS)

    def tell(self) -> None:
        """Announces what was counted since it was asked last; what cannot be stored now is told the next time."""
        with self._lock:
            rows, self._rows = self._rows, defaultdict(_Row)
            since, self._since = self._since, clock.now()
        if not rows:
            return
        event = UsageCounted(name=f"usage/{ids.new_id()}")
        event.begin_time.FromDatetime(since)
        event.end_time.FromDatetime(self._since)
        for (person, feature), row in sorted(rows.items()):
            event.rows.add(person=person, feature=feature, calls=row.calls, failures=row.failures, seconds=row.seconds)
        try:
            with self._runtime.transaction() as tx:
                tx.emit(event)
        except Exception:
            self._put_back(rows)
            raise

    def _put_back(self, rows: dict[tuple[str, str], _Row]) -> None:
        with self._lock:
            for key, row in rows.items():
                kept = self._rows[key]
                kept.calls += row.calls
                kept.failures += row.failures
                kept.seconds += row.seconds

    def _run(self) -> None:
        while True:
            stopping = self._stopping.wait(self._every)
            try:
                self.tell()
            except Exception:
                log.warning("usage waits for the database", exc_info=True)
            if stopping:
                return
