"""The rules' part of the blueprint: `policies`, by name, and `automations`."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Any

from chassis.errors import Invalid, Stale, Violation
from chassis.transaction import Transaction
from dealwright.blueprint.v1 import blueprint_pb2
from rules import wire
from rules.domain.policy import Policy
from rules.usecases import automations
from rules.usecases.journal import known_state
from rules.usecases.policies import ASSIGNMENT, plan_policy, publish_policy

KEY = "policies"
AUTOMATIONS = automations.KEY


def people_named(content: dict[str, Any]) -> set[str]:
    """The ids of people that a document's policies and automations name."""
    policies = content.get(KEY)
    named = wire.people_named(policies.get(ASSIGNMENT)) if isinstance(policies, dict) else set()
    return named | automations.people_named(content.get(AUTOMATIONS, []))


def part(tx: Transaction) -> blueprint_pb2.Part:
    """Both keys. The version rises by one with each change of either."""
    policy = known_state(tx).state.policy
    document, version = automations.document(tx)
    return _part(wire.policy_content(policy), policy.version, document, version)


def _part(policy: dict[str, Any], policy_version: int, document: list[Any], version: int) -> blueprint_pb2.Part:
    content = {KEY: {ASSIGNMENT: policy}, AUTOMATIONS: document}
    return blueprint_pb2.Part(content=wire.struct(content), version=policy_version + version)


def plan(tx: Transaction, content: dict[str, Any]) -> blueprint_pb2.PlanPartResponse:
    """What would change. Raises Invalid with the paths within the document."""
    state = known_state(tx).state
    policy = state.policy
    document, version = automations.document(tx)
    answer = blueprint_pb2.PlanPartResponse(version=policy.version + version)
    proposed, wanted = _proposed(content)
    with _all_wrong() as wrong:
        if proposed is not None:
            with wrong:
                after = wire.policy_content(plan_checked(proposed, state.people))
                _compare(f"{KEY}.{ASSIGNMENT}", wire.policy_content(policy), after, answer)
        if wanted is not None:
            with wrong:
                _compare(AUTOMATIONS, document, automations.proposed(tx, wanted), answer)
    return answer


def apply(tx: Transaction, content: dict[str, Any], expected: int) -> blueprint_pb2.Part:
    """Publishes the policy and the automations of the document. Raises Stale when others were published meanwhile."""
    state = known_state(tx).state
    present = state.policy
    document, version = automations.document(tx)
    if expected and expected != present.version + version:
        raise Stale("blueprint")
    proposed, wanted = _proposed(content)
    if proposed is None and wanted is None:
        return part(tx)
    tx.principal.require("policies", "write")
    with _all_wrong() as wrong:
        if proposed is not None:
            with wrong:
                plan_checked(proposed, state.people)
        if wanted is not None:
            with wrong:
                automations.proposed(tx, wanted)
    if wanted is not None:
        version = automations.apply(tx, wanted)
        document = automations.document(tx)[0]
    policy, policy_version = wire.policy_content(present), present.version
    if proposed is not None:
        message = publish_policy(tx, proposed, str(present.version) if expected else "")
        policy, policy_version = wire.plain(message.content), message.version
    return _part(policy, policy_version, document, version)


class _Wrong:
    """Collects what is wrong with several keys, so that all of it is named in one answer."""

    def __init__(self) -> None:
        self.violations: list[Violation | tuple[str, str, str]] = []

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> bool:
        if isinstance(problem, Invalid):
            self.violations += problem.violations
            return True
        return False


@contextmanager
def _all_wrong() -> Iterator[_Wrong]:
    wrong = _Wrong()
    yield wrong
    if wrong.violations:
        raise Invalid(wrong.violations)


def plan_checked(proposed: dict[str, Any], people: Container[str]) -> Policy:
    try:
        return plan_policy(proposed, people)
    except Invalid as problem:
        raise Invalid(
            [(v.field.replace("content", f"{KEY}.{ASSIGNMENT}", 1), v.english, v.chinese) for v in problem.violations]
        ) from None


def _proposed(content: dict[str, Any]) -> tuple[dict[str, Any] | None, Any]:
    """The policy and the automations of a document, None for what it leaves out."""
    wrong = [key for key in content if key not in (KEY, AUTOMATIONS)]
    policies = content.get(KEY, {})
    if not isinstance(policies, dict):
        raise Invalid([(KEY, "must be an object", "必须是对象")])
    wrong += [f"{KEY}.{key}" for key in policies if key != ASSIGNMENT]
    if wrong:
        raise Invalid([(path, "is not known here", "此处没有这个设置") for path in wrong])
    return policies.get(ASSIGNMENT), content.get(AUTOMATIONS)


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
