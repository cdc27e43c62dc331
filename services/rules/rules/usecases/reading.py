"""Reading the journal: decisions explained, ledgers, clocks. All of it is replay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from chassis.access import Principal, Scope
from chassis.errors import NotFound
from chassis.transaction import Transaction
from dealwright.rules.v1 import rules_pb2
from rules import storage, wire
from rules.domain.codec import decode
from rules.domain.eligibility import EXCLUDED
from rules.domain.entries import Decided, PersonChanged, TurnReturned
from rules.domain.explanation import explain, why_passed_over
from rules.domain.fairness import LEAD, next_index, settled
from rules.domain.ladder import rungs
from rules.domain.ownership import Clock, clocks_of
from rules.domain.state import State, not_before
from rules.usecases.book import Desk, company_hours
from rules.usecases.journal import known_state, states_before

_LEAD = re.compile(r"leads/[0-9a-f]{32}")
_WATCHED = re.compile(r"(opportunities|customers)/[0-9a-f]{32}")


def decisions_about(tx: Transaction, parent: str, limit: int, before: int) -> list[rules_pb2.Decision]:
    """Decisions about a lead, newest first, expanded by replay; none while it waits for its first.

    Raises NotFound when there are some and none is the caller's to see.
    """
    lead = _lead(parent)
    found = storage.about(tx, [lead], ("decided", "returned"))
    entries = [(record.seq, decode(record.data)) for _, record in found]
    returned = {entry.decision for _, entry in entries if isinstance(entry, TurnReturned)}
    decided = [(seq, e) for seq, e in entries if isinstance(e, Decided) and (not before or seq < before)]
    people = known_state(tx).state.people
    shown: list[rules_pb2.Decision] = []
    # In pieces from the end: whoever sees only some of them still gets a full page.
    while decided and len(shown) < limit:
        decided, piece = decided[:-limit], dict(decided[-limit:])
        messages = [
            wire.decision_message(seq, explain(state, piece[seq]), seq in returned)
            for seq, state in states_before(tx, list(piece))
        ]
        shown += [_masked(tx.principal, m) for m in reversed(messages) if _may_see(tx.principal, m, people)]
    if entries and not shown and not before:
        raise NotFound(parent)
    return shown[:limit]


def _lead(parent: str) -> str:
    """The bare id. Raises NotFound for a name that no lead has."""
    if not _LEAD.fullmatch(parent):
        raise NotFound("leads/...")
    return wire.bare(parent)


def _may_see(principal: Principal, message: rules_pb2.Decision, people: Mapping[str, PersonChanged]) -> bool:
    """Whether the caller may see a decision; takes away what is not his.

    Everything to who sees all leads, a team's decisions to its manager; to a sales person his own line alone, of
    decisions that chose him or passed him over.
    """
    scope = principal.scope("leads", "read")
    if scope is Scope.ALL:
        return True
    if scope is Scope.TEAM:
        owner = people.get(wire.bare(message.owner))
        if message.owner == principal.person or owner is None or f"teams/{owner.team}" in principal.teams:
            return True
    mine = [c for c in message.candidates if c.person == principal.person]
    if not mine and message.owner != principal.person:
        return False
    del message.candidates[:]
    message.candidates.extend(mine)
    for ledger in (message.ledger_before, message.ledger_after):
        for person in [p for p in ledger if p != principal.person]:
            del ledger[person]
    excluded = message.facts.fields["excluded"].list_value
    kept = [v.string_value for v in excluded.values if v.string_value == principal.person]
    excluded.Clear()
    excluded.extend(kept)
    return True


def _masked(principal: Principal, message: rules_pb2.Decision) -> rules_pb2.Decision:
    """Without the facts that are fields of the lead which the caller's role never sees."""
    hidden = principal.grant("leads").hidden
    for field in hidden:
        message.facts.fields.pop("cell" if field == "location" else field, None)
    if "owner" in hidden:
        for told in ("owner", "candidates", "ledger_before", "ledger_after"):
            message.ClearField(told)
        message.facts.fields.pop("excluded", None)
    return message


def timers_of(tx: Transaction, parent: str) -> list[rules_pb2.Timer]:
    """The clocks that ran out for a lead, whoever had it, and those of its present ownership, in the order in which
    they are due. Everybody sees those of his own ownerships, a manager his team's.

    Raises NotFound where there are some and none is the caller's to see.
    """
    if not parent.startswith("leads/"):
        return _automation_timers(tx, parent)
    lead = _lead(parent)
    found = {(c.version, c.kind, c.due): (c.owner, Clock(c.due, c.fired), False) for c in storage.fired_of(tx, lead)}
    ownership = storage.ownerships_of(tx, [lead]).get(lead)
    if ownership is not None and ownership.owner:
        for kind, clock, stopped in clocks_of(ownership):
            if clock.due is not None:
                found[ownership.version, kind, clock.due] = (ownership.owner, clock, stopped)
    scope, people = tx.principal.scope("leads", "read"), known_state(tx).state.people

    def shown(owner: str) -> bool:
        if scope is Scope.ALL or wire.person_name(owner) == tx.principal.person:
            return True
        person = people.get(owner)
        return scope is Scope.TEAM and person is not None and f"teams/{person.team}" in tx.principal.teams

    timers = [
        wire.timer(lead, version, owner, kind, clock, stopped)
        for (version, kind, due), (owner, clock, stopped) in sorted(found.items(), key=lambda x: (x[0][2], x[0]))
        if shown(owner)
    ]
    if found and not timers:
        raise NotFound(parent)
    return timers


def _automation_timers(tx: Transaction, parent: str) -> list[rules_pb2.Timer]:
    """The clocks of automations on an opportunity or a customer: those that ran out, then those that run or stand
    still, the next first. Raises NotFound for one that is not the caller's or his team's."""
    known = storage.find_watched(tx, [parent]).get(parent) if _WATCHED.fullmatch(parent) else None
    if known is None or not known.version or not _reaches(tx, parent.partition("/")[0], known.owner):
        raise NotFound(parent)
    desk = Desk.open(tx)
    found = [
        wire.automation_timer(parent, one.automation, one.owner, one.due, one.fired, None)
        for one in storage.automations_fired_of(tx, parent)
    ]
    waiting = rungs(known, desk.book.automations, desk.book.holding(known), company_hours(desk.state))
    return found + [
        wire.automation_timer(parent, rung.automation.id, known.owner, rung.due, None, rung.base) for rung in waiting
    ]


def _reaches(tx: Transaction, resource: str, owner: str) -> bool:
    """Whether what this person has is the caller's to read. Raises Denied without any right."""
    scope = tx.principal.require(resource, "read")
    if scope is Scope.ALL or (owner and wire.person_name(owner) == tx.principal.person):
        return True
    person = known_state(tx).state.people.get(owner)
    return scope is Scope.TEAM and person is not None and f"teams/{person.team}" in tx.principal.teams


def ledgers(tx: Transaction) -> list[rules_pb2.Ledger]:
    state = known_state(tx).state
    found = [_ledger(tx, state, key) for key in sorted(state.ledgers)]
    return [ledger for ledger in found if ledger.rows]


def ledger(tx: Transaction, name: str) -> rules_pb2.Ledger:
    """Raises NotFound for a roster that has dealt no turn."""
    state = known_state(tx).state
    key = name.removeprefix("ledgers/")
    if key not in state.ledgers:
        raise NotFound(name)
    return _ledger(tx, state, key)


def _ledger(tx: Transaction, state: State, key: str) -> rules_pb2.Ledger:
    principal, kept = tx.principal, state.ledgers[key]
    owed = settled(kept)
    total = sum(kept.weights) or 1
    members = dict(zip(kept.people, zip(kept.weights, kept.taken, strict=True), strict=True))
    deviations = [abs(w * kept.turns - total * t) / total for w, t in zip(kept.weights, kept.taken, strict=True)]
    n = len(kept.people)
    reasons = why_passed_over(state, key, sorted(owed), not_before(state, tx.now))
    for person in kept.without:
        reasons[person] = reasons[person] or EXCLUDED
    rows = [
        rules_pb2.Ledger.Row(
            person=wire.person_name(person),
            weight=_weight(state, person, members[person][0] if person in members else 0, kept.without),
            turns=members[person][1] if person in members else 0,
            share=members[person][0] / total if person in members else 0.0,
            credit=owed.get(person, 0) / LEAD,
            reason=reasons[person],
        )
        for person in sorted(owed)
    ]
    following = kept.people[next_index(kept)] if n else ""
    message = rules_pb2.Ledger(
        name=f"ledgers/{key}",
        display_name=key,
        epoch_entry=kept.epoch,
        epoch_turns=kept.turns,
        worst_deviation=max(deviations, default=0.0),
        bound=1 - 1 / (2 * n - 2) if n > 1 else 0.0,
        next=wire.person_name(following) if following and not reasons[following] else "",
    )
    if principal.scope("ledgers", "read") is Scope.OWN:
        rows = [row for row in rows if row.person == principal.person]
        if message.next != principal.person:
            message.next = ""
    elif principal.scope("ledgers", "read") is Scope.TEAM:
        rows = [r for r in rows if _in_teams(principal, state, wire.bare(r.person))]
    message.rows.extend(rows)
    return message


def _weight(state: State, person: str, dealt: int, without: Sequence[str]) -> int:
    """The weight that a person is dealt by, or will be again with the next lead that he has not had before."""
    return (state.people[person].weight if person in without else dealt) // 1000


def _in_teams(principal: Principal, state: State, person: str) -> bool:
    known = state.people.get(person)
    return known is not None and f"teams/{known.team}" in principal.teams
