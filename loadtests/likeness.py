"""Whether loaded leads are what the API would have made: every row and event of random ones, field by field."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from google.protobuf import descriptor_pool, json_format, message_factory
from psycopg.rows import dict_row

from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from loadtests import contacts
from loadtests.driving import drive
from loadtests.generator import Job
from loadtests.originals import SERVICES, Values

if TYPE_CHECKING:
    from loadtests.million import Fresh
    from loadtests.setting import House

_ID = re.compile(r"\b[0-9a-f]{12}7[0-9a-f]{19}\b")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
# Numbers that count: of the journal, of a turn within its epoch, of the audit's chain, of micros since 1970.
_COUNTS = frozenset({"decision", "seq", "seal", "position"})
Shape = Counter[str]
_ROWS_TO_OPEN = 12


def compare(house: House, fresh: Fresh, first: int, rows: int, sample: int) -> tuple[list[str], int]:
    """Captures `sample` more leads through the API and lays them beside as many random loaded ones. Returns the
    differences found, and how many were compared."""
    start = house.numbers(sample)
    outcome = drive(Job("batch", house.leads, house.token, start, sample, in_flight=1, batch=min(sample, 1000)))
    house.watcher.finished(outcome)
    house.watcher.settled(outcome.began)
    time.sleep(2)  # the audit's sealer
    loaded = [contacts.contact(n) for n in random.sample(range(first, first + rows), min(sample, rows))]
    theirs = _shapes(house, fresh, [contacts.contact(n) for n in range(start, start + sample)])
    ours = _shapes(house, fresh, loaded)
    made: dict[int, set[str]] = defaultdict(set)
    for contact, shape in theirs:
        made[contact.kind].add(_said(shape))
    differences = []
    for contact, shape in ours:
        if _said(shape) not in made[contact.kind]:
            differences.append(_difference(contact, shape, next(s for c, s in theirs if c.kind == contact.kind)))
    return differences, len(ours)


def _said(shape: Shape) -> str:
    return "\n".join(f"{count} x {line}" for line, count in sorted(shape.items()))


def _difference(contact: contacts.Contact, loaded: Shape, made: Shape) -> str:
    return (
        f"contact {contact.number}: only loaded {sorted((loaded - made).elements())}, "
        f"only made {sorted((made - loaded).elements())}"
    )


def _shapes(house: House, fresh: Fresh, people: Sequence[contacts.Contact]) -> list[tuple[contacts.Contact, Shape]]:
    """Everything that is stored about these contacts, with ids, moments and counts as words."""
    databases = house.cluster.databases
    by_phone = {f"+86{c.phone}": c for c in people}
    with psycopg.connect(databases["leads"], autocommit=True, row_factory=dict_row) as connection:
        rows = connection.execute(
            "select l.* from lead_keys k join leads l on l.name = k.lead where k.key = any(%s)",
            ([f"phone:{phone}" for phone in by_phone],),
        ).fetchall()
    lead_of = {by_phone[row["phone"]].number: row["name"].rsplit("/", 1)[-1] for row in rows}
    born = {row["name"].rsplit("/", 1)[-1]: row["receive_time"] for row in rows}
    who = {lead_of[c.number]: c for c in people if c.number in lead_of}
    shapes: dict[str, Shape] = {lead: Counter() for lead in who}
    for service, table, lead, values in _rows(databases, fresh, who):
        shapes[lead][f"{service}.{table} {_plain(values, who[lead], lead, born[lead])}"] += 1
    events: dict[str, str] = {}
    for service, lead, envelope in _events(databases, fresh, who):
        events[envelope.id] = lead
        shapes[lead][f"{service} event {_plain(_event(envelope), who[lead], lead, born[lead])}"] += 1
    for service in SERVICES:
        with psycopg.connect(databases[service], autocommit=True) as connection:
            for subscriber, event in connection.execute(
                "select subscriber, event_id from inbox where event_id = any(%s)", (list(events),)
            ).fetchall():
                shapes[events[event]][f"{service}.inbox {subscriber}"] += 1
    return [(c, shapes.get(lead_of.get(c.number, ""), Counter())) for c in people]


def _rows(
    databases: Mapping[str, str], fresh: Fresh, who: Mapping[str, contacts.Contact]
) -> Iterable[tuple[str, str, str, Values]]:
    asked = {c.request_id: lead for lead, c in who.items()}
    for (service, table), (column, holds) in fresh.finders.items():
        keys = {"name": {f"leads/{lead}": lead for lead in who}, "id": {lead: lead for lead in who}, "request": asked}
        wanted = keys[holds]
        with psycopg.connect(databases[service], autocommit=True, row_factory=dict_row) as connection:
            for values in connection.execute(
                f'select * from "{table}" where "{column}" = any(%s)', (list(wanted),)
            ).fetchall():
                yield service, table, wanted[values[column]], values


def _events(
    databases: Mapping[str, str], fresh: Fresh, who: Mapping[str, contacts.Contact]
) -> Iterable[tuple[str, str, Envelope]]:
    """Events about these leads. An event's outbox row was made after its lead, and soon: of each type, rows after a
    lead's id are opened one by one until it is there."""
    types = {(e.service, e.envelope.type) for original in fresh.originals.values() for e in original.events}
    for service in SERVICES:
        with psycopg.connect(databases[service], autocommit=True) as connection:
            for kind in sorted(kind for of, kind in types if of == service):
                found: set[str] = set()
                for lead in sorted(who):
                    after = lead
                    for _ in range(_ROWS_TO_OPEN):
                        if lead in found:
                            break
                        row = connection.execute(
                            "select id, body from outbox where type = %s and id > %s order by id limit 1", (kind, after)
                        ).fetchone()
                        if row is None:
                            break
                        after = row[0]
                        for envelope in EventBatch.FromString(bytes(row[1])).events:
                            subject = envelope.subject.rsplit("/", 1)[-1]
                            if subject in who and subject not in found:
                                found.add(subject)
                                yield service, subject, envelope


def _event(envelope: Envelope) -> Values:
    kind = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(envelope.type))
    outer: Values = json_format.MessageToDict(envelope)
    outer["data"] = json_format.MessageToDict(kind.FromString(envelope.data))
    return outer


def _plain(values: Values, contact: contacts.Contact, lead: str, born: datetime) -> str:
    """A row or an event as one line in which nothing is left that is this lead's alone."""
    opened = {column: _open(column, value, values, born) for column, value in values.items()}
    text = json.dumps(opened, ensure_ascii=False, sort_keys=True)
    text = text.replace(lead, "LEAD").replace(contact.phone[3:], "CODE")
    text = _MOMENT.sub(lambda m: _when(datetime.fromisoformat(m[0].replace("Z", "+00:00")), born), text)
    return _ID.sub("ID", text)


def _open(column: str, value: Any, values: Values, born: datetime) -> Any:
    if column in _COUNTS:
        return "COUNT" if value else value
    if isinstance(value, datetime):
        return _when(value, born)
    if isinstance(value, dict):
        return {k: _open(k, v, value, born) for k, v in value.items()}
    if isinstance(value, bytes | memoryview):
        return _bytes(column, bytes(value), values)
    return value


def _bytes(column: str, value: bytes, values: Values) -> Any:
    if column == "body" and "seq" in values:  # a journal entry: counts and moments are its numbers
        return [("NUMBER" if isinstance(v, int) and v > 1 else v) for v in json.loads(value)]
    if column == "response":
        method = descriptor_pool.Default().FindMethodByName(values["method"])
        return json_format.MessageToDict(message_factory.GetMessageClass(method.output_type).FromString(value))
    return f"{len(value)} bytes"


def _when(moment: datetime, born: datetime) -> str:
    """Soon after the capture, or so many minutes after it."""
    after = (moment - born).total_seconds()
    return "SOON" if -1 < after < 60 else f"AFTER {after / 60:.0f} MINUTES"
