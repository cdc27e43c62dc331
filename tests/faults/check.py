"""What must hold after any fault, read from the databases. Shares no code with what it judges, but for the layout of
tables and messages (and, for decisions, beside an independent reading, the product's own verification)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from dealwright.leads.v1 import events_pb2
from tests.faults.chaos import POISON_ID
from tests.faults.load import Acknowledged
from tests.rules.checker import check as check_journal
from tests.rules.checker import read

_ASSIGNED, _CONTACTED = 3, 4


@dataclass
class Verdict:
    """`wrong`: every violation. The rest is measured."""

    wrong: list[str] = field(default_factory=list)
    leads: int = 0
    decisions: int = 0
    poison: int = 0
    epochs: int = 0
    worst_in_epoch: float = 0.0
    worst_credit: float = 0.0
    overshoot: int = 0
    refused: int = 0


def engine(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def rows(on: sa.Engine, sql: str) -> list[Any]:
    with on.connect() as connection:
        return list(connection.execute(sa.text(sql)).all())


def unsettled(databases: dict[str, sa.Engine]) -> list[str]:
    """What is still under way: unpublished rows, events waiting for another try, undecided leads."""
    found = []
    for service, on in databases.items():
        for row in rows(on, "SELECT type FROM outbox WHERE published_at IS NULL LIMIT 1"):
            found.append(f"{service} has not published {row.type}")
        for row in rows(on, "SELECT subscriber, reason FROM failures WHERE next_attempt_at IS NOT NULL LIMIT 1"):
            found.append(f"{row.subscriber} tries again: {row.reason}")
    for row in rows(databases["leads"], "SELECT name FROM leads WHERE status = 1 LIMIT 1"):
        found.append(f"{row.name} is undecided")
    return found


def events(on: sa.Engine, kind: type[Any]) -> list[tuple[Envelope, Any]]:
    """Every event of a type that a service ever announced, from its outbox."""
    found = []
    with on.connect() as connection:
        query = sa.text("SELECT body FROM outbox WHERE type = :type ORDER BY id")
        for (body,) in connection.execute(query, {"type": kind.DESCRIPTOR.full_name}):
            found += [(e, kind.FromString(e.data)) for e in EventBatch.FromString(bytes(body)).events]
    return found


def check(databases: dict[str, sa.Engine], acknowledged: Acknowledged) -> Verdict:
    verdict = Verdict(wrong=list(acknowledged.wrong))
    leads = {r.name: r for r in rows(databases["leads"], "SELECT name, phone, owner, owner_version, status FROM leads")}
    verdict.leads = len(leads)
    _nothing_lost(verdict, leads, acknowledged)
    owners = _one_owner_at_any_instant(verdict, databases["leads"], leads)
    _journal(verdict, databases["rules"], leads, owners)
    _inbox(verdict, databases)
    _poison(verdict, databases)
    return verdict


def _nothing_lost(verdict: Verdict, leads: dict[str, Any], acknowledged: Acknowledged) -> None:
    for phone, name in acknowledged.leads.items():
        if name not in leads:
            verdict.wrong.append(f"LOST: {name} ({phone}) was acknowledged and is not there")
        elif leads[name].phone != phone:
            verdict.wrong.append(f"MIXED: {name} was acknowledged for {phone} and holds {leads[name].phone}")
    for phone, count in Counter(r.phone for r in leads.values()).items():
        if count > 1:
            verdict.wrong.append(f"TWICE: {count} leads have the phone {phone}")
    for lead in leads.values():
        if lead.status == _ASSIGNED and not lead.owner:
            verdict.wrong.append(f"OWNERLESS: {lead.name} is assigned to nobody")
        if lead.status == 1:
            verdict.wrong.append(f"FORGOTTEN: {lead.name} waits for a decision for ever")


def _one_owner_at_any_instant(
    verdict: Verdict, on: sa.Engine, leads: dict[str, Any]
) -> dict[str, dict[int, tuple[str, str, int]]]:
    """By lead and owner version: (owner, how, decision). One announced assignment for each ownership, versions
    without a gap, the last one is what the table says."""
    history: dict[str, dict[int, tuple[str, str, int]]] = defaultdict(dict)
    for _, event in events(on, events_pb2.LeadAssigned):
        known = history[event.lead].get(event.owner_version)
        if known is not None:
            verdict.wrong.append(
                f"ANNOUNCED TWICE: {event.lead} version {event.owner_version}: {known[0]} and {event.owner}"
            )
        history[event.lead][event.owner_version] = (event.owner, event.how, event.decision)
    released = defaultdict(set)
    for _, event in events(on, events_pb2.LeadReleased):
        released[event.lead].add(event.owner_version)
    for name, lead in leads.items():
        versions = sorted({*history.get(name, {}), *released[name]})
        if versions != list(range(1, lead.owner_version + 1)):
            verdict.wrong.append(
                f"UNANNOUNCED: {name} is at owner version {lead.owner_version}, announced are {versions}"
            )
        elif lead.owner and history[name].get(lead.owner_version, ("",))[0] != lead.owner:
            verdict.wrong.append(f"TWO OWNERS: {name} belongs to {lead.owner}, announced was {history[name]}")
    recorded = Counter(
        (r.lead, r.decision)
        for r in rows(on, "SELECT lead, decision FROM touchpoints WHERE decision IS NOT NULL AND owner <> ''")
    )
    for (lead_name, decision), count in recorded.items():
        if count > 1:
            verdict.wrong.append(f"RECORDED TWICE: {lead_name} decision {decision}")
    return history


def _journal(
    verdict: Verdict, on: sa.Engine, leads: dict[str, Any], owners: dict[str, dict[int, tuple[str, str, int]]]
) -> None:
    """The chain and every decision, by an independent reading and by the product's own; what the journal believes of
    ownership is what `leads` recorded."""
    from rules.domain.chain import Record, verify

    journal = rows(on, "SELECT seq, body, hash FROM journal ORDER BY seq")
    findings = check_journal([(bytes(r.body), bytes(r.hash)) for r in journal])
    verdict.wrong += [f"JOURNAL: {text}" for text in findings.wrong]
    verdict.decisions, verdict.epochs = findings.decisions, findings.epochs
    verdict.worst_in_epoch, verdict.worst_credit = float(findings.worst_in_epoch), float(findings.worst_credit)
    report = verify(Record(r.seq, bytes(r.body), bytes(r.hash)) for r in journal)
    if report.wrong:
        verdict.wrong.append(f"VERIFY: entry {report.wrong}: {report.reason}")
    head = rows(on, "SELECT seq, hash FROM journal_head")
    if head and (head[0].seq != len(journal) or bytes(head[0].hash) != report.head):
        verdict.wrong.append(f"HEAD: the head is at {head[0].seq}, the journal ends at {len(journal)}")
    _same_owners(verdict, journal, owners)
    open_now = Counter(r.owner for r in leads.values() if r.status in (_ASSIGNED, _CONTACTED))
    for person, (count, _, _) in report.state.load.items():
        if count != open_now[f"people/{person}"]:
            verdict.wrong.append(
                f"LOAD: the journal counts {count} open leads of {person}, {open_now[f'people/{person}']} are"
            )
        limit = report.state.people[person].open_limit if person in report.state.people else None
        if limit is not None:
            verdict.overshoot = max(verdict.overshoot, open_now[f"people/{person}"] - limit)


def _same_owners(verdict: Verdict, journal: list[Any], owners: dict[str, dict[int, tuple[str, str, int]]]) -> None:
    """Every turn that was dealt was taken by `leads` or came back, and never both."""
    taken = {
        decision: version
        for versions in owners.values()
        for version, (_, how, decision) in versions.items()
        if how == "RULES"
    }
    dealt: dict[int, str] = {}
    returned: set[int] = set()
    for row in journal:
        entry = read(bytes(row.body))
        if entry["kind"] == "d1" and entry["owner"]:
            dealt[row.seq] = entry["lead"]
            recorded = taken.get(row.seq)
            if recorded is not None and recorded != entry.get("owner_version", 0) + 1:
                verdict.wrong.append(
                    f"STALE DECISION: {row.seq} was about owner version {entry.get('owner_version', 0)} of "
                    f"{entry['lead']} and became version {recorded}"
                )
        elif entry["kind"] == "returned1":
            if entry["decision"] in returned:
                verdict.wrong.append(f"TURN RETURNED TWICE: decision {entry['decision']}")
            returned.add(entry["decision"])
    verdict.refused = len(returned)
    for seq, lead in dealt.items():
        if (seq in taken) == (seq in returned):
            fate = "both taken and returned" if seq in taken else "neither taken nor returned"
            verdict.wrong.append(f"LOST TURN: decision {seq} about {lead} was {fate}")


def _inbox(verdict: Verdict, databases: dict[str, sa.Engine]) -> None:
    """Every decision was handled by `leads`."""
    handled = {
        r.event_id for r in rows(databases["leads"], "SELECT event_id FROM inbox WHERE subscriber = 'leads.record'")
    }
    from dealwright.rules.v1.events_pb2 import LeadAssignmentDecided

    missing = [e.id for e, _ in events(databases["rules"], LeadAssignmentDecided) if e.id not in handled]
    if missing:
        verdict.wrong.append(f"NOT HANDLED: {len(missing)} decisions never reached leads, {missing[0]} is one")


def _poison(verdict: Verdict, databases: dict[str, sa.Engine]) -> None:
    """All that failed is poison, parked with its reason."""
    for service, on in databases.items():
        for row in rows(on, "SELECT subscriber, event_id, parked_at, reason FROM failures"):
            if not row.event_id.startswith(POISON_ID):
                verdict.wrong.append(f"FAILED: {row.subscriber} {row.event_id}: {row.reason}")
            elif row.parked_at is None or not row.reason:
                verdict.wrong.append(f"NOT PARKED: {service} {row.event_id}")
            else:
                verdict.poison += 1
