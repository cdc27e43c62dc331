"""What the journal holds: everything that can change a decision, as frozen values without personal data.

Moments are integers: microseconds since 1970-01-01 UTC. A cell is (latitude, longitude) in 1e-4 degree.
"""

from dataclasses import dataclass

from chassis.calendar import WorkingCalendar
from rules.domain.policy import Policy

Cell = tuple[int, int]
NO_RESPONSE = "NO_RESPONSE"
Condition = bool | str
"""True, false, or why it could not be evaluated (a short reason code, never the text it was about)."""


def cell(latitude: float, longitude: float) -> Cell:
    """A place as decisions see it, about 11 m wide. Raises ValueError for what is no place on earth."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError("latitude is -90..90, longitude -180..180")
    return round(latitude * 10_000), round(longitude * 10_000)


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """All that a decision may know of a lead.

    `conditions` runs parallel to `policy.conditions()` of the policy version `policy_version`; under any other
    version every condition counts as not evaluated. `owner` is the known customer's or the previous owner,
    `excluded` are those who already had the lead, `attempt` counts reassignments after a timeout.
    """

    lead: str
    policy_version: int = 0
    conditions: tuple[Condition, ...] = ()
    region: str = ""
    industry: str = ""
    category: str = ""
    channel: str = ""
    intent: str = ""
    skills: tuple[str, ...] = ()
    cell: Cell | None = None
    urgent: bool = False
    owner: str = ""
    excluded: tuple[str, ...] = ()
    attempt: int = 0
    owner_version: int = 0
    captured_at: int = 0


@dataclass(frozen=True, slots=True)
class PolicyPublished:
    """From here on this policy decides."""

    policy: Policy
    at: int


@dataclass(frozen=True, slots=True)
class PersonChanged:
    """Full facts of a person; the newest `version` wins. `weight` is in thousandths of a share.

    `open_limit` and `day_limit` are numbers of leads (None: unlimited), `calendar` an id ("": always open).
    """

    person: str
    version: int
    role: str = "sales"
    state: str = "ACTIVE"
    team: str = ""
    manager: str = ""
    region: str = ""
    skills: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    seniority: str = "junior"
    weight: int = 1000
    open_limit: int | None = None
    day_limit: int | None = None
    cell: Cell | None = None
    calendar: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """ONLINE, AWAY or OFFLINE; the newest `version` wins. Nobody said anything yet: ONLINE."""

    person: str
    version: int
    presence: str
    at: int


@dataclass(frozen=True, slots=True)
class CalendarChanged:
    """Working hours in full, with every day off and make-up day spelt out."""

    calendar: str
    version: int
    hours: WorkingCalendar
    at: int


@dataclass(frozen=True, slots=True)
class LoadChanged:
    """A person's open leads changed otherwise than by a decision.

    `reason`: CLAIMED, MOVED_IN, MOVED_OUT, RELEASED, QUALIFIED, ... A positive `delta` with a `lead` takes it
    off the waiting list. `ledger`: the ledger that a manual move charges (where the policy says so), or "".
    """

    person: str
    delta: int
    reason: str
    at: int
    lead: str = ""
    ledger: str = ""


@dataclass(frozen=True, slots=True)
class LeadWithdrawn:
    """A waiting lead no longer needs anybody (merged, deleted, disqualified)."""

    lead: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision and its certificate: facts in, choice out; the rest is derived by replay.

    `policy_hash` is the SHA-256 of the policy in hex. `owner` "" means that the lead waits, for `reason`.
    `step` is the id of the step that chose, `ledger` the ledger it charged ("" = none), `position` the turn
    within the ledger's epoch, counted from 1.
    """

    facts: LeadFacts
    policy_hash: str
    owner: str
    step: str
    reason: str
    ledger: str
    position: int
    urgent: bool
    at: int

    @property
    def why(self) -> str:
        """The reason as it is told: `reason`, or that the owner before let the first response pass."""
        return self.reason or (NO_RESPONSE if self.owner and self.facts.attempt else "")


@dataclass(frozen=True, slots=True)
class TurnReturned:
    """`leads` refused an owner: the turn of journal entry `decision` goes back (AssignmentRefused)."""

    decision: int
    lead: str
    person: str
    ledger: str
    decided_at: int
    at: int


Entry = (
    PolicyPublished
    | PersonChanged
    | PresenceChanged
    | CalendarChanged
    | LoadChanged
    | LeadWithdrawn
    | Decided
    | TurnReturned
)


def filed_under(entry: Entry) -> tuple[str, str]:
    """Kind and subject (a lead, a person, a calendar or a policy, by its id) under which an entry is found again."""
    match entry:
        case Decided():
            return "decided", entry.facts.lead
        case TurnReturned() | LeadWithdrawn():
            return ("returned" if isinstance(entry, TurnReturned) else "withdrawn"), entry.lead
        case PersonChanged() | PresenceChanged():
            return ("person" if isinstance(entry, PersonChanged) else "presence"), entry.person
        case LoadChanged():
            return "load", entry.lead or entry.person
        case CalendarChanged():
            return "calendar", entry.calendar
        case PolicyPublished():
            return "policy", entry.policy.id
