"""The kinds of steps: whom each would give a lead to, if anybody."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from rules.domain import eligibility
from rules.domain.eligibility import metres, needs_of, pool, why_not
from rules.domain.entries import Condition, LeadFacts, PersonChanged
from rules.domain.fairness import begin_epoch, next_index
from rules.domain.policy import Policy, Step
from rules.domain.state import Table, Turns

Pick = tuple[str, str, int]
"""Owner, ledger charged ("" = none), position in the ledger's epoch."""
Compiled = tuple[Callable[[Table, Step, int, LeadFacts], Pick | None], Step, int, int]
"""Picker, step, index of its `when` among the conditions (-1: none), index of its first other condition."""


def applies(policy: Policy, step: Step, facts: LeadFacts) -> bool:
    """Whether the step's match and condition hold for this lead (an error in a condition does not hold)."""
    when = next(entry[2] for entry in compiled(policy) if entry[1] is step)
    return applies_at(step, when, facts, facts.conditions if facts.policy_version == policy.version else ())


def applies_at(step: Step, when: int, facts: LeadFacts, conditions: tuple[Condition, ...]) -> bool:
    """`applies` for a step whose condition has index `when` among these values."""
    if when >= 0 and (when >= len(conditions) or conditions[when] is not True):
        return False
    return all(getattr(facts, fact) in values for fact, values in step.match)


def turns_of(table: Table, step: Step, facts: LeadFacts) -> Turns:
    """Who may take this lead's turn at a step, and from which ledger."""
    needs = needs_of(table, facts) if "skill" in step.checks else ()
    industry = facts.industry if step.kind == "seniors" else ""
    key = (step.id, facts.region, needs, industry)
    turns = table.memo.turns.get(key)
    if turns is None:
        candidates = [p for p, reason in reasons_at(table, step, facts) if not reason]
        turns = (
            tuple(p.person for p in candidates),
            tuple(p.weight for p in candidates),
            _ledger_key(table, step, facts.region, needs, industry),
        )
        table.memo.turns[key] = turns
    if not facts.excluded:
        return turns
    kept = [(p, w) for p, w in zip(turns[0], turns[1], strict=True) if p not in facts.excluded]
    return tuple(p for p, _ in kept), tuple(w for _, w in kept), turns[2]


def _left_out(table: Table, step: Step, facts: LeadFacts) -> tuple[str, ...]:
    """Who would share this lead's turn, had they not had it before."""
    return tuple(p for p in turns_of(table, step, replace(facts, excluded=()))[0] if p in facts.excluded)


def reasons_at(table: Table, step: Step, facts: LeadFacts) -> list[tuple[PersonChanged, str]]:
    """Everybody a roster or seniors step looks at, with why they may not ("" = they may), exclusions aside."""
    needs = needs_of(table, facts)
    found = []
    for person in pool(table, facts.region):
        reason = why_not(table, person, step, needs)
        if not reason and step.kind == "seniors":
            if person.seniority != "senior":
                reason = eligibility.NOT_SENIOR
            elif person.industries and facts.industry not in person.industries:
                reason = eligibility.WRONG_INDUSTRY
        found.append((person, reason))
    return found


def _ledger_key(table: Table, step: Step, region: str, needs: Iterable[str], industry: str) -> str:
    """One ledger per step, region (or * where everybody serves it), needed skills and seniors' industry."""
    people = pool(table, region)
    place = _quoted(region) if region and people and people[0].region == region else "*"
    skills = "+".join(map(_quoted, needs))
    parts = [step.id, place, skills, _quoted(industry)]
    return "/".join(parts).rstrip("/")


def _quoted(text: str) -> str:
    return text.replace("%", "%25").replace("/", "%2F").replace("+", "%2B").replace("*", "%2A")


def _keep(table: Table, step: Step, first: int, facts: LeadFacts) -> Pick | None:
    return _named(table, step, (facts.owner,), facts) if facts.owner else None


def _tag(table: Table, step: Step, first: int, facts: LeadFacts) -> Pick | None:
    return None


def _specialist(table: Table, step: Step, first: int, facts: LeadFacts) -> Pick | None:
    conditions = facts.conditions
    if True not in conditions or facts.policy_version != table.policy.version:
        return None
    for number, rule in enumerate(step.rules, first):
        if number < len(conditions) and conditions[number] is True:
            picked = _named(table, step, rule.people, facts)
            if picked is not None:
                return picked
    return None


def _named(table: Table, step: Step, people: Iterable[str], facts: LeadFacts) -> Pick | None:
    needs = needs_of(table, facts)
    for key in people:
        person = table.people.get(key)
        if person is None or key in facts.excluded or why_not(table, person, step, needs, named=True):
            continue
        return key, "", 0
    return None


def _nearest(table: Table, step: Step, first: int, facts: LeadFacts) -> Pick | None:
    if facts.cell is None:
        return None
    nearest: list[PersonChanged] = []
    least = step.radius
    needs = needs_of(table, facts)
    for person in pool(table, ""):
        if person.cell is None or person.person in facts.excluded:
            continue
        distance = metres(facts.cell, person.cell)
        if distance <= least and not why_not(table, person, step, needs):
            if distance < least:
                least, nearest = distance, []
            nearest.append(person)
    if not nearest:
        return None
    if len(nearest) == 1:
        return nearest[0].person, "", 0
    # Several stand equally near, as colleagues at one booth do: they take turns.
    return _deal(table, tuple(p.person for p in nearest), tuple(p.weight for p in nearest), step.id)


def _seniors(table: Table, step: Step, first: int, facts: LeadFacts) -> Pick | None:
    return _roster(table, step, first, facts) if facts.industry in step.industries else None


def _roster(table: Table, step: Step, first: int, facts: LeadFacts) -> Pick | None:
    people, weights, key = turns_of(table, step, facts)
    if not people:
        return None
    return _deal(table, people, weights, key, _left_out(table, step, facts) if facts.excluded else ())


def fall_back(table: Table, step: Step, first: int, facts: LeadFacts) -> Pick | None:
    """The person a fallback names, or the manager of the owner who let the lead lie; None: it waits."""
    if step.to == "queue":
        return None
    if step.to != "manager":
        return _named(table, step, (step.to,), facts)
    last = table.people.get(facts.owner or (facts.excluded[-1] if facts.excluded else ""))
    return None if last is None else _named(table, step, (last.manager,), facts)


def roster_ledger(table: Table, facts: LeadFacts) -> str:
    """The ledger of the roster that would have dealt this lead, "" if none would."""
    for _, step, _, _ in compiled(table.policy):
        if step.kind == "roster" and applies(table.policy, step, facts):
            return turns_of(table, step, facts)[2]
    return ""


def _deal(
    table: Table,
    people: tuple[str, ...],
    weights: tuple[int, ...],
    key: str,
    without: tuple[str, ...] = (),
) -> Pick:
    ledger = table.ledger(key)
    if (ledger.people is not people and ledger.people != people) or ledger.weights != weights:
        begin_epoch(ledger, people, weights, without)
    return people[next_index(ledger)], key, ledger.turns + 1


_PICKERS: dict[str, Callable[[Table, Step, int, LeadFacts], Pick | None]] = {
    "keep_owner": _keep,
    "tag_urgent": _tag,
    "specialist": _specialist,
    "nearest": _nearest,
    "seniors": _seniors,
    "roster": _roster,
    "fallback": fall_back,
}
_COMPILED: dict[str, tuple[Compiled, ...]] = {}


def compiled(policy: Policy) -> tuple[Compiled, ...]:
    """The policy's steps with the places of their conditions; kept per policy hash."""
    key = policy.hash()
    known = _COMPILED.get(key)
    if known is None:
        steps: list[Compiled] = []
        index = 0
        for step in policy.steps:
            when = index if step.when else -1
            index += 1 if step.when else 0
            steps.append((_PICKERS[step.kind], step, when, index))
            index += 1 if step.kind == "tag_urgent" else len(step.rules)
        known = _COMPILED[key] = tuple(steps)
    return known


def why_nobody(table: Table, facts: LeadFacts) -> str:
    """Why a lead waits: the one reason that holds for everybody the last roster looked at, or NOBODY_AVAILABLE."""
    for _, step, _, _ in reversed(compiled(table.policy)):
        if step.kind == "roster" and applies(table.policy, step, facts):
            looked = reasons_at(table, step, facts)
            reasons = {reason or eligibility.EXCLUDED for _, reason in looked}
            if not reasons:
                return eligibility.NO_PEOPLE
            return reasons.pop() if len(reasons) == 1 else eligibility.NOBODY_AVAILABLE
    return eligibility.NOBODY_AVAILABLE
