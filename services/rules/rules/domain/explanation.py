"""A decision unfolded for people: everybody considered, why not them, and the credits before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from rules.domain import eligibility
from rules.domain.assignment import Choice, apply, choose
from rules.domain.eligibility import metres, needs_of, pool, why_not
from rules.domain.entries import Decided, LeadFacts
from rules.domain.fairness import settled
from rules.domain.policy import RESERVED_STEP, Step
from rules.domain.replay import Diverged
from rules.domain.state import State, Table, micros
from rules.domain.steps import applies, compiled, reasons_at


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody a step looked at. `outcome`: CHOSEN or PASSED_OVER, `reason` a code of `eligibility` or "".

    `credit`: what the charged ledger owed them before this lead, in units of 1/LEAD lead (0 without a ledger).
    """

    person: str
    outcome: str
    reason: str
    credit: int


@dataclass(frozen=True, slots=True)
class StepTrace:
    """What a step did: CHOSE, NOBODY (nobody there might receive), NOT_APPLICABLE, or CONDITION_ERROR."""

    step: str
    kind: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with everything derived from its history. Credits are in units of 1/LEAD lead."""

    decision: Decided
    policy_id: str
    policy_version: int
    steps: tuple[StepTrace, ...]
    candidates: tuple[Candidate, ...]
    epoch: int
    ledger_before: dict[str, int]
    ledger_after: dict[str, int]


def explain(state_before: State, entry: Decided) -> Explanation:
    """Unfold a decision from the state just before it. Raises Diverged if it is not what that state leads to."""
    table = Table(state_before)
    table.set_moment(entry.at)
    facts = entry.facts
    known = state_before.ledgers.get(entry.ledger)
    before = settled(known) if known is not None else {}
    choice = choose(table, facts)
    for name in Choice.__slots__:
        if getattr(choice, name) != getattr(entry, name):
            raise Diverged(state_before.seq + 1, name, getattr(entry, name), getattr(choice, name))
    traces, shown = _walk(table, entry)
    candidates = _candidates(table, shown, entry, before) if shown is not None else ()
    policy = table.policy
    apply(table, facts, choice)
    ledger = table.ledgers.get(entry.ledger)
    after = settled(ledger) if ledger is not None else {}
    for person in after:
        before.setdefault(person, 0)
    epoch = ledger.epoch if ledger is not None else 0
    return Explanation(entry, policy.id, policy.version, traces, candidates, epoch, before, after)


def _walk(table: Table, entry: Decided) -> tuple[tuple[StepTrace, ...], Step | None]:
    """What each step up to the deciding one did, and the step whose candidates are worth showing."""
    policy, facts = table.policy, entry.facts
    if entry.step == RESERVED_STEP:
        return (StepTrace(RESERVED_STEP, "fallback", "CHOSE"),), Step(RESERVED_STEP, "fallback", to="manager")
    traces, roster = [], None
    for _, step, when, _ in compiled(policy):
        if step.id == entry.step and entry.owner:
            traces.append(StepTrace(step.id, step.kind, "CHOSE"))
            return tuple(traces), step
        if not applies(policy, step, facts):
            fresh = facts.policy_version == policy.version and when < len(facts.conditions)
            failed = when >= 0 and (not fresh or isinstance(facts.conditions[when], str))
            traces.append(StepTrace(step.id, step.kind, "CONDITION_ERROR" if failed else "NOT_APPLICABLE"))
            continue
        used = {
            "keep_owner": bool(facts.owner),
            "nearest": facts.cell is not None,
            "seniors": facts.industry in step.industries,
            "roster": True,
            "fallback": step.to != "queue",
        }.get(step.kind, False)
        traces.append(StepTrace(step.id, step.kind, "NOBODY" if used else "NOT_APPLICABLE"))
        if step.kind == "roster":
            roster = step
    return tuple(traces), roster


def _candidates(table: Table, step: Step, entry: Decided, before: dict[str, int]) -> tuple[Candidate, ...]:
    facts = entry.facts
    if step.kind == "nearest":
        looked = _by_distance(table, step, facts)
    elif step.kind in ("roster", "seniors"):
        looked = [(person.person, reason) for person, reason in reasons_at(table, step, facts)]
    else:
        looked = [(entry.owner, "")]
    found = []
    for person, reason in looked:
        chosen = person == entry.owner
        if not reason and person in facts.excluded:
            reason = eligibility.EXCLUDED
        if not chosen and not reason:
            reason = eligibility.NOT_THEIR_TURN
        outcome = "CHOSEN" if chosen else "PASSED_OVER"
        found.append(Candidate(person, outcome, "" if chosen else reason, before.get(person, 0)))
    return tuple(found)


def _by_distance(table: Table, step: Step, facts: LeadFacts) -> list[tuple[str, str]]:
    assert facts.cell is not None
    needs = needs_of(table, facts)
    near: list[tuple[str, str, int]] = []
    for person in pool(table, ""):
        away = step.radius + 1 if person.cell is None else metres(facts.cell, person.cell)
        far = eligibility.TOO_FAR if away > step.radius else ""
        near.append((person.person, far or why_not(table, person, step, needs), away))
    able = [away for key, reason, away in near if not reason and key not in facts.excluded]
    least = min(able, default=0)
    return [(key, reason or (eligibility.NOT_NEAREST if away > least else "")) for key, reason, away in near]


def why_passed_over(state: State, key: str, people: Sequence[str], now: datetime) -> dict[str, str]:
    """Why each of a ledger's members would be passed over now, a code of `eligibility`; "" for who may receive."""
    step_id, place, skills, _ = (*key.split("/"), "", "", "")[:4]
    step = next((s for s in state.policy.steps if s.id == step_id), None)
    table = Table(state)
    table.set_moment(micros(now))
    region = unquote(place)
    needs = tuple(unquote(skill) for skill in skills.split("+") if skill)
    found = {}
    for key_of in people:
        person = table.people.get(key_of)
        if person is None or step is None:
            found[key_of] = eligibility.NOT_RECEIVING
        elif person.state == "ACTIVE" and place not in ("", "*") and person.region != region:
            found[key_of] = eligibility.OTHER_REGION
        else:
            found[key_of] = why_not(table, person, step, needs)
    return found
