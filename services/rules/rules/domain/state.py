"""The state that decides: the fold of the journal. Frozen outside; a batch works on a `Table` of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.domain.entries import CalendarChanged, LeadFacts, PersonChanged, PresenceChanged
from rules.domain.fairness import Ledger
from rules.domain.policy import Policy, default_policy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Load = tuple[int, int, int]
"""Open leads, a local day's ordinal, leads decided to the person on that day."""
NO_LOAD: Load = (0, 0, 0)


def micros(moment: datetime) -> int:
    """An aware moment in microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(at: int) -> datetime:
    """The moment of so many microseconds since 1970, in UTC."""
    return _EPOCH + at * _MICROSECOND


@dataclass(frozen=True, slots=True)
class Waiting:
    """A lead that nobody may take now, for `reason`, waiting since `since` (microseconds)."""

    facts: LeadFacts
    reason: str
    urgent: bool
    since: int


@dataclass(frozen=True, slots=True)
class Day:
    """A local day of the company: [start, end) in microseconds, its ordinal, and which calendars are closed."""

    start: int = 0
    end: int = 0
    ordinal: int = 0
    closed: frozenset[str] = frozenset()


Turns = tuple[tuple[str, ...], tuple[int, ...], str]
"""Candidates in order of their ids, their weights, and the ledger that deals to them."""


@dataclass(slots=True)
class Memo:
    """Derived values that hold until somebody's eligibility changes; a new Memo replaces it then."""

    day: Day = Day()
    turns: dict[tuple[object, ...], Turns] = field(default_factory=dict)
    pools: dict[str, tuple[PersonChanged, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """Everything that decides, after `seq` journal entries. Treat every mapping as frozen.

    `last`: the latest moment of any of them, in microseconds. The next entry is never earlier: a process that waited
    for the journal, or whose clock is behind, decides as of then, or a day would begin twice.
    """

    seq: int = 0
    policy: Policy = field(default_factory=default_policy)
    people: Mapping[str, PersonChanged] = field(default_factory=dict)
    presence: Mapping[str, PresenceChanged] = field(default_factory=dict)
    calendars: Mapping[str, CalendarChanged] = field(default_factory=dict)
    load: Mapping[str, Load] = field(default_factory=dict)
    ledgers: Mapping[str, Ledger] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    last: int = 0
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)


def not_before(state: State, now: datetime) -> datetime:
    """The moment of the next entry: now, or the last entry's where that is later."""
    return max(now, moment_of(state.last))


def initial_state() -> State:
    """Before the first entry: the default policy and nobody."""
    return State()


class Table:
    """A mutable copy of a state for one batch; `freeze` gives the next state. The original never changes."""

    __slots__ = (
        "_fresh",
        "at",
        "calendars",
        "last",
        "ledgers",
        "load",
        "memo",
        "people",
        "policy",
        "presence",
        "seq",
        "waiting",
        "zone",
    )

    def __init__(self, state: State) -> None:
        self.seq = state.seq
        self.policy = state.policy
        self.people = state.people
        self.presence = state.presence
        self.calendars = state.calendars
        self.load: dict[str, Load] = dict(state.load)
        self.ledgers: dict[str, Ledger] = dict(state.ledgers)
        self.waiting = state.waiting
        self.last = state.last
        self.memo = state.memo
        self.zone = ZoneInfo(state.policy.time_zone)
        self.at = -1
        self._fresh: set[str] = set()

    def freeze(self) -> State:
        """The state as it is now. The table must not be used afterwards."""
        return State(
            self.seq,
            self.policy,
            self.people,
            self.presence,
            self.calendars,
            self.load,
            self.ledgers,
            self.waiting,
            self.last,
            self.memo,
        )

    def ledger(self, key: str) -> Ledger:
        """The ledger of this key, made if need be, safe to change."""
        if key in self._fresh:
            return self.ledgers[key]
        known = self.ledgers.get(key)
        made = Ledger() if known is None else known.copy()
        self.ledgers[key] = made
        self._fresh.add(key)
        return made

    def set_waiting(self, lead: str, waiting: Waiting | None) -> None:
        """Put a lead on the waiting list, or take it off."""
        if "waiting" not in self._fresh:
            self.waiting = dict(self.waiting)
            self._fresh.add("waiting")
        table = self.waiting
        assert isinstance(table, dict)
        if waiting is None:
            table.pop(lead, None)
        else:
            table[lead] = waiting

    def eligibility_changed(self, *, people: bool = False) -> None:
        """Forget who may take what; `people`: also who belongs to which region."""
        self.memo = Memo(self.memo.day, {}, {} if people else self.memo.pools)

    def set_policy(self, policy: Policy) -> None:
        """Decide by this policy, and by its time zone, from here on."""
        self.policy, self.zone = policy, ZoneInfo(policy.time_zone)
        self.memo, self.at = Memo(), -1

    def local_day(self, at: int) -> int:
        """The ordinal of the company's local day that this moment falls on."""
        return moment_of(at).astimezone(self.zone).toordinal()

    def set_moment(self, at: int) -> None:
        """From here on it is `at`: which day it is, and which calendars are open."""
        if at == self.at:
            return
        self.at = at
        day = self.memo.day
        same_day = day.start <= at < day.end
        if same_day and not self.calendars:
            return
        now = moment_of(at)
        closed = frozenset(key for key, c in self.calendars.items() if not c.hours.is_open(now))
        if same_day and closed == day.closed:
            return
        local = now.astimezone(self.zone).date()
        start = micros(datetime.combine(local, time(), self.zone))
        end = micros(datetime.combine(local + timedelta(days=1), time(), self.zone))
        self.memo = Memo(Day(start, end, local.toordinal(), closed), {}, self.memo.pools)
