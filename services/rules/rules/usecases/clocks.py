"""The clocks that run for a lead: first response, reclaim, the reminder for low intent.

Timers are rows, claimed once, fired at most seconds late and never early; working time where the policy says so. A
clock belongs to one ownership: `leads` carries out what it asks for only while that ownership lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis.transaction import Transaction
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules import storage, wire
from rules.domain import Decided, LeadWithdrawn, State, micros, moment_of
from rules.domain.policy import RESERVED_STEP
from rules.usecases.journal import known_state, open_journal

FIRST_RESPONSE = "FIRST_RESPONSE"
RECLAIM = "RECLAIM"
LOW_INTENT = "LOW_INTENT"
_FIRE_AT_ONCE = 500


def respond_by(state: State, decision: Decided) -> datetime | None:
    """When the first response is due: counted from the decision, in the owner's working time where the policy says
    so. None for what was escalated: the ladder ends there."""
    if not decision.owner or decision.step == RESERVED_STEP:
        return None
    return _respond_by(state, decision.owner, moment_of(decision.at))


def _respond_by(state: State, owner: str, start: datetime) -> datetime:
    clocks = state.policy.clocks
    span = timedelta(minutes=clocks.response_minutes)
    person = state.people.get(owner)
    hours = state.calendars.get(person.calendar) if person and clocks.response_working else None
    return hours.hours.add_working(start, span) if hours else start + span


def _ownership(
    state: State, lead: str, owner: str, version: int, intent: str, now: datetime, due: datetime | None
) -> list[tuple[str, str, str, int, datetime]]:
    """The clocks of a new ownership."""
    clocks = state.policy.clocks
    rows = [(lead, RECLAIM, owner, version, now + timedelta(days=clocks.reclaim_days))]
    if due is not None:
        rows.append((lead, FIRST_RESPONSE, owner, version, due))
    if intent == "LOW":
        rows.append((lead, LOW_INTENT, owner, version, now + timedelta(days=clocks.low_intent_days)))
    return rows


def start(tx: Transaction, state: State, taken: Sequence[Decided]) -> dict[str, datetime | None]:
    """Starts the clocks of decided owners; by lead, when the first response is due."""
    due = {d.facts.lead: respond_by(state, d) for d in taken}
    rows = []
    for d in taken:
        facts = d.facts
        # `leads` records this decision as the ownership after the one it was compared with.
        rows += _ownership(
            state, facts.lead, d.owner, facts.owner_version + 1, facts.intent, moment_of(d.at), due[facts.lead]
        )
    storage.set_timers(tx, rows)
    return due


def moved(tx: Transaction, events: Sequence[lead_events.LeadMoved]) -> None:
    """Ownerships that began by a claim or by hand get their clocks here."""
    state = known_state(tx).state
    rows = []
    for event in events:
        if event.how == "RULES":
            continue  # its clocks started with the decision
        lead, owner = wire.bare(event.lead), wire.bare(event.owner)
        due = None if event.contacted else _respond_by(state, owner, tx.now)
        intent = wire.intent_name(event.intent)
        rows += _ownership(state, lead, owner, event.owner_version, intent, tx.now, due)
        if due is not None:
            message = events_pb2.TimerSet(
                subject=event.lead,
                timer=f"timers/{lead}-{FIRST_RESPONSE}",
                kind=rules_pb2.Timer.FIRST_RESPONSE,
                owner_version=event.owner_version,
            )
            message.due_time.FromDatetime(due)
            tx.emit(message)
    storage.close_timers(tx, [wire.bare(e.lead) for e in events if e.how != "RULES"])
    storage.set_timers(tx, rows)


def contacted(tx: Transaction, events: Sequence[lead_events.LeadContacted]) -> None:
    """A response stops the first clock, sets the reclaim clock anew, and ends the search for somebody else."""
    state = known_state(tx).state
    leads = [wire.bare(e.lead) for e in events]
    storage.close_timers(tx, leads, (FIRST_RESPONSE, LOW_INTENT))
    days = timedelta(days=state.policy.clocks.reclaim_days)
    newest: dict[str, tuple[str, str, str, int, datetime]] = {}
    for event in events:
        lead, at = wire.bare(event.lead), event.happen_time.ToDatetime(tx.now.tzinfo)
        row = (lead, RECLAIM, wire.bare(event.owner), event.owner_version, at + days)
        newest[lead] = max(newest.get(lead, row), row, key=lambda r: r[4])
    storage.set_timers(tx, list(newest.values()))
    withdraw(tx, leads, "CONTACTED")


def withdraw(tx: Transaction, leads: Sequence[str], reason: str) -> None:
    """These leads need nobody any more, should they be waiting."""
    if not any(lead in known_state(tx).state.waiting for lead in leads):
        return
    journal = open_journal(tx)
    gone = [lead for lead in dict.fromkeys(leads) if lead in journal.state.waiting]
    journal.record([LeadWithdrawn(lead, reason, micros(tx.now)) for lead in gone])
    journal.close()
    storage.forget_waiting(tx, gone)


def closed(tx: Transaction, leads: Sequence[str], reason: str) -> None:
    """These leads have no owner any more, or need none: every clock stops."""
    storage.close_timers(tx, leads)
    withdraw(tx, leads, reason)


def fire_due(tx: Transaction) -> bool:
    """Fires what is due; True when there may be more."""
    rows = storage.claim_due(tx, _FIRE_AT_ONCE)
    if not rows:
        return False
    state = known_state(tx).state
    for row in rows:
        kind = rules_pb2.Timer.Kind.Value(row.kind)
        fired = events_pb2.TimerFired(
            timer=f"timers/{row.subject}-{row.kind}",
            subject=wire.lead_name(row.subject),
            kind=kind,
            owner=wire.person_name(row.owner),
            owner_version=row.owner_version,
        )
        fired.due_time.FromDatetime(row.due_at)
        fired.fire_time.FromDatetime(tx.now)
        tx.emit(fired)
        _ask(tx, state, row.subject, row.kind, row.owner, row.owner_version)
    return len(rows) == _FIRE_AT_ONCE


def _ask(tx: Transaction, state: State, lead: str, kind: str, owner: str, version: int) -> None:
    """What follows from a clock, as requests to the service that owns the lead and notices to people."""
    person = state.people.get(owner)
    manager = person.manager if person else ""
    days = state.policy.clocks.reclaim_days

    def request(action: str, to: str, zh: str, en: str) -> None:
        tx.emit(
            events_pb2.ActionRequested(
                subject=wire.lead_name(lead),
                action=action,
                person=wire.person_name(to),
                owner_version=version,
                parameters=wire.struct({"timer": kind}),
                text_zh=zh,
                text_en=en,
            )
        )

    if kind == FIRST_RESPONSE:
        request("REASSIGN", owner, "首次响应超时，线索将改派", "No first response in time: the lead is reassigned")
    elif kind == RECLAIM:
        zh = f"线索{days}天未跟进，已回收至公海"
        en = f"Not followed up for {days} days: the lead returns to the pool"
        request("RECLAIM", owner, zh, en)
        request("NOTIFY", manager or owner, zh, en)
    else:
        request(
            "NOTIFY",
            owner,
            "低意向线索需要培育，请安排下一步",
            "A lead of low intent wants nurturing: plan a next step",
        )
