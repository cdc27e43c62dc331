"""What `leads` tells of owners: who has a lead, who gave it back, who reached the contact.

Facts come in any order. Each is laid into the lead's ownership (`domain.ownership`); what people have in hand is then
whatever the ownerships say, and the journal is told the difference. So loads balance whatever came first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chassis.transaction import Transaction
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.leads.v1 import leads_pb2
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules import storage, wire
from rules.domain import ownership as owning
from rules.domain.entries import Decided, TurnReturned
from rules.domain.ownership import Ownership
from rules.domain.state import micros
from rules.usecases import clocks
from rules.usecases.assignment import announce, drain
from rules.usecases.journal import Journal, open_journal
from rules.usecases.loads import account, histories

LeadFact = (
    lead_events.LeadMoved
    | lead_events.LeadReleased
    | lead_events.LeadQualified
    | lead_events.LeadDisqualified
    | lead_events.LeadContacted
    | lead_events.LeadDeleted
    | lead_events.LeadUndeleted
    | lead_events.LeadRemoved
)
_OPEN = (leads_pb2.Lead.ASSIGNED, leads_pb2.Lead.CONTACTED)
_NOBODYS = (leads_pb2.Lead.WAITING, leads_pb2.Lead.POOLED)


def facts_came(tx: Transaction, events: Sequence[LeadFact]) -> None:
    """Lays these facts into the ownerships, corrects loads and the waiting list, moves the clocks."""
    journal = open_journal(tx)
    known = storage.ownerships_of(tx, [wire.bare(e.lead) for e in events], lock=True)
    changed: dict[str, Ownership] = {}
    reasons: dict[str, str] = {}
    begun: dict[str, Ownership] = {}
    waiting = journal.state.waiting
    for event in events:
        lead = wire.bare(event.lead)
        before = known.get(lead)
        after = _laid(journal, before, event)
        if after is None or after == before:
            continue
        known[lead] = changed[lead] = after
        if before is None or lead in waiting or (before.version, before.counted) != (after.version, after.counted):
            reasons[lead] = _reason(event)  # the rest only moves clocks
        by_hand = isinstance(event, lead_events.LeadMoved) and event.how != "RULES"
        if by_hand or isinstance(event, lead_events.LeadUndeleted):
            begun[lead] = after
    again = account(tx, journal, known, reasons, reasons)
    announce(tx, journal, journal.decide(again), {}, known)
    storage.save_ownerships(tx, changed.values())
    drain(tx, journal)
    journal.close()
    for ownership in begun.values():
        _announce_clock(tx, ownership)


def _laid(journal: Journal, known: Ownership | None, event: Any) -> Ownership | None:
    lead, version, state = wire.bare(event.lead), event.owner_version, journal.state
    if isinstance(event, lead_events.LeadReleased):
        return owning.released(known, lead, version)
    owner = wire.bare(event.owner)
    if isinstance(event, lead_events.LeadContacted):
        at = event.happen_time.ToDatetime(UTC)
        return owning.contacted(known, lead, version, owner, clocks.reclaim_due(state, min(at, journal.now)))
    if isinstance(event, lead_events.LeadMoved):
        at = event.assign_time.ToDatetime(UTC) if event.HasField("assign_time") else journal.now
        response: datetime | None = None
        if event.how == "RULES":
            response = event.respond_by.ToDatetime(UTC) if event.HasField("respond_by") else None
        elif not event.contacted:
            response = clocks.first_response(state, owner, at)
        due = clocks.dues(state, wire.intent_name(event.intent), at, response)
        # What the rules decided has a first response of its own, whoever reached the contact before.
        contacted = event.contacted and event.how != "RULES"
        return owning.began(known, lead, version, owner, event.decision, contacted, due)
    if isinstance(event, lead_events.LeadUndeleted):
        return _returned(journal, known, event)
    return owning.closed(known, lead, version, owner)


def _returned(journal: Journal, known: Ownership | None, event: lead_events.LeadUndeleted) -> Ownership | None:
    """What was deleted is there again: closed as it was, nobody's, or its owner's, whose clocks begin now."""
    lead, version, owner, state = wire.bare(event.lead), event.owner_version, wire.bare(event.owner), journal.state
    if event.status in _NOBODYS:
        return owning.released(known, lead, version)
    if event.status not in _OPEN:
        return owning.closed(known, lead, version, owner)
    at = event.undelete_time.ToDatetime(UTC)
    response = None if event.contacted else clocks.first_response(state, owner, at)
    due = clocks.dues(state, wire.intent_name(event.intent), at, response)
    return owning.began(known, lead, version, owner, 0, event.contacted, due)


def _reason(event: LeadFact) -> str:
    if isinstance(event, lead_events.LeadMoved):
        return {"CLAIM": "CLAIMED", "MANUAL": "MANUAL"}.get(event.how, "MOVED")
    return type(event).__name__.removeprefix("Lead").upper()


def _announce_clock(tx: Transaction, ownership: Ownership) -> None:
    for kind, due in ownership.running():
        if kind == owning.FIRST_RESPONSE:
            message = events_pb2.TimerSet(
                subject=wire.lead_name(ownership.lead),
                timer=wire.timer_name(ownership.lead, kind, ownership.version),
                kind=rules_pb2.Timer.FIRST_RESPONSE,
                owner_version=ownership.version,
            )
            message.due_time.FromDatetime(due)
            tx.emit(message)


def return_turns(tx: Transaction, events: Sequence[lead_events.AssignmentRefused]) -> None:
    """`leads` did not take these owners: their turns go back, and their clocks stop. Once, however often it is said."""
    journal = open_journal(tx)
    leads = {wire.bare(e.lead) for e in events}
    known = storage.ownerships_of(tx, leads, lock=True)
    told = histories(tx, sorted(leads))
    changed: dict[str, Ownership] = {}
    back: list[TurnReturned] = []
    done: set[int] = set()
    for event in events:
        lead = wire.bare(event.lead)
        history = told.get(lead, [])
        decision = next((e for s, e in history if s == event.decision and isinstance(e, Decided)), None)
        before = any(isinstance(e, TurnReturned) and e.decision == event.decision for _, e in history)
        if decision is None or not decision.owner or before or event.decision in done:
            continue
        done.add(event.decision)
        at = micros(journal.now)
        back.append(TurnReturned(event.decision, lead, decision.owner, decision.ledger, decision.at, at))
        after = owning.refused(known.get(lead), event.decision)
        if after is not None:
            known[lead] = changed[lead] = after
    journal.record(back)
    journal.flush()
    again = account(tx, journal, known, {b.lead for b in back}, dict.fromkeys(leads, "REFUSED"))
    announce(tx, journal, journal.decide(again), {}, known)
    storage.save_ownerships(tx, changed.values())
    drain(tx, journal)
    journal.close()
