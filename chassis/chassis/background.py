"""What a `work` process does beside its subscribers: loops, retries, the audit's sealer, cleaning, gauges. And what a
`serve` process does beside its calls: errands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

import sqlalchemy as sa
import structlog

from chassis import audit, ids, telemetry
from chassis.bus.delivery import retry_due
from chassis.bus.subscriptions import Subscription
from chassis.database import is_unavailable
from chassis.retention import Retention
from chassis.service import Errand, Loop, Runtime
from chassis.transaction import Origin

log = structlog.get_logger(__name__)


class _Threads:
    """Each task in a thread of its own, again and again until `stop`."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, name: str, every: float, run: Callable[[], bool | None]) -> None:
        thread = threading.Thread(
            target=self._loop, args=(name, every, run), name=f"{self._service} {name}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(10)

    def _loop(self, name: str, every: float, run: Callable[[], bool | None]) -> None:
        while not self._stopping.is_set():
            more = False
            try:
                more = bool(run())
            except Exception as problem:
                if is_unavailable(problem):
                    log.warning("loop waits for the database", loop=name, service=self._service)
                else:
                    log.exception("loop failed", loop=name, service=self._service)
            if not more:
                self._stopping.wait(every)


class Errands:
    """The errands of a `serve` process, until `stop`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._threads = _Threads(runtime.name)

    def start(self) -> None:
        for errand in self._runtime.service.errands(self._runtime):
            self._threads.start(errand.name, errand.every, partial(self._once, errand))

    def stop(self) -> None:
        self._threads.stop()

    def _once(self, errand: Errand) -> bool | None:
        with telemetry.running(self._runtime.name, errand.name):
            return errand.run()


class Background:
    """Runs each loop in a thread of its own until `stop`."""

    def __init__(self, runtime: Runtime, known: Sequence[Subscription]) -> None:
        self._runtime = runtime
        self._known = known
        self._threads = _Threads(runtime.name)

    def start(self) -> None:
        # A patient service looks less often: what it finds then may wait, and every look costs the others.
        often = 2.0 if self._runtime.service.patient else 0.5
        loops = [
            *self._runtime.service.loops(),
            Loop("seal audit", often, audit.seal),
            Loop("clean", 3600.0, Retention(self._runtime.service, self._runtime.settings.keep_days).step),
        ]
        for loop in loops:
            self._threads.start(loop.name, loop.every, partial(self._once, loop))
        self._threads.start("retry failures", often, lambda: retry_due(self._runtime, self._known) >= 50)
        self._threads.start("gauges", 4 * often, self._gauges)

    def stop(self) -> None:
        self._threads.stop()

    def _once(self, loop: Loop) -> bool | None:
        name = self._runtime.name
        with telemetry.turning(name, loop.name) as turn:
            with self._runtime.transaction(origin=Origin(f"services/{name}", traceparent=turn.traceparent)) as tx:
                more = loop.run(tx)
                turn.busy = tx.announces
            return more

    def _gauges(self) -> bool:
        tables, name = self._runtime.service.tables, self._runtime.name
        with self._runtime.reading() as tx:
            outbox = tx.execute(
                sa.select(sa.func.count(), sa.func.min(tables.outbox.c.created_at)).where(
                    tables.outbox.c.published_at.is_(None)
                )
            ).one()
            telemetry.OUTBOX_DEPTH.labels(name).set(outbox[0])
            telemetry.OUTBOX_AGE.labels(name).set((tx.now - outbox[1]).total_seconds() if outbox[1] else 0)
            failures = tx.execute(
                sa.select(
                    sa.func.count(tables.failures.c.parked_at),
                    sa.func.count(tables.failures.c.next_attempt_at),
                )
            ).one()
            telemetry.PARKED.labels(name).set(failures[0])
            telemetry.FAILING.labels(name).set(failures[1])
            pending = tables.audit_pending
            unsealed = tx.execute(
                sa.select(sa.func.coalesce(sa.func.sum(pending.c.rows), 0), sa.func.min(pending.c.id))
            ).one()
            telemetry.UNSEALED.labels(name).set(unsealed[0])
            age = tx.now.timestamp() - ids.made_at(unsealed[1]) if unsealed[1] else 0.0
            telemetry.UNSEALED_AGE.labels(name).set(max(0.0, age))
        return False
