"""What the rows of an import said before those that are looked at."""

from __future__ import annotations

from collections.abc import Callable

from leads.domain.imports import Job

Seen = dict[bytes, int]


class RowsBefore:
    """The keys of the rows before a block, each with the first row that brings it. `remember(job, number, seen)` adds a
    block that another process looked at."""

    def __init__(self, remember: Callable[[Job, int, Seen], None]) -> None:
        self._remember = remember
        self._of: tuple[str, int] = ("", 0)
        self._seen: Seen = {}

    def of(self, job: Job) -> Seen:
        if self._of != (job.name, job.version) or job.block == 0:
            self._of, self._seen = (job.name, job.version), {}
            for number in range(job.block):
                self._remember(job, number, self._seen)
        return self._seen
