"""What the API wrote for a lead, in every table of every database: the patterns that a million rows are cut from, and
what they are compared with.

Found by looking, not by a list: any row that holds the lead's id, its request id or the id of one of its events. A
table that a later release adds is found as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from loadtests.contacts import Contact
from loadtests.driving import LoadFailed

SERVICES = ("leads", "rules", "gateway")
# Rows of these change with every lead without naming one; the loader sees to each.
SHARED = frozenset(
    {
        ("rules", "journal_head"),
        ("rules", "snapshots"),
        *((service, table) for service in SERVICES for table in ("audit_blocks", "audit_pending")),
    }
)
Values = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row, by column."""

    service: str
    table: str
    values: Values


@dataclass(frozen=True)
class Event:
    """One event about the lead and the outbox row that carried it."""

    service: str
    envelope: Envelope
    carrier: Values


@dataclass
class Original:
    """A lead with everything about it. `lead` and `owner` are bare ids, `born` its receive_time."""

    contact: Contact
    lead: str
    owner: str = ""
    decision: int = 0
    born: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    rows: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def code(self) -> str:
        return self.contact.phone[3:]


def tables(database: psycopg.Connection[Any]) -> list[str]:
    """The tables of the public schema, migrations' own left out."""
    rows = database.execute(
        "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' "
        "and table_name <> 'alembic_version' order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def everything(databases: Mapping[str, str]) -> dict[tuple[str, str], list[Values]]:
    """Every row of every table: for databases that are almost empty."""
    found: dict[tuple[str, str], list[Values]] = {}
    for service in SERVICES:
        with psycopg.connect(databases[service], autocommit=True) as database:
            for table in tables(database):
                with database.cursor(row_factory=dict_row) as cursor:
                    found[service, table] = cursor.execute(f'select * from "{table}"').fetchall()
    return found


def holds(values: Values, text: str) -> bool:
    """Whether any column holds the text, bytes included."""
    encoded = text.encode()
    for value in values.values():
        if isinstance(value, bytes | memoryview):
            if encoded in bytes(value):
                return True
        elif isinstance(value, str):
            if text in value:
                return True
        elif isinstance(value, dict | list) and text in json.dumps(value, ensure_ascii=False):
            return True
    return False


def gather(
    before: Mapping[tuple[str, str], list[Values]],
    after: Mapping[tuple[str, str], list[Values]],
    leads: Mapping[str, Contact],
) -> list[Original]:
    """Sorts what came between two looks by lead. Raises LoadFailed for a row that belongs to none or to two, and for
    a table that changed in a way nobody knows."""
    originals = {lead: Original(contact, lead) for lead, contact in leads.items()}
    owner_of_event: dict[str, Original] = {}
    announced: set[str] = set()
    for (service, table), rows in after.items():
        if table == "outbox":
            for carrier in rows:
                for envelope in EventBatch.FromString(bytes(carrier["body"])).events:
                    announced.add(envelope.id)
                    mine = originals.get(envelope.subject.rsplit("/", 1)[-1])
                    if mine is not None:
                        mine.events.append(Event(service, envelope, carrier))
                        owner_of_event[envelope.id] = mine
    for (service, table), rows in after.items():
        if table == "outbox":
            continue
        known = {_key(row) for row in before.get((service, table), [])}
        for values in rows:
            if _key(values) in known:
                continue
            if table == "inbox" and values["event_id"] not in announced:
                continue  # told by a service that is not loaded: reports say now and then that figures have changed
            mine_all = [o for o in originals.values() if holds(values, o.lead) or holds(values, o.contact.request_id)]
            if table == "inbox" and values["event_id"] in owner_of_event:
                mine_all = [owner_of_event[values["event_id"]]]
            if len(mine_all) == 1 and (service, table) not in SHARED:
                mine_all[0].rows.append(Row(service, table, values))
            elif (service, table) not in SHARED:
                raise LoadFailed(f"{service}.{table} changes with a lead in a way the loader does not know: {values}")
    for original in originals.values():
        _complete(original)
    return list(originals.values())


def _key(values: Values) -> str:
    return repr(sorted(values.items(), key=lambda item: item[0]))


def _complete(original: Original) -> None:
    lead = next((r.values for r in original.rows if r.table == "leads"), None)
    journal = next((r.values for r in original.rows if r.table == "journal"), None)
    if lead is None or journal is None or not lead["owner"]:
        raise LoadFailed(f"an original is not recorded and decided: {original.contact}")
    original.owner = lead["owner"].rsplit("/", 1)[-1]
    original.born = lead["receive_time"]
    original.decision = journal["seq"]


def finders(originals: Sequence[Original]) -> dict[tuple[str, str], tuple[str, str]]:
    """For each table, the column by which a lead's rows are found, and what it holds: "name" (leads/...), "id" (bare),
    "request" (the request id). `inbox` is found by event ids and is left out."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for original in originals:
        wanted = {f"leads/{original.lead}": "name", original.lead: "id", original.contact.request_id: "request"}
        for row in original.rows:
            column = next((c for c, v in row.values.items() if isinstance(v, str) and v in wanted), None)
            if column is not None:
                found[row.service, row.table] = (column, wanted[row.values[column]])
            elif row.table != "inbox":
                raise LoadFailed(f"{row.service}.{row.table} has no column that names the lead: {row.values}")
    return found


def kinds(originals: Iterable[Original]) -> dict[int, Original]:
    """By the kind of their contact."""
    return {original.contact.kind: original for original in originals}
