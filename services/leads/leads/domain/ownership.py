"""Who may have a lead next: what a decision or a wish comes to, given the lead as it stands."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from leads.domain.lead import AT_WORK, CLOSED, OWNER_LEFT, UNDECIDED, Lead, Status, joined


@dataclass(frozen=True, slots=True)
class Decided:
    """What the rules decided. `owner` is empty when nobody may take it; `decision` is the journal number."""

    lead: str
    owner: str
    owner_version: int
    decision: int
    reason: str = ""
    urgent: bool = False
    tags: Sequence[str] = ()
    respond_by: datetime | None = None
    step: str = ""

    @property
    def escalated(self) -> bool:
        """The ladder of missed first responses ended at the supervisor."""
        return self.step == _LAST_RUNG or self.reason == "ESCALATED"


# The step of the rules, in no policy, that gives a lead to the supervisor.
_LAST_RUNG = "escalate"
# Why an owned lead is being decided anew.
MISSED, REASSIGNED = "FIRST_RESPONSE_MISSED", "REASSIGNED"
NO_RESPONSE = "NO_RESPONSE"
# The rules' clock for it.
FIRST_RESPONSE = "FIRST_RESPONSE"


class Presence(enum.IntEnum):
    """Whether a person is there; numbers as in the contract. Who never said so is."""

    PRESENCE_UNSPECIFIED = 0
    ONLINE = 1
    AWAY = 2
    OFFLINE = 3


class Verdict(enum.Enum):
    """What a decision comes to. The values of those that lose are the reasons announced."""

    TAKE = "TAKE"
    NOBODY = "NOBODY"
    # It has an owner who was to lose it, and keeps it.
    KEPT = "KEPT"
    NOTHING = "NOTHING"
    OWNER_CHANGED = "OWNER_CHANGED"
    CLOSED = "CLOSED"
    GONE = "GONE"


LOST = frozenset({Verdict.OWNER_CHANGED, Verdict.CLOSED, Verdict.GONE})


def judge(lead: Lead | None, decided: Decided) -> Verdict:
    """Whether a decision still fits the lead. One that names nobody never takes an owner away."""
    if lead is None:
        return Verdict.GONE
    if not decided.owner:
        if lead.owner_version != decided.owner_version or lead.status in CLOSED:
            return Verdict.NOTHING
        same = lead.status_reason == decided.reason and set(decided.tags) <= set(lead.tags)
        if lead.owner:
            return Verdict.KEPT if lead.deciding and not same else Verdict.NOTHING
        told = lead.status not in UNDECIDED or (lead.status == Status.UNASSIGNED and same)
        return Verdict.NOTHING if told else Verdict.NOBODY
    if lead.status in CLOSED:
        return Verdict.CLOSED
    if lead.owner_version == decided.owner_version and (lead.status in UNDECIDED or lead.deciding):
        return Verdict.TAKE
    return Verdict.OWNER_CHANGED


def why(lead: Lead, decided: Decided) -> str:
    """The reason that the chain keeps of a decision about the lead as it stood."""
    if decided.owner and lead.deciding == MISSED and decided.reason in ("", "ESCALATED"):
        return NO_RESPONSE
    return decided.reason


def overdue(lead: Lead, now: datetime) -> bool:
    """Whether the first response is late, and nobody has counted that yet."""
    late = lead.respond_by is not None and now > lead.respond_by
    return late and lead.status == Status.ASSIGNED and lead.deciding != MISSED


@dataclass(frozen=True, slots=True)
class Change:
    """A change of owner or of standing without one. `lead` is what was read, and what the write is compared with."""

    lead: Lead
    owner: str
    status: Status
    reason: str = ""
    tags: Sequence[str] = ()
    # Whether a person did it: then the etag of what others read goes stale.
    by_person: bool = False
    respond_by: datetime | None = None
    escalated_to: str = ""


def apply(change: Change, now: datetime) -> Lead:
    """The lead after the change. Every ownership has a number of its own, and its clocks start anew."""
    lead = change.lead
    owned = bool(change.owner)
    return replace(
        lead,
        owner=change.owner,
        owner_version=lead.owner_version + (1 if owned or lead.owner else 0),
        owners=joined([o for o in lead.owners if o != change.owner], [change.owner]) if owned else lead.owners,
        status=change.status,
        status_reason=change.reason,
        status_time=now,
        deciding="",
        tags=joined(lead.tags, change.tags) if change.tags else lead.tags,
        assign_time=now if owned else lead.assign_time,
        respond_by=change.respond_by,
        escalated_to=change.escalated_to,
        version=lead.version + (1 if change.by_person else 0),
    )


# --- deletion, with ownership numbers of its own: what is decided or asked for about what was before finds it over ---


def delete(lead: Lead, now: datetime) -> Lead:
    """The lead, deleted: all else stays for its return, but for a wish that somebody else may have it."""
    return replace(
        lead,
        status=Status.DELETED,
        status_before=lead.status,
        delete_time=now,
        deciding="",
        owner_version=lead.owner_version + 1,
        version=lead.version + 1,
    )


def bring_back(lead: Lead, now: datetime, owner_is_there: bool) -> Lead:
    """The deleted lead as it was, its response clock still to be set; one that nobody had, or whose owner left, waits
    for an owner."""
    status = Status(lead.status_before or Status.WAITING)
    back = replace(
        lead,
        status=status,
        status_before=None,
        delete_time=None,
        owner_version=lead.owner_version + 1,
        version=lead.version + 1,
    )
    left = status in AT_WORK and not owner_is_there
    if left or status in UNDECIDED:
        return replace(
            back,
            status=Status.WAITING,
            status_reason=OWNER_LEFT if left else "",
            status_time=now,
            owner="",
            respond_by=None,
            escalated_to="",
        )
    return replace(back, respond_by=None) if status == Status.ASSIGNED else back
