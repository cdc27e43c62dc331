"""Many sets of records like some that the API made: every row and event that tells of them, in every table of every
service, once more under other ids, at an earlier moment, for another owner.

Nothing here knows a table: whatever was written since a set was begun and holds an id that was made since is its own.
The audit's entries are handed to its sealer, which chains them as it chains everybody's.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message
from psycopg.rows import dict_row

from chassis import audit, ids
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from loadtests.driving import LoadFailed
from loadtests.originals import Values, tables
from loadtests.pattern import copy_text, shifted

ID = re.compile(r"[0-9a-f]{12}7[0-9a-f]{19}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
# Of the audit's chain: their rows hold many sets' entries, and the sealer writes them.
_SEALER = ("audit_pending", "audit_blocks")
_DERIVED, _USAGE = "reports", "dealwright.gateway.v1.UsageCounted"
_MOMENTS_A_COPY = 20
_DAY_MICROS = 86_400_000_000


@dataclass(frozen=True)
class Original:
    """One set: its rows by (service, table). `made` are the ids that were made for it, `born` is when the first was
    made; `owner` is the bare id of whose it is, `texts` are words that no two sets share."""

    rows: Mapping[tuple[str, str], Sequence[Values]]
    made: Sequence[str]
    born: float
    owner: str
    texts: Sequence[str]


class Looking:
    """What is written from now on, in all databases (name to DSN). What reports make of it, and tell because of it, is
    no part of it: there is as much of that as there were moments at which it was summed. Nor is what gateways tell of
    how they are used."""

    def __init__(self, databases: Mapping[str, str]) -> None:
        self._databases = databases
        self._began = time.time()
        self._first = {name: _transaction(dsn) for name, dsn in databases.items()}

    def found(self, owner: str, texts: Sequence[str]) -> Original:
        """The rows that hold an id made meanwhile. Everything must have settled."""
        written: list[tuple[tuple[str, str], Values, set[str]]] = []
        aside: set[str] = set()
        for service, dsn in self._databases.items():
            with psycopg.connect(dsn, autocommit=True) as on, on.cursor(row_factory=dict_row) as rows_of:
                for table in set(tables(on)) - set(_SEALER):
                    query = f'select * from "{table}" where xmin::text::bigint >= %s'
                    since: tuple[Any, ...] = self._first[service]
                    if (service, table) == (_DERIVED, "outbox"):
                        # A transaction that began to sum before may have told of it since.
                        query, since = f'select * from "{table}" where id >= %s', (ids.first_id_at(self._began),)
                    found = rows_of.execute(query, since).fetchall()
                    for row in found:
                        if service == _DERIVED or row.get("type") == _USAGE:
                            aside |= self._ids(row) if table == "outbox" else set()
                        else:
                            written.append(((service, table), row, self._ids(row)))
        written = [(key, row, held - aside) for key, row, held in written]
        rows: dict[tuple[str, str], list[Values]] = defaultdict(list)
        for key, row, held in written:
            if held:
                rows[key].append(row)
        made = sorted(set().union(*(held for _, _, held in written)))
        if not made:
            raise LoadFailed("nothing was made")
        return Original(rows, made, ids.made_at(made[0]), owner, texts)

    def _ids(self, row: Values) -> set[str]:
        held = {one for value in row.values() for one in ID.findall(_text(value))}
        return {one for one in held if self._began - 0.01 <= ids.made_at(one) <= time.time()}


def _transaction(dsn: str) -> tuple[int]:
    with psycopg.connect(dsn, autocommit=True) as on:
        row = on.execute("select pg_current_xact_id()::text::bigint").fetchone()
    assert row is not None
    return (int(row[0]),)


def _text(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def moved(value: Any, by: timedelta, born: float) -> Any:
    """A value with its moments moved, however they are spelt: as moments, in text, as microseconds in plain data."""
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, dict):
        return {key: moved(one, by, born) for key, one in value.items()}
    if isinstance(value, list):
        return [moved(one, by, born) for one in value]
    if isinstance(value, str):
        return MOMENT.sub(lambda found: (datetime.fromisoformat(found[0]) + by).isoformat(), value)
    if isinstance(value, int) and abs(value - born * 1e6) < _DAY_MICROS:
        return value + by // timedelta(microseconds=1)
    return value


def _message(body: bytes, by: timedelta) -> bytes:
    """What was sent on the bus, with its moments moved."""
    batch = EventBatch.FromString(body)
    for envelope in batch.events:
        event = opened(envelope)
        for one in (envelope, event):
            shifted(one, by)
        envelope.data = event.SerializeToString()
    return batch.SerializeToString()


def opened(envelope: Envelope) -> Message:
    """The event in an envelope."""
    kind = descriptor_pool.Default().FindMessageTypeByName(envelope.type)
    return message_factory.GetMessageClass(kind).FromString(envelope.data)


@dataclass(frozen=True)
class Lines:
    """The rows of one table, ready for COPY but for the replacing: `plain` and `hexed` are the places, among the words,
    of those that occur as they are and in hex."""

    text: str
    plain: Sequence[int]
    hexed: Sequence[int]


class Cut:
    """A set at one moment."""

    def __init__(self, original: Original, by: timedelta) -> None:
        self.by = by
        self.made = [f"{int(one[:12], 16) + by // timedelta(milliseconds=1):012x}" for one in original.made]
        self.words = [*original.made, original.owner, *original.texts]
        self.hexed = [_hex(word) for word in self.words]
        self.lines: dict[tuple[str, str], Lines] = {}
        self.audited: dict[str, list[Values]] = defaultdict(list)
        for (service, table), rows in original.rows.items():
            lines = []
            for row in rows:
                values = {c: moved(v, by, original.born) for c, v in row.items()}
                if table == "outbox":
                    values["body"] = _message(bytes(row["body"]), by)
                if table == "audit_log":
                    self.audited[service].append(values)
                lines.append("\t".join(copy_text(value) for value in values.values()) + "\n")
            text = "".join(lines)
            self.lines[service, table] = Lines(
                text,
                [place for place, word in enumerate(self.words) if word in text],
                [place for place, word in enumerate(self.hexed) if word in text],
            )

    def another(self, owner: str, texts: Sequence[str]) -> list[str]:
        """The words of another set: new ids of the same moments."""
        fresh = [at + one[12:] for at, one in zip(self.made, ids.new_ids(len(self.made)), strict=True)]
        return [*fresh, owner, *texts]

    def table(self, key: tuple[str, str], words: Sequence[str], hexed: Sequence[str]) -> str:
        lines = self.lines[key]
        text = lines.text
        for place in lines.plain:
            text = text.replace(self.words[place], words[place])
        for place in lines.hexed:
            text = text.replace(self.hexed[place], hexed[place])
        return text

    def entries(self, service: str, words: Sequence[str]) -> list[tuple[str, bytes]]:
        """What the audit's chain keeps of its rows, each with the row's id."""
        kept = []
        for row in self.audited[service]:
            said = json.dumps(
                [row["id"], row["actor"], row["action"], row["subject"], row["detail"]], ensure_ascii=False
            )
            for old, new in zip(self.words, words, strict=True):
                said = said.replace(old, new)
            row_id, actor, action, subject, detail = json.loads(said)
            kept.append((row_id, audit.entry(row_id, row["time"], actor, action, subject, detail)))
        return kept


def _hex(word: str) -> str:
    return word.encode().hex()


@dataclass
class Copies:
    """Copies sets into the databases (name to DSN, as a superuser). `another(original, by, turn)` gives the owner and
    the texts of the `turn`th set that is cut from an original at one moment, `by` before its own."""

    databases: Mapping[str, str]
    originals: Sequence[Original]
    another: Callable[[Original, timedelta, int], tuple[str, Sequence[str]]]
    turns: int
    # The words of the sets that were made, by their original's place: what a sample is drawn from.
    made: list[tuple[int, timedelta, list[str]]] = field(default_factory=list)

    def load(self, moments: Iterable[timedelta]) -> int:
        """One set for every turn of every original at each of these moments before its own; the rows written."""
        columns = {key: list(rows[0]) for one in self.originals for key, rows in one.rows.items()}
        buffers: dict[tuple[str, str], list[str]] = defaultdict(list)
        entries: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        written = 0
        with ThreadPoolExecutor(len(self.databases)) as copying:
            under_way: list[Future[int]] = []
            for number, by in enumerate(moments):
                for place, original in enumerate(self.originals):
                    cut = Cut(original, -by)
                    for turn in range(self.turns):
                        words = cut.another(*self.another(original, by, turn))
                        hexed = [_hex(word) for word in words]
                        for key in cut.lines:
                            buffers[key].append(cut.table(key, words, hexed))
                        for service in cut.audited:
                            entries[service] += cut.entries(service, words)
                        self.made.append((place, by, words))
                if number % _MOMENTS_A_COPY == _MOMENTS_A_COPY - 1:
                    written += sum(one.result() for one in under_way)
                    under_way = self._flush(copying, columns, buffers, entries)
            written += sum(one.result() for one in [*under_way, *self._flush(copying, columns, buffers, entries)])
        return written

    def _flush(
        self,
        copying: ThreadPoolExecutor,
        columns: Mapping[tuple[str, str], list[str]],
        buffers: dict[tuple[str, str], list[str]],
        entries: dict[str, list[tuple[str, bytes]]],
    ) -> list[Future[int]]:
        by_service: dict[str, list[tuple[str, list[str], str]]] = defaultdict(list)
        for (service, table), lines in buffers.items():
            by_service[service].append((table, columns[service, table], "".join(lines)))
        for service, kept in entries.items():
            body = b"".join(entry for _, entry in sorted(kept))
            row = (min(kept)[0], len(kept), body)
            by_service[service].append(("audit_pending", ["id", "rows", "body"], "\t".join(map(copy_text, row)) + "\n"))
        buffers.clear()
        entries.clear()
        return [copying.submit(_copy, self.databases[service], found) for service, found in by_service.items()]

    def settle(self) -> None:
        """Waits until the audit's entries are sealed; PostgreSQL knows the tables' sizes then."""
        for dsn in self.databases.values():
            with psycopg.connect(dsn, autocommit=True) as on:
                until = time.monotonic() + 60
                while on.execute("select 1 from audit_pending limit 1").fetchone():
                    if time.monotonic() > until:
                        raise LoadFailed("the audit's entries are not sealed")
                    time.sleep(0.2)
                on.execute("vacuum (analyze)")


def _copy(dsn: str, found: Sequence[tuple[str, list[str], str]]) -> int:
    written = 0
    with psycopg.connect(dsn) as on:
        on.execute("set session_replication_role = replica")  # rows come by table, not in the order of their keys
        for table, columns, text in found:
            named = ", ".join(f'"{column}"' for column in columns)
            with on.cursor() as cursor, cursor.copy(f'copy "{table}" ({named}) from stdin') as copy:
                copy.write(text)
            written += text.count("\n")
    return written
