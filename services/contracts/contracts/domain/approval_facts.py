"""What the conditions of approval flows may speak of, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from chassis import expressions
from chassis.expressions import Expression, ExpressionError, Outcome

_TEXTS = ("kind", "record", "currency", "asker", "asker_role", "asker_team", "asker_region", "customer")
# Amounts and percents are exact up to fifteen digits this way: 500000.0001 is over 500000.0, 500000 is not.
SCHEMA: Mapping[str, str] = {
    **dict.fromkeys((*_TEXTS, "customer_tier"), "string"),
    "amount": "double",
    # In the company's currency, by the rate of the day.
    "home_amount": "double",
    "discount": "double",
    "fields": "map(string, dyn)",
}
NUMBERS = ("amount", "home_amount", "discount")
TEXTS = (*_TEXTS, "customer_tier")


@lru_cache(maxsize=1024)
def compiled(source: str) -> Expression:
    """Raises ExpressionError."""
    return expressions.compile(source, SCHEMA)


def wrong_with(source: str) -> tuple[str, str] | None:
    """Why a condition cannot be saved, in English and Chinese; None for one that can."""
    try:
        compiled(source)
    except ExpressionError as problem:
        if "(double, int)" in problem.message or "(int, double)" in problem.message:
            hint = "; write numbers with a decimal point: 500000.0", "；数字须带小数点，如 500000.0"
            return problem.english + hint[0], problem.chinese + hint[1]
        return problem.english, problem.chinese
    return None


def outcome(source: str, facts: Mapping[str, Any]) -> Outcome:
    """True, False, or why there is no answer. What is None has no value."""
    return compiled(source).evaluate(facts)


def plain(value: Any) -> Any:
    """A fact as JSON holds it: decimals as numbers, keys as texts."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def number(value: Any) -> float | None:
    """A number, also one that is written as text; None for what is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        return None
    return float(read) if read.is_finite() else None
