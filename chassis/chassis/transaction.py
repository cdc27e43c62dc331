"""The unit of work: rows change and events go out together, or neither."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import audit, ids, telemetry
from chassis.access import ANONYMOUS, Principal
from chassis.database import Insert, insert_together, is_unavailable, to_micros
from chassis.tables import ChassisTables
from dealwright.bus.v1.envelope_pb2 import Envelope

T = TypeVar("T")
EVENTS_PER_MESSAGE = 256
_ATTEMPTS = 3
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Origin:
    """Why something happens: who did it, and which event or call it follows from."""

    actor: str = ""
    causation_id: str = ""
    depth: int = 0
    traceparent: str = ""
    # The events that led here, oldest first, "LeadCaptured 0190...".
    chain: tuple[str, ...] = ()

    @staticmethod
    def of(envelope: Envelope, service: str, traceparent: str = "") -> Origin:
        """The origin of what a subscriber does because of an event."""
        return Origin(
            f"services/{service}",
            envelope.id,
            envelope.depth + 1,
            traceparent or envelope.traceparent,
            (*envelope.chain, f"{envelope.type.rpartition('.')[2]} {envelope.id}"),
        )


@dataclass(frozen=True, slots=True)
class Cause:
    """An event that is handled."""

    envelope: Envelope

    @property
    def id(self) -> str:
        return self.envelope.id

    @property
    def actor(self) -> str:
        """Who caused it."""
        return self.envelope.actor

    @property
    def time(self) -> datetime:
        """When it happened."""
        return self.envelope.time.ToDatetime(UTC)

    @property
    def receive_time(self) -> datetime:
        """When we heard of it."""
        return self.envelope.receive_time.ToDatetime(UTC)


class Again(Exception):
    """What was taken for granted is not so: a request_id was answered before, a key is not free. Roll back and run
    once more, looking first."""


@dataclass(frozen=True)
class OutboxRow:
    id: str
    type: str
    events: int
    body: bytes


@dataclass
class Transaction:
    """What a handler works with. Nobody calls commit: `@command`, `@batch_command` and the bus do.

    `now` is the one moment at which all of it happens. `origins` tells, for events about a subject, what caused them
    (a batch has many causes); `origin` is the answer for the rest.
    """

    connection: sa.Connection
    tables: ChassisTables
    service: str
    now: datetime
    principal: Principal = ANONYMOUS
    origin: Origin = field(default_factory=Origin)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    # In a subscriber: of each of the events that the handler was called with, in their order.
    causes: Sequence[Cause] = ()
    # What a command's `fetch` brought from peers before the transaction opened.
    fetched: Any = None
    # Which try this is, from 0, for one that runs again where a row that waits for the end finds its key taken.
    attempt: int | None = None
    _events: dict[str, list[bytes]] = field(default_factory=dict)
    _audit: list[tuple[str, datetime, str, str, str, dict[str, Any] | None]] = field(default_factory=list)
    _after: list[Callable[[], None]] = field(default_factory=list)
    _inserts: list[Insert] = field(default_factory=list)
    _answers: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def hopeful(self) -> bool:
        """Whether what is rarely so may be taken for granted: it runs again, not hopeful any more, where that fails."""
        return self.attempt == 0

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name

    def once(self, key: Hashable, ask: Callable[[], T]) -> T:
        """What `ask` answers. A transaction for many questions about what stays as it is asks once for each key."""
        return ask()

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[*tuple[Any, ...]]:
        if self._inserts:  # the statement may read them
            self._insert(self._inserts)
            self._inserts.clear()
        return self.connection.execute(statement, parameters)

    def insert_at_end(self, table: sa.Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Inserts rows with the outbox, in one round trip, or before the next `execute`. Until then they are not there
        for `insert_rows` and `update_rows`."""
        self._inserts.append(Insert(table, columns, rows))

    def keep_answers(self, method: str, answers: Iterable[tuple[str, str, bytes, bytes]]) -> None:
        """Keeps answers (actor, request_id, hash of the request, response) for whoever repeats the request. The
        transaction fails if one is there already."""
        rows = sorted(answers)
        self._answers += [(method, i, actor, digest, response, self.now) for actor, i, digest, response in rows]

    def emit(self, event: Message, time: datetime | None = None, origin: Origin | None = None) -> str:
        """Announces an event when the transaction commits. `time` is when it happened (default: now). Returns its id.

        The subject is the event's first field: a resource name, or a resource with one.
        """
        subject = _subject(event)
        origin = origin or self.origins.get(subject) or self.origin
        envelope = Envelope(
            id=ids.new_id(),
            type=event.DESCRIPTOR.full_name,
            subject=subject,
            actor=origin.actor,
            causation_id=origin.causation_id,
            depth=origin.depth,
            traceparent=origin.traceparent,
            chain=origin.chain,
            data=event.SerializeToString(),
        )
        _stamp(envelope.receive_time, self.now)
        _stamp(envelope.time, time or self.now)
        self._events.setdefault(envelope.type, []).append(_as_batch_field(envelope.SerializeToString()))
        return envelope.id

    @property
    def announces(self) -> bool:
        """Whether anything was emitted so far."""
        return bool(self._events)

    def emit_all(self, events: Iterable[Message]) -> None:
        for event in events:
            self.emit(event)

    def audit(self, action: str, subject: str, detail: Mapping[str, Any] | None = None, actor: str = "") -> None:
        """Writes a row to the audit log with the change: `action` is a verb ("lead.captured"), `detail` plain data
        without personal data (names of changed fields, ids, states)."""
        if not actor:
            actor = (self.origins.get(subject) or self.origin).actor
        self._audit.append((ids.new_id(), self.now, actor, action, subject, dict(detail) if detail else None))

    def after_commit(self, action: Callable[[], None]) -> None:
        self._after.append(action)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A part that fails alone: where it raises, its rows, events and audit rows are undone and nothing else is."""
        if self._inserts:
            self._insert(self._inserts)
            self._inserts.clear()
        before = {kind: len(events) for kind, events in self._events.items()}
        buffers: tuple[list[Any], ...] = (self._audit, self._after, self._answers)
        lengths = [len(kept) for kept in buffers]
        savepoint = self.connection.begin_nested()
        try:
            yield
            if self._inserts:
                self._insert(self._inserts)
        except BaseException:
            if savepoint.is_active:
                savepoint.rollback()
            for kind, events in self._events.items():
                del events[before.get(kind, 0) :]
            for kept, length in zip(buffers, lengths, strict=True):
                del kept[length:]
            raise
        finally:
            self._inserts.clear()
        savepoint.commit()

    def flush(self) -> list[OutboxRow]:
        """Writes what waits for the end, the audit rows, the outbox and the answers; the owner of the transaction
        calls it last, before the commit. Raises Again for a key that is taken, where that was hoped not to be."""
        tables = self.tables
        rows = [
            OutboxRow(ids.new_id(), kind, len(chunk), b"".join(chunk))
            for kind, events in self._events.items()
            for chunk in _chunks(events)
        ]
        inserts = list(self._inserts)
        if self._audit:
            body = b"".join(audit.entry(*row) for row in self._audit)
            pending = [(self._audit[0][0], len(self._audit), body)]
            inserts += [
                Insert(tables.audit_log, ("id", "time", "actor", "action", "subject", "detail"), self._audit),
                Insert(tables.audit_pending, ("id", "rows", "body"), pending),
            ]
        announced = [(r.id, r.type, r.events, r.body, self.now) for r in rows]
        answered = ("method", "request_id", "actor", "request_hash", "response", "created_at")
        inserts += [
            Insert(tables.outbox, ("id", "type", "events", "body", "created_at"), announced),
            Insert(tables.replies, answered, self._answers),
        ]
        self._insert(inserts, last=True)
        return rows

    def _insert(self, inserts: Sequence[Insert], last: bool = False) -> None:
        try:
            insert_together(self.connection, inserts, last)
        except sa.exc.IntegrityError as problem:
            if self.attempt is not None and self.attempt < _ATTEMPTS:
                raise Again from problem
            raise

    def committed(self) -> None:
        """Runs what waits for the commit. It cannot undo that any more, so an error of it is logged and no answer."""
        for action in self._after:
            try:
                action()
            except Exception:
                log.exception("failed after the commit", service=self.service)


@contextmanager
def alone(service: str, part: str, name: str) -> Iterator[None]:
    """One of many that are done one after the other: that it fails is logged and counted, and no more. Raises what
    fails for all of them: the database is away, or there is no time left."""
    try:
        yield
    except Exception as problem:
        if is_unavailable(problem) or isinstance(problem, TimeoutError):
            raise
        telemetry.FAILED.labels(service, part).inc()
        log.exception("a part failed", service=service, part=part, name=name)


def _stamp(field: Timestamp, moment: datetime) -> None:
    """What `FromDatetime` does, at a third of its cost: it is called twice an event."""
    micros = to_micros(moment)
    field.seconds, field.nanos = micros // 1_000_000, micros % 1_000_000 * 1000


def _chunks(events: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    for start in range(0, len(events), EVENTS_PER_MESSAGE):
        yield events[start : start + EVENTS_PER_MESSAGE]


def _as_batch_field(envelope: bytes) -> bytes:
    """The bytes of `EventBatch.events` with this one event, so that batches join by concatenation."""
    length, size = bytearray(), len(envelope)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return b"\x0a" + bytes(length) + envelope


_subject_fields: dict[str, tuple[str, bool]] = {}


def _subject(event: Message) -> str:
    kind = event.DESCRIPTOR.full_name
    found = _subject_fields.get(kind)
    if found is None:
        first = event.DESCRIPTOR.fields[0]
        found = _subject_fields[kind] = (first.name, first.message_type is not None)
    value = getattr(event, found[0])
    return str(value.name if found[1] else value)
