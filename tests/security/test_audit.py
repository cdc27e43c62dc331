"""Every command of every service leaves a trace: what it changes has an audit row that names it.

Driven by the descriptors and the probes of the permission matrix: a new RPC is in here by being there. What each
command of `leads` writes to the letter stands in tests/leads/test_audit.py.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from chassis.rpc import MARK, Outside, Query
from chassis.transaction import Transaction
from dealwright.api.v1 import access_pb2
from dealwright.directory.v1 import directory_pb2 as directory
from tests.security.asking import PROBES
from tests.security.cells import session_of
from tests.security.house import House
from tests.security.matrix import ROLES, table

TABLE = table()
# What the chassis keeps for itself: the audit log is what is asked here, the rest tells of messages and calls.
_OWN = {"audit_log", "audit_pending", "audit_blocks", "outbox", "inbox", "failures", "replies", "alembic_version"}
# Copies of what others own and audit: a service keeps them for itself.
_COPIES = {"activities.records"}
# Commands that may change nothing, or nothing that the audit log should know of, each with its reason.
SILENT = {
    "directory.DirectoryService.GetSession": "when a session was last seen is no change that anybody made",
    "directory.DirectoryService.Heartbeat": "that he is still there is no change",
    "directory.DirectoryService.RequestPasswordReset": "counts the attempt; what goes out by mail: tests/directory",
    "rules.RuleService.SimulatePolicy": "what would be, and is not",
    "rules.RuleService.VerifyJournal": "reads, and may note how far it came",
    "reports.ReportService.CreateTasks": "asks activities, which tells of each task: tests/reports/test_pending.py",
    "reports.ExportService.ExportReport": "changes nothing; that it was taken along is noted: tests/reports",
    "gateway.GatewayService.GetBlueprint": "reads the parts of the services",
    "gateway.GatewayService.ApplyBlueprint": "each service tells of its own part",
}
# What an audit row may call what it is about, where no row of a table has that name.
SINGLETONS = {
    *("blueprint/leads", "blueprint/directory", "blueprint/rules", "blueprint/customers", "blueprint/pipelines"),
    *("blueprint/contracts", "blueprint/activities", "policies/assignment"),
}
# Rows that are named by a column of theirs: a session is an affair of its person.
NAMED_BY = {"sessions": "person"}
_RESOURCE = re.compile(r"[a-z]+/\S+")
_numbers = itertools.count(11)


@dataclass(frozen=True)
class Trace:
    """What one call did in its service's database. `keys` are the resource names of the rows that changed, `changed`
    the tables, `subjects` those of the new audit rows, `spoken` every text of the request, the answer and the rows."""

    changed: frozenset[str]
    keys: frozenset[str]
    subjects: frozenset[str]
    spoken: frozenset[str]


Tables = Mapping[str, Mapping[tuple[Any, ...], tuple[Any, ...]]]
"""Table to primary key to row."""


def _tables(house: House, service: str) -> Tables:
    runtime = house.runtimes[service]
    with runtime.reading() as tx:
        return {
            name: {
                tuple(row._mapping[column] for column in one.primary_key): tuple(map(repr, row))
                for row in tx.execute(sa.select(one))
            }
            for name, one in runtime.service.metadata.tables.items()
            if name not in _OWN and f"{service}.{name}" not in _COPIES
        }


def _subjects(house: House, service: str) -> list[str]:
    runtime = house.runtimes[service]
    log = runtime.service.tables.audit_log
    with runtime.reading() as tx:
        return [str(row[0]) for row in tx.execute(sa.select(log.c.subject).order_by(log.c.id))]


def texts(message: Message) -> Iterator[str]:
    """Every text in a message, however deep."""
    for field, value in message.ListFields():
        for one in value if isinstance(value, list) or hasattr(value, "append") else (value,):
            if field.type == FieldDescriptor.TYPE_STRING and isinstance(one, str):
                yield one
            elif isinstance(one, Message):
                yield from texts(one)


def trace(house: House, rpc: str) -> Trace | None:
    """What the call does for the first caller and row that may make it; None for one that nobody may."""
    line, probe, service = TABLE[rpc], PROBES[rpc], rpc.partition(".")[0]
    may = [(caller, n) for caller in ROLES for n, letter in enumerate(line.cells[caller]) if letter in "YOS"]
    if not may:
        return None
    caller, number = may[0]
    request: Any = probe.ask(house, caller, probe.rows[number])
    if rpc.endswith("ApplyPart"):
        _change(request.content)
    if rpc.endswith("SetPresence"):
        person = house.do("directory.DirectoryService.GetPerson", directory.GetPersonRequest(name=request.name))
        there = person.presence == directory.Person.ONLINE
        request.presence = directory.Person.AWAY if there else directory.Person.ONLINE
    token = house.tokens.sign(session_of(house, caller, probe))
    before, known = _tables(house, service), len(_subjects(house, service))
    answer = house.call(rpc, request, token)
    assert answer.code == "OK", f"{rpc}: {answer.code} {answer.text}"
    after = _tables(house, service)
    rows = [(name, key) for name in after for key in _differences(before[name], after[name])]
    named = [_name(house, service, name, key, before[name].get(key) or after[name][key]) for name, key in rows]
    values = {v for name, key in rows for row in (before[name].get(key), after[name].get(key)) for v in row or ()}
    return Trace(
        frozenset(name for name, _ in rows),
        frozenset(name for name in named if _RESOURCE.fullmatch(name)),
        frozenset(_subjects(house, service)[known:]),
        frozenset((*texts(request), *texts(answer.message), *(v.strip("'") for v in values))),
    )


def _name(house: House, service: str, name: str, key: tuple[Any, ...], row: tuple[str, ...]) -> str:
    """The resource that a row is: its key, where that is one name."""
    columns = house.runtimes[service].service.metadata.tables[name].c.keys()
    if name in NAMED_BY:
        return row[columns.index(NAMED_BY[name])].strip("'")
    return str(key[0]) if len(key) == 1 else ""


def _differences(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[Any]:
    return [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]


def _change(content: Any) -> None:
    """Something else than what is there, in each part of the blueprint."""
    number = next(_numbers)
    if "leads" in content:
        content["leads"]["pickLimitPerDay"] = number
    if "calendars" in content:
        content["calendars"]["company"]["displayName"] = f"公司 {number}"
    if "policies" in content:
        content["policies"]["assignment"]["clocks"]["responseMinutes"] = 200 + number
    if "automations" in content:
        content["automations"][0]["nameEn"] = f"The quote is asked for {number}"
    if "customers" in content:
        content["customers"]["tiers"]["B"] = f"employees >= {200 + number}"
    if "boards" in content:
        content["boards"]["team"]["displayName"] = f"Team {number}"
    if "pipelines" in content:
        content["pipelines"]["four-stage"]["displayName"] = f"四阶段 {number}"
    if "notices" in content:
        content["notices"]["mail"] = [] if len(content["notices"]["mail"]) else ["MENTIONED"]
    if "approverGroups" in content:
        content["approverGroups"]["legal"]["displayName"]["zh"] = f"法务 {number}"


def is_query(house: House, rpc: str) -> bool:
    service, owner, method = rpc.split(".")
    runtime = house.runtimes[service]
    (servicer,) = (one for one in runtime.service.servicers(runtime) if one.descriptor.name == owner)
    mark = getattr(getattr(servicer, method), MARK)
    if isinstance(mark, Outside):  # its handler opens what it needs by itself
        options = servicer.descriptor.methods_by_name[method].GetOptions()
        return bool(options.Extensions[access_pb2.access].verb == access_pb2.Access.READ)
    return isinstance(mark, Query)


def wrong(rpc: str, seen: Trace) -> list[str]:
    """What is missing in the audit log after this call."""
    found = [f"{rpc} changed {key}, and no audit row says so" for key in sorted(seen.keys - seen.subjects)]
    if seen.changed and not seen.subjects & (seen.spoken | SINGLETONS):
        found.append(f"{rpc} changed {sorted(seen.changed)}, and no audit row names what it is about")
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def either_house(request: pytest.FixtureRequest) -> House:
    made: House = request.getfixturevalue("house" if request.param == "sqlite" else "house_on_postgres")
    return made


@pytest.mark.parametrize("rpc", sorted(TABLE))
def test_P5_a_command_leaves_an_audit_row_that_names_what_it_changed_and_a_query_changes_nothing(
    rpc: str, either_house: House
) -> None:
    seen = trace(either_house, rpc)
    if seen is None:
        assert either_house.methods[rpc].GetOptions().Extensions[access_pb2.access].peer, "no session may"
    elif is_query(either_house, rpc):
        assert (seen.changed, seen.subjects) == (frozenset(), frozenset())
    elif rpc not in SILENT:
        assert seen.changed, "a command that changes nothing shows nothing here"
        assert wrong(rpc, seen) == []


@pytest.mark.parametrize("rpc", sorted(rpc for rpc in TABLE if rpc not in SILENT))
def test_P5_a_command_that_forgets_its_audit_row_is_noticed(
    rpc: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_query(house, rpc):
        return
    monkeypatch.setattr(Transaction, "audit", lambda *args, **more: None)
    seen = trace(house, rpc)
    assert seen is None or wrong(rpc, seen)


def test_P5_an_audit_row_about_something_else_does_not_do(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Transaction.audit

    def elsewhere(tx: Transaction, action: str, subject: str, *more: Any, **named: Any) -> None:
        real(tx, action, "leads/another", *more, **named)

    monkeypatch.setattr(Transaction, "audit", elsewhere)
    for rpc in ("leads.LeadService.ContactLead", "directory.DirectoryService.UpdatePerson"):
        seen = trace(house, rpc)
        assert seen is not None
        assert wrong(rpc, seen)
