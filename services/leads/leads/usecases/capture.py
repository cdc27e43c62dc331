"""Captures in: each makes a lead, or touches the one that has the same phone or e-mail (L6, I1, V6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from chassis import ids
from chassis.access import Principal
from chassis.errors import Refused
from chassis.transaction import Origin, Transaction
from leads.domain import lead as domain
from leads.domain import touch as touching
from leads.domain.imports import OnConflict
from leads.domain.lead import AT_WORK, OWNER_LEFT, RETURNS, UNDECIDED, Capture, Kind, Lead, Status
from leads.domain.matching import Match, keys, match
from leads.domain.ownership import Change
from leads.storage import leads as stored
from leads.storage import people, settings
from leads.storage.leads import Touchpoint
from leads.usecases import ownership, rights, waiting
from leads.usecases.known import standing
from leads.wire import events


@dataclass(frozen=True, slots=True)
class Arrival:
    """One capture with who brings it. `welcome`: a known contact is touched even where the company refuses
    duplicates (a visitor must not learn whom we know). `source` is the import that it comes with, and `conflict` what
    becomes of a contact who is known."""

    capture: Capture
    principal: Principal
    origin: Origin
    welcome: bool = False
    source: str = ""
    conflict: OnConflict = OnConflict.MERGE


@dataclass(frozen=True, slots=True)
class Trace:
    """What one capture did to a lead that was known: the lead before and after, the keys that it is known by since, the
    lead that was told to be looked at with it, and whether it waits for an owner again."""

    before: Lead
    after: Lead
    keys: tuple[str, ...] = ()
    other: str = ""
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Captured:
    """The lead as it stands after the whole batch; `trace` of one that was known, where the capture has a source."""

    lead: Lead
    created: bool
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """A contact who is known, and was to be passed over: the name of the lead."""

    lead: str


def duplicate() -> Refused:
    return Refused(
        "DUPLICATE",
        "A lead with this phone or e-mail exists already.",
        "该手机号或邮箱已存在线索。",
    )


def capture(tx: Transaction, arrivals: Sequence[Arrival]) -> list[Captured | Refused]:
    """Takes the captures in their order, as if each came alone, with a constant number of statements."""
    return [duplicate() if isinstance(found, Passed) else found for found in take(tx, arrivals)]


def take(tx: Transaction, arrivals: Sequence[Arrival]) -> list[Captured | Passed]:
    """The same; who is passed over is named."""
    hard = settings.recent(tx)
    captures = [arrival.capture for arrival in arrivals]
    refuse = [
        (hard.hard_reject_duplicates and not arrival.welcome) or arrival.conflict is OnConflict.SKIP
        for arrival in arrivals
    ]
    fresh = [f"leads/{new}" for new in ids.new_ids(len(captures))]
    while True:
        matches, taken = _match(tx, captures, refuse, fresh)
        # Leads that this batch makes are not there to be read.
        named = {name for m in matches for name in (m.lead, m.other) if name}.difference(fresh)
        held = stored.by_name(tx, sorted(named), lock=True)
        gone = named - standing(held, named)
        if not gone:
            return _Batch(tx, held, taken).take(arrivals, matches)
        # Whoever was deleted is known by nothing any more that somebody comes with.
        brought = {key for capture in captures for key in keys(capture.phone, capture.email)}
        stored.free_keys(tx, sorted(taken))
        stored.drop_keys(tx, brought, gone)


def _match(
    tx: Transaction, captures: Sequence[Capture], refuse: Sequence[bool], names: Sequence[str]
) -> tuple[list[Match], set[str]]:
    """Matches and takes the keys: as if nobody were known, and again with those that prove to be. `names` are for the
    leads that are new. Returns the keys that are new, too."""
    known: dict[str, str] = {}
    mine: dict[str, str] = {}
    while True:
        matches, keyed = match(captures, known, names.__getitem__, refuse.__getitem__)
        wanted = {key: lead for key, lead in keyed.items() if key not in known and key not in mine}
        lost = stored.take_keys(tx, wanted, hoping=len(captures) == 1)
        known.update(lost)
        mine.update((key, lead) for key, lead in wanted.items() if key not in lost)
        if not lost:
            break
    stored.move_keys(tx, {key: keyed[key] for key, lead in mine.items() if keyed.get(key, lead) != lead})
    stored.free_keys(tx, sorted(mine.keys() - keyed.keys()))
    return matches, mine.keys() & keyed.keys()


class _Batch:
    """The leads of one batch while it is folded in memory."""

    def __init__(self, tx: Transaction, held: dict[str, Lead], taken: set[str]) -> None:
        self._tx = tx
        self._before = held
        self._taken = taken
        self._traces: dict[int, Trace] = {}
        self._told: dict[int, dict[str, Any]] = {}
        self._leads = dict(held)
        owners = sorted({lead.owner for lead in held.values() if lead.owner})
        self._owners = people.standing(tx, owners) if owners else {}
        self._new: list[str] = []
        # What came for leads that were put by or closed, or whose owner is gone.
        self._returned: dict[str, list[Arrival]] = {}
        # What came for leads that nobody has yet, where it may change the decision.
        self._news: dict[str, list[Arrival]] = {}
        self._changed: set[str] = set()
        self._by: dict[str, Origin] = {}

    def take(self, arrivals: Sequence[Arrival], matches: Sequence[Match]) -> list[Captured | Passed]:
        brought = [
            None if found.refused else self._fold(index, arrival, found)
            for index, (arrival, found) in enumerate(zip(arrivals, matches, strict=True))
        ]
        self._write(arrivals, matches, brought)
        return [
            Passed(found.lead)
            if found.refused
            else Captured(self._leads[found.lead], found.created, self._traces.get(index))
            for index, found in enumerate(matches)
        ]

    def _fold(self, index: int, arrival: Arrival, found: Match) -> dict[str, Any] | None:
        """Returns what the lead did not take."""
        tx, capture = self._tx, arrival.capture
        if found.created:
            self._leads[found.lead] = domain.start(capture, found.lead, tx.now)
            self._new.append(found.lead)
            self._by[found.lead] = arrival.origin
            if arrival.source:
                self._taken.difference_update(keys(capture.phone, capture.email))
            return None
        before = self._leads[found.lead]
        team, active = self._owners.get(before.owner, ("-", True))
        returns = before.status in RETURNS or (before.status in AT_WORK and not active)
        waits = returns or before.status in UNDECIDED
        mine = arrival.welcome or rights.changeable(arrival.principal, before, team)
        if not mine or arrival.conflict is OnConflict.TOUCH:
            after = touching.heard_of(before, tx.now)
        elif arrival.conflict is OnConflict.UPDATE:
            after = touching.overwrite(before, capture, tx.now, others_email=bool(found.other))
        else:
            after = touching.touch(before, capture, tx.now, waits, others_email=bool(found.other))
        if arrival.conflict is not OnConflict.TOUCH:
            after = touching.first(before, after, capture)
        self._leads[found.lead] = after
        self._told[index] = rights.told(before, after)
        self._changed.add(found.lead)
        self._by.setdefault(found.lead, arrival.origin)
        if returns:
            self._returned.setdefault(found.lead, []).append(arrival)
        elif waits and (touching.decisive(before, after) or touching.unheard(after, capture)):
            self._news.setdefault(found.lead, []).append(arrival)
        other = self._leads.get(found.other)
        if other is not None and not other.review_with:
            self._leads[other.name] = replace(other, review_with=after.name)
            self._changed.add(other.name)
        if arrival.source:
            new = tuple(key for key in keys(capture.phone, capture.email) if key in self._taken)
            self._taken.difference_update(new)
            self._traces[index] = Trace(before, after, new, found.other, returns)
        return touching.left_over(after, capture)

    def _write(
        self, arrivals: Sequence[Arrival], matches: Sequence[Match], brought: Sequence[dict[str, Any] | None]
    ) -> None:
        tx, new = self._tx, set(self._new)
        tx.origins = self._by
        stored.insert(tx, [self._leads[name] for name in self._new])
        stored.save_facts(tx, [self._leads[name] for name in self._changed - new])
        self._return()
        self._correct()
        self._tell()
        points: list[Touchpoint] = []
        for index, (arrival, found, left) in enumerate(zip(arrivals, matches, brought, strict=True)):
            if found.refused:
                continue
            points.append(_point(tx, arrival, self._leads[found.lead], found.created, left))
            if not found.created:
                tx.emit(
                    events.touched(self._leads[found.lead], arrival.capture),
                    arrival.capture.capture_time,
                    arrival.origin,
                )
                actor = arrival.origin.actor
                detail = {"channel": int(arrival.capture.channel), **self._told.get(index, {})}
                tx.audit("lead.touched", found.lead, detail, actor)
        stored.append(tx, points)
        for name in self._new:
            lead = self._leads[name]
            tx.emit(events.captured(lead), lead.capture_time)
            tx.audit("lead.captured", name, {"channel": int(lead.channel)})

    def _return(self) -> None:
        """What lay in the pool or was closed, and what belongs to somebody who left, waits for an owner again."""
        if not self._returned:
            return
        wanted = [
            Change(self._leads[name], "", Status.WAITING, OWNER_LEFT if self._before[name].status in AT_WORK else "")
            for name in self._returned
        ]
        after = ownership.change(self._tx, wanted)
        self._leads.update(after)
        before = [self._before[name] for name in after]
        for was, (previous, excluded) in zip(before, waiting.previous(self._tx, before), strict=True):
            came = self._returned[was.name]
            self._tx.emit(
                events.captured(self._leads[was.name], "RETURNED", previous, excluded, by=_together(came)),
                came[0].capture.capture_time,
            )
            detail = {"from": Status(was.status).name, "owner": was.owner}
            self._tx.audit("lead.returned", was.name, detail, came[0].origin.actor)

    def _correct(self) -> None:
        """Who counts leads hears of those that are of another kind now than was known."""
        for name, was in self._before.items():
            if name in self._changed and touching.otherwise(was, self._leads[name]):
                self._tx.emit(events.changed(self._leads[name]))

    def _tell(self) -> None:
        """Who decides hears of what was added to a lead that nobody has yet."""
        leads = [self._leads[name] for name in self._news if name not in self._new]
        for lead, event in zip(leads, waiting.repeated(self._tx, leads), strict=True):
            came = self._news[lead.name]
            more = [a.capture.text for a in came if touching.unheard(lead, a.capture)]
            if more:
                event.text = "\n".join((lead.text, *more))
            self._tx.emit(event, came[0].capture.capture_time)


def _together(came: Sequence[Arrival]) -> Capture:
    """The captures of one lead within a batch as one: all their words, and where the last was."""
    text = "\n".join(dict.fromkeys(a.capture.text for a in came if a.capture.text))
    places = [a.capture for a in came if a.capture.latitude is not None]
    place = places[-1] if places else came[0].capture
    return replace(came[0].capture, text=text, latitude=place.latitude, longitude=place.longitude)


def _point(tx: Transaction, arrival: Arrival, lead: Lead, created: bool, brought: dict[str, Any] | None) -> Touchpoint:
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
        reason=lead.status_reason if lead.status_reason == OWNER_LEFT and not created else "",
        latitude=capture.latitude,
        longitude=capture.longitude,
        brought=brought,
        source=arrival.source,
    )
