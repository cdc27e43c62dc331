"""Leads, by what `leads` keeps of each and of its chain of touchpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dealwright.leads.v1.leads_pb2 import Channel, Lead, Touchpoint
from embedded.owners import Owners
from embedded.recounting.counted import (
    OF_EVERYBODY,
    OF_HOLDER,
    Counted,
    called,
    how_soon,
    incomplete,
    lasted,
    lent,
    moment,
)
from embedded.recounting.known import Known, Origin

_AT_WORK = (Lead.WAITING, Lead.UNASSIGNED, Lead.ASSIGNED, Lead.CONTACTED)
_ANSWERS = (Touchpoint.CONTACTED, Touchpoint.QUALIFIED)


def count(owners: Owners, known: Known) -> Iterator[Counted]:
    for lead in owners.all("leads", "ListLeads", show_deleted=True):
        answered = moment(lead.first_response_time) if lead.HasField("first_response_time") else None
        known.leads[lead.name] = Origin(called(Channel, lead.channel), moment(lead.capture_time), answered, lead.owner)
        if lead.status != Lead.DELETED:
            chain = list(owners.all("leads", "ListTouchpoints", parent=lead.name))
            # In the order in which they came to be; a list has them by when they happened.
            chain.sort(key=lambda point: point.name)
            of = {"owner": lead.owner, "region": lead.region, "industry": lead.industry}
            of["channel"] = called(Channel, lead.channel)
            known.leads[lead.name].of = of
            yield from _of_lead(lead, of, chain, answered, known)
            for deed in _of_terms(of, chain, known):
                theirs = deed.of["owner"] == lead.owner
                bare = deed if theirs else replace(deed, of={**deed.of, "channel": "", "region": "", "industry": ""})
                yield from lent([deed], [bare])


def count_business(known: Known) -> Iterator[Counted]:
    """Leads that became opportunities, each once, however many; its holder knows of those that are his, too."""
    for name, deals in known.business.items():
        origin = known.leads.get(name)
        if origin is not None and origin.of is not None:
            captured = known.here(origin.capture_time)
            for whose, there in (
                (OF_EVERYBODY, deals),
                (OF_HOLDER, [(owner, won) for owner, won in deals if owner == origin.owner]),
            ):
                if there:
                    yield Counted("lead.converted", captured, origin.of, whose=whose)
                if any(won for _, won in there):
                    yield Counted("lead.won", captured, origin.of, whose=whose)


def _of_lead(
    lead: Any, of: dict[str, str], chain: Sequence[Any], answered: datetime | None, known: Known
) -> Iterator[Counted]:
    """The lead itself: all of it counts when it was captured, but for what lies."""
    captured = known.here(moment(lead.capture_time))
    yield Counted("lead.captured", captured, of)
    has = {"NAME": lead.full_name, "PHONE": lead.phone, "COMPANY": lead.company, "CHANNEL": lead.channel}
    yield from incomplete("lead.incomplete", captured, of, **has)
    if answered is not None:
        took = lasted(captured, answered)
        yield Counted("lead.answered", captured, {**of, "detail": how_soon(took)}, seconds=took)
    if lead.status == Lead.QUALIFIED:
        yield Counted("lead.qualified", captured, of)
    if lead.status == Lead.DISQUALIFIED:
        yield Counted("lead.disqualified", captured, {**of, "reason": lead.status_reason})
    if lead.status == Lead.POOLED:
        since = max(moment(point.happen_time) for point in chain if point.kind == Touchpoint.RELEASED)
        yield Counted("lead.pooled", known.here(since), {**of, "reason": lead.status_reason})
    if lead.status in _AT_WORK:
        talks = [moment(point.happen_time) for point in chain if point.kind in _ANSWERS]
        last = max([captured, *talks, *known.touches[lead.name]])
        yield Counted("lead.open", known.here(last), {**of, "detail": called(Lead.Status, lead.status)})


def _of_terms(of: dict[str, str], chain: Sequence[Any], known: Known) -> Iterator[Counted]:
    """Each time somebody got it, answered for the first time since then, and lost it. It counts for him for good: who
    has lost the lead since has it without what it came by."""
    owner, since = "", None
    for point in chain:
        at = known.here(moment(point.happen_time))
        if _begins(point):
            since = at
            yield Counted("lead.assigned", at, {**of, "owner": point.owner, "detail": _how(point)})
        elif point.kind in _ANSWERS and since is not None:
            took = lasted(since, at)
            theirs = {**of, "owner": point.owner, "detail": how_soon(took)}
            yield Counted("lead.acknowledged", since, theirs, seconds=took)
            since = None
        elif point.kind == Touchpoint.RELEASED:
            yield Counted("lead.released", at, {**of, "owner": owner, "reason": point.reason})
        if point.kind in (Touchpoint.RELEASED, Touchpoint.UNDELETED):
            since = None  # who has it again after a deletion was not given it
        owner = point.owner


def _begins(point: Any) -> bool:
    """Somebody got it: decided, or by hand. That a supervisor was told is no more than that."""
    return bool(point.kind == Touchpoint.ASSIGNED or (point.kind == Touchpoint.ESCALATED and point.decision))


def _how(point: Any) -> str:
    if point.decision:
        return "RULES"
    return "CLAIM" if point.reason == "CLAIM" and point.actor == point.owner else "MANUAL"
