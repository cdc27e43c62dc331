"""The rules' part of the blueprint: `policies`, by name."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any

from chassis.errors import Invalid, Stale
from chassis.transaction import Transaction
from dealwright.blueprint.v1 import blueprint_pb2
from rules import wire
from rules.domain.policy import Policy
from rules.usecases.journal import known_state
from rules.usecases.policies import ASSIGNMENT, plan_policy, publish_policy

KEY = "policies"


def people_named(content: dict[str, Any]) -> set[str]:
    """The ids of people that a document's policies name."""
    policies = content.get(KEY)
    return wire.people_named(policies.get(ASSIGNMENT)) if isinstance(policies, dict) else set()


def part(tx: Transaction) -> blueprint_pb2.Part:
    policy = known_state(tx).state.policy
    return blueprint_pb2.Part(
        content=wire.struct({KEY: {ASSIGNMENT: wire.policy_content(policy)}}), version=policy.version
    )


def plan(tx: Transaction, content: dict[str, Any]) -> blueprint_pb2.PlanPartResponse:
    """What would change. Raises Invalid with the paths within the document."""
    state = known_state(tx).state
    policy = state.policy
    answer = blueprint_pb2.PlanPartResponse(version=policy.version)
    proposed = _proposed(content)
    if proposed is not None:
        after = wire.policy_content(plan_checked(proposed, state.people))
        _compare(f"{KEY}.{ASSIGNMENT}", wire.policy_content(policy), after, answer)
    return answer


def apply(tx: Transaction, content: dict[str, Any], expected: int) -> blueprint_pb2.Part:
    """Publishes the policy of the document. Raises Stale when another was published meanwhile."""
    state = known_state(tx).state
    present = state.policy
    if expected and expected != present.version:
        raise Stale("blueprint")
    proposed = _proposed(content)
    if proposed is None:
        return part(tx)
    tx.principal.require("policies", "write")
    plan_checked(proposed, state.people)
    message = publish_policy(tx, proposed, str(expected) if expected else "")
    return blueprint_pb2.Part(
        content=wire.struct({KEY: {ASSIGNMENT: wire.plain(message.content)}}), version=message.version
    )


def plan_checked(proposed: dict[str, Any], people: Container[str]) -> Policy:
    try:
        return plan_policy(proposed, people)
    except Invalid as problem:
        raise Invalid(
            [(v.field.replace("content", f"{KEY}.{ASSIGNMENT}", 1), v.english, v.chinese) for v in problem.violations]
        ) from None


def _proposed(content: dict[str, Any]) -> dict[str, Any] | None:
    wrong = [key for key in content if key != KEY]
    policies = content.get(KEY, {})
    if not isinstance(policies, dict):
        raise Invalid([(KEY, "must be an object", "必须是对象")])
    wrong += [f"{KEY}.{key}" for key in policies if key != ASSIGNMENT]
    if wrong:
        raise Invalid([(path, "is not known here", "此处没有这个设置") for path in wrong])
    return policies.get(ASSIGNMENT)


def _compare(path: str, before: Any, after: Any, answer: blueprint_pb2.PlanPartResponse) -> None:
    """Adds a change for each leaf that differs."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            _compare(f"{path}.{key}", before.get(key), after.get(key), answer)
    elif isinstance(before, list) and isinstance(after, list) and any(isinstance(x, dict) for x in [*before, *after]):
        for number in range(max(len(before), len(after))):
            one = before[number] if number < len(before) else None
            other = after[number] if number < len(after) else None
            _compare(f"{path}[{number}]", one, other, answer)
    else:
        answer.changes.add(path=path, before=_text(before), after=_text(after))


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
