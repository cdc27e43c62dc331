"""Reading the journal: decisions explained, ledgers, verification, simulation. All of it is replay."""

from __future__ import annotations

from collections import Counter
from typing import Any

from chassis.access import Principal, Scope
from chassis.errors import NotFound
from chassis.transaction import Transaction
from dealwright.rules.v1 import rules_pb2
from rules import storage, wire
from rules.domain import (
    LEAD,
    CalendarChanged,
    Decided,
    PersonChanged,
    PolicyPublished,
    PresenceChanged,
    State,
    TurnReturned,
    credits_of,
    decide_all,
    decode,
    explain,
    fold,
    fold_all,
    initial_state,
    moment_of,
    verify,
    with_version,
)
from rules.domain.fairness import next_index
from rules.usecases.journal import known_state, state_before
from rules.usecases.policies import plan_policy

_MOST_DIFFERENCES = 1000


def decisions_about(tx: Transaction, parent: str, limit: int, before: int) -> list[rules_pb2.Decision]:
    """Decisions about a lead, newest first, expanded by replay. Raises NotFound when there is none to see."""
    lead = wire.bare(parent)
    records = [r for r in storage.about(tx, [lead], "decided") if not before or r.seq < before]
    returned = {
        entry.decision
        for record in storage.about(tx, [lead], "returned")
        if isinstance(entry := decode(record.data), TurnReturned)
    }
    found = []
    people = known_state(tx).state.people
    for record in reversed(records):
        entry = decode(record.data)
        if not isinstance(entry, Decided):
            continue
        explanation = explain(state_before(tx, record.seq), entry)
        message = wire.decision_message(record.seq, explanation, record.seq in returned)
        if _may_see(tx.principal, message, people):
            found.append(message)
        if len(found) >= limit:
            break
    if not found and not before:
        raise NotFound(parent)
    return found


def _may_see(principal: Principal, message: rules_pb2.Decision, people: dict[str, PersonChanged] | Any) -> bool:
    """All of it to the owner, his managers and those who see everything; to somebody passed over his own line alone."""
    scope = principal.scope("leads", "read")
    if scope is Scope.ALL or message.owner == principal.person:
        return True
    owner = people.get(wire.bare(message.owner))
    if scope is Scope.TEAM and (owner is None or f"teams/{owner.team}" in principal.teams):
        return True
    mine = [c for c in message.candidates if c.person == principal.person]
    if not mine:
        return False
    del message.candidates[:]
    message.candidates.extend(mine)
    for ledger in (message.ledger_before, message.ledger_after):
        for person in [p for p in ledger if p != principal.person]:
            del ledger[person]
    return True


def ledgers(tx: Transaction) -> list[rules_pb2.Ledger]:
    state = known_state(tx).state
    found = [_ledger(tx.principal, state, key) for key in sorted(state.ledgers)]
    return [ledger for ledger in found if ledger.rows]


def ledger(tx: Transaction, name: str) -> rules_pb2.Ledger:
    """Raises NotFound for a roster that has dealt no turn."""
    state = known_state(tx).state
    key = name.removeprefix("ledgers/")
    if key not in state.ledgers:
        raise NotFound(name)
    return _ledger(tx.principal, state, key)


def _ledger(principal: Principal, state: State, key: str) -> rules_pb2.Ledger:
    kept = state.ledgers[key]
    owed = credits_of(state)[key]
    total = sum(kept.weights) or 1
    members = dict(zip(kept.people, zip(kept.weights, kept.taken, strict=True), strict=True))
    deviations = [abs(w * kept.turns - total * t) / total for w, t in zip(kept.weights, kept.taken, strict=True)]
    n = len(kept.people)
    rows = [
        rules_pb2.Ledger.Row(
            person=wire.person_name(person),
            weight=members[person][0] // 1000 if person in members else 0,
            turns=members[person][1] if person in members else 0,
            share=members[person][0] / total if person in members else 0.0,
            credit=owed.get(person, 0) / LEAD,
            reason="" if person in members else "NOT_ELIGIBLE",
        )
        for person in sorted(owed)
    ]
    message = rules_pb2.Ledger(
        name=f"ledgers/{key}",
        display_name=key,
        epoch_entry=kept.epoch,
        epoch_turns=kept.turns,
        worst_deviation=max(deviations, default=0.0),
        bound=1 - 1 / (2 * n - 2) if n > 1 else 0.0,
        next=wire.person_name(kept.people[next_index(kept)]) if n else "",
    )
    if principal.scope("ledgers", "read") is Scope.OWN:
        rows = [row for row in rows if row.person == principal.person]
        if message.next != principal.person:
            message.next = ""
    elif principal.scope("ledgers", "read") is Scope.TEAM:
        rows = [r for r in rows if _in_teams(principal, state, wire.bare(r.person))]
    message.rows.extend(rows)
    return message


def _in_teams(principal: Principal, state: State, person: str) -> bool:
    known = state.people.get(person)
    return known is not None and f"teams/{known.team}" in principal.teams


def verify_journal(tx: Transaction) -> rules_pb2.VerifyJournalResponse:
    """Re-derives every decision from the first entry and checks the chain to the head."""
    seq, digest = storage.head(tx)
    report = verify(storage.records(tx, 0, seq))
    wrong, problem = report.wrong, report.reason
    if not wrong and (report.entries != seq or report.head != digest):
        wrong, problem = report.entries + 1, "HEAD: the journal's end is not where its head says"
    return rules_pb2.VerifyJournalResponse(
        entries=report.entries,
        decisions=report.decisions,
        first_wrong_entry=wrong,
        problem=problem,
        head_hash=report.head.hex(),
    )


def simulate(tx: Transaction, content: dict[str, Any], first: int, last: int) -> rules_pb2.SimulatePolicyResponse:
    """Decides the leads of a span of history again under another policy. Conditions on texts cannot be evaluated
    again (texts are not journalled): those the new policy shares with the old keep their journalled values."""
    proposed = plan_policy(content)
    answer = rules_pb2.SimulatePolicyResponse()
    counts: Counter[str] = Counter()
    end = min(last or storage.head(tx)[0], storage.head(tx)[0])
    begin = max(first, 1)
    state = state_before(tx, begin) if begin > 1 else initial_state()
    simulated = fold(state, PolicyPublished(with_version(proposed, 1_000_000), 0))
    wanted = list(proposed.conditions())
    values: dict[int, dict[object, Any]] = {}
    for record in storage.records(tx, begin - 1, end):
        entry = decode(record.data)
        if isinstance(entry, PolicyPublished):
            state = fold(state, entry)
            continue
        if isinstance(entry, Decided):
            facts = entry.facts
            known = values.setdefault(facts.policy_version, {c: i for i, c in enumerate(state.policy.conditions())})
            conditions = tuple(
                facts.conditions[known[c]] if c in known and known[c] < len(facts.conditions) else "not evaluated"
                for c in wanted
            )
            again = _with(facts, conditions)
            decided, simulated = decide_all(simulated, [again], moment_of(entry.at))
            _compare(answer, counts, entry, decided[0])
        elif isinstance(entry, PersonChanged | PresenceChanged | CalendarChanged):
            simulated = fold_all(simulated, [entry])
    for person, leads in counts.items():
        answer.leads_per_person[wire.person_name(person)] = leads
    return answer


def _with(facts: Any, conditions: tuple[Any, ...]) -> Any:
    import dataclasses

    return dataclasses.replace(facts, policy_version=1_000_000, conditions=conditions)


def _compare(answer: rules_pb2.SimulatePolicyResponse, counts: Counter[str], was: Decided, now: Decided) -> None:
    answer.decisions += 1
    if now.owner:
        counts[now.owner] += 1
    if now.owner == was.owner:
        return
    answer.different += 1
    if len(answer.differences) < _MOST_DIFFERENCES:
        answer.differences.add(
            lead=wire.lead_name(was.facts.lead),
            owner_before=wire.person_name(was.owner),
            owner_after=wire.person_name(now.owner),
            step_after=now.step,
        )
