"""The decision: which step gives the lead to whom. `decide_all` and `drain` decide; replay derives the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heapreplace

from rules.domain.entries import Decided, LeadFacts
from rules.domain.fairness import LEAD, adjust, take
from rules.domain.policy import RESERVED_STEP, Policy, Step
from rules.domain.state import NO_LOAD, State, Table, Waiting, micros, moment_of
from rules.domain.steps import applies_at, compiled, fall_back, roster_ledger, why_nobody

ESCALATED = "ESCALATED"
# A manager need not have the lead's skill: he is told, and finds somebody who does.
_ESCALATE = Step(RESERVED_STEP, "fallback", checks=("presence", "shift", "capacity"), to="manager")


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


def drain(state: State, now: datetime, limit: int | None = None) -> tuple[list[Decided], State]:
    """Decide the waiting leads somebody may take now: urgent first, then oldest. Others keep waiting.

    `limit`: at most so many decisions. Leads that differ in nothing a step looks at stand in one line: while nobody may
    take the first of it, nobody may take the rest, so ten thousand that wait for one person cost one look.
    """
    table = Table(state)
    table.set_moment(micros(now))
    lines = _lines(state.waiting)
    heads = [(_place(line[0]), number, 0) for number, line in enumerate(lines)]
    heapify(heads)
    decided: list[Decided] = []
    while heads and (limit is None or len(decided) < limit):
        _, number, position = heads[0]
        line = lines[number]
        facts = line[position].facts
        choice = pick(table, facts)
        if choice is None:
            heappop(heads)
            continue
        decided.append(apply(table, facts, choice))
        position += 1
        if position < len(line):
            heapreplace(heads, (_place(line[position]), number, position))
        else:
            heappop(heads)
    after = table.freeze()
    if decided:
        _keep_lines(after.waiting, lines, {d.facts.lead for d in decided})
    return decided, after


Line = list[Waiting]
_known_lines: tuple[Mapping[str, Waiting], list[Line]] = ({}, [])


def _lines(waiting: Mapping[str, Waiting]) -> list[Line]:
    """The waiting leads in lines of those alike, each in order; kept for the mapping they were made of."""
    global _known_lines
    made_of, lines = _known_lines
    if made_of is waiting:
        return lines
    found: dict[tuple[object, ...], Line] = {}
    for one in waiting.values():
        f = one.facts
        alike = (
            *(one.urgent, f.policy_version, f.conditions, f.region, f.industry, f.category, f.channel, f.intent),
            *(f.skills, f.cell, f.urgent, f.owner, f.excluded, f.attempt),
        )
        found.setdefault(alike, []).append(one)
    for line in found.values():
        line.sort(key=_place)
    lines = list(found.values())
    _known_lines = waiting, lines
    return lines


def _keep_lines(waiting: Mapping[str, Waiting], lines: list[Line], gone: set[str]) -> None:
    global _known_lines
    left = []
    for line in lines:
        if line[0].facts.lead in gone:  # they leave from the front
            line = [one for one in line if one.facts.lead not in gone]
        if line:
            left.append(line)
    _known_lines = waiting, left


def _place(waiting: Waiting) -> tuple[bool, int, str]:
    return (not waiting.urgent, waiting.facts.captured_at, waiting.facts.lead)


def waiting_in_order(state: State) -> list[Waiting]:
    """Who is served next: urgent first, then by capture, then by id."""
    return sorted(state.waiting.values(), key=_place)


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
        step.kind == "tag_urgent"
        and applies_at(step, when, facts, facts.conditions)
        and facts.conditions[first] is True
        for _, step, when, first in compiled(policy)
    )


def decide(table: Table, facts: LeadFacts) -> Decided:
    """Decide one lead on the table, and account for it."""
    return apply(table, facts, choose(table, facts))


def choose(table: Table, facts: LeadFacts) -> Choice:
    """What the policy says of this lead now; accounts for nothing (a ledger may open its next epoch)."""
    picked = pick(table, facts)
    if picked is not None:
        return picked
    policy = table.policy
    return Choice("", policy.steps[-1].id, why_nobody(table, facts), "", 0, is_urgent(policy, facts))


def pick(table: Table, facts: LeadFacts) -> Choice | None:
    """`choose` without the search for a reason: None where the lead has to wait."""
    policy = table.policy
    steps = compiled(policy)
    conditions = facts.conditions if facts.policy_version == policy.version else ()
    urgent = is_urgent(policy, facts)
    if facts.attempt > policy.clocks.reassignments:
        picked = fall_back(table, _ESCALATE, -1, facts)
        if picked is not None:
            return Choice(picked[0], RESERVED_STEP, ESCALATED, "", 0, urgent)
    for picker, step, when, first in steps:
        if (when >= 0 or step.match) and not applies_at(step, when, facts, conditions):
            continue
        picked = picker(table, step, first, facts)
        if picked is not None:
            owner, ledger, position = picked
            if step.charges_turn and not ledger:
                ledger = roster_ledger(table, facts)
            return Choice(owner, step.id, "", ledger, position, urgent)
    return None


def apply(table: Table, facts: LeadFacts, choice: Choice) -> Decided:
    """Account for a choice: turn, load, waiting list."""
    table.seq += 1
    if table.at > table.last:
        table.last = table.at
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


def turn_ledger(state: State, facts: LeadFacts, now: datetime) -> str:
    """The ledger of the roster that would deal this lead now, "" if none would: what a move by hand charges."""
    table = Table(state)
    table.set_moment(micros(now))
    return roster_ledger(table, facts)
