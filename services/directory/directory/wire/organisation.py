"""Reads and checks teams, roles and calendars as they come in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from google.protobuf.message import Message

from chassis import fields
from chassis.calendar import CalendarProblem
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from dealwright.api.v1 import access_pb2
from dealwright.directory.v1 import directory_pb2 as pb
from directory.domain import rights
from directory.domain.hours import Calendar, Span, checked
from directory.domain.rights import Grant
from directory.wire.packing import calendar as packed_calendar
from directory.wire.people import optional_name

TEAM_PATHS = ("display_name", "parent", "manager")
ROLE_PATHS = ("display_name", "grants")
CALENDAR_PATHS = ("display_name", "time_zone", "spans", "off_days", "work_days", "china_years")
_CALENDAR_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def page_size(value: int) -> int:
    if value < 0:
        raise Invalid([("page_size", "must not be negative", "不能为负数")])
    return min(value or 100, 1000)


# --- teams ---


def read_team(team: pb.Team, paths: Iterable[str]) -> dict[str, str]:
    """The checked values of these paths. Raises Invalid."""
    check, values = FieldCheck(), dict[str, str]()
    for path in paths:
        if path == "display_name":
            value = check.take("team.display_name", fields.text, team.display_name, 100, required=True)
        else:
            collection = {"parent": "teams", "manager": "people"}[path]
            value = check.take(f"team.{path}", optional_name, getattr(team, path), collection)
        values[path] = value or ""
    if check.violations:
        raise Invalid(check.violations)
    return values


# --- roles ---


@cache
def fields_of(resource: str) -> dict[str, str]:
    """The fields that rights may speak of, "phone" and "fullName" each to the name in the contract."""
    from dealwright.activities.v1 import activities_pb2, files_pb2
    from dealwright.contracts.v1 import approvals_pb2, contracts_pb2, quotes_pb2
    from dealwright.customers.v1 import customers_pb2
    from dealwright.leads.v1 import leads_pb2
    from dealwright.opportunities.v1 import opportunities_pb2
    from dealwright.rules.v1 import rules_pb2

    found: dict[str, str] = {}
    for contract in (
        *(pb, leads_pb2, rules_pb2, customers_pb2, opportunities_pb2, activities_pb2, files_pb2, approvals_pb2),
        *(contracts_pb2, quotes_pb2),
    ):
        for message in contract.DESCRIPTOR.message_types_by_name.values():
            if message.GetOptions().Extensions[access_pb2.resource] == resource:
                for field in message.fields:
                    found[field.name] = found[field.json_name] = field.name
    # Without its name a row is nothing; without its etag nobody could change it safely.
    return {spelled: name for spelled, name in found.items() if name not in ("name", "etag")}


def read_field_names(resource: str, values: Sequence[str]) -> tuple[str, ...]:
    """Names of fields that exist: a slip of the pen must not leave a field open to all. Raises FieldProblem."""
    known = fields_of(resource)
    wrong = [str(v)[:64] for v in values if v not in known]
    if wrong:
        raise FieldProblem(f"{resource} have no field {wrong[0]!r}", f"{resource} 没有字段 {wrong[0]!r}")
    return tuple(sorted({known[v] for v in values}))


def _scope(value: int) -> int:
    if value not in rights.SCOPES.values():
        if value == pb.Grant.SCOPE_UNSPECIFIED:
            return rights.NONE
        raise FieldProblem("must be NONE, OWN, TEAM or ALL", "必须是 NONE、OWN、TEAM 或 ALL")
    return value


def _resource(value: str) -> str:
    if value not in rights.RESOURCES:
        known = rights.RESOURCES
        raise FieldProblem(f"must be one of {', '.join(known)}", f"必须是 {'、'.join(known)} 之一")
    return value


def read_role(role: pb.Role, paths: Iterable[str]) -> tuple[str | None, tuple[Grant, ...] | None]:
    """The display name and the grants where the paths name them. Raises Invalid."""
    check = FieldCheck()
    display_name = grants = None
    if "display_name" in paths:
        display_name = check.take("role.display_name", fields.text, role.display_name, 100, required=True)
    if "grants" in paths:
        grants = read_grants(role.grants, "role.grants", check)
    if check.violations:
        raise Invalid(check.violations)
    return display_name, grants


def read_grants(messages: Iterable[pb.Grant], path: str, check: FieldCheck) -> tuple[Grant, ...]:
    grants: dict[str, Grant] = {}
    for index, message in enumerate(messages):
        at = f"{path}[{index}]"
        resource = check.take(f"{at}.resource", _resource, message.resource)
        scopes = {verb: check.take(f"{at}.{verb}", _scope, int(getattr(message, verb))) for verb in rights.VERBS}
        if resource is None:
            continue
        if resource in grants:
            check.refuse(f"{at}.resource", "stands here twice", "重复")
        hidden = check.take(f"{at}.hidden_fields", _names(resource), list(message.hidden_fields))
        read_only = check.take(f"{at}.read_only_fields", _names(resource), list(message.read_only_fields))
        values: dict[str, Any] = {verb: scope or rights.NONE for verb, scope in scopes.items()}
        grants[resource] = Grant(resource, **values, hidden=hidden or (), read_only=read_only or ())
    return tuple(grants[r] for r in sorted(grants))


def _names(resource: str) -> Any:
    return lambda values: read_field_names(resource, values)


# --- calendars ---


def calendar_id(value: str) -> str:
    if value and not _CALENDAR_ID.fullmatch(value):
        raise Invalid([("calendar_id", "must have 1 to 63 of a-z, 0-9 and -", "须为 1 至 63 位小写字母、数字或 -")])
    return value


def read_calendar(calendar: pb.Calendar, name: str, zone: str, path: str = "calendar") -> Calendar:
    """The checked calendar, in the company's zone where it names none. Raises Invalid."""
    wrong: list[tuple[str, str, str]] = []
    display_name = ""
    try:
        display_name = fields.text(calendar.display_name, 100, required=True)
    except FieldProblem as problem:
        wrong.append((f"{path}.display_name", problem.english, problem.chinese))
    try:
        made = checked(
            name,
            display_name,
            calendar.time_zone or zone,
            [Span(s.weekday, s.start, s.end) for s in calendar.spans],
            list(calendar.off_days),
            list(calendar.work_days),
            calendar.china_years,
            path,
        )
    except CalendarProblem as problem:
        wrong.extend(problem.problems)
    if wrong:
        raise Invalid(wrong)
    return made


def merged_calendar(before: Calendar, calendar: pb.Calendar, paths: Iterable[str]) -> pb.Calendar:
    """The calendar as it stands with the named fields replaced; `china_years` only adds days."""
    merged = packed_calendar(before)
    for path in paths:
        merged.ClearField(path)  # type: ignore[arg-type]
        _copy(calendar, merged, path)
    return merged


def _copy(source: Message, target: Message, path: str) -> None:
    value = getattr(source, path)
    if isinstance(value, str):
        setattr(target, path, value)
    else:
        getattr(target, path).MergeFrom(value)
