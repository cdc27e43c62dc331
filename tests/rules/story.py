"""A journal being written in a test, as the use cases write it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rules.domain.assignment import decide_all, drain
from rules.domain.chain import GENESIS, Record, seal, verify
from rules.domain.codec import encode
from rules.domain.entries import (
    Decided,
    Entry,
    LeadFacts,
    PersonChanged,
    PolicyPublished,
    PresenceChanged,
    TurnReturned,
)
from rules.domain.fairness import LEAD, settled
from rules.domain.policy import Policy
from rules.domain.replay import fold_all
from rules.domain.state import State, initial_state, micros
from tests.rules.checker import Findings, check

START = datetime(2026, 11, 20, 2, tzinfo=UTC)
"""A Friday, 10 in the morning in Shanghai."""


def credits_of(state: State) -> dict[str, dict[str, int]]:
    """Ledger -> person -> credit in units of 1/LEAD lead; each ledger sums to 0."""
    return {key: settled(ledger) for key, ledger in state.ledgers.items()}


class Story:
    """State and entries side by side; every step goes through the public functions of the domain."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.state = initial_state()
        self.entries: list[Entry] = []
        self.now = START
        self.versions = 0
        self.leads = 0
        if policy is not None:
            self.note(PolicyPublished(policy, self.at))

    @property
    def at(self) -> int:
        return micros(self.now)

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)

    def version(self) -> int:
        self.versions += 1
        return self.versions

    def note(self, *entries: Entry) -> None:
        self.state = fold_all(self.state, entries)
        self.entries.extend(entries)

    def person(self, key: str, **facts: object) -> None:
        known = self.state.people.get(key)
        base = known if known is not None else PersonChanged(key, 0)
        self.note(replace(base, version=self.version(), at=self.at, **facts))  # type: ignore[arg-type]

    def presence(self, key: str, presence: str) -> None:
        self.note(PresenceChanged(key, self.version(), presence, self.at))

    def lead(self, **facts: object) -> LeadFacts:
        self.leads += 1
        policy = self.state.policy
        told = {"policy_version": policy.version, "conditions": (False,) * len(policy.conditions())}
        return LeadFacts(f"leads/{self.leads:05}", captured_at=self.at, **{**told, **facts})  # type: ignore[arg-type]

    def decide(self, leads: Sequence[LeadFacts]) -> list[Decided]:
        decisions, self.state = decide_all(self.state, leads, self.now)
        self.entries.extend(decisions)
        return decisions

    def owners(self, count: int, **facts: object) -> list[str]:
        return [decided.owner for decided in self.decide([self.lead(**facts) for _ in range(count)])]

    def drain(self) -> list[Decided]:
        decisions, self.state = drain(self.state, self.now)
        self.entries.extend(decisions)
        return decisions

    def give_back(self, place: int) -> None:
        """The decision at this place of the journal (from 1) is refused."""
        entry = self.entries[place - 1]
        assert isinstance(entry, Decided)
        self.note(TurnReturned(place, entry.facts.lead, entry.owner, entry.ledger, entry.at, self.at))

    def records(self) -> list[Record]:
        return seal(GENESIS, 1, [encode(entry) for entry in self.entries])

    def findings(self) -> Findings:
        stored = [(record.data, record.hash) for record in self.records()]
        return check(stored, credits_of(self.state), LEAD)

    def assert_sound(self) -> Findings:
        """Fold = state, every decision derives again, and the independent checker agrees."""
        assert fold_all(initial_state(), self.entries) == self.state
        report = verify(self.records())
        assert (report.wrong, report.reason) == (0, "")
        assert report.state == self.state
        findings = self.findings()
        assert findings.wrong == []
        return findings
