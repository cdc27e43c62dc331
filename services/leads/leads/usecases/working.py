"""What people do with a lead: contact, claim, release, hand over, qualify, close."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chassis.access import Principal, Scope
from chassis.errors import Denied, Refused
from chassis.transaction import Transaction
from leads.domain.lead import CLOSED, UNDECIDED, Kind, Lead, Status
from leads.domain.ownership import MISSED, REASSIGNED, Change, Presence, overdue
from leads.domain.settings import LeadSettings
from leads.storage import leads as stored
from leads.storage import people, settings
from leads.storage.leads import Touchpoint
from leads.storage.people import Person
from leads.usecases import leavers, ownership
from leads.usecases.rights import hold, not_pooled, told
from leads.usecases.waiting import repeated
from leads.wire import events

# Whose leads may change hands by hand; sales people hand back to the pool, back office corrects facts alone.
_MAY_REASSIGN = frozenset({"admin", "manager"})


def note(tx: Transaction, kind: Kind, before: Lead, lead: Lead, text: str = "", reason: str = "") -> None:
    """Adds a link to the lead's chain, and an audit row."""
    detail = {"status": Status(lead.status).name, "owner": lead.owner, **told(before, lead)}
    tx.audit(f"lead.{kind.name.lower()}", lead.name, detail)
    point = Touchpoint(lead.name, kind, tx.origin.actor, tx.now, tx.now, lead.channel, text, lead.owner, reason)
    stored.append(tx, [point])


def not_owned() -> Refused:
    return Refused("NOT_OWNED", "Nobody owns this lead.", "该线索尚无负责人。")


def _may_change_owners(caller: Principal) -> bool:
    wide = caller.scope("leads", "write") in (Scope.TEAM, Scope.ALL)
    return bool(caller.peer) or (wide and caller.role in _MAY_REASSIGN)


def closed(lead: Lead) -> Refused:
    status = Status(lead.status).name
    return Refused("CLOSED", f"This lead is closed ({status}).", f"该线索已关闭（{status}）。")


def cannot_receive(person: str) -> Refused:
    return Refused(
        "CANNOT_RECEIVE",
        f"{person or 'You'} cannot receive leads.",
        f"{person or '您'} 不能接收线索。",
    )


def contact(tx: Transaction, name: str, etag: str, text: str) -> Lead:
    """The owner reached the contact. The first time stops the first-response clock (L30); then it is a follow-up."""
    lead = hold(tx, name, etag)
    if not lead.owner:
        raise not_owned()
    if lead.status in (Status.DISQUALIFIED, Status.MERGED):
        raise closed(lead)
    first = lead.status == Status.ASSIGNED
    # A manager's wish for another owner stands; a missed first response is no longer missing.
    wished = lead.deciding != MISSED
    after = replace(
        _responded(lead, tx.now),
        status=Status.CONTACTED if first else lead.status,
        status_reason=lead.status_reason if wished else "",
        status_time=tx.now if first else lead.status_time,
        deciding=lead.deciding if wished else "",
        last_activity_time=tx.now,
        version=lead.version + 1,
    )
    stored.save_standing(tx, [after])
    tx.emit(events.contacted(after, first))
    note(tx, Kind.CONTACTED, lead, after, text)
    return after


def _responded(lead: Lead, now: datetime) -> Lead:
    """The lead with its first response made now, unless there was one (L30)."""
    misses = lead.missed_responses + overdue(lead, now)
    return replace(lead, first_response_time=lead.first_response_time or now, missed_responses=misses)


def claim(tx: Transaction, name: str, etag: str, zone: ZoneInfo) -> Lead:
    """Takes a lead from the pool; `zone` tells what a day is. Raises NOT_POOLED, COOL_DOWN, PICK_LIMIT, and what
    keeps the caller from receiving: CANNOT_RECEIVE, OFFLINE, AWAY, FULL_OPEN, FULL_DAY."""
    lead = hold(tx, name, etag, claiming=True)
    rules, _ = settings.load(tx)
    me = tx.principal.person
    if lead.status != Status.POOLED:
        raise not_pooled()
    receiver = _require_receiver(tx, me, rules)
    _require_presence(tx, me)
    previous = lead.owners[-1] if lead.owners else ""
    free_from = lead.status_time + timedelta(hours=rules.cool_down_hours)
    if previous == me and tx.now < free_from:
        raise Refused(
            "COOL_DOWN",
            f"You had this lead; you may take it again after {free_from.isoformat(timespec='minutes')}.",
            f"您曾负责该线索，{free_from.astimezone(zone):%Y-%m-%d %H:%M} 后方可再次领取。",
        )
    day = tx.now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    # Locks his row of the day: of two claims at once the second counts what the first took.
    if people.count_claim(tx, me, day.date().isoformat()) > rules.pick_limit_per_day:
        raise Refused(
            "PICK_LIMIT",
            f"You may take {rules.pick_limit_per_day} leads a day from the pool.",
            f"每天最多领取 {rules.pick_limit_per_day} 条线索。",
        )
    _require_room(tx, receiver, day)
    after = ownership.change_one(tx, Change(lead, me, Status.ASSIGNED, by_person=True))
    tx.emit(events.assigned(after, previous, "CLAIM"))
    tx.emit(events.moved(lead, after, "CLAIM"))
    note(tx, Kind.ASSIGNED, lead, after, reason="CLAIM")
    return after


def release(tx: Transaction, name: str, etag: str, reason: str) -> Lead:
    """The owner gives it back to the pool, or whoever may change owners does. Raises Denied, NOT_OWNED, CLOSED."""
    lead = hold(tx, name, etag)
    if lead.owner != tx.principal.person and not _may_change_owners(tx.principal):
        raise Denied("leads.release")
    if not lead.owner:
        raise not_owned()
    if lead.status in CLOSED:
        raise closed(lead)
    return pool(tx, lead, reason or "RELEASED", by_person=True)


def pool(tx: Transaction, lead: Lead, reason: str, by_person: bool) -> Lead:
    """Puts a held lead into the pool. Raises Stale when the compare-and-set lost."""
    after = ownership.change_one(tx, Change(lead, "", Status.POOLED, reason, by_person=by_person))
    tx.emit(events.released(after, lead.owner))
    note(tx, Kind.RELEASED, lead, after, reason=reason)
    return after


def reassign(tx: Transaction, name: str, etag: str, owner: str, reason: str) -> Lead:
    """Hands it to a named person, or asks the rules for somebody who has not had it when `owner` is empty.

    Raises Denied for callers who may not, CANNOT_RECEIVE for a person who does not take leads, CLOSED.
    """
    lead = hold(tx, name, etag)
    if not _may_change_owners(tx.principal):
        raise Denied("leads.reassign")
    if lead.status in CLOSED:
        raise closed(lead)
    if owner:
        _require_receiver(tx, owner, settings.load(tx)[0])
        if owner == lead.owner:
            return lead
        after = ownership.change_one(tx, Change(lead, owner, Status.ASSIGNED, by_person=True))
        tx.emit(events.assigned(after, lead.owner, "MANUAL"))
        tx.emit(events.moved(lead, after, "MANUAL"))
        note(tx, Kind.ASSIGNED, lead, after, reason=reason or "MANUAL")
        return after
    if lead.owner:
        # The owner stays until the decision is recorded.
        after = replace(lead, deciding=REASSIGNED, status_reason="", version=lead.version + 1)
        stored.save_standing(tx, [after])
        previous = lead.owner
    else:
        after = ownership.change_one(tx, Change(lead, "", Status.WAITING, by_person=True))
        previous = lead.owners[-1] if lead.owners else ""
    tx.emit(events.captured(after, REASSIGNED, previous, after.owners))
    note(tx, Kind.CHANGED, lead, after, reason=reason or REASSIGNED)
    return after


def qualify(tx: Transaction, name: str, etag: str, text: str, opportunity: bool = False) -> Lead:
    """The lead is business (L24, as a status); who finds that out responded. Raises NOT_OWNED, ALREADY_QUALIFIED,
    CLOSED."""
    lead = hold(tx, name, etag)
    if lead.status == Status.QUALIFIED:
        raise Refused("ALREADY_QUALIFIED", "This lead is qualified already.", "该线索已标记为合格。")
    if not lead.owner:
        raise not_owned()
    if lead.status in CLOSED:
        raise closed(lead)
    after = _close(tx, _responded(lead, tx.now), Status.QUALIFIED, "")
    tx.emit(events.qualified(after, opportunity))
    note(tx, Kind.QUALIFIED, lead, after, text)
    return after


def disqualify(tx: Transaction, name: str, etag: str, reason: str) -> Lead:
    """The lead is no business; its owner stays on record. Raises CLOSED."""
    lead = hold(tx, name, etag)
    if lead.status in CLOSED:
        raise closed(lead)
    misses = lead.missed_responses + overdue(lead, tx.now)
    after = _close(tx, replace(lead, missed_responses=misses), Status.DISQUALIFIED, reason)
    tx.emit(events.disqualified(after))
    note(tx, Kind.DISQUALIFIED, lead, after, reason=reason)
    return after


def _close(tx: Transaction, lead: Lead, status: Status, reason: str) -> Lead:
    after = replace(
        lead,
        status=status,
        status_reason=reason,
        status_time=tx.now,
        deciding="",
        last_activity_time=tx.now,
        version=lead.version + 1,
    )
    stored.save_standing(tx, [after])
    leavers.close(tx, after)
    return after


def _require_receiver(tx: Transaction, name: str, rules: LeadSettings) -> Person:
    person = people.get(tx, name)
    if person is None or not person.active or person.role not in rules.receiving_roles:
        raise cannot_receive(name)
    return person


def _require_presence(tx: Transaction, name: str) -> None:
    said = people.presence(tx, name)
    if said == Presence.OFFLINE:
        raise Refused("OFFLINE", "You are offline; come online to take leads.", "您处于离线状态，上线后方可领取线索。")
    if said == Presence.AWAY:
        raise Refused("AWAY", "You are away; come back to take leads.", "您处于暂离状态，返回后方可领取线索。")


def _require_room(tx: Transaction, person: Person, day: datetime) -> None:
    """`day` is the moment at which the company's day began."""
    if person.open_limit is None and person.day_limit is None:
        return
    in_hand, today = people.in_hand(tx, person.name, day)
    if person.open_limit is not None and in_hand >= person.open_limit:
        raise Refused(
            "FULL_OPEN",
            f"You hold {in_hand} open leads; your capacity is {person.open_limit}.",
            f"您手中有 {in_hand} 条未结线索，上限为 {person.open_limit} 条。",
        )
    if person.day_limit is not None and today >= person.day_limit:
        raise Refused(
            "FULL_DAY",
            f"You got {today} leads today; your capacity is {person.day_limit} a day.",
            f"您今日已获得 {today} 条线索，每日上限为 {person.day_limit} 条。",
        )


def announce_correction(tx: Transaction, lead: Lead) -> None:
    """A lead that nobody has yet is announced with its corrected facts: somebody may be able to take it now."""
    if lead.status in UNDECIDED:
        tx.emit_all(repeated(tx, [lead]))
