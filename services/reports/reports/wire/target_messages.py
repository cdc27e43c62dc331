"""Targets, read and shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from dealwright.reports.v1 import targets_pb2 as pb
from reports.domain.target import Target

GIVEN = ("kpi", "period", "person", "team", "value")
CHANGEABLE = ("value",)
_UNITS = 10_000
_MOST = Decimal(10**12)


def read(message: pb.Target, named: Sequence[str]) -> dict[str, Any]:
    """The values of these fields. Raises Invalid, naming each that is wrong."""
    check = FieldCheck()
    found = {name: check.take(f"target.{name}", _READ[name], getattr(message, name)) for name in named}
    if check.violations:
        raise Invalid(check.violations)
    return found


def target(of: Target) -> pb.Target:
    found = pb.Target(
        name=of.name,
        kpi=of.kpi,
        period=of.period,
        person=of.person,
        team=of.team,
        value=_written(of.value),
        etag=str(of.version),
    )
    found.create_time.FromDatetime(of.create_time)
    found.update_time.FromDatetime(of.update_time)
    if of.delete_time is not None:
        found.delete_time.FromDatetime(of.delete_time)
    return found


def _written(value: int) -> str:
    text = f"{Decimal(value) / _UNITS:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _period(text: str) -> str:
    if not re.fullmatch(r"(?!0000|9999)\d{4}(-(0[1-9]|1[0-2])|-Q[1-4])?", text, re.ASCII):
        raise FieldProblem(
            "must be a month, a quarter or a year: 2026-11, 2026-Q4, 2026",
            "须为月、季度或年份，如 2026-11、2026-Q4、2026",
        )
    return text


def _value(text: str) -> int:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal(0)
    if not found.is_finite() or not 0 < found <= _MOST or found * _UNITS != (found * _UNITS).to_integral_value():
        raise FieldProblem("must be a number above 0 with at most four decimals", "须为大于 0、最多四位小数的数字")
    return int(found * _UNITS)


def _named(pattern: str, example: str, required: bool = False) -> Any:
    def taken(text: str) -> str:
        if (text or required) and not re.fullmatch(pattern, text, re.ASCII):
            raise FieldProblem(f'must be "{example}"', f"须为 “{example}”")
        return text

    return taken


_READ: dict[str, Any] = {
    "kpi": _named(r"kpis/[a-z][a-z0-9-]{1,62}", "kpis/...", required=True),
    "period": _period,
    "person": _named(r"people/[0-9a-z-]{1,64}", "people/..."),
    "team": _named(r"teams/[0-9a-z-]{1,64}", "teams/..."),
    "value": _value,
}
