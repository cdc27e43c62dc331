"""Our part of the blueprint as plain data: the keys "roles" and "calendars".

roles:
  sales:
    displayName: 销售
    grants:
      leads: {read: OWN, write: OWN, hiddenFields: [phone]}
calendars:
  company:
    displayName: 公司
    timeZone: Asia/Shanghai
    weekly: {monday: ["09:00-12:00", "13:00-18:00"]}     # none: always open
    offDays: ["2026-10-01"]
    workDays: ["2026-10-10"]
    chinaYears: [2026]                                   # when applied, written out as offDays and workDays
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis import fields
from chassis.calendar import WEEKDAYS
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.directory.v1 import directory_pb2 as pb
from directory.domain import rights
from directory.domain.hours import Calendar
from directory.domain.rights import Grant, Role
from directory.wire.organisation import read_calendar, read_field_names

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SCOPE_NAMES = {number: name for name, number in rights.SCOPES.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """What a part asks for; None for a key that it leaves out, which then stays as it is."""

    roles: dict[str, tuple[str, tuple[Grant, ...]]] | None
    calendars: dict[str, Calendar] | None


# --- writing ---


def plain(roles: Iterable[Role], calendars: Iterable[Calendar]) -> dict[str, Any]:
    return {
        "roles": {role.id: _plain_role(role) for role in roles},
        "calendars": {calendar.id: _plain_calendar(calendar) for calendar in calendars},
    }


def _plain_role(role: Role) -> dict[str, Any]:
    grants: dict[str, Any] = {}
    for grant in role.grants:
        rights_of = {v: _SCOPE_NAMES[getattr(grant, v)] for v in rights.VERBS if getattr(grant, v) != rights.NONE}
        lists = {"hiddenFields": list(grant.hidden), "readOnlyFields": list(grant.read_only)}
        grants[grant.resource] = rights_of | {key: names for key, names in lists.items() if names}
    return {"displayName": role.display_name, "grants": grants}


def _plain_calendar(calendar: Calendar) -> dict[str, Any]:
    weekly: dict[str, list[str]] = {}
    for span in calendar.spans:
        weekly.setdefault(WEEKDAYS[span.weekday - 1], []).append(f"{span.start}-{span.end}")
    values = {"weekly": weekly, "offDays": list(calendar.off_days), "workDays": list(calendar.work_days)}
    return {
        "displayName": calendar.display_name,
        "timeZone": calendar.time_zone,
        **{key: value for key, value in values.items() if value},
    }


def message(content: Mapping[str, Any], version: int) -> blueprint_pb2.Part:
    packed = blueprint_pb2.Part(version=version)
    packed.content.update(content)
    return packed


def changes(before: Any, after: Any, path: str = "") -> list[blueprint_pb2.Change]:
    """What differs, one change for each leaf; lists are compared whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key in sorted({*before, *after}):
            found.extend(changes(before.get(key), after.get(key), f"{path}.{key}" if path else key))
        return found
    if before == after:
        return []
    return [blueprint_pb2.Change(path=path, before=_json(before), after=_json(after))]


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


# --- reading ---


def read(content: Struct, zone: str) -> Part:
    """Raises Invalid that names each wrong path, "roles.sales.grants.leads.read"."""
    given = json_format.MessageToDict(content)
    check = FieldCheck()
    for key in given:
        if key not in ("roles", "calendars"):
            check.refuse(str(key)[:64], "directory has no such key", "没有该配置项")
    roles = calendars = None
    if "roles" in given:
        roles = {
            id: _role(value, f"roles.{id}", check)
            for id, value in _object(given["roles"], "roles", check).items()
            if _known(id, rights.ROLE_IDS, f"roles.{str(id)[:64]}", check)
        }
    if "calendars" in given:
        calendars = {}
        for id, value in _object(given["calendars"], "calendars", check).items():
            path = f"calendars.{str(id)[:64]}"
            if not _ID.fullmatch(id):
                check.refuse(path, "must have 1 to 63 of a-z, 0-9 and -", "须为 1 至 63 位小写字母、数字或 -")
                continue
            calendar = _calendar(_object(value, path, check), id, path, zone, check)
            if calendar is not None:
                calendars[id] = calendar
    if check.violations:
        raise Invalid(check.violations)
    return Part(roles, calendars)


def _object(value: Any, path: str, check: FieldCheck) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    check.refuse(path, "must be an object", "必须是对象")
    return {}


def _known(key: str, known: Iterable[str], path: str, check: FieldCheck) -> bool:
    if key in known:
        return True
    check.refuse(path, f"unknown; one of {', '.join(known)}", f"未知；可选 {'、'.join(known)}")
    return False


def _text(value: Any) -> str:
    return fields.text(value, 100, required=True)


def _role(value: Any, path: str, check: FieldCheck) -> tuple[str, tuple[Grant, ...]]:
    given = _object(value, path, check)
    for key in given:
        _known(key, ("displayName", "grants"), f"{path}.{key[:64]}", check)
    name = check.take(f"{path}.displayName", _text, given.get("displayName", ""))
    grants = []
    for resource, rights_of in sorted(_object(given.get("grants", {}), f"{path}.grants", check).items()):
        at = f"{path}.grants.{resource[:64]}"
        if _known(resource, rights.RESOURCES, at, check):
            grants.append(_grant(_object(rights_of, at, check), resource, at, check))
    return name or "", tuple(grants)


def _grant(given: dict[str, Any], resource: str, path: str, check: FieldCheck) -> Grant:
    values: dict[str, Any] = {}
    for key, value in given.items():
        at = f"{path}.{key[:64]}"
        if key in rights.VERBS:
            values[key] = check.take(at, _scope, value) or rights.NONE
        elif _known(key, (*rights.VERBS, "hiddenFields", "readOnlyFields"), at, check):
            field = "hidden" if key == "hiddenFields" else "read_only"
            values[field] = check.take(at, lambda v: read_field_names(resource, _texts(v)), value) or ()
    return Grant(resource, **values)


def _scope(value: Any) -> int:
    if not isinstance(value, str) or value not in rights.SCOPES:
        raise FieldProblem("must be NONE, OWN, TEAM or ALL", "必须是 NONE、OWN、TEAM 或 ALL")
    return rights.SCOPES[value]


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise FieldProblem("must be a list of texts", "必须是文本列表")
    return value


def _years(value: Any) -> list[int]:
    if not isinstance(value, list) or not all(isinstance(v, float) and v == v // 1 for v in value):
        raise FieldProblem("must be a list of years", "必须是年份列表")
    return [int(max(-1, min(v, 9999))) for v in value]


def _span_texts(value: Any) -> list[tuple[str, str]]:
    pairs = [text.partition("-") for text in _texts(value)]
    return [(start, end) for start, _, end in pairs]


def _calendar(given: dict[str, Any], id: str, path: str, zone: str, check: FieldCheck) -> Calendar | None:
    for key in given:
        known = ("displayName", "timeZone", "weekly", "offDays", "workDays", "chinaYears")
        _known(key, known, f"{path}.{key[:64]}", check)
    name = check.take(f"{path}.displayName", _text, given.get("displayName", id))
    time_zone = check.take(f"{path}.timeZone", _text, given.get("timeZone", zone))
    packed = pb.Calendar(display_name=name or "", time_zone=time_zone or "")
    places: dict[str, str] = {}
    for day, texts in _object(given.get("weekly", {}), f"{path}.weekly", check).items():
        at = f"{path}.weekly.{day[:64]}"
        if not _known(day, WEEKDAYS, at, check):
            continue
        for index, (start, end) in enumerate(check.take(at, _span_texts, texts) or ()):
            places[f"{path}.spans[{len(packed.spans)}]"] = f"{at}[{index}]"
            packed.spans.add(weekday=WEEKDAYS.index(day) + 1, start=start, end=end)
    packed.off_days.extend(check.take(f"{path}.offDays", _texts, given.get("offDays", [])) or ())
    packed.work_days.extend(check.take(f"{path}.workDays", _texts, given.get("workDays", [])) or ())
    packed.china_years.extend(check.take(f"{path}.chinaYears", _years, given.get("chinaYears", [])) or ())
    try:
        if name and time_zone:
            return read_calendar(packed, f"calendars/{id}", zone, path)
    except Invalid as problem:
        spelled = {"spans": "weekly", "time_zone": "timeZone", "off_days": "offDays", "work_days": "workDays"}
        spelled["china_years"] = "chinaYears"
        for v in problem.violations:
            at = places.get(v.field, v.field)
            for ours, theirs in spelled.items():
                at = at.replace(f"{path}.{ours}", f"{path}.{theirs}")
            check.refuse(at, v.english, v.chinese)
    return None
