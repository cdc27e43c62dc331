"""Conditions over an opportunity's own fields, and the fields that gates may ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from chassis import expressions
from chassis.expressions import Expression, ExpressionError
from chassis.money import UNITS
from opportunities.domain.opportunity import Importance, Opportunity
from opportunities.domain.related import key

_TEXTS = (
    *("title", "customer", "contact", "lead", "need", "decision_cycle", "blocker", "position", "phone", "email"),
    *("source", "industry", "company_size", "follow_up_status", "expected_close_date"),
)
FILLABLE = frozenset({*_TEXTS, "amount", "budget", "products", "collaborators"})
_CUSTOM = re.compile(r"custom\.[^\s.][^.]{0,63}")

# Amounts are in ten-thousandths in the database; here they are whole numbers of the currency, rounded down.
SCHEMA: Mapping[str, str] = {
    **dict.fromkeys(_TEXTS, "string"),
    "amount": "int",
    "currency": "string",
    "budget": "int",
    "win_probability": "int",
    "importance": "string",
    "owner": "string",
    "team": "string",
    "products": "list(string)",
    "collaborators": "list(string)",
    "checklist_done": "list(string)",
    "custom": "map(string, dyn)",
    "days_in_stage": "int",
    "days_to_close": "int",
}


@lru_cache(maxsize=512)
def compiled(source: str) -> Expression:
    """Raises ExpressionError."""
    return expressions.compile(source, SCHEMA)


def wrong_with(source: str) -> ExpressionError | None:
    """Why an expression cannot be saved; None for one that can."""
    try:
        compiled(source)
    except ExpressionError as problem:
        return problem
    return None


def is_fillable(field: str) -> bool:
    return field in FILLABLE or _CUSTOM.fullmatch(field) is not None


def filled(of: Opportunity) -> frozenset[str]:
    """The names of the fields that have a value, "custom.key" for the company's own."""
    plain = {name for name in FILLABLE if getattr(of, name) not in ("", None, [])}
    return frozenset(plain | {f"custom.{key}" for key, value in (of.custom or {}).items() if value not in ("", None)})


def outcomes(sources: Iterable[str], of: Opportunity, now: datetime, today: date) -> dict[str, bool]:
    """What each expression comes to for an opportunity; one without an answer counts as not met."""
    wanted = list(dict.fromkeys(sources))
    values = _values(of, now, today) if wanted else {}
    return {source: compiled(source).evaluate(values) is True for source in wanted}


def _values(of: Opportunity, now: datetime, today: date) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(of, name) for name in SCHEMA if hasattr(of, name)}
    values["amount"] = None if of.amount is None else of.amount // UNITS
    values["budget"] = None if of.budget is None else of.budget // UNITS
    values["importance"] = Importance(of.importance).name
    values["collaborators"] = [key(one) for one in of.collaborators]
    values["custom"] = of.custom or {}
    values["days_in_stage"] = (now - of.stage_time) // timedelta(days=1)
    if of.expected_close_date:
        values["days_to_close"] = (date.fromisoformat(of.expected_close_date) - today).days
    return values
