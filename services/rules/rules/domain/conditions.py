"""The conditions of automations, compiled once for a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chassis import expressions
from chassis.expressions import ConditionSet, ExpressionError, Outcome
from rules.domain.automation import FACTS, Automation

_EMPTY: Mapping[str, Any] = {"string": "", "int": 0, "bool": False}


def wrong_with(on: str, when: str) -> ExpressionError | None:
    """Why this condition cannot be saved for this trigger; None for one that can."""
    try:
        expressions.compile(when, FACTS[on])
    except ExpressionError as problem:
        return problem
    return None


class Conditions:
    """Those of a document's automations, by trigger."""

    def __init__(self, automations: Iterable[Automation]) -> None:
        self._always: dict[str, set[str]] = {on: set() for on in FACTS}
        sources: dict[str, list[tuple[str, expressions.Expression]]] = {on: [] for on in FACTS}
        for automation in automations:
            if automation.when.strip():
                compiled = expressions.compile(automation.when, FACTS[automation.on])
                sources[automation.on].append((automation.id, compiled))
            else:
                self._always[automation.on].add(automation.id)
        self._sets = {on: ConditionSet(listed) for on, listed in sources.items()}

    def outcomes(self, on: str, facts: Mapping[str, Any]) -> dict[str, Outcome]:
        """By automation: whether its condition holds, or why it has no answer. Facts that are not there are empty."""
        values = {name: facts.get(name, _EMPTY[kind]) for name, kind in FACTS[on].items()}
        found: dict[str, Outcome] = dict.fromkeys(self._always[on], True)
        if self._sets[on].conditions:
            found.update(self._sets[on].evaluate(values))
        return found

    def holding(self, on: str, facts: Mapping[str, Any]) -> set[str]:
        return {id for id, outcome in self.outcomes(on, facts).items() if outcome is True}
