"""Fills a copy of the databases with leads by COPY: every table that the API fills, decisions really decided.

The decisions are taken by `rules.domain` on the state of the journal that is there, chained behind its head; audit
rows are chained behind the last sealed one. Everything else is cut from what the API wrote for an original of the
same kind (`pattern`), in chunks of 256 leads that share their moments, as a batch does.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg

from chassis import audit, clock, ids
from chassis.transaction import EVENTS_PER_MESSAGE
from loadtests import contacts
from loadtests.driving import LoadFailed
from loadtests.originals import SERVICES, Original
from loadtests.pattern import BODY, HASH, REQUEST_HASH, RESPONSE, SEQ, Cut, copy_text
from rules.domain.assignment import decide_all
from rules.domain.chain import Record, seal
from rules.domain.codec import decode, encode
from rules.domain.entries import Decided, LeadFacts
from rules.domain.replay import fold_all
from rules.domain.snapshot import digest, snapshot
from rules.domain.state import initial_state, micros

CHUNK = 1000
_CHUNKS_A_COPY = 8
_SNAPSHOT_EVERY = 5000
_SNAPSHOT = ("seq", "hash", "state", "digest")
_DECIDED_AFTER = timedelta(milliseconds=20)


def _bytea(data: bytes) -> str:
    return "\\\\x" + data.hex()


def _field(envelope: bytes) -> bytes:
    """One element of EventBatch.events: field 1, length, bytes."""
    length, size = bytearray(), len(envelope)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return b"\x0a" + bytes(length) + envelope


class Loader:
    """`databases` are those to be filled; nobody else is connected to them. `originals` by kind."""

    def __init__(self, databases: Mapping[str, str], originals: Mapping[int, Original]) -> None:
        self._originals = originals
        self._connections = {name: psycopg.connect(databases[name]) for name in SERVICES}
        self._columns: dict[tuple[str, str], list[str]] = {}
        for original in originals.values():
            for row in original.rows:
                self._columns[row.service, row.table] = list(row.values)
            for event in original.events:
                self._columns[event.service, "outbox"] = list(event.carrier)
        self._buffers: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._facts: dict[int, LeadFacts] = {}
        self._steps: dict[int, str] = {}
        self._begin()

    def _begin(self) -> None:
        """The state that decides, the head of the journal, the ends of the audit chains."""
        records = self._connections["rules"].execute("select seq, body, hash from journal order by seq").fetchall()
        entries = [decode(bytes(body)) for _, body, _ in records]
        self._state = fold_all(initial_state(), entries)
        self._head = bytes(records[-1][2])
        by_seq = {row[0]: entry for row, entry in zip(records, entries, strict=True)}
        for kind, original in self._originals.items():
            decided = by_seq[original.decision]
            if not isinstance(decided, Decided):
                raise LoadFailed(f"entry {original.decision} is no decision")
            self._facts[kind], self._steps[kind] = decided.facts, decided.step
        self._blocks: dict[str, tuple[int, bytes]] = {}
        for service in {service for service, table in self._columns if table == "audit_log"}:
            row = (
                self._connections[service]
                .execute("select number, hash from audit_blocks order by number desc limit 1")
                .fetchone()
            )
            self._blocks[service] = (row[0], bytes(row[1])) if row else (0, audit.GENESIS)

    def load(self, first: int, rows: int, say: Callable[[str], None]) -> None:
        """Loads the contacts `first` to `first + rows - 1`, then moves what all leads share."""
        with ThreadPoolExecutor(len(SERVICES)) as copying:
            under_way: list[Future[None]] = []
            for number, start in enumerate(range(first, first + rows, CHUNK)):
                self._chunk(range(start, min(start + CHUNK, first + rows)))
                if number % _CHUNKS_A_COPY == _CHUNKS_A_COPY - 1:
                    under_way = self._flush(copying, under_way)
                if number % 200 == 199:
                    say(f"{start + CHUNK - first:,} leads loaded")
            for last in self._flush(copying, under_way):
                last.result()
        self._share()
        for connection in self._connections.values():
            connection.commit()

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    # --- one chunk ---

    def _chunk(self, numbers: Sequence[int]) -> None:
        at = clock.now()
        people = [contacts.contact(number) for number in numbers]
        names = ids.new_ids(len(people))
        decisions = self._decide(at, people, names)
        cuts: dict[int, Cut] = {}
        carried: dict[tuple[str, str], list[bytes]] = defaultdict(list)
        carriers: dict[tuple[str, str], tuple[dict[str, Any], timedelta]] = {}
        audited: dict[str, list[bytes]] = defaultdict(list)
        for contact, name in zip(people, names, strict=True):
            cut = cuts.get(contact.kind)
            if cut is None:
                cut = cuts[contact.kind] = Cut(self._originals[contact.kind], at)
            seq, decided, record = decisions[name]
            fresh = ids.new_ids(len(cut.olds) - 3)
            news = [name, contact.phone[3:], decided.owner, *fresh]
            news_bytes = [new.encode() for new in news]
            for key in cut.texts:
                text = cut.text(key, news).replace(SEQ, str(seq))
                if key[1] == "journal":
                    text = text.replace(BODY, _bytea(record.data)).replace(HASH, _bytea(record.hash))
                elif key[1] == "replies":
                    text = self._reply(text, cut, contact, news_bytes)
                self._buffers[key].append(text)
            for service, kept in cut.audit_entries(seq, news):
                audited[service].append(kept)
            for event in cut.events:
                key = (event.service, event.type)
                carried[key].append(_field(event.of(seq, cut.olds_bytes, news_bytes)))
                carriers.setdefault(key, (event.carrier, cut.by))
        for service, entries in audited.items():
            self._seal(service, entries, at)
        for (service, kind), envelopes in carried.items():
            for start in range(0, len(envelopes), EVENTS_PER_MESSAGE):
                some = envelopes[start : start + EVENTS_PER_MESSAGE]
                self._carry(service, some, *carriers[service, kind])

    def _decide(
        self, at: datetime, people: Sequence[contacts.Contact], names: Sequence[str]
    ) -> dict[str, tuple[int, Decided, Record]]:
        captured = micros(at)
        facts = [
            replace(self._facts[contact.kind], lead=name, captured_at=captured)
            for contact, name in zip(people, names, strict=True)
        ]
        first = self._state.seq + 1
        decisions, self._state = decide_all(self._state, facts, at + _DECIDED_AFTER)
        records = seal(self._head, first, [encode(decided) for decided in decisions])
        self._head = records[-1].hash
        kinds = dict(zip(names, (contact.kind for contact in people), strict=True))
        wrong = next((d for d in decisions if d.step != self._steps[kinds[d.facts.lead]] or not d.owner), None)
        if wrong is not None:
            raise LoadFailed(f"a loaded lead was decided otherwise than its original: {wrong}")
        if (first - 1) // _SNAPSHOT_EVERY != self._state.seq // _SNAPSHOT_EVERY:
            self._snapshot()
        return {d.facts.lead: (r.seq, d, r) for d, r in zip(decisions, records, strict=True)}

    def _reply(self, text: str, cut: Cut, contact: contacts.Contact, news: Sequence[bytes]) -> str:
        asked = contacts.request(contact).SerializeToString(deterministic=True)
        said = cut.response or b""
        for old, new in zip(cut.olds_bytes[:2], news[:2], strict=True):
            said = said.replace(old, new)
        text = text.replace(REQUEST_HASH, _bytea(hashlib.sha256(asked).digest()[:16]))
        return text.replace(RESPONSE, _bytea(said))

    def _seal(self, service: str, entries: list[bytes], at: datetime) -> None:
        """One block of the audit's chain for the chunk."""
        number, previous = self._blocks[service]
        body = b"".join(sorted(entries))
        number, previous = self._blocks[service] = (number + 1, audit.chained(previous, body))
        self._columns[service, "audit_blocks"] = ["number", "rows", "body", "hash", "sealed_at"]
        block = (number, len(entries), body, previous, at)
        self._buffers[service, "audit_blocks"].append("\t".join(map(copy_text, block)) + "\n")

    def _carry(self, service: str, envelopes: Sequence[bytes], carrier: Mapping[str, Any], by: timedelta) -> None:
        """One message on the bus, as the publisher leaves it."""
        own = {"id": ids.new_id(), "events": len(envelopes), "body": b"".join(envelopes)}
        values = {**carrier, **own}
        moved = {c: v + by if isinstance(v, datetime) else v for c, v in values.items()}
        self._buffers[service, "outbox"].append("\t".join(copy_text(v) for v in moved.values()) + "\n")

    # --- into the databases ---

    def _flush(self, copying: ThreadPoolExecutor, under_way: list[Future[None]]) -> list[Future[None]]:
        """Hands the buffers to one thread a database, after the last ones are done."""
        for last in under_way:
            last.result()
        by_service: dict[str, dict[str, str]] = defaultdict(dict)
        for (service, table), lines in self._buffers.items():
            by_service[service][table] = "".join(lines)
        self._buffers = defaultdict(list)
        return [copying.submit(self._copy, service, tables) for service, tables in by_service.items()]

    def _copy(self, service: str, texts: Mapping[str, str]) -> None:
        connection = self._connections[service]
        for table, text in texts.items():
            columns = ", ".join(f'"{c}"' for c in self._columns[service, table])
            with connection.cursor() as cursor, cursor.copy(f'copy "{table}" ({columns}) from stdin') as copy:
                copy.write(text)
        connection.commit()

    def _snapshot(self) -> None:
        self._columns["rules", "snapshots"] = list(_SNAPSHOT)
        self._buffers["rules", "snapshots"].append("\t".join(copy_text(v) for v in self._taken()) + "\n")

    def _taken(self) -> tuple[int, bytes, bytes, bytes]:
        """A snapshot of what was decided so far; without its digest the service would fold the whole journal anew."""
        data = snapshot(self._state)
        return self._state.seq, self._head, data, digest(self._head, data)

    def _share(self) -> None:
        rules = self._connections["rules"]
        rules.execute("update journal_head set seq = %s, hash = %s", (self._state.seq, self._head))
        rules.execute(
            f"insert into snapshots ({', '.join(_SNAPSHOT)}) values (%s, %s, %s, %s) on conflict do nothing",
            self._taken(),
        )
