"""The decision: which step gives the lead to whom. `decide_all` and `drain` decide; replay derives the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rules.domain import eligibility
from rules.domain.eligibility import metres, needs_of, pool, why_not
from rules.domain.entries import Decided, LeadFacts, PersonChanged
from rules.domain.fairness import LEAD, adjust, begin_epoch, next_index, take
from rules.domain.policy import RESERVED_STEP, Policy, Step
from rules.domain.state import NO_LOAD, State, Table, Turns, Waiting, micros, moment_of

Pick = tuple[str, str, int]
"""Owner, ledger charged ("" = none), position in the ledger's epoch."""
Compiled = tuple[Callable[[Table, Step, int, LeadFacts], Pick | None], Step, int, int]
"""Picker, step, index of its `when` among the conditions (-1: none), index of its first other condition."""

_ESCALATE = Step(RESERVED_STEP, "fallback", to="manager")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a decision comes to; the rest of a `Decided` are its inputs."""

    owner: str
    step: str
    reason: str
    ledger: str
    position: int
    urgent: bool


def decide_all(state: State, leads: Sequence[LeadFacts], now: datetime) -> tuple[list[Decided], State]:
    """Decide these leads: urgent ones first, then in the order given. Decisions come in the order taken.

    Each decision depends on the state that those before it left, so a batch spreads exactly like singles.
    Conditions are those of `facts.policy_version`; see LeadFacts.
    """
    table = Table(state)
    table.set_moment(micros(now))
    if any(is_urgent(state.policy, facts) for facts in leads):
        leads = sorted(leads, key=lambda facts: not is_urgent(state.policy, facts))
    return [decide(table, facts) for facts in leads], table.freeze()


def drain(
    state: State, now: datetime, refreshed: Mapping[str, LeadFacts] | None = None, limit: int | None = None
) -> tuple[list[Decided], State]:
    """Decide the waiting leads somebody may take now: urgent first, then oldest. Others keep waiting.

    `refreshed`: facts evaluated anew (after a new policy), by lead. `limit`: at most so many decisions.
    """
    table = Table(state)
    table.set_moment(micros(now))
    decided: list[Decided] = []
    for waiting in waiting_in_order(state):
        if limit is not None and len(decided) >= limit:
            break
        facts = (refreshed or {}).get(waiting.facts.lead, waiting.facts)
        choice = choose(table, facts)
        if choice.owner:
            decided.append(apply(table, facts, choice))
    return decided, table.freeze()


def waiting_in_order(state: State) -> list[Waiting]:
    """Who is served next: urgent first, then by capture, then by id."""
    waiting = state.waiting.values()
    return sorted(waiting, key=lambda w: (not w.urgent, w.facts.captured_at, w.facts.lead))


def next_wake(state: State, now: datetime) -> datetime | None:
    """When time alone may free somebody for a waiting lead: a calendar opens, or a new day begins.

    None: only an event can. The answer may be too early to help, never too late.
    """
    if not state.waiting:
        return None
    table = Table(state)
    table.set_moment(micros(now))
    active = [person for person in state.people.values() if person.state == "ACTIVE"]
    used = {person.calendar for person in active} & table.memo.day.closed
    openings = (state.calendars[key].hours.next_open(now) for key in sorted(used))
    moments = [opening for opening in openings if opening is not None]
    if any(person.day_limit is not None for person in active):
        moments.append(moment_of(table.memo.day.end))
    return min(moments, default=None)


def is_urgent(policy: Policy, facts: LeadFacts) -> bool:
    """Whether the lead goes first: it says so itself, or a tag_urgent step's words occurred."""
    if facts.urgent:
        return True
    if True not in facts.conditions or facts.policy_version != policy.version:
        return False
    return any(
        picker is _tag and _applies(step, when, facts, facts.conditions) and facts.conditions[first] is True
        for picker, step, when, first in compiled(policy)
    )


def decide(table: Table, facts: LeadFacts) -> Decided:
    """Decide one lead on the table, and account for it."""
    return apply(table, facts, choose(table, facts))


def choose(table: Table, facts: LeadFacts) -> Choice:
    """What the policy says of this lead now; accounts for nothing (a ledger may open its next epoch)."""
    policy = table.policy
    steps = compiled(policy)
    conditions = facts.conditions if facts.policy_version == policy.version else ()
    urgent = is_urgent(policy, facts)
    if facts.attempt > policy.clocks.reassignments:
        picked = _fallback(table, _ESCALATE, -1, facts)
        if picked is not None:
            return Choice(picked[0], RESERVED_STEP, "ESCALATED", "", 0, urgent)
    for picker, step, when, first in steps:
        if (when >= 0 or step.match) and not _applies(step, when, facts, conditions):
            continue
        picked = picker(table, step, first, facts)
        if picked is not None:
            owner, ledger, position = picked
            if step.charges_turn and not ledger:
                ledger = _roster_ledger(table, facts)
            return Choice(owner, step.id, "", ledger, position, urgent)
    return Choice("", _last_step(policy), why_nobody(table, facts), "", 0, urgent)


def apply(table: Table, facts: LeadFacts, choice: Choice) -> Decided:
    """Account for a choice: turn, load, waiting list."""
    table.seq += 1
    owner = choice.owner
    if owner:
        if choice.ledger:
            ledger = table.ledger(choice.ledger)
            if choice.position:
                take(ledger, ledger.people.index(owner))
            else:  # a step that names people, told to charge: the roster's others are owed the lead
                adjust(ledger, owner, -LEAD)
        open_leads, day, taken = table.load.get(owner, NO_LOAD)
        today = table.memo.day.ordinal
        taken = taken + 1 if day == today else 1
        table.load[owner] = (open_leads + 1, today, taken)
        person = table.people[owner]
        if open_leads + 1 == person.open_limit or taken == person.day_limit:
            table.eligibility_changed()
        if facts.lead in table.waiting:
            table.set_waiting(facts.lead, None)
    else:
        known = table.waiting.get(facts.lead)
        since = table.at if known is None else known.since
        table.set_waiting(facts.lead, Waiting(facts, choice.reason, choice.urgent, since))
    return Decided(
        facts,
        table.policy.hash(),
        owner,
        choice.step,
        choice.reason,
        choice.ledger,
        choice.position,
        choice.urgent,
        table.at,
    )


def applies(policy: Policy, step: Step, facts: LeadFacts) -> bool:
    """Whether the step's match and condition hold for this lead (an error in a condition does not hold)."""
    when = next(entry[2] for entry in compiled(policy) if entry[1] is step)
    return _applies(step, when, facts, facts.conditions if facts.policy_version == policy.version else ())


def _applies(step: Step, when: int, facts: LeadFacts, conditions: tuple[bool | str, ...]) -> bool:
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
    least, nearest = step.radius, []
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
    return _deal(table, people, weights, key)


def _fallback(table: Table, step: Step, first: int, facts: LeadFacts) -> Pick | None:
    if step.to == "queue":
        return None
    if step.to != "manager":
        return _named(table, step, (step.to,), facts)
    last = table.people.get(facts.owner or (facts.excluded[-1] if facts.excluded else ""))
    return None if last is None else _named(table, step, (last.manager,), facts)


def _roster_ledger(table: Table, facts: LeadFacts) -> str:
    """The ledger of the roster that would have dealt this lead, "" if none would."""
    for _, step, _, _ in compiled(table.policy):
        if step.kind == "roster" and applies(table.policy, step, facts):
            return turns_of(table, step, facts)[2]
    return ""


def _deal(table: Table, people: tuple[str, ...], weights: tuple[int, ...], key: str) -> Pick:
    ledger = table.ledger(key)
    if (ledger.people is not people and ledger.people != people) or ledger.weights != weights:
        begin_epoch(ledger, people, weights)
    return people[next_index(ledger)], key, ledger.turns + 1


_PICKERS: dict[str, Callable[[Table, Step, int, LeadFacts], Pick | None]] = {
    "keep_owner": _keep,
    "tag_urgent": _tag,
    "specialist": _specialist,
    "nearest": _nearest,
    "seniors": _seniors,
    "roster": _roster,
    "fallback": _fallback,
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


def _last_step(policy: Policy) -> str:
    return policy.steps[-1].id
