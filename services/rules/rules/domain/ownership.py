"""Who has a lead, and which clocks run for that: what facts in any order come to.

Every ownership of a lead has a number of its own (`owner_version` of `leads`), and so has every time without an owner.
The highest number known wins; facts about the same number complete each other; an older one changes nothing. So the
outcome is the same in whatever order facts arrive, and how often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

FIRST_RESPONSE = "FIRST_RESPONSE"
RECLAIM = "RECLAIM"
LOW_INTENT = "LOW_INTENT"
KINDS = (FIRST_RESPONSE, RECLAIM, LOW_INTENT)


@dataclass(frozen=True, slots=True)
class Clock:
    """When it runs out, and when it was found to have done so."""

    due: datetime | None = None
    fired: datetime | None = None

    @property
    def runs(self) -> bool:
        return self.due is not None and self.fired is None


@dataclass(frozen=True, slots=True)
class Ownership:
    """The newest ownership of a lead that is known; `owner` "" while it has none.

    `decision`: the journal number of the decision that it began with, 0 when a person began it. `confirmed`: `leads`
    has recorded it; a first decision is believed at once, until it is refused. `misses`: owners before this one, in a
    row, who let the first response pass. `closed`: qualified or disqualified, so nothing is open any more.
    """

    lead: str
    version: int = 0
    owner: str = ""
    decision: int = 0
    confirmed: bool = True
    misses: int = 0
    contacted: bool = False
    closed: bool = False
    response: Clock = Clock()
    reclaim: Clock = Clock()
    nurture: Clock = Clock()

    @property
    def counted(self) -> str:
        """Whose open lead it is; "" if nobody's."""
        return "" if self.closed else self.owner

    def running(self) -> list[tuple[str, datetime]]:
        """The clocks that run: (kind, due). A response stops the first; a lead of low intent that was reached wants
        its owner reminded all the same."""
        if not self.owner or self.closed:
            return []
        clocks = [] if self.contacted else [(FIRST_RESPONSE, self.response)]
        clocks += [(LOW_INTENT, self.nurture), (RECLAIM, self.reclaim)]
        return [(kind, clock.due) for kind, clock in clocks if clock.due is not None and clock.fired is None]

    @property
    def next_due(self) -> datetime | None:
        return min((due for _, due in self.running()), default=None)


@dataclass(frozen=True, slots=True)
class Dues:
    """When the clocks of an ownership that begins run out; None: that clock does not run."""

    response: datetime | None
    reclaim: datetime | None
    nurture: datetime | None = None


def decided(lead: str, owner: str, decision: int, dues: Dues) -> Ownership:
    """What a first decision on a lead comes to, unless `leads` refuses it."""
    return Ownership(
        lead,
        1,
        owner,
        decision,
        confirmed=False,
        response=Clock(dues.response),
        reclaim=Clock(dues.reclaim),
        nurture=Clock(dues.nurture),
    )


def _reached(known: Ownership | None, lead: str, version: int, owner: str) -> Ownership | None:
    """The ownership of this number, begun if it is news; None when a newer one is known."""
    if known is None or known.version < version:
        follows = known is not None and known.version == version - 1 and known.response.fired is not None
        return Ownership(lead, version, owner, misses=known.misses + 1 if known is not None and follows else 0)
    if known.version > version:
        return None
    if known.owner != owner:
        # What was believed of a decision was wrong: somebody else began this ownership.
        return known if known.confirmed else Ownership(lead, version, owner)
    return known if known.confirmed else replace(known, confirmed=True)


def began(
    known: Ownership | None, lead: str, version: int, owner: str, decision: int, contacted: bool, dues: Dues
) -> Ownership | None:
    """`leads` recorded this owner. None: an older fact than what is known, nothing changes."""
    now = _reached(known, lead, version, owner)
    if now is None or now.owner != owner:
        return None
    return replace(
        now,
        decision=decision,  # none: what was believed of a decision for the same person was refused
        misses=now.misses if decision else 0,
        contacted=now.contacted or contacted,
        response=now.response if now.response.due else Clock(dues.response),
        reclaim=Clock(_later(now.reclaim.due, dues.reclaim), now.reclaim.fired),
        nurture=now.nurture if now.nurture.due else Clock(dues.nurture),
    )


def contacted(known: Ownership | None, lead: str, version: int, owner: str, reclaim: datetime) -> Ownership | None:
    """The owner reached the contact: the first clock stops, the reclaim clock starts anew. None: an older fact."""
    now = _reached(known, lead, version, owner)
    if now is None or now.owner != owner:
        return None
    later = _later(now.reclaim.due, reclaim)
    # One that fired for an earlier due runs again: the answer came before `leads` took the lead away.
    fired = now.reclaim.fired if later == now.reclaim.due else None
    return replace(now, contacted=True, reclaim=Clock(later, fired))


def closed(known: Ownership | None, lead: str, version: int, owner: str) -> Ownership | None:
    """Qualified or disqualified: every clock stops, for good. None: an older fact."""
    now = _reached(known, lead, version, owner)
    if now is None:
        return None
    return replace(now, closed=True)


def released(known: Ownership | None, lead: str, version: int) -> Ownership | None:
    """Nobody has it any more, since number `version`. None: an older fact, or known."""
    if known is not None and known.version >= version:
        return None
    return Ownership(lead, version)


def refused(known: Ownership | None, decision: int) -> Ownership | None:
    """`leads` did not take the owner of this decision. None: that is not what is known."""
    if known is None or known.confirmed or known.decision != decision:
        return None
    return Ownership(known.lead, known.version - 1)


def fire(known: Ownership, now: datetime) -> tuple[Ownership, list[tuple[str, datetime]]]:
    """Stops the clocks that have run out; (kind, due) of each, the earliest first."""
    due = sorted((x for x in known.running() if x[1] <= now), key=lambda x: x[1])
    after = known
    for kind, moment in due:
        clock = Clock(moment, now)
        if kind == FIRST_RESPONSE:
            after = replace(after, response=clock)
        elif kind == RECLAIM:
            after = replace(after, reclaim=clock)
        else:
            after = replace(after, nurture=clock)
    return after, due


def clocks_of(known: Ownership) -> Sequence[tuple[str, Clock, bool]]:
    """Every clock that was ever started for this ownership: (kind, clock, whether it was stopped)."""
    running = {kind for kind, _ in known.running()}
    every = ((FIRST_RESPONSE, known.response), (RECLAIM, known.reclaim), (LOW_INTENT, known.nurture))
    return [(kind, c, c.runs and kind not in running) for kind, c in every if c.due is not None]


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)
