"""What several services know of the same deal is the same: shares, parts of the work, timelines, copies of records."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import Any

import sqlalchemy as sa

from dealwright.activities.v1.activities_pb2 import TimelineEntry
from dealwright.contracts.v1 import events_pb2 as papers
from dealwright.opportunities.v1 import events_pb2 as deals
from tests.faults.check import events, rows
from tests.faults.deals import Answered
from tests.faults.tally import Tally, at, plain

_COLLABORATION = 2
_E = TimelineEntry
_KINDS = (_E.FOLLOW_UP, _E.ATTACHMENT, _E.STAGE, _E.APPROVAL, _E.CONTRACT, _E.INVOICE, _E.PAYMENT)


def check(tally: Tally, databases: dict[str, sa.Engine], answered: Answered) -> None:
    _shares(tally, databases, answered)
    _parts(tally, databases, answered)
    _timeline(tally, databases)
    _copies(tally, databases)


def _shares(tally: Tally, databases: dict[str, sa.Engine], answered: Answered) -> None:
    """Who may see a deal is the same everywhere, and what was answered."""
    now = time.time_ns() // 1000
    ours, theirs = (
        {(r[0], r[1]): at(r.end_time) for r in rows(databases[service], sql) if at(r.end_time) > now}
        for service, sql in (
            ("opportunities", "SELECT opportunity, person, end_time FROM shares"),
            ("activities", "SELECT record, person, end_time FROM shares"),
        )
    )
    tally.shares, tally.ended = len(answered.shares), sum(not shared for shared in answered.shares.values())
    for key in {*ours, *theirs, *answered.shares}:
        if ours.get(key) != theirs.get(key):
            tally.says("SHARE", f"of {key} until {ours.get(key)}, the copy says {theirs.get(key)}")
        if (key in ours) != answered.shares.get(key, False):
            tally.says("SHARE", f"of {key} was answered as {answered.shares.get(key)}, there is {ours.get(key)}")


def _parts(tally: Tally, databases: dict[str, sa.Engine], answered: Answered) -> None:
    """Every collaborator has one task for his part, and sees the deal in both places."""
    sql = "SELECT record, owner, part FROM tasks WHERE kind = {} AND delete_time IS NULL"
    tasks = Counter(tuple(r) for r in rows(databases["activities"], sql.format(_COLLABORATION)))
    tally.once("TASK", tasks, answered.parts)
    working = {(deal, person) for deal, person, _ in answered.parts}
    for service, name in (("opportunities", "opportunity"), ("activities", "record")):
        found = Counter(tuple(r) for r in rows(databases[service], f"SELECT {name}, person FROM collaborators"))
        tally.once("COLLABORATOR", found, working)


def _timeline(tally: Tally, databases: dict[str, sa.Engine]) -> None:
    """By key: what each event and each record of theirs makes, on its record, when it happened; and nothing else."""
    wanted: dict[str, tuple[str, int, str, int]] = {}
    kind: int
    for table, kind, moment in _OWN:
        for row in rows(databases["activities"], f"SELECT name, record, {moment} AS moment FROM {table}"):
            wanted[row.name.partition("/")[2]] = (row.record, kind, row.name, at(row.moment))
    for kind, on, message, of in _HEARD:
        for envelope, event in events(databases[on], message):
            if not getattr(event, "reason", "") or kind == _E.STAGE:
                record, source, end = of(event)
                happened = end.ToMicroseconds() if end is not None else envelope.time.ToMicroseconds()
                wanted[envelope.id] = (record, kind, source, happened)
    sql = f"SELECT * FROM timeline WHERE kind IN {_KINDS} ORDER BY happen_time, key"
    stored = rows(databases["activities"], sql)
    found = {r.key: (r.record, r.kind, r.source, at(r.happen_time)) for r in stored}
    tally.entries = len(found)
    for key in {*wanted, *found}:
        if wanted.get(key) != found.get(key):
            tally.says("TIMELINE", f"{key} is {found.get(key)}, should be {wanted.get(key)}")
    shown: dict[str, list[str]] = defaultdict(list)
    for row in stored:
        if row.kind == _E.STAGE and "from_stage" in (detail := plain(row.detail)):
            shown[row.record].append(detail["stage"])
    made: dict[str, list[str]] = defaultdict(list)
    for row in rows(databases["opportunities"], "SELECT opportunity, to_stage FROM stage_changes ORDER BY id"):
        made[row.opportunity].append(row.to_stage)
    for deal in {*shown, *made}:
        if shown[deal] != [stage for stage in made[deal] if stage != "first-visit"]:
            tally.says("TIMELINE", f"{deal} went {made[deal]}, its timeline shows {shown[deal]}")


_OWN = (("follow_ups", _E.FOLLOW_UP, "happen_time"), ("attachments", _E.ATTACHMENT, "create_time"))
_HEARD: tuple[tuple[int, str, Any, Any], ...] = (
    (_E.STAGE, "opportunities", deals.OpportunityOpened, lambda e: (e.opportunity, e.opportunity, None)),
    (_E.STAGE, "opportunities", deals.StageChanged, lambda e: (e.opportunity, e.opportunity, None)),
    (_E.APPROVAL, "contracts", papers.ApprovalRequested, lambda e: (e.approval.record, e.approval.name, None)),
    (
        _E.APPROVAL,
        "contracts",
        papers.ApprovalDecided,
        lambda e: (e.approval.record, e.approval.name, e.approval.end_time),
    ),
    (_E.CONTRACT, "contracts", papers.ContractSigned, lambda e: (e.contract.name, e.contract.name, None)),
    (_E.INVOICE, "contracts", papers.InvoiceIssued, lambda e: (e.invoice.contract, e.invoice.name, None)),
    (_E.PAYMENT, "contracts", papers.PaymentReceived, lambda e: (e.payment.contract, e.payment.name, None)),
    (_E.PAYMENT, "contracts", papers.PaymentRefunded, lambda e: (e.payment.contract, e.payment.name, None)),
)


def _copies(tally: Tally, databases: dict[str, sa.Engine]) -> None:
    """What others keep of a record is its newest state: version and owner, or how it stands."""
    for owner, of, service, copy in _COPIED:
        own, kept = (
            {r[0]: tuple(r)[1:] for r in rows(databases[on], sql)} for on, sql in ((owner, of), (service, copy))
        )
        tally.copies += len(kept)
        for name in {*own, *kept}:
            if own.get(name) != kept.get(name):
                tally.says("COPY", f"{name} is {own.get(name)}, {service} has {kept.get(name)}")


def _kept(table: str, more: str = "owner, team") -> str:
    return f"SELECT name, version, {more} FROM {table}"


def _of(sort: int) -> str:
    return f"SELECT name, version, person FROM related WHERE sort = {sort} AND NOT gone AND opportunity <> ''"


_PARTY = "SELECT name, version, owner, team FROM parties WHERE NOT deleted AND name LIKE '{}/%'"
_RECORD = "SELECT name, version, owner, team FROM records WHERE NOT deleted AND kind = '{}'"
_STATES = "CASE {} WHEN 1 THEN 'PENDING' WHEN 2 THEN 'APPROVED' WHEN 3 THEN 'REJECTED' WHEN 4 THEN 'RETURNED' END"
_SIGNED = ("customers", "SELECT contract, version, customer FROM signed_contracts")
# Whose, what it says, who has a copy, what that says.
_COPIED = (
    ("customers", _kept("customers"), "opportunities", _PARTY.format("customers")),
    ("customers", _kept("customers"), "contracts", _PARTY.format("customers")),
    ("customers", _kept("customers"), "activities", _RECORD.format("customers")),
    ("opportunities", _kept("opportunities"), "contracts", _PARTY.format("opportunities")),
    ("opportunities", _kept("opportunities"), "activities", _RECORD.format("opportunities")),
    ("contracts", _kept("quotes"), "activities", _RECORD.format("quotes")),
    ("contracts", _kept("contracts"), "activities", _RECORD.format("contracts")),
    ("contracts", _kept("quotes", "owner"), "opportunities", _of(3)),
    ("contracts", _kept("contracts", "owner"), "opportunities", _of(5)),
    (
        *("contracts", _kept("approvals", _STATES.format("status"))),
        *("opportunities", "SELECT name, version, state FROM related WHERE sort = 4 AND NOT gone"),
    ),
    ("activities", _kept("attachments", "owner") + " WHERE record LIKE 'opportunities/%'", "opportunities", _of(1)),
    ("activities", _kept("follow_ups", "owner") + " WHERE opportunity <> ''", "opportunities", _of(2)),
    ("activities", _kept("tasks", "owner") + f" WHERE kind = {_COLLABORATION}", "opportunities", _of(6)),
    ("contracts", "SELECT name, version, customer FROM contracts", *_SIGNED),
)
