"""What other services announce and we carry out: clocks, escalation, reclaim, another try, people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.errors import Stale
from chassis.transaction import Transaction
from leads.domain.lead import CLOSED, Kind, Lead, Status
from leads.domain.ownership import FIRST_RESPONSE, MISSED, Change
from leads.storage import leads as stored
from leads.storage import people
from leads.storage.leads import Touchpoint
from leads.storage.people import Person as Person
from leads.usecases import leavers, ownership, working
from leads.wire import events


@dataclass(frozen=True, slots=True)
class Clock:
    """Until when the owner of this ownership should respond first."""

    lead: str
    owner_version: int
    respond_by: datetime | None


def set_clocks(tx: Transaction, clocks: Sequence[Clock]) -> None:
    """Shows owners their clocks; those of an ownership that is over are ignored."""
    held = stored.by_name(tx, [clock.lead for clock in clocks], lock=True)
    after: dict[str, Lead] = {}
    for clock in clocks:
        lead = held.get(clock.lead)
        if lead is not None and lead.owner_version == clock.owner_version and lead.owner:
            after[lead.name] = replace(lead, respond_by=clock.respond_by)
    stored.save_standing(tx, list(after.values()))
    for lead in after.values():
        tx.emit(events.clock_set(lead))
        tx.audit("lead.clockSet", lead.name, {"ownerVersion": lead.owner_version})


def act(tx: Transaction, action: str, name: str, owner_version: int, person: str, timer: str = "") -> None:
    """Carries out what the rules ask for a lead, if its ownership is still the one they mean.

    REASSIGN asks for another decision while the owner stays (L18), ESCALATE tells the supervisor (R20): both because
    the first response was missed, which the lead remembers. So it does where the ladder has ended and somebody is only
    notified because of that `timer`. RECLAIM puts it into the pool (L21). Other actions are not ours.
    """
    lead = stored.by_name(tx, [name], lock=True).get(name)
    if lead is None or lead.owner_version != owner_version or not lead.owner or lead.status in CLOSED:
        return
    if action == "RECLAIM":
        try:
            working.pool(tx, lead, "INACTIVE", by_person=False)
        except Stale:
            return
    elif lead.status != Status.ASSIGNED:
        return  # The first response came meanwhile.
    elif action == "REASSIGN":
        stored.save_standing(tx, [replace(_missed(lead), deciding=MISSED, status_reason="")])
        tx.emit(events.captured(lead, MISSED, lead.owner, lead.owners))
        tx.audit("lead.firstResponseMissed", name, {"owner": lead.owner})
    elif action == "NOTIFY" and timer == FIRST_RESPONSE:
        stored.save_standing(tx, [_missed(lead)])
        tx.audit("lead.firstResponseMissed", name, {"owner": lead.owner})
    elif action == "ESCALATE" and lead.escalated_to != person:
        after = replace(_missed(lead), escalated_to=person)
        stored.save_standing(tx, [after])
        tx.emit(events.escalated(after))
        tx.audit("lead.escalated", name, {"manager": person})
        actor = tx.origin.actor
        stored.append(
            tx, [Touchpoint(name, Kind.ESCALATED, actor, tx.now, tx.now, lead.channel, "", lead.owner, person)]
        )


def _missed(lead: Lead) -> Lead:
    """One response more was missed, unless this very one is counted."""
    counted = lead.deciding == MISSED or lead.escalated_to not in ("", lead.owner)
    return lead if counted else replace(lead, missed_responses=lead.missed_responses + 1)


def know_people(tx: Transaction, changed: Sequence[Person]) -> None:
    """Keeps our copy of the people; an older version never overwrites a newer. What those had who left, and have not
    finished, waits for a manager's word (C16)."""
    before = people.standing(tx, sorted({person.name for person in changed if not person.active}))
    people.save(tx, changed)
    now = people.standing(tx, sorted({person.name for person in changed if not person.active}))
    left = [name for name, (_, active) in now.items() if not active and before.get(name, ("", True))[1]]
    leavers.leave(tx, left)


def hand_over(tx: Transaction, name: str, leaver: str, owner: str) -> None:
    """A manager said who takes a lead of one who left. He gets it if the leaver still has it. Raises Stale where we
    have not heard of the person yet: the news comes again."""
    lead = stored.by_name(tx, [name], lock=True).get(name)
    if lead is None or lead.owner != leaver or lead.status in CLOSED:
        return
    if people.get(tx, owner) is None:
        raise Stale(owner)
    after = ownership.change_one(tx, Change(lead, owner, Status.ASSIGNED, by_person=True))
    tx.emit(events.assigned(after, lead.owner, "MANUAL"))
    tx.emit(events.moved(lead, after, "MANUAL"))
    working.note(tx, Kind.ASSIGNED, lead, after, reason="HAND_OVER")


def know_presences(tx: Transaction, said: Sequence[tuple[str, int, int]]) -> None:
    """Keeps the newest (person, presence, version) of each, whichever event it came with."""
    people.save_presences(tx, said)
