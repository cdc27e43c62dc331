"""Numbers, days and names in requests, as they are kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from chassis.fields import FieldProblem
from chassis.money import UNITS

_NUMBER = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,10}))?", re.ASCII)
_MOST_QUANTITY = 10**9


def decimal(value: str) -> Decimal:
    """A number of at least zero with at most ten decimals. Raises FieldProblem."""
    found = _NUMBER.fullmatch(value)
    if found is None:
        raise FieldProblem('must be a number written as text, such as "2.5"', '须为文本形式的数字，如 "2.5"')
    if found[1] and Decimal(value):
        raise FieldProblem("must not be negative", "不能为负数")
    return abs(Decimal(value))


def _units(value: str) -> int:
    units = decimal(value) * UNITS
    if units != units.to_integral_value():
        raise FieldProblem("must have at most four decimals", "最多四位小数")
    return int(units)


def percent(value: str) -> int:
    """In ten-thousandths, from 0 to 100; nothing is 0. Raises FieldProblem."""
    units = _units(value) if value else 0
    if units > 100 * UNITS:
        raise FieldProblem("must lie from 0 to 100", "须在 0 至 100 之间")
    return units


def quantity(value: str) -> int:
    """In ten-thousandths, above 0; nothing is 1. Raises FieldProblem."""
    units = _units(value) if value else UNITS
    if not 0 < units <= _MOST_QUANTITY * UNITS:
        raise FieldProblem(f"must be above 0 and at most {_MOST_QUANTITY}", f"须大于 0 且不超过 {_MOST_QUANTITY}")
    return units


def rate(value: str) -> str:
    """Decimal text above 0, without zeros at its end. Raises FieldProblem."""
    found = decimal(value)
    if not found:
        raise FieldProblem("must be above 0", "须大于 0")
    written = f"{found:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def day(value: str) -> str:
    """A day as ISO text, or nothing. Raises FieldProblem."""
    if not value:
        return ""
    try:
        found = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) else None
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2100:
        raise FieldProblem(
            "must be a day such as 2026-10-01, from 2000 to 2100", "须为 2000 至 2100 年间的日期，如 2026-10-01"
        )
    return found.isoformat()


def required_day(value: str) -> str:
    """Raises FieldProblem."""
    if not value:
        raise FieldProblem("is required", "必填")
    return day(value)


def named(collection: str) -> Callable[[Any], str]:
    """A reader of names of a collection, or nothing."""
    pattern = re.compile(rf"{collection}/[0-9a-f]{{32}}")

    def read(value: str) -> str:
        if value and not pattern.fullmatch(value):
            raise FieldProblem(f'must be "{collection}/..."', f"须为 “{collection}/…”")
        return value

    return read
