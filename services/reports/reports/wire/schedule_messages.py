"""Schedules of exports, read and shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from dealwright.reports.v1 import exports_pb2 as pb
from reports.domain.schedule import ExportSchedule, Mail

GIVEN = (
    *("display_name", "display_name_zh", "report", "group_by", "filter", "format", "span", "hour", "people"),
    *("language", "enabled"),
)
_LONGEST, _MOST_PEOPLE = 200, 200
_WHO = re.compile(r"people/[0-9a-z-]{1,64}|roles/[a-z][a-z0-9-]{0,62}", re.ASCII)
_REPORT = re.compile(r"reports/[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


def read(message: pb.ExportSchedule, named: Sequence[str]) -> dict[str, Any]:
    """The values of these fields. Raises Invalid, naming each that is wrong."""
    check = FieldCheck()
    found = {name: check.take(f"export_schedule.{name}", _READ[name], getattr(message, name)) for name in named}
    if check.violations:
        raise Invalid(check.violations)
    return found


def schedule(of: ExportSchedule) -> pb.ExportSchedule:
    found = pb.ExportSchedule(
        name=of.name,
        display_name=of.display_name,
        display_name_zh=of.display_name_zh,
        report=of.report,
        group_by=of.group_by,
        filter=of.filter,
        format=of.format,  # type: ignore[arg-type]
        span=of.span,  # type: ignore[arg-type]
        hour=of.hour,
        people=of.people,
        language=of.language,
        enabled=of.enabled,
        etag=str(of.version),
    )
    found.create_time.FromDatetime(of.create_time)
    found.update_time.FromDatetime(of.update_time)
    if of.delete_time is not None:
        found.delete_time.FromDatetime(of.delete_time)
    return found


def mail(of: Mail) -> pb.ExportMail:
    found = pb.ExportMail(
        person=of.person,
        begin_date=of.begin_date,
        end_date=of.end_date,
        state=pb.ExportMail.State.Value(of.state),
        reason=of.why,
        tries=of.tries,
    )
    found.create_time.FromDatetime(of.create_time)
    return found


def request(of: ExportSchedule, period: str) -> pb.ExportReportRequest:
    """What is asked for each who gets it."""
    return pb.ExportReportRequest(
        name=of.report,
        period=period,
        group_by=of.group_by,
        filter=of.filter,
        format=of.format,  # type: ignore[arg-type]
        language=of.language,
    )


def _choice(descriptor: Any) -> Callable[[int], int]:
    def taken(value: int) -> int:
        if value not in descriptor.values() or not value:
            names = ", ".join(name for name, number in descriptor.items() if number)
            raise FieldProblem(f"must be one of: {names}", f"须为其中之一：{names}")
        return value

    return taken


def _report(text: str) -> str:
    if not _REPORT.fullmatch(text):
        raise FieldProblem('must be "reports/..."', "须为 “reports/…”")
    return text


def _hour(value: int) -> int:
    if not 0 <= value <= 23:
        raise FieldProblem("must be from 0 to 23", "须在 0 到 23 之间")
    return value


def _people(value: Sequence[str]) -> list[str]:
    if not value or len(value) > _MOST_PEOPLE or not all(_WHO.fullmatch(who) for who in value):
        raise FieldProblem('one to 200 of "people/...", "roles/..."', "一至 200 项：“people/…”、“roles/…”")
    return list(dict.fromkeys(value))


def _language(text: str) -> str:
    if text not in ("", "zh", "en"):
        raise FieldProblem('must be "zh" or "en"', "须为 “zh” 或 “en”")
    return text


_READ: dict[str, Callable[[Any], Any]] = {
    "display_name": lambda value: fields.text(value, _LONGEST, required=True),
    "display_name_zh": lambda value: fields.text(value, _LONGEST),
    "report": _report,
    "group_by": list,
    "filter": lambda value: fields.text(value, 2000),
    "format": _choice(pb.ExportReportRequest.Format),
    "span": _choice(pb.ExportSchedule.Span),
    "hour": _hour,
    "people": _people,
    "language": _language,
    "enabled": bool,
}
