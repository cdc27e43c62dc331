"""What carries imports out: in the `serve` role, since records of other services are made by their calls.

Every pod runs it; an import is claimed for a while, and each block of rows goes on from what the database says. So it
survives the end of any process: what was committed is counted, what was not is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import structlog

from chassis import clock, telemetry
from chassis.commands import internal
from chassis.database import is_unavailable
from chassis.errors import Problem, Refused
from chassis.service import Runtime
from chassis.transaction import Transaction
from leads.domain.imports import ImportKind, Job, Result, State
from leads.peers import Away, Peers
from leads.servicer.before import RowsBefore, Seen
from leads.servicer.others import Others
from leads.servicer.taking_back import TakingBack
from leads.usecases import importing, staging, undoing
from leads.usecases.importing import Prepared
from leads.usecases.staging import Lost, Row
from leads.wire.lead_rows import LeadRows
from leads.wire.sheets.limits import NotReadable
from leads.wire.sheets.process import lines

log = structlog.get_logger(__name__)
# Blocks of one import before another has its turn.
_TURN = 10


class Carrier:
    """`step` does a bit of the import that waits longest; whether there may be more to do."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._zone = clock.company_zone(runtime.settings.company_time_zone)
        peers = Peers(runtime)
        self.others, self.back = Others(runtime, peers, self._zone), TakingBack(peers)
        self._trace = ""
        self._before = RowsBefore(self._remember)

    def step(self) -> bool:
        with self._runtime.transaction() as tx:
            job = staging.claim(tx)
        if job is None:
            return False
        try:
            with telemetry.turning(self._runtime.name, "imports") as turn:
                self._trace, turn.busy = turn.traceparent, True
                self._work(job)
        except Lost:
            log.info("import went on elsewhere", job=job.name)
        except Away as away:  # its lease ends, and whoever takes it then asks again
            log.warning("import waits for another service", job=job.name, service=str(away))
        except Exception as problem:
            if is_unavailable(problem):
                raise
            log.exception("import failed", job=job.name)
            self._fail(job.name, problem)
        return True

    def _work(self, job: Job) -> None:
        if job.state == State.READING:
            self._read(job)
            return
        for _ in range(_TURN):
            following = self._undo(job) if job.state == State.UNDOING else self._block(job)
            if following is None:
                return
            job = following
        with self._runtime.transaction() as tx:
            staging.release(tx, job)

    def _fail(self, name: str, problem: Exception) -> None:
        """An error of ours or a no: told on the import, which can then be undone."""
        said = problem if isinstance(problem, Problem) else internal()
        with self._runtime.transaction() as tx:
            staging.fail_named(tx, name, said)

    # --- reading ---

    def _read(self, job: Job) -> None:
        with self._runtime.transaction() as tx:
            job = staging.begin_reading(tx, job)
        head: dict[str, object] | None = None
        try:
            for said in lines(self._parts(job.name)):
                if "head" in said:
                    head = said["head"]
                elif "rows" in said:
                    rows: list[Row] = [(number, cells) for number, cells in said["rows"]]
                    with self._runtime.transaction() as tx:
                        if head is not None:
                            job = staging.read_head(tx, job, head, rows)
                            head = None
                        job = staging.keep_rows(tx, job, rows)
        except NotReadable as problem:
            self._fail(job.name, Refused(problem.reason, problem.english, problem.chinese))
            return
        with self._runtime.transaction() as tx:
            staging.end_reading(tx, job)

    def _parts(self, name: str) -> Iterator[bytes]:
        with self._runtime.reading() as tx:
            yield from staging.parts(tx, name)

    # --- rows ---

    def _block(self, job: Job) -> Job | None:
        with self._runtime.reading() as tx:
            held = staging.block(tx, job, job.block)
        if held is None:
            with self._runtime.transaction() as tx:
                staging.end_pass(tx, job)
            return None
        rows, _ = held
        if job.kind != ImportKind.LEADS:
            results = self.others.bring(job, rows, self._trace)
            with self._runtime.transaction() as tx:
                return staging.record(tx, job, results)
        prepared = self._prepared(job, rows)
        if job.state == State.PREVIEWING:
            seen = self._before.of(job)
            with self._runtime.reading() as tx:
                results = importing.preview(tx, job, prepared, seen)
            with self._runtime.transaction() as tx:
                return staging.record(tx, job, results)
        with self._runtime.transaction() as tx:
            results = self._each(tx, prepared, lambda some: importing.take_in(tx, job, some))
            return staging.record(tx, job, results)

    def _prepared(self, job: Job, rows: Sequence[Row]) -> list[Prepared]:
        reader = LeadRows(job.columns, self._zone)
        now = clock.now()
        return [(number, *reader.read(cells, now)) for number, cells in rows]

    def _each(
        self, tx: Transaction, rows: Sequence[Prepared], run: Callable[[Sequence[Prepared]], list[Result]]
    ) -> list[Result]:
        """All rows at once; where the database says no, by halves, so that one bad row never fails its neighbours."""
        try:
            with tx.apart():
                return run(rows)
        except Exception as problem:
            if is_unavailable(problem):
                raise
            if len(rows) > 1:
                middle = len(rows) // 2
                return [*self._each(tx, rows[:middle], run), *self._each(tx, rows[middle:], run)]
            log.exception("row failed", row=rows[0][0])
            return [importing.internal()]

    def _remember(self, job: Job, number: int, seen: Seen) -> None:
        with self._runtime.reading() as tx:
            held = staging.block(tx, job, number)
        if held is not None:
            importing.remember(self._prepared(job, held[0]), held[1], seen)

    # --- undoing ---

    def _undo(self, job: Job) -> Job | None:
        number = staging.last_block(job)
        with self._runtime.reading() as tx:
            held = staging.block(tx, job, number)
        if held is None:
            with self._runtime.transaction() as tx:
                staging.end_undoing(tx, job)
            return None
        before = [result.again() for result in held[1]]
        if job.kind != ImportKind.LEADS:
            results = self.back.take_back(job, number, before, self._trace)
            with self._runtime.transaction() as tx:
                return staging.record_undone(tx, job, before, results)
        held_by = self.back.hanging(job, before, self._trace)
        with self._runtime.transaction() as tx:
            return staging.record_undone(tx, job, before, undoing.take_back(tx, job, before, held_by))
