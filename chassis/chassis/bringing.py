"""Many records in one call: each with its own answer or error, all in one transaction; and the way back.

What a known record held before is told as an image of the fields that changed; with it the record can be made as it
was, as long as nobody worked on it since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis import belongings, records
from chassis.belongings import Place
from chassis.differing import differences
from chassis.errors import Invalid, Problem
from chassis.records import Kind, R
from chassis.transaction import Transaction
from dealwright.api.v1 import bringing_pb2

MOST = 1000
CREATED, SKIPPED = bringing_pb2.Brought.CREATED, bringing_pb2.Brought.SKIPPED
UPDATED, MERGED = bringing_pb2.Brought.UPDATED, bringing_pb2.Brought.MERGED
TOUCHED = bringing_pb2.Brought.TOUCHED
Q = TypeVar("Q")
T = TypeVar("T")


@dataclass(frozen=True)
class Brought(Generic[R]):
    """The record as it is, what was done, and for a known one what it was, if it was changed, and the values that were
    said of it."""

    record: R
    outcome: bringing_pb2.Brought.Outcome.ValueType
    before: R | None = None
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Way(Generic[R]):
    """How records of one kind are brought and taken back. `plain` is the record as people see it; `restore(tx, record,
    fields)` makes one as it was and answers it; `again` and `back` are the service's RecordBroughtAgain and
    RecordTakenBack; `places` are where it keeps what hangs on one; `derived` fields change though nobody worked, and
    `alike(tx, record)` are what it may have been before something moved it by itself."""

    kind: Kind[R]
    plain: Callable[[R], Message]
    restore: Callable[[Transaction, R, Mapping[str, Any]], R]
    again: Callable[..., Message] | None = None
    back: Callable[..., Message] | None = None
    places: Sequence[Place] = ()
    derived: frozenset[str] = frozenset()
    alike: Callable[[Transaction, R], Sequence[R]] = lambda tx, record: ()

    def otherwise(self, was: R, said: Mapping[str, Any], unsaid: bool = False) -> list[bringing_pb2.Difference]:
        """What was said of a record that it does not hold."""
        if not said:
            return []
        return differences(self.plain(was), self.plain(records.altered(was, **said)), unsaid)


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


def message(tx: Transaction, way: Way[R], of: Brought[R]) -> bringing_pb2.Brought:
    """What was done, without fields that the caller may not see."""
    hidden = tx.principal.grant(way.kind.resource).hidden
    was = of.record if of.before is None else of.before
    return bringing_pb2.Brought(
        outcome=of.outcome,
        before=b"" if of.before is None else image(of.before, of.record, hidden),
        left=_version(of.record) if hidden else _seal(way, of.record),
        differences=[one for one in way.otherwise(was, of.said) if one.field.partition(".")[0] not in hidden],
    )


def tell(tx: Transaction, way: Way[R], of: Brought[R], source: str) -> Brought[R]:
    """Announces what a merge did not take, an update replaced or a touch said, for the record's timeline."""
    if way.again is not None and of.outcome in (UPDATED, MERGED, TOUCHED):
        was = of.before if of.outcome == UPDATED and of.before is not None else of.record
        told = way.otherwise(was, of.said, unsaid=of.outcome == TOUCHED)
        if told or of.outcome == TOUCHED:
            tx.emit(way.again(record=of.record.name, source=source, outcome=of.outcome, differences=told))
    return of


_BESIDE = frozenset({"version", "update_time"})


def _version(record: Any) -> str:
    return f"v{record.version}"


def _seal(way: Way[R], record: R) -> str:
    """Stands for what a record holds: the same whenever it holds the same."""
    left_out = _BESIDE | way.derived
    held = {name: getattr(record, name) for name in way.kind.names if name not in left_out}
    plain = json.dumps(held, ensure_ascii=False, sort_keys=True, default=_moment)
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


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


def _untouched(tx: Transaction, way: Way[R], record: R, left: str) -> bool:
    if left in (_version(record), _seal(way, record)):
        return True
    return any(left == _seal(way, one) for one in way.alike(tx, record))


def take_back(tx: Transaction, way: Way[R], taken: Sequence[bringing_pb2.TakenBack], source: str) -> list[str]:
    """Records that were made are gone for good, and those that were changed are as they were; answers the names of
    those that somebody worked on since, or on which something hangs, which stay."""
    kind = way.kind
    held = records.of_names(tx, kind, [one.name for one in taken], lock=True)
    hanging = belongings.found(tx, way.places, [one.name for one in taken if not one.before])
    kept: list[str] = []
    for one in taken:
        record = held.get(one.name)
        if record is None:
            continue
        fields = pictured(kind, one.before) if one.before else {}
        if one.before and not fields:  # it stayed as it was
            pass
        elif one.name in hanging or not _untouched(tx, way, record, one.left):
            kept.append(one.name)
        elif one.before:
            try:
                with tx.apart():
                    held[one.name] = way.restore(tx, record, fields)
            except Problem:  # what it was is another's by now
                kept.append(one.name)
        else:
            tx.execute(sa.delete(kind.table).where(kind.table.c.name == one.name))
            tx.audit(f"{kind.word}.takenBack", one.name)
            kind.announce(tx, record, None)
            del held[one.name]
    if way.back is not None:
        told = {one.name for one in taken if one.before or one.name not in held}
        for name in sorted(told):
            tx.emit(way.back(record=name, source=source, gone=name not in held))
    return kept
