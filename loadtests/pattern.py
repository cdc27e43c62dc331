"""From what the API wrote for one lead to the same for another: ids, the contact's own texts, times, the decision.

Ids and the contact's code have fixed lengths, so replacing them keeps a serialised message whole; what varies in
length (times, journal numbers) is set in the message before it is serialised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import audit
from chassis.database import to_micros
from dealwright.bus.v1.envelope_pb2 import Envelope
from loadtests.originals import Event, Original, Row

# Stand in a line for what every lead has of its own.
SEQ, BODY, HASH, REQUEST_HASH, RESPONSE = "\x01seq\x01", "\x01body\x01", "\x01hash\x01", "\x01asked\x01", "\x01said\x01"
_OWN = {
    ("journal", "seq"): SEQ,
    ("journal", "body"): BODY,
    ("journal", "hash"): HASH,
    ("replies", "request_hash"): REQUEST_HASH,
}


def shifted(message: Message, by: timedelta) -> None:
    """Moves every moment in a message, in place."""
    for part, value in message.ListFields():
        if part.message_type is None or part.message_type.GetOptions().map_entry:
            continue
        for one in value if part.is_repeated else [value]:
            if isinstance(one, Timestamp):
                one.FromDatetime(one.ToDatetime(UTC) + by)
            else:
                shifted(one, by)


def copy_text(value: Any) -> str:
    """One value in PostgreSQL's text format for COPY."""
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes | memoryview):
        return "\\\\x" + bytes(value).hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


class Cut:
    """One original's texts and events at one moment, ready for replacing. `olds` is what each lead brings its own of:
    the lead's id, its code, the owner's id, the events' ids, the rows' ids, in this order."""

    def __init__(self, original: Original, at: datetime) -> None:
        self.by = at - original.born
        self.original = original
        self.row_ids = [row.values["id"] for row in original.rows if "id" in row.values]
        self.event_ids = [event.envelope.id for event in original.events]
        self.olds = [original.lead, original.code, original.owner, *self.event_ids, *self.row_ids]
        self.olds_bytes = [old.encode() for old in self.olds]
        self.response: bytes | None = None
        self.texts: dict[tuple[str, str], tuple[str, list[int]]] = {}
        for row in original.rows:
            self._line(row)
        places = {row_id: place for place, row_id in enumerate(self.olds)}
        self._audits = [
            (row, places[row.values["id"]], *self._canonical(row)) for row in original.rows if row.table == "audit_log"
        ]
        self._checked = False
        self.events = [_EventCut(event, self.by, self._needed_bytes) for event in original.events]

    def _line(self, row: Row) -> None:
        text = "\t".join(self._value(row, column, value) for column, value in row.values.items()) + "\n"
        before, _ = self.texts.get((row.service, row.table), ("", []))
        text = before + text
        self.texts[row.service, row.table] = (text, [i for i, old in enumerate(self.olds) if old in text])

    def _value(self, row: Row, column: str, value: Any) -> str:
        if own := _OWN.get((row.table, column)):
            return own
        if row.table == "replies" and column == "response":
            method = descriptor_pool.Default().FindMethodByName(row.values["method"])
            answer = message_factory.GetMessageClass(method.output_type).FromString(bytes(value))
            shifted(answer, self.by)
            self.response = answer.SerializeToString()
            return RESPONSE
        if column == "decision" and value == self.original.decision:
            return SEQ
        if isinstance(value, datetime):
            return copy_text(value + self.by)
        if isinstance(value, dict) and value.get("decision") == self.original.decision:
            return copy_text({**value, "decision": SEQ}).replace(json.dumps(SEQ).replace("\\", "\\\\"), SEQ)
        return copy_text(value)

    def _canonical(self, row: Row) -> tuple[str, list[int]]:
        """A row as the audit's chain hashes it, with `olds` and SEQ in it."""
        values, detail = row.values, row.values["detail"]
        if detail is not None and detail.get("decision") == self.original.decision:
            detail = {**detail, "decision": SEQ}
        plain = [values["id"], to_micros(values["time"] + self.by), values["actor"], values["action"]]
        text = json.dumps(
            [*plain, values["subject"], detail], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).replace(json.dumps(SEQ), SEQ)
        return text, [i for i, old in enumerate(self.olds) if old in text]

    def audit_entries(self, seq: int, news: Sequence[str]) -> list[tuple[str, bytes]]:
        """What the audit's chain keeps of another lead's rows, by service. The first of each cut is laid beside the
        chain's own `audit.entry`."""
        entries = []
        for row, place, text, needed in self._audits:
            for i in needed:
                text = text.replace(self.olds[i], news[i])
            said = text.replace(SEQ, str(seq))
            kept = bytes.fromhex(news[place]) + hashlib.sha256(said.encode()).digest()
            if not self._checked:
                row_id, micros, actor, action, subject, detail = json.loads(said)
                at = datetime.fromtimestamp(micros / 1e6, UTC).replace(microsecond=micros % 1_000_000)
                if audit.entry(row_id, at, actor, action, subject, detail) != kept:
                    raise ValueError(f"the audit's chain hashes rows otherwise by now: {said}")
            entries.append((row.service, kept))
        self._checked = True
        return entries

    def _needed_bytes(self, data: bytes) -> list[int]:
        return [i for i, old in enumerate(self.olds_bytes) if old in data]

    def text(self, key: tuple[str, str], news: Sequence[str]) -> str:
        """The lines of one table with `news` in the places of `olds`; marks are left for the caller."""
        text, needed = self.texts[key]
        for i in needed:
            text = text.replace(self.olds[i], news[i])
        return text


@dataclass
class _EventCut:
    """An event at one moment. Those that carry the decision's number are serialised for every lead."""

    def __init__(self, event: Event, by: timedelta, needed: Any) -> None:
        self.service = event.service
        self.type = event.envelope.type
        self.carrier = event.carrier
        envelope = Envelope.FromString(event.envelope.SerializeToString())
        shifted(envelope, by)
        kind = descriptor_pool.Default().FindMessageTypeByName(self.type)
        message = message_factory.GetMessageClass(kind).FromString(envelope.data)
        shifted(message, by)
        envelope.data = message.SerializeToString()
        self._envelope, self._message = envelope, message
        self._decides = bool(getattr(message, "decision", 0))
        self._bytes = envelope.SerializeToString()
        self._needed: list[int] = needed(self._bytes)

    def of(self, seq: int, olds: Sequence[bytes], news: Sequence[bytes]) -> bytes:
        """The envelope for another lead, serialised."""
        data = self._bytes
        if self._decides:
            self._message.decision = seq  # type: ignore[attr-defined]
            self._envelope.data = self._message.SerializeToString()
            data = self._envelope.SerializeToString()
        for i in self._needed:
            data = data.replace(olds[i], news[i])
        return data
