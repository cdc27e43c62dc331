"""Captures in: each makes a lead, or touches the one that has the same phone or e-mail (L6, I1, V6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from chassis import ids
from chassis.access import Principal
from chassis.errors import Refused
from chassis.transaction import Origin, Transaction
from leads.domain import lead as domain
from leads.domain.lead import RETURNS, UNDECIDED, Capture, Kind, Lead, Status
from leads.domain.matching import Match, match
from leads.domain.ownership import Change
from leads.storage import leads as stored
from leads.storage import settings
from leads.storage.leads import Touchpoint
from leads.usecases import ownership
from leads.wire import events
from leads.wire.events import LeadCaptured


@dataclass(frozen=True, slots=True)
class Arrival:
    """One capture with who brings it. `welcome`: a known contact is touched even where the company refuses
    duplicates (a visitor must not learn whom we know)."""

    capture: Capture
    principal: Principal
    origin: Origin
    welcome: bool = False


@dataclass(frozen=True, slots=True)
class Captured:
    """The lead as it stands after the whole batch."""

    lead: Lead
    created: bool


def duplicate() -> Refused:
    return Refused(
        "DUPLICATE",
        "A lead with this phone or e-mail exists already.",
        "该手机号或邮箱已存在线索。",
    )


def capture(tx: Transaction, arrivals: Sequence[Arrival]) -> list[Captured | Refused]:
    """Takes the captures in their order, as if each came alone, with a constant number of statements."""
    hard = settings.recent(tx)
    captures = [arrival.capture for arrival in arrivals]
    refuse = [hard.hard_reject_duplicates and not arrival.welcome for arrival in arrivals]
    fresh = [f"leads/{new}" for new in ids.new_ids(len(captures))]
    matches = _match(tx, captures, refuse, fresh)
    # Leads that this batch makes are not there to be read.
    named = {name for m in matches if not m.refused for name in (m.lead, m.other) if name}.difference(fresh)
    held = stored.by_name(tx, sorted(named), lock=True)
    return _Batch(tx, held).take(arrivals, matches)


def _match(tx: Transaction, captures: Sequence[Capture], refuse: Sequence[bool], names: Sequence[str]) -> list[Match]:
    """Matches and takes the keys: as if nobody were known, and again with those that prove to be. `names` are for the
    leads that are new."""
    known: dict[str, str] = {}
    mine: dict[str, str] = {}
    while True:
        matches, keyed = match(captures, known, names.__getitem__, refuse.__getitem__)
        wanted = {key: lead for key, lead in keyed.items() if key not in known and key not in mine}
        lost = stored.take_keys(tx, wanted)
        known.update(lost)
        mine.update((key, lead) for key, lead in wanted.items() if key not in lost)
        if not lost:
            break
    stored.move_keys(tx, {key: keyed[key] for key, lead in mine.items() if keyed.get(key, lead) != lead})
    stored.free_keys(tx, sorted(mine.keys() - keyed.keys()))
    return matches


class _Batch:
    """The leads of one batch while it is folded in memory."""

    def __init__(self, tx: Transaction, held: dict[str, Lead]) -> None:
        self._tx = tx
        self._before = held
        self._leads = dict(held)
        self._new: list[str] = []
        self._returned: dict[str, Arrival] = {}
        self._changed: set[str] = set()
        self._by: dict[str, Origin] = {}

    def take(self, arrivals: Sequence[Arrival], matches: Sequence[Match]) -> list[Captured | Refused]:
        for arrival, found in zip(arrivals, matches, strict=True):
            if not found.refused:
                self._fold(arrival, found)
        self._write(arrivals, matches)
        return [duplicate() if found.refused else Captured(self._leads[found.lead], found.created) for found in matches]

    def _fold(self, arrival: Arrival, found: Match) -> None:
        tx = self._tx
        if found.created:
            self._leads[found.lead] = domain.start(arrival.capture, found.lead, tx.now)
            self._new.append(found.lead)
            self._by[found.lead] = arrival.origin
            return
        lead = self._leads[found.lead] = domain.touch(self._leads[found.lead], arrival.capture, tx.now)
        self._changed.add(found.lead)
        self._by.setdefault(found.lead, arrival.origin)
        if lead.status in RETURNS:
            self._returned.setdefault(found.lead, arrival)
        other = self._leads.get(found.other)
        if other is not None and not other.review_with:
            self._leads[other.name] = replace(other, review_with=lead.name)
            self._changed.add(other.name)

    def _write(self, arrivals: Sequence[Arrival], matches: Sequence[Match]) -> None:
        tx, new = self._tx, set(self._new)
        tx.origins = self._by
        stored.insert(tx, [self._leads[name] for name in self._new])
        stored.save_facts(tx, [self._leads[name] for name in self._changed - new])
        self._return()
        points: list[Touchpoint] = []
        for arrival, found in zip(arrivals, matches, strict=True):
            if found.refused:
                continue
            points.append(_point(tx, arrival, self._leads[found.lead], found.created))
            if not found.created:
                tx.emit(
                    events.touched(self._leads[found.lead], arrival.capture),
                    arrival.capture.capture_time,
                    arrival.origin,
                )
                actor = arrival.origin.actor
                tx.audit("lead.touched", found.lead, {"channel": int(arrival.capture.channel)}, actor)
        stored.append(tx, points)
        for name in self._new:
            lead = self._leads[name]
            tx.emit(events.captured(lead), lead.capture_time)
            tx.audit("lead.captured", name, {"channel": int(lead.channel)})

    def _return(self) -> None:
        """What lay in the pool or was closed waits for an owner again."""
        wanted = [Change(self._leads[name], "", Status.WAITING) for name in self._returned]
        for name, lead in ownership.change(self._tx, wanted).items():
            was, arrival = self._before[name], self._returned[name]
            self._leads[name] = lead
            previous = was.owner or (was.owners[-1] if was.owners else "")
            self._tx.emit(
                events.captured(lead, "RETURNED", previous, by=arrival.capture),
                arrival.capture.capture_time,
                arrival.origin,
            )
            self._tx.audit("lead.returned", name, {"from": Status(was.status).name}, arrival.origin.actor)


def _point(tx: Transaction, arrival: Arrival, lead: Lead, created: bool) -> Touchpoint:
    capture = arrival.capture
    return Touchpoint(
        lead=lead.name,
        kind=Kind.CAPTURED if created else Kind.TOUCHED,
        actor=arrival.origin.actor,
        happen_time=capture.capture_time or tx.now,
        receive_time=tx.now,
        channel=capture.channel,
        text=capture.text,
        owner=lead.owner,
        latitude=capture.latitude,
        longitude=capture.longitude,
    )


def announce_again(tx: Transaction, most: int = 256) -> bool:
    """Announces leads that have waited long for a decision once more, so that even a lost broker loses none.

    The rules answer a repeat as they answered first. Returns whether there may be more.
    """
    wait = timedelta(seconds=settings.load(tx)[0].announce_again_seconds)
    waiting = stored.waiting_since(tx, tx.now - wait, most)
    stored.save_standing(tx, [replace(lead, status_time=tx.now) for lead in waiting])
    for lead in waiting:
        tx.emit(repeated(lead))
    return len(waiting) == most


def repeated(lead: Lead) -> LeadCaptured:
    """The announcement of an undecided lead, once more."""
    came_back = lead.status in UNDECIDED and bool(lead.owners)
    previous = lead.owners[-1] if came_back else ""
    return events.captured(lead, "RETURNED" if came_back else "", previous)
