"""Rules and alerts, read and shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from dealwright.reports.v1 import alerts_pb2 as pb
from reports.domain.alert import Alert, AlertRule

GIVEN = (
    *("display_name", "display_name_zh", "kpi", "group_by", "condition", "limit", "span", "notify", "enabled"),
    "minimum",
)
_LONGEST, _MOST_NOTIFIED = 200, 50
_WHO = re.compile(r"owner|manager|director|people/[0-9a-z-]{1,64}|roles/[a-z][a-z0-9-]{0,62}", re.ASCII)


def read(message: pb.AlertRule, named: Sequence[str]) -> dict[str, Any]:
    """The values of these fields, by column. Raises Invalid, naming each that is wrong."""
    check = FieldCheck()
    found = {}
    for name in named:
        column = "limit_value" if name == "limit" else name
        found[column] = check.take(f"alert_rule.{name}", _READ[name], getattr(message, name))
    if check.violations:
        raise Invalid(check.violations)
    return found


def rule(of: AlertRule) -> pb.AlertRule:
    found = pb.AlertRule(
        name=of.name,
        display_name=of.display_name,
        display_name_zh=of.display_name_zh,
        kpi=of.kpi,
        group_by=of.group_by,
        condition=of.condition,  # type: ignore[arg-type]
        limit=of.limit_value,
        span=of.span,  # type: ignore[arg-type]
        notify=of.notify,
        enabled=of.enabled,
        minimum=of.minimum,
        etag=str(of.version),
    )
    found.create_time.FromDatetime(of.create_time)
    found.update_time.FromDatetime(of.update_time)
    if of.delete_time is not None:
        found.delete_time.FromDatetime(of.delete_time)
    return found


def alert(of: Alert) -> pb.Alert:
    found = pb.Alert(
        name=of.name,
        rule=of.rule,
        kpi=of.kpi,
        title=of.title,
        title_zh=of.title_zh,
        key=of.key,
        label=of.label,
        begin_date=of.begin_date,
        end_date=of.end_date,
        value=of.value,
        previous=of.previous,
        people=of.people,
        corrected_value=of.corrected_value,
        corrected_previous=of.corrected_previous,
        withdrawn=of.withdrawn,
        team=of.team,
    )
    found.raise_time.FromDatetime(of.raise_time)
    if of.correct_time is not None:
        found.correct_time.FromDatetime(of.correct_time)
    return found


def _decimal(required: bool) -> Callable[[str], str]:
    def taken(text: str) -> str:
        if not text and not required:
            return ""
        try:
            found = Decimal(text)
        except InvalidOperation:
            found = Decimal("NaN")
        if not found.is_finite() or abs(found) > 10**12:
            raise FieldProblem('must be a number: "15"', "须为数字，如 “15”")
        return text

    return taken


def _choice(descriptor: Any) -> Callable[[int], int]:
    def taken(value: int) -> int:
        if value not in descriptor.values() or not value:
            names = ", ".join(name for name, number in descriptor.items() if number)
            raise FieldProblem(f"must be one of: {names}", f"须为其中之一：{names}")
        return value

    return taken


def _notified(value: Sequence[str]) -> list[str]:
    if not value or len(value) > _MOST_NOTIFIED or not all(_WHO.fullmatch(who) for who in value):
        raise FieldProblem(
            'one to fifty of "people/...", "roles/...", "owner", "manager", "director"',
            "一至五十项：“people/…”、“roles/…”、“owner”、“manager”、“director”",
        )
    return list(dict.fromkeys(value))


def _text(value: str) -> str:
    return fields.text(value, _LONGEST, required=True)


_READ: dict[str, Callable[[Any], Any]] = {
    "display_name": _text,
    "display_name_zh": lambda value: fields.text(value, _LONGEST),
    "kpi": lambda value: fields.text(value, _LONGEST, required=True),
    "group_by": lambda value: fields.text(value, _LONGEST),
    "condition": _choice(pb.AlertRule.Condition),
    "limit": _decimal(required=True),
    "span": _choice(pb.AlertRule.Span),
    "notify": _notified,
    "enabled": bool,
    "minimum": _decimal(required=False),
}
