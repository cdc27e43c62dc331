"""Publishing the assignment policy: checked whole, versioned, journalled."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

from chassis.errors import Invalid, NotFound, Stale
from chassis.expressions import ExpressionError
from chassis.expressions import compile as compile_expression
from chassis.settings import Settings
from chassis.transaction import Transaction
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules import storage, wire
from rules.domain.codec import decode
from rules.domain.entries import PolicyPublished
from rules.domain.policy import Policy, Step, default_policy, to_plain, with_version
from rules.domain.policy_form import PolicyInvalid, from_plain
from rules.domain.state import micros, moment_of
from rules.domain.words import WordList
from rules.usecases.assignment import drain
from rules.usecases.journal import known_state, open_journal

ASSIGNMENT = "assignment"
NAME = f"policies/{ASSIGNMENT}"


def seed(tx: Transaction) -> None:
    """The default policy, once: it works before anybody has configured anything."""
    if storage.head(tx)[0]:
        return
    journal = open_journal(tx)
    if journal.state.seq:
        return
    first = default_policy(Settings().company_time_zone)
    journal.record([PolicyPublished(with_version(first, 1), micros(journal.now))])
    journal.close()
    tx.audit("policy.published", NAME, {"version": 1})


def check_name(name: str) -> None:
    """Raises NotFound for a policy that there is not."""
    if name != NAME:
        raise NotFound(name)


def get_policy(tx: Transaction, name: str) -> rules_pb2.Policy:
    check_name(name)
    return _message(tx, known_state(tx).state.policy)


def people_known(tx: Transaction, people: Iterable[str]) -> bool:
    """Whether our copy of the people has all of these ids."""
    return set(people) <= known_state(tx).state.people.keys()


def plan_policy(content: dict[str, Any], people: Container[str] | None = None) -> Policy:
    """The policy that this content describes. `people`: the ids of those who are there; None leaves that unasked.

    Raises Invalid with every wrong path, for CEL with line and column.
    """
    try:
        policy = from_plain(content)
    except PolicyInvalid as problem:
        raise Invalid(
            [(f"content.{path}" if path else "content", en, zh) for path, en, zh in problem.problems]
        ) from None
    wrong: list[tuple[str, str, str]] = []
    if policy.id != ASSIGNMENT:
        wrong.append(("content.id", f"must be {ASSIGNMENT}: there is no other policy", f"必须是 {ASSIGNMENT}"))
    for number, step in enumerate(policy.steps):
        path = f"content.steps[{number}]"
        wrong += [
            (f"{path}.{place}", "there is no such person", "没有该人员")
            for place, person in _named(step)
            if people is not None and person not in people
        ]
        if step.when:
            try:
                compile_expression(step.when, wire.CONDITION_SCHEMA)
            except ExpressionError as problem:
                wrong.append((f"{path}.when", problem.english, problem.chinese))
        for place, words in [
            ("words", step.words),
            *((f"rules[{i}].phrases", r.phrases) for i, r in enumerate(step.rules)),
        ]:
            try:
                WordList(words)
            except ValueError as error:
                wrong.append((f"{path}.{place}", str(error), "词语为空或过长"))
    if wrong:
        raise Invalid(wrong)
    return policy


def _named(step: Step) -> Iterator[tuple[str, str]]:
    """(path within the step, id) of the people whom a step names."""
    if step.kind == "fallback" and step.to not in ("queue", "manager"):
        yield "to", step.to
    for number, rule in enumerate(step.rules):
        for place, person in enumerate(rule.people):
            yield f"rules[{number}].people[{place}]", person


def publish_policy(
    tx: Transaction, content: dict[str, Any], etag: str = "", validate_only: bool = False
) -> rules_pb2.Policy:
    """Makes this the policy in force from the next journal entry on. Raises Stale when `etag` is an older one."""
    policy = plan_policy(content, known_state(tx).state.people)
    if validate_only:
        present = known_state(tx).state.policy
        return wire.policy_message(with_version(policy, present.version + 1), None)
    journal = open_journal(tx)
    present = journal.state.policy
    if etag and etag != str(present.version):
        raise Stale(NAME)
    if to_plain(policy) == to_plain(present):
        return _message(tx, present)  # nothing new to say
    fresh = with_version(policy, present.version + 1)
    journal.record([PolicyPublished(fresh, micros(journal.now))])
    drain(tx, journal)
    journal.close()
    message = wire.policy_message(fresh, journal.now)
    tx.emit(events_pb2.PolicyPublished(policy=message))
    tx.audit("policy.published", NAME, {"version": fresh.version, "hash": fresh.hash()})
    return message


def _message(tx: Transaction, policy: Policy) -> rules_pb2.Policy:
    published = None
    for _, record in storage.about(tx, [policy.id], ("policy",)):
        entry = decode(record.data)
        if isinstance(entry, PolicyPublished) and entry.policy.version == policy.version:
            published = moment_of(entry.at)
    return wire.policy_message(policy, published)
