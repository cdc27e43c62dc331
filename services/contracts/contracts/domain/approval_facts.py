"""What the conditions of approval flows may speak of, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from chassis import exact
from chassis.expressions import Expression, ExpressionError, Outcome

_TEXTS = ("kind", "record", "currency", "asker", "asker_role", "asker_team", "asker_region", "customer")
TEXTS = (*_TEXTS, "customer_tier")
# Compared as the decimals that they are; `home_amount` is in the company's currency, by the rate of the day;
# `discount` and `unlisted_percent` are percents.
NUMBERS = ("amount", "home_amount", "discount", "unlisted_percent")
_SCHEMA: Mapping[str, str] = {**dict.fromkeys(TEXTS, "string"), "fields": "map(string, dyn)"}
NAMES = frozenset({*_SCHEMA, *NUMBERS})
_FINEST = Decimal(1) / exact.UNITS


@lru_cache(maxsize=1024)
def compiled(source: str) -> Expression:
    """Raises ExpressionError."""
    return exact.compile(source, _SCHEMA, NUMBERS)


def wrong_with(source: str) -> tuple[str, str] | None:
    """Why a condition cannot be saved, in English and Chinese; None for one that can."""
    try:
        compiled(source)
    except ExpressionError as problem:
        return problem.english, problem.chinese
    return None


def outcome(source: str, facts: Mapping[str, Any]) -> Outcome:
    """True, False, or why there is no answer. What is None has no value; where nobody says otherwise, nothing is
    unlisted."""
    numbers = {name: exact.units(number(facts.get(name))) for name in NUMBERS}
    return compiled(source).evaluate({**facts, **numbers, "unlisted_percent": numbers["unlisted_percent"] or 0})


def plain(value: Any) -> Any:
    """A fact as JSON holds it: decimals as texts, which lose nothing; keys as texts."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def number(value: Any) -> Decimal | None:
    """A number, also one that is written as text, with four decimals at most (half up); None for what is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        read = Decimal(str(value))
        if not read.is_finite():
            return None
        return read if read.as_tuple().exponent in range(-4, 1) else read.quantize(_FINEST, ROUND_HALF_UP)
    except (InvalidOperation, TypeError):
        return None
