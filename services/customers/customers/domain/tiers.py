"""What makes a customer an A, a B or a C (C11): conditions that the company writes, as data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from chassis.expressions import ConditionSet, ExpressionError
from chassis.expressions import compile as compile_expression
from customers.domain.customer import Customer, Stage, Tier

Violations = list[tuple[str, str, str]]

# What a condition may speak of.
SCHEMA = {
    "industry": "string",
    "employees": "int",
    "region": "string",
    "address": "string",
    "stage": "string",
    "tags": "list(string)",
    "privatePerson": "bool",
    "custom": "map(string, dyn)",
}
DEFAULT = {"A": "employees >= 500", "B": "employees >= 100"}


def checked(given: Any, path: str) -> tuple[dict[str, str], Violations]:
    """The standard as conditions by tier, and what is wrong with it (path, English, Chinese)."""
    if not isinstance(given, Mapping) or given.keys() - DEFAULT.keys():
        return DEFAULT, [(path, "must be an object with the keys A and B", "须为仅含 A、B 两个键的对象")]
    wrong: Violations = []
    for tier, condition in given.items():
        if not isinstance(condition, str):
            wrong.append((f"{path}.{tier}", "must be a condition", "须为条件表达式"))
            continue
        try:
            compile_expression(condition, SCHEMA)
        except ExpressionError as problem:
            wrong.append((f"{path}.{tier}", problem.english, problem.chinese))
    return {tier: str(condition) for tier, condition in given.items()}, wrong


def tier(of: Customer, standard: Mapping[str, str]) -> int:
    """The first of A and B whose condition holds, else C."""
    conditions = _compiled(tuple(sorted(standard.items())))
    outcomes = conditions.evaluate(
        {
            "industry": of.industry,
            "employees": of.employees,
            "region": of.region,
            "address": of.address,
            "stage": Stage(of.stage).name,
            "tags": list(of.tags),
            "privatePerson": of.private_person,
            "custom": dict(of.custom),
        }
    )
    return next((Tier[name] for name in ("A", "B") if outcomes.get(name) is True), Tier.C)


@lru_cache(maxsize=16)
def _compiled(standard: tuple[tuple[str, str], ...]) -> ConditionSet:
    return ConditionSet((name, compile_expression(condition, SCHEMA)) for name, condition in standard)
