"""The clocks that run for a lead: first response, reclaim, the reminder for low intent.

They are columns of its ownership, claimed once, fired at most seconds late and never early; working time where the
policy says so. A clock belongs to one ownership: `leads` carries out what it asks for only while that one lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis.calendar import NeverOpen
from chassis.transaction import Transaction
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules import storage, wire
from rules.domain.assignment import ESCALATED
from rules.domain.codec import decode
from rules.domain.entries import Decided
from rules.domain.ownership import FIRST_RESPONSE, RECLAIM, Dues, Ownership, fire
from rules.domain.state import State, micros, moment_of
from rules.usecases.journal import known_state

_FIRE_AT_ONCE = 500


def respond_by(state: State, decision: Decided) -> datetime | None:
    """When the first response is due: counted from the decision, in the owner's working time where the policy says so,
    for a manager to whom it was escalated as well. None where nobody took it."""
    if not decision.owner:
        return None
    return first_response(state, decision.owner, moment_of(decision.at))


def first_response(state: State, owner: str, start: datetime) -> datetime:
    clocks = state.policy.clocks
    span = timedelta(minutes=clocks.response_minutes)
    person = state.people.get(owner)
    hours = state.calendars.get(person.calendar) if person and clocks.response_working else None
    if hours is None:
        return start + span
    try:
        return hours.hours.add_working(start, span)
    except NeverOpen:  # hours that never come again are no reason never to respond
        return start + span


def dues(state: State, intent: str, start: datetime, response: datetime | None) -> Dues:
    """When the clocks of an ownership that begins at `start` run out."""
    clocks = state.policy.clocks
    nurture = start + timedelta(days=clocks.low_intent_days) if intent == "LOW" else None
    return Dues(response, reclaim_due(state, start), nurture)


def reclaim_due(state: State, start: datetime) -> datetime:
    return start + timedelta(days=state.policy.clocks.reclaim_days)


def fire_due(tx: Transaction) -> bool:
    """Fires what is due; True when there may be more."""
    claimed = storage.claim_due(tx, _FIRE_AT_ONCE)
    if not claimed:
        return False
    state = known_state(tx).state
    ended = _ladder_ended(tx, state, claimed)
    after: list[Ownership] = []
    kept: list[storage.FiredClock] = []
    for known in claimed:
        now, fired = fire(known, tx.now)
        after.append(now)
        for kind, due in fired:
            kept.append(storage.FiredClock(known.lead, known.version, kind, due, known.owner, tx.now))
            message = events_pb2.TimerFired(
                timer=wire.timer_name(known.lead, kind, known.version),
                subject=wire.lead_name(known.lead),
                kind=rules_pb2.Timer.Kind.Value(kind),
                owner=wire.person_name(known.owner),
                owner_version=known.version,
            )
            message.due_time.FromDatetime(due)
            message.fire_time.FromDatetime(tx.now)
            tx.emit(message)
            _ask(tx, state, known, kind, known.lead in ended)
    storage.save_ownerships(tx, after)
    storage.keep_fired(tx, kept)
    return len(claimed) == _FIRE_AT_ONCE


def _ladder_ended(tx: Transaction, state: State, claimed: Sequence[Ownership]) -> set[str]:
    """The leads that were escalated to somebody who has nobody above him: there is no further rung."""
    top = {
        known.decision: known.lead
        for known in claimed
        if known.misses and known.decision and not _has_manager(state, known.owner)
    }
    if not top:
        return set()
    entries = ((record.seq, decode(record.data)) for record in storage.records_at(tx, top))
    return {top[seq] for seq, entry in entries if isinstance(entry, Decided) and entry.reason == ESCALATED}


def _has_manager(state: State, owner: str) -> bool:
    person = state.people.get(owner)
    manager = state.people.get(person.manager) if person else None
    return manager is not None and manager.state == "ACTIVE"


def _ask(tx: Transaction, state: State, known: Ownership, kind: str, ended: bool) -> None:
    """What follows from a clock, as requests to the service that owns the lead and notices to people."""
    lead, owner, version = known.lead, known.owner, known.version
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
                origin=f"{wire.timer_name(lead, kind, version)}/{action}/{micros(tx.now)}",
            )
        )

    if kind == FIRST_RESPONSE and ended:
        request("NOTIFY", owner, "升级给您的线索首次响应已超时", "No first response in time to a lead escalated to you")
    elif kind == FIRST_RESPONSE:
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
