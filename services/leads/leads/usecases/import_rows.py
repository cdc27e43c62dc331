"""The rows of an import with what became of them, for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chassis import records
from chassis.errors import Invalid
from chassis.transaction import Transaction
from leads.domain.imports import Job, Outcome, Result, Verdict
from leads.storage import imports as stored
from leads.usecases.imports import KIND, expired
from leads.wire.imports import RefusedFile

_TOKEN = re.compile(r"(\d{1,6})\.(\d{1,6})", re.ASCII)
_MOST, _USUAL = 1000, 100
Found = tuple[int, Sequence[str], Result]


def page(tx: Transaction, name: str, size: int, token: str, wanted: tuple[str, int]) -> tuple[list[Found], str]:
    """Rows in the order of the file, and the next page's token. Raises NotFound, EXPIRED, Invalid."""
    job = records.find(tx, KIND, name)
    expired(tx, job)
    place = _TOKEN.fullmatch(token) if token else None
    if token and place is None:
        raise Invalid([("page_token", "is none of this list's", "不是该列表的分页令牌")])
    if size < 0:
        raise Invalid([("page_size", "must not be below 0", "不能为负数")])
    number, start = (int(place[1]), int(place[2])) if place else (0, 0)
    size = min(size or _USUAL, _MOST)
    found: list[Found] = []
    while (held := stored.block(tx, job.name, number)) is not None:
        rows, results = held
        for index in range(start, len(rows)):
            result = results[index] if results else Result()
            if wanted[0] and getattr(result, wanted[0]) != wanted[1]:
                continue
            if len(found) == size:
                return found, f"{number}.{index}"
            found.append((*rows[index], result))
        number, start = number + 1, 0
    return found, ""


def refused(tx: Transaction, name: str) -> tuple[str, bytes]:
    """Name and content of the file of refused rows. Raises NotFound, EXPIRED."""
    job = records.find(tx, KIND, name)
    expired(tx, job)
    file = RefusedFile([column["header"] for column in job.columns])
    for number, cells, result in _refused_rows(tx, job):
        if not file.add(number, cells, result):
            break
    stem = job.file_name.rsplit(".", 1)[0] or "import"
    return f"{stem}-refused.csv", file.content()


def _refused_rows(tx: Transaction, job: Job) -> Iterator[Found]:
    number = 0
    while (held := stored.block(tx, job.name, number)) is not None:
        rows, results = held
        for (row, cells), result in zip(rows, results, strict=False):
            if result.outcome == Outcome.REFUSED or result.verdict == Verdict.ERROR:
                yield row, cells, result
        number += 1
