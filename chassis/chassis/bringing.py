"""Many records in one call: each with its own answer or error, all in one transaction; and the way back.

What a known record held before is told as an image of the fields that changed; with it the record can be made as it
was, as long as nobody worked on it since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from chassis import records
from chassis.errors import Invalid, Problem
from chassis.records import Kind, R
from chassis.transaction import Transaction
from dealwright.api.v1 import bringing_pb2

MOST = 1000
CREATED, SKIPPED = bringing_pb2.Brought.CREATED, bringing_pb2.Brought.SKIPPED
UPDATED, MERGED = bringing_pb2.Brought.UPDATED, bringing_pb2.Brought.MERGED
Q = TypeVar("Q")
T = TypeVar("T")


@dataclass(frozen=True)
class Brought(Generic[R]):
    """The record as it is, what was done, and for a known one what it was."""

    record: R
    outcome: int
    before: R | None = None


class _Back(Exception):
    """Nothing of it was meant."""


def tried(tx: Transaction, run: Callable[[], T]) -> T:
    """What `run` answers, and nothing of what it did."""
    answers: list[T] = []
    with suppress(_Back), tx.apart():
        answers.append(run())
        raise _Back
    return answers[0]


def each(tx: Transaction, requests: Sequence[Q], run: Callable[[Q], Any], validate_only: bool = False) -> list[Any]:
    """What `run` answers to each request, or the Problem that it raised; a no undoes its own part alone. With
    `validate_only` all of it is undone. Raises Invalid for none at all or too many."""
    if not 0 < len(requests) <= MOST:
        raise Invalid([("requests", f"must be 1 to {MOST}", f"须为 1 至 {MOST} 条")])

    def one(request: Q) -> Any:
        try:
            with tx.apart():
                return run(request)
        except Problem as problem:
            return problem

    def every() -> list[Any]:
        return [one(request) for request in requests]

    return tried(tx, every) if validate_only else every()


def message(tx: Transaction, resource: str, of: Brought[Any]) -> bringing_pb2.Brought:
    """What was done, without fields that the caller may not see."""
    hidden = tx.principal.grant(resource).hidden
    before = b"" if of.before is None else image(of.before, of.record, hidden)
    return bringing_pb2.Brought(outcome=of.outcome, before=before)  # type: ignore[arg-type]


_BESIDE = frozenset({"version", "update_time"})


def image(before: Any, after: Any, hidden: frozenset[str] = frozenset()) -> bytes:
    """The fields that changed, as they were."""
    changed = {
        field.name: was
        for field in fields(before)
        if (was := getattr(before, field.name)) != getattr(after, field.name)
        and field.name not in _BESIDE
        and field.name not in hidden
    }
    return json.dumps(changed, ensure_ascii=False, default=_moment).encode()


def _moment(value: Any) -> Any:
    return {"$moment": value.isoformat()} if isinstance(value, datetime) else dict(value)


def pictured(kind: Kind[Any], picture: bytes) -> Mapping[str, Any]:
    """The fields of an image. Raises Invalid for what is none."""
    try:
        plain = json.loads(picture)
        found = {
            name: datetime.fromisoformat(value["$moment"]) if isinstance(value, dict) and "$moment" in value else value
            for name, value in plain.items()
        }
    except (ValueError, AttributeError, TypeError):
        found = {"": None}
    if not found.keys() <= set(kind.names):
        raise Invalid([("records.before", "is no image of such a record", "不是该类记录的快照")])
    return found


def take_back(
    tx: Transaction,
    kind: Kind[R],
    taken: Sequence[bringing_pb2.TakenBack],
    worked_on: Callable[[Transaction, R], bool],
    restore: Callable[[Transaction, R, Mapping[str, Any]], object],
) -> list[str]:
    """Records that were made are gone for good, and those that were changed are as `restore` makes them; answers the
    names of those that somebody worked on since, which stay."""
    held = records.of_names(tx, kind, [one.name for one in taken], lock=True)
    kept: list[str] = []
    for one in taken:
        record = held.get(one.name)
        if record is None:
            continue
        if str(record.version) != one.etag or (not one.before and worked_on(tx, record)):
            kept.append(one.name)
        elif one.before:
            try:
                with tx.apart():
                    restore(tx, record, pictured(kind, one.before))
            except Problem:  # what it was is another's by now
                kept.append(one.name)
        else:
            tx.execute(sa.delete(kind.table).where(kind.table.c.name == one.name))
            tx.audit(f"{kind.word}.takenBack", one.name)
            kind.announce(tx, record, None)
    return kept
