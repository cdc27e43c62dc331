"""Deciding owners: new leads, leads that come back, leads that waited."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.transaction import Transaction
from dealwright.leads.v1 import events_pb2 as lead_events
from rules import storage, wire
from rules.domain import ownership as owning
from rules.domain.assignment import next_wake, waiting_in_order
from rules.domain.codec import decode
from rules.domain.entries import Decided, LeadFacts, TurnReturned
from rules.domain.ownership import Ownership
from rules.domain.state import State, moment_of, not_before
from rules.usecases import clocks
from rules.usecases.journal import Journal, kept_policy, known_state, open_journal
from rules.usecases.loads import account

_DRAIN_AT_ONCE = 500
_NO_OWNER = ("", "RETURNED")
_MISSED = "FIRST_RESPONSE_MISSED"

Decisions = Sequence[tuple[int, Decided]]
"""(journal number, decision)."""


def decide_owners(tx: Transaction, events: Sequence[lead_events.LeadCaptured]) -> None:
    """Decides these leads, appends to the journal, starts their clocks and announces the decisions.

    What was decided before at the same owner version is announced again and not decided twice; what is older than what
    is known of the lead is passed over.
    """
    newest: dict[str, lead_events.LeadCaptured] = {}
    for event in events:
        lead = wire.bare(event.lead)
        if lead not in newest or event.owner_version >= newest[lead].owner_version:
            newest[lead] = event
    policy = kept_policy(tx)
    facts = [wire.facts(event, policy) for event in newest.values()]  # the dear part, before the lock
    journal = open_journal(tx)
    if journal.state.policy.hash() != policy.hash():
        policy = journal.state.policy
        facts = [wire.facts(event, policy) for event in newest.values()]
    known = storage.ownerships_of(tx, newest, lock=True)
    if known or journal.state.waiting or any(f.owner_version for f in facts):
        facts = _wanted(tx, journal, known, facts, newest)
    decided = journal.decide(facts)
    last = policy.clocks.reassignments + 1
    missed = [d.facts for _, d in decided if not d.owner and 0 < d.facts.attempt < last]
    if missed:
        # Nobody else may take it: the ladder's next rung is the manager.
        decided += journal.decide([replace(f, attempt=last) for f in missed])
    alone = [d.facts for _, d in decided if not d.owner and d.facts.excluded and _came_back(newest.get(d.facts.lead))]
    if alone:
        # Nobody else may take it: better back to who gave it away than to nobody.
        decided += journal.decide([replace(f, excluded=()) for f in alone])
    announce(tx, journal, decided, newest, known)
    journal.close()


def _came_back(event: lead_events.LeadCaptured | None) -> bool:
    return event is not None and event.cause == "RETURNED"


@dataclass(frozen=True)
class _Said:
    """What was decided about a lead at an owner version, and not returned."""

    seq: int
    decision: Decided


def _wanted(
    tx: Transaction,
    journal: Journal,
    known: dict[str, Ownership],
    facts: Sequence[LeadFacts],
    events: Mapping[str, lead_events.LeadCaptured],
) -> list[LeadFacts]:
    """Leaves out what is outdated or decided already. A lead that has no owner any more is put down as such."""
    state = journal.state
    wanted: list[LeadFacts] = []
    again: list[str] = []
    freed: dict[str, Ownership] = {}
    looked_up = [f.lead for f in facts if f.owner_version or f.lead in known or f.lead in state.waiting]
    said = _said(tx, looked_up, {f.lead: f.owner_version for f in facts})
    for each in facts:
        lead, version, row = each.lead, each.owner_version, known.get(each.lead)
        if each.attempt and row is not None and row.version == version:
            each = replace(each, attempt=row.misses + 1)  # our own clocks know how many let it lie
            if row.contacted or row.closed:
                continue
        waiting = state.waiting.get(lead)
        before = said.get(lead)
        if row is not None and row.version > version:
            if not row.confirmed and before is not None:
                again.append(lead)
            continue
        if waiting is not None and waiting.facts.owner_version > version:
            continue
        if before is not None and before.decision.owner:
            again.append(lead)
            continue
        asked = replace(each, excluded=()) if _came_back(events[lead]) else each
        if waiting is not None and before is not None and waiting.facts in (each, asked):
            again.append(lead)
            continue
        if version and events[lead].cause in _NO_OWNER:
            after = owning.released(row, lead, version)
            if after is not None:
                known[lead] = freed[lead] = after
        wanted.append(each)
    for lead in again:
        seq, decision = said[lead].seq, said[lead].decision
        row = known.get(lead)
        due = row.response.due if row is not None and row.decision == seq else clocks.respond_by(state, decision)
        tx.emit(wire.decided(seq, decision, due))
    if freed:
        wanted += account(tx, journal, known, freed, dict.fromkeys(freed, "RETURNED"))
        storage.save_ownerships(tx, freed.values())
    return wanted


def _said(tx: Transaction, leads: Sequence[str], versions: Mapping[str, int]) -> dict[str, _Said]:
    if not leads:
        return {}
    found: dict[str, _Said] = {}
    for lead, record in storage.about(tx, leads, ("decided", "returned")):
        entry = decode(record.data)
        if isinstance(entry, Decided) and entry.facts.owner_version == versions[lead]:
            found[lead] = _Said(record.seq, entry)
        elif isinstance(entry, TurnReturned) and lead in found and found[lead].seq == entry.decision:
            del found[lead]
    return found


def announce(
    tx: Transaction,
    journal: Journal,
    decided: Decisions,
    events: Mapping[str, lead_events.LeadCaptured],
    known: Mapping[str, Ownership],
) -> None:
    """Keeps what waits, starts clocks, announces. `known`: ownerships of these leads, as far as there are any.

    A first decision is believed at once. One that takes a lead from somebody moves nothing before `leads` says so
    (LeadMoved): until then its owner has it, and his clocks run.
    """
    state = journal.state
    waits: list[tuple[str, bytes]] = []
    fresh: list[Ownership] = []
    again: list[Ownership] = []
    last = {decision.facts.lead: seq for seq, decision in decided}
    for seq, decision in decided:
        facts = decision.facts
        if last[facts.lead] != seq:
            continue  # it was decided once more right after
        due: datetime | None = None
        if decision.owner:
            due = clocks.respond_by(state, decision)
            row = known.get(facts.lead)
            if not facts.owner_version and (row is None or row.version < 1):
                dues = clocks.dues(state, facts.intent, moment_of(decision.at), due)
                (fresh if row is None else again).append(owning.decided(facts.lead, decision.owner, seq, dues))
        elif facts.lead in events:
            waits.append((facts.lead, events[facts.lead].SerializeToString()))
        tx.emit(wire.decided(seq, decision, due))
    storage.start_ownerships(tx, fresh)
    storage.save_ownerships(tx, again)
    storage.keep_waiting(tx, waits)
    storage.forget_waiting(tx, journal.served())


# --- waiting leads ----------------------------------------------------------------------------------------------

_quiet: weakref.WeakKeyDictionary[Any, tuple[int, datetime | None]] = weakref.WeakKeyDictionary()


def drain_waiting(tx: Transaction) -> bool:
    """Gives waiting leads to whoever may take them now (a shift began, a day turned). True when there is more.

    While the journal stands still, only the clock can free somebody: until then not even the lock is taken.
    """
    kept = known_state(tx)
    if not kept.state.waiting:
        return False
    pool = tx.connection.engine.pool
    seq, until = _quiet.get(pool, (-1, None))
    if seq == kept.state.seq and (until is None or not_before(kept.state, tx.now) < until):
        return False
    journal = open_journal(tx)
    more = drain(tx, journal)
    journal.close()
    if not more:
        calm = (journal.state.seq, next_wake(journal.state, journal.now))
        tx.after_commit(lambda: _quiet.__setitem__(pool, calm))
    return more


def drain(tx: Transaction, journal: Journal) -> bool:
    """Drains within an open journal, at most some hundred leads; the loop does the rest. True when there may be more.

    After a new policy, what waits is first looked at anew, in its order: its conditions are not those that were asked.
    """
    state = journal.state
    if not state.waiting:
        return False
    version = state.policy.version
    stale = [w for w in waiting_in_order(state) if w.facts.policy_version != version] if _any_stale(state) else []
    if stale:
        stale = stale[:_DRAIN_AT_ONCE]
        before = {w.facts.lead: w.reason for w in stale}
        decided = journal.decide(_refreshed(tx, state, [w.facts for w in stale]))
        news = [(seq, d) for seq, d in decided if d.owner or d.reason != before[d.facts.lead]]
        announce(tx, journal, news, {}, _owned(tx, news))
        return True
    decided = journal.drain(_DRAIN_AT_ONCE)
    announce(tx, journal, decided, {}, _owned(tx, decided))
    return len(decided) >= _DRAIN_AT_ONCE


def _any_stale(state: State) -> bool:
    version = state.policy.version
    return any(w.facts.policy_version != version for w in state.waiting.values())


def _owned(tx: Transaction, decided: Decisions) -> dict[str, Ownership]:
    leads = [d.facts.lead for _, d in decided if d.owner]
    return storage.ownerships_of(tx, leads, lock=True) if leads else {}


def _refreshed(tx: Transaction, state: State, stale: Sequence[LeadFacts]) -> list[LeadFacts]:
    """The same facts under the policy in force."""
    policy = state.policy
    events = {}
    for body in storage.waiting_events(tx, [f.lead for f in stale]):
        event = lead_events.LeadCaptured.FromString(body)
        events[wire.bare(event.lead)] = event
    unknown = ("not evaluated",) * len(policy.conditions())
    found = []
    for was in stale:
        conditions = wire.facts(events[was.lead], policy).conditions if was.lead in events else unknown
        found.append(replace(was, policy_version=policy.version, conditions=conditions))
    return found
