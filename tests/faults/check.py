"""What must hold after any fault, read from the databases. Shares no code with what it judges, but for the layout of
tables and messages (and, beside an independent reading, the product's own verification: as one more opinion)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from dealwright.leads.v1 import events_pb2
from embedded.catalogue import load as service_of
from tests.faults.chaos import POISON_ID
from tests.faults.fold import Fold, folded
from tests.faults.load import Acknowledged
from tests.rules.checker import read

_WAITING, _UNASSIGNED, _ASSIGNED, _CONTACTED, _QUALIFIED, _DISQUALIFIED, _DELETED = 1, 2, 3, 4, 5, 6, 9
_CLOSED = (_QUALIFIED, _DISQUALIFIED, _DELETED)


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
    # The most open leads that anybody ever had beyond his limit, by whatever way they came.
    overshoot: int = 0
    refused: int = 0
    # Leads that nobody may take at the end, and snapshots that were compared.
    waiting: int = 0
    snapshots: int = 0
    # What was done by hand beside the captures, and answered.
    acts: dict[str, int] = field(default_factory=dict)
    # How much of deals there was to be wrong.
    deals: dict[str, int] = field(default_factory=dict)


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


def unhandled(databases: dict[str, sa.Engine]) -> list[str]:
    """Subscribers that have not handled as many events as were announced to them."""
    announced: Counter[str] = Counter()
    for on in databases.values():
        announced.update({r.type: int(r.events) for r in rows(on, _ANNOUNCED)})
    found = []
    for service, on in databases.items():
        handled = {r.subscriber: r.events for r in rows(on, _HANDLED)}
        for subscription in service_of(service).subscribers():
            queue = subscription.queue(service)
            sent = sum(announced[kind] for kind in subscription.types)
            if handled.get(queue, 0) != sent:
                found.append(f"{queue} handled {handled.get(queue, 0)} of {sent} events")
    return found


_ANNOUNCED = "SELECT type, sum(events) AS events FROM outbox GROUP BY type"
_HANDLED = (
    f"SELECT subscriber, count(*) AS events FROM inbox WHERE event_id NOT LIKE '{POISON_ID}%' GROUP BY subscriber"
)


def events(on: sa.Engine, kind: type[Any]) -> list[tuple[Envelope, Any]]:
    """Every event of a type that a service ever announced, from its outbox."""
    found = []
    with on.connect() as connection:
        query = sa.text("SELECT body FROM outbox WHERE type = :type ORDER BY id")
        for (body,) in connection.execute(query, {"type": kind.DESCRIPTOR.full_name}):
            found += [(e, kind.FromString(e.data)) for e in EventBatch.FromString(bytes(body)).events]
    return found


_LEADS = "SELECT name, phone, owner, owner_version, status, status_reason, deciding FROM leads"


def check(databases: dict[str, sa.Engine], acknowledged: Acknowledged) -> Verdict:
    verdict = Verdict(wrong=list(acknowledged.wrong), acts=dict(sorted(acknowledged.acts.items())))
    leads = {r.name: r for r in rows(databases["leads"], _LEADS)}
    verdict.leads = len(leads)
    _nothing_lost(verdict, leads, acknowledged)
    owners = _one_owner_at_any_instant(verdict, databases["leads"], leads)
    _acts(verdict, databases["leads"], owners, acknowledged)
    fold = _journal(verdict, databases["rules"], owners)
    _loads(verdict, fold, leads)
    _ownerships(verdict, databases["rules"], leads, owners)
    _waiting(verdict, databases["rules"], fold, leads)
    _presence(verdict, databases["directory"], fold)
    verdict.wrong += [f"NOT HANDLED: {text}" for text in unhandled(databases)]
    _poison(verdict, databases)
    return verdict


def _nothing_lost(verdict: Verdict, leads: dict[str, Any], acknowledged: Acknowledged) -> None:
    for phone, name in acknowledged.leads.items():
        if name not in leads:
            verdict.wrong.append(f"LOST: {name} ({phone}) was acknowledged and is not there")
        elif leads[name].phone != phone:
            verdict.wrong.append(f"MIXED: {name} was acknowledged for {phone} and holds {leads[name].phone}")
    # Whoever gets in touch after his lead was deleted is a new one.
    for phone, count in Counter(r.phone for r in leads.values() if r.status != _DELETED).items():
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
    without a gap, the last one is what the table says. A deleted lead is its owner's under a number of its own, and
    another when it comes back."""
    history: dict[str, dict[int, tuple[str, str, int]]] = defaultdict(dict)
    for _, event in events(on, events_pb2.LeadAssigned):
        known = history[event.lead].get(event.owner_version)
        if known is not None:
            verdict.wrong.append(
                f"ANNOUNCED TWICE: {event.lead} version {event.owner_version}: {known[0]} and {event.owner}"
            )
        history[event.lead][event.owner_version] = (event.owner, event.how, event.decision)
    for kind, how in ((events_pb2.LeadDeleted, "DELETED"), (events_pb2.LeadUndeleted, "UNDELETED")):
        for _, event in events(on, kind):
            if event.owner_version in history[event.lead]:
                verdict.wrong.append(f"ANNOUNCED TWICE: {event.lead} version {event.owner_version}: {how}")
            history[event.lead][event.owner_version] = (event.owner, how, 0)
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


def _acts(verdict: Verdict, on: sa.Engine, owners: dict[str, Any], acknowledged: Acknowledged) -> None:
    """What was answered to people was done: at least as often as it was answered."""
    done: Counter[tuple[str, str]] = Counter()
    done.update(("contact", event.lead) for _, event in events(on, events_pb2.LeadContacted))
    done.update(("release", event.lead) for _, event in events(on, events_pb2.LeadReleased))
    done.update(("delete", event.lead) for _, event in events(on, events_pb2.LeadDeleted))
    done.update(("undelete", event.lead) for _, event in events(on, events_pb2.LeadUndeleted))
    for lead, versions in owners.items():
        done.update(("claim", lead) for _, how, _ in versions.values() if how == "CLAIM")
        done.update((owner, lead) for owner, _, _ in versions.values())
    for (act, lead), count in acknowledged.done.items():
        if done[act, lead] < count:
            verdict.wrong.append(f"ACT LOST: {act} of {lead} was answered {count} times, announced {done[act, lead]}")


def _journal(verdict: Verdict, on: sa.Engine, owners: dict[str, dict[int, tuple[str, str, int]]]) -> Fold:
    """The chain, every decision and every snapshot, by an independent reading, the first two by the product's own as
    well; every turn was taken or came back. Returns the fold of that reading."""
    from rules.domain.chain import Record, verify

    journal = rows(on, "SELECT seq, body, hash FROM journal ORDER BY seq")
    snapshots = rows(on, "SELECT seq, hash, state, digest FROM snapshots ORDER BY seq")
    fold, damaged = folded(journal, snapshots)
    findings = fold.checker.findings
    verdict.wrong += [f"JOURNAL: {text}" for text in fold.wrong]
    verdict.wrong += damaged
    verdict.snapshots = len(snapshots)
    verdict.decisions, verdict.epochs = findings.decisions, sum(b.epochs for b in fold.checker.books.values())
    verdict.worst_in_epoch, verdict.worst_credit = float(findings.worst_in_epoch), float(findings.worst_credit)
    report = verify(Record(r.seq, bytes(r.body), bytes(r.hash)) for r in journal)
    if report.wrong:
        verdict.wrong.append(f"VERIFY: entry {report.wrong}: {report.reason}")
    head = rows(on, "SELECT seq, hash FROM journal_head")
    if head and (head[0].seq != len(journal) or bytes(head[0].hash) != fold.head):
        verdict.wrong.append(f"HEAD: the head is at {head[0].seq}, the journal ends at {len(journal)}")
    _same_owners(verdict, journal, owners)
    return fold


def _bare(name: str) -> str:
    return str(name).partition("/")[2]


def _loads(verdict: Verdict, fold: Fold, leads: dict[str, Any]) -> None:
    """Who has which lead open, lead by lead, is what the journal counts."""
    open_now = {_bare(r.name): _bare(r.owner) for r in leads.values() if r.status in (_ASSIGNED, _CONTACTED)}
    for lead in {*open_now, *fold.holds}:
        counted = {person: count for person, count in fold.holds.get(lead, {}).items() if count}
        if counted != ({open_now[lead]: 1} if lead in open_now else {}):
            verdict.wrong.append(f"LOAD: the journal counts {counted} for {lead}, open with {open_now.get(lead)}")
    verdict.overshoot = fold.overshoot
    for person, count in Counter(open_now.values()).items():
        limit = fold.limit(person)
        if limit is not None:
            verdict.overshoot = max(verdict.overshoot, count - limit)


_OWNERSHIPS = "SELECT lead, owner_version, owner, decision, contacted, closed, next_due FROM ownerships"


def _ownerships(verdict: Verdict, on: sa.Engine, leads: dict[str, Any], owners: dict[str, Any]) -> None:
    """What the rules keep of every ownership is what `leads` has: number, owner, decision, contacted, closed."""
    known = {r.lead: r for r in rows(on, _OWNERSHIPS)}
    for stray in known.keys() - {_bare(name) for name in leads}:
        verdict.wrong.append(f"OWNERSHIP: of {stray}, which is no lead")
    for lead in leads.values():
        row = known.get(_bare(lead.name))
        if row is None:
            if lead.owner_version:
                verdict.wrong.append(f"OWNERSHIP: {lead.name} is at version {lead.owner_version}, the rules know none")
            continue
        _, how, decision = owners.get(lead.name, {}).get(lead.owner_version, ("", "", 0))
        closed = lead.status in _CLOSED
        should = (lead.owner_version, _bare(lead.owner), decision if how == "RULES" else 0, closed)
        told = (row.owner_version, row.owner, row.decision, bool(row.closed))
        if told != should:
            verdict.wrong.append(f"OWNERSHIP: of {lead.name} the rules know {told}, leads has {should}")
        if lead.status == _CONTACTED and not row.contacted:
            verdict.wrong.append(f"OWNERSHIP: {lead.name} was contacted, and its first response is still awaited")
        if bool(row.next_due) != (lead.status in (_ASSIGNED, _CONTACTED)):
            verdict.wrong.append(f"CLOCK: {lead.name} is at status {lead.status}, its next clock at {row.next_due}")


def _waiting(verdict: Verdict, on: sa.Engine, fold: Fold, leads: dict[str, Any]) -> None:
    """Who waits for an owner by the journal is who has none for the same reason, or keeps one until there is another;
    and what each was announced with is kept for as long."""
    wanting = {_bare(r.name): r.status_reason for r in leads.values() if r.status == _UNASSIGNED or r.deciding}
    verdict.waiting = len(wanting)
    told = {lead: waits.reason for lead, waits in fold.waiting.items()}
    for lead in {*wanting, *told}:
        if wanting.get(lead) != told.get(lead):
            verdict.wrong.append(f"WAITING: {lead}: {told.get(lead)!r} by the journal, {wanting.get(lead)!r} by leads")
    kept = {r.lead for r in rows(on, "SELECT lead FROM waiting_leads")}
    for lead in kept ^ told.keys():
        where = "is announced and does not wait" if lead in kept else "waits, and its announcement is not kept"
        verdict.wrong.append(f"WAITING: {lead} {where}")


def _presence(verdict: Verdict, on: sa.Engine, fold: Fold) -> None:
    """Who is there by the journal is who is there by the directory."""
    for person in rows(on, "SELECT name, presence FROM people WHERE state = 'ACTIVE' AND role = 'sales'"):
        if fold.presence(_bare(person.name)) != person.presence:
            verdict.wrong.append(
                f"PRESENCE: {person.name} is {person.presence}, the journal says {fold.presence(_bare(person.name))}"
            )


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
        try:
            entry = read(bytes(row.body))
        except ValueError:
            continue  # somebody edited it, as VERIFY says
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
