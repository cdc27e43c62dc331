"""Deciding owners: new leads, leads that come back, leads that waited."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from chassis.transaction import Transaction
from dealwright.leads.v1 import events_pb2 as lead_events
from rules import storage, wire
from rules.domain import Decided, LeadFacts, State, TurnReturned, decode, micros
from rules.usecases import clocks
from rules.usecases.journal import Journal, kept_policy, open_journal

_DRAIN_AT_ONCE = 500
REANNOUNCED = "REANNOUNCED"


def decide_owners(tx: Transaction, events: Sequence[lead_events.LeadCaptured]) -> None:
    """Decides these leads, appends to the journal, starts their clocks and announces the decisions."""
    policy = kept_policy(tx)
    facts = [wire.facts(event, policy) for event in events]  # the dear part, before the lock
    journal = open_journal(tx)
    if journal.state.policy.hash() != policy.hash():
        policy = journal.state.policy
        facts = [wire.facts(event, policy) for event in events]
    facts = _not_decided_yet(tx, journal.state, events, facts)
    decided = journal.decide(facts)
    missed = [d.facts for _, d in decided if not d.owner and d.facts.attempt]
    if missed:
        # Nobody else may take it: the ladder's next rung is the manager.
        last = policy.clocks.reassignments + 1
        decided += journal.decide([dataclasses.replace(f, attempt=last) for f in missed if f.attempt < last])
    _finish(tx, journal, decided, {wire.bare(e.lead): e for e in events})


def _not_decided_yet(
    tx: Transaction, state: State, events: Sequence[lead_events.LeadCaptured], facts: list[LeadFacts]
) -> list[LeadFacts]:
    """Leaves out what was announced again although it waits here already or was decided at this owner version: for
    the latter the decision is announced again, so that a lost one arrives after all."""
    again = {wire.bare(e.lead): e for e in events if e.cause == REANNOUNCED}
    if not again:
        return facts
    known: dict[str, tuple[int, Decided]] = {}
    for record in storage.about(tx, again, "decided"):
        entry = decode(record.data)
        if isinstance(entry, Decided) and entry.facts.owner_version == again[entry.facts.lead].owner_version:
            known[entry.facts.lead] = (record.seq, entry)
    for seq, decision in known.values():
        if decision.owner:
            tx.emit(wire.decided(seq, decision, state.policy, clocks.respond_by(state, decision)))
    return [f for f in facts if f.lead not in again or (f.lead not in known and f.lead not in state.waiting)]


def drain_waiting(tx: Transaction) -> bool:
    """Gives waiting leads to whoever may take them now (a shift began, a day turned). True when there is more."""
    if not tx.execute(storage.waiting_leads.select().limit(1)).first():
        return False
    journal = open_journal(tx)
    return drain(tx, journal) >= _DRAIN_AT_ONCE


def drain(tx: Transaction, journal: Journal) -> int:
    """Drains within an open journal, and closes it. Returns how many found an owner."""
    decided = []
    if journal.state.waiting:
        decided = journal.drain(_refreshed(tx, journal.state), _DRAIN_AT_ONCE)
    _finish(tx, journal, decided, {})
    return len(decided)


def _refreshed(tx: Transaction, state: State) -> dict[str, LeadFacts]:
    """Facts of waiting leads whose conditions were evaluated for an older policy, evaluated anew."""
    stale = [lead for lead, w in state.waiting.items() if w.facts.policy_version != state.policy.version]
    found = {}
    for start in range(0, len(stale), 1000):
        for body in storage.waiting_events(tx, stale[start : start + 1000]):
            event = lead_events.LeadCaptured.FromString(body)
            lead = wire.bare(event.lead)
            was = state.waiting[lead].facts
            fresh = wire.facts(event, state.policy)
            found[lead] = dataclasses.replace(fresh, attempt=was.attempt, excluded=was.excluded)
    return found


def _finish(
    tx: Transaction,
    journal: Journal,
    decided: Sequence[tuple[int, Decided]],
    events: dict[str, lead_events.LeadCaptured],
) -> None:
    """Closes the journal, keeps what waits, starts clocks, announces."""
    journal.close()
    state = journal.state
    taken = [d for _, d in decided if d.owner]
    waits = [d.facts.lead for _, d in decided if not d.owner and d.facts.lead in state.waiting]
    if waits and events:
        storage.keep_waiting(tx, [(lead, events[lead].SerializeToString()) for lead in waits if lead in events])
    if taken and (not events or any(d.facts.owner_version or d.facts.attempt for d in taken)):
        storage.forget_waiting(tx, [d.facts.lead for d in taken])
    due: dict[str, datetime | None] = clocks.start(tx, state, taken)
    for seq, decision in decided:
        if decision.owner or decision.facts.lead in state.waiting:
            tx.emit(wire.decided(seq, decision, state.policy, due.get(decision.facts.lead)))


def return_turns(tx: Transaction, events: Sequence[lead_events.AssignmentRefused]) -> None:
    """`leads` did not take these owners: their turns go back, and their clocks stop."""
    journal = open_journal(tx)
    back: list[TurnReturned] = []
    for event in events:
        record = storage.record(tx, event.decision)
        decision = decode(record.data) if record else None
        if not isinstance(decision, Decided) or not decision.owner or _returned(tx, event.decision, decision):
            continue
        lead, owner, ledger = decision.facts.lead, decision.owner, decision.ledger
        back.append(TurnReturned(event.decision, lead, owner, ledger, decision.at, micros(tx.now)))
    journal.record(back)
    storage.close_timers(tx, [entry.lead for entry in back])
    drain(tx, journal)


def _returned(tx: Transaction, seq: int, decision: Decided) -> bool:
    """Whether this turn went back before."""
    for record in storage.about(tx, [decision.facts.lead], "returned"):
        entry = decode(record.data)
        if isinstance(entry, TurnReturned) and entry.decision == seq:
            return True
    return False
