"""Who may have a lead next: what a decision or a wish comes to, given the lead as it stands."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from leads.domain.lead import CLOSED, UNDECIDED, Lead, Status, joined


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

    @property
    def escalated(self) -> bool:
        """The ladder of missed first responses ended at the supervisor."""
        return self.reason == "ESCALATED"


class Verdict(enum.Enum):
    """What a decision comes to. The values of those that lose are the reasons announced."""

    TAKE = "TAKE"
    NOBODY = "NOBODY"
    NOTHING = "NOTHING"
    OWNER_CHANGED = "OWNER_CHANGED"
    CLOSED = "CLOSED"
    GONE = "GONE"


LOST = frozenset({Verdict.OWNER_CHANGED, Verdict.CLOSED, Verdict.GONE})


def judge(lead: Lead | None, decided: Decided) -> Verdict:
    """Whether a decision still fits the lead. One that names nobody never takes an owner away: the rules escalate."""
    if lead is None:
        return Verdict.GONE
    if not decided.owner:
        waits = lead.status in UNDECIDED and lead.owner_version == decided.owner_version and not lead.owner
        news = lead.status != Status.UNASSIGNED or lead.status_reason != decided.reason
        return Verdict.NOBODY if waits and news else Verdict.NOTHING
    if lead.status in CLOSED:
        return Verdict.CLOSED
    if lead.owner_version == decided.owner_version and (lead.status in UNDECIDED or lead.deciding):
        return Verdict.TAKE
    return Verdict.OWNER_CHANGED


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
