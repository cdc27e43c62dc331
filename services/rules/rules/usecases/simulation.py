"""History decided again under another policy. Nothing is written.

What it cannot know: texts are not journalled, so a condition that the policies do not share counts as not met
(`not_evaluated` tells how often); and people are taken to have worked as they did: who claimed, moved, gave back or
closed a lead then does so here, whoever has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chassis.access import Scope
from chassis.errors import Invalid
from chassis.transaction import Transaction
from dealwright.rules.v1 import rules_pb2
from rules import storage, wire
from rules.domain.assignment import decide_all, drain
from rules.domain.codec import decode
from rules.domain.entries import Decided, Entry, LeadFacts, LoadChanged, PolicyPublished, TurnReturned
from rules.domain.policy import ConditionSource, with_version
from rules.domain.replay import fold, fold_all
from rules.domain.state import State, initial_state, moment_of
from rules.usecases.journal import known_state, state_before
from rules.usecases.policies import plan_policy

_MOST_DIFFERENCES = 1000
_MOST_ENTRIES = 200_000
_VERSION = 1 << 40


def simulate(tx: Transaction, content: dict[str, Any], first: int, last: int) -> rules_pb2.SimulatePolicyResponse:
    """Decides the leads of a span of history (0: from the first, to the last entry) again under this policy.

    Differences are told of the leads that the caller may see, and shares of the people whose leads those are; the
    counts are of all. Raises Invalid for a policy that could not be published, and for more than 200 000 entries at a
    time.
    """
    proposed = plan_policy(content, known_state(tx).state.people)
    head = storage.head(tx)[0]
    begin, end = max(first, 1), min(last or head, head)
    if end - begin >= _MOST_ENTRIES:
        english = f"at most {_MOST_ENTRIES} entries at a time; this span has {end - begin + 1}"
        raise Invalid([("toEntry", english, f"每次最多 {_MOST_ENTRIES} 条日志")])
    state = state_before(tx, begin) if begin > 1 else initial_state()
    run = _Run(state, with_version(proposed, _VERSION))
    for record in storage.records(tx, begin - 1, end):
        run.feed(decode(record.data))
    return run.answer(_shown(tx))


def _shown(tx: Transaction) -> Callable[[str], bool]:
    """Whether the leads of an owner ("" for nobody's) are the caller's to see."""
    principal = tx.principal
    scope = Scope.NONE if "owner" in principal.grant("leads").hidden else principal.scope("leads", "read")
    people = known_state(tx).state.people

    def shown(owner: str) -> bool:
        if scope in (Scope.NONE, Scope.ALL):
            return scope is Scope.ALL
        if owner and wire.person_name(owner) == principal.person:
            return True
        known = people.get(owner)
        team = f"teams/{known.team}" if known and known.team else ""
        return scope is Scope.TEAM and (not owner or team in (principal.teams or ("",)))

    return shown


class _Run:
    """History on one side, the simulated one beside it."""

    def __init__(self, state: State, policy: Any) -> None:
        self.wanted: tuple[ConditionSource, ...] = policy.conditions()
        # Which conditions the facts of a policy version are of; the policy in force at the start is known.
        self.asked: dict[int, dict[ConditionSource, int]] = {}
        self._asked_by(state.policy)
        self.state = fold(state, PolicyPublished(policy, 0))
        self.holders: dict[str, Decided] = {}
        self.was: dict[tuple[str, int], str] = {}
        self.now: dict[tuple[str, int], Decided] = {}
        self.not_evaluated = 0

    def _asked_by(self, policy: Any) -> None:
        self.asked[policy.version] = {c: i for i, c in enumerate(policy.conditions())}

    def feed(self, entry: Entry) -> None:
        if isinstance(entry, PolicyPublished):
            self._asked_by(entry.policy)
        elif isinstance(entry, Decided):
            self._decide(entry)
        else:
            if isinstance(entry, TurnReturned):
                self._give_back(entry)
            elif isinstance(entry, LoadChanged):
                self._load(entry)
            else:
                self._fold(entry)
            decided, self.state = drain(self.state, moment_of(entry.at))
            self._keep(decided)

    def _fold(self, *entries: Entry) -> None:
        self.state = fold_all(self.state, entries)

    def _decide(self, entry: Decided) -> None:
        place = (entry.facts.lead, entry.facts.owner_version)
        self.was[place] = entry.owner
        known = self.now.get(place)
        if known is not None and known.owner:
            return  # it waited then; here somebody took it at once
        decided, self.state = decide_all(self.state, [self._facts(entry.facts)], moment_of(entry.at))
        self._keep(decided)

    def _facts(self, facts: LeadFacts) -> LeadFacts:
        asked = self.asked.get(facts.policy_version, {})
        values = [
            facts.conditions[asked[c]] if c in asked and asked[c] < len(facts.conditions) else "not evaluated"
            for c in self.wanted
        ]
        self.not_evaluated += "not evaluated" in values
        return replace(facts, policy_version=_VERSION, conditions=tuple(values))

    def _keep(self, decided: list[Decided]) -> None:
        for one in decided:
            self.now[one.facts.lead, one.facts.owner_version] = one
            if one.owner:
                self.holders[one.facts.lead] = one

    def _give_back(self, entry: TurnReturned) -> None:
        """`leads` would have refused whoever was decided."""
        mine = self.holders.pop(entry.lead, None)
        if mine is not None:
            self._fold(replace(entry, decision=0, person=mine.owner, ledger=mine.ledger, decided_at=mine.at))

    def _load(self, entry: LoadChanged) -> None:
        """Whoever holds the lead here loses it; who took it by hand then takes it here too."""
        if entry.delta < 0 and entry.lead in self.holders:
            self._fold(replace(entry, person=self.holders.pop(entry.lead).owner))
        elif entry.delta > 0 or entry.lead not in self.state.waiting:
            self._fold(entry)

    def answer(self, shown: Callable[[str], bool]) -> rules_pb2.SimulatePolicyResponse:
        found = rules_pb2.SimulatePolicyResponse(
            decisions=len(self.was), not_evaluated=self.not_evaluated, waiting=len(self.state.waiting)
        )
        counts: Counter[str] = Counter()
        for (lead, version), owner in self.was.items():
            now = self.now[lead, version]
            if now.owner:
                counts[now.owner] += 1
            if now.owner == owner:
                continue
            found.different += 1
            if shown(owner) and len(found.differences) < _MOST_DIFFERENCES:
                found.differences.add(
                    lead=wire.lead_name(lead),
                    owner_before=wire.person_name(owner),
                    owner_after=wire.person_name(now.owner),
                    step_after=now.step,
                )
        for person, leads in counts.items():
            if shown(person):
                found.leads_per_person[wire.person_name(person)] = leads
        return found
