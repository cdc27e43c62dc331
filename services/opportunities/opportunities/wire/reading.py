"""Requests: which fields, and their values as they are kept, all that is wrong named at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import custom, fields, records
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from chassis.messages import read_amount
from dealwright.opportunities.v1 import opportunities_pb2
from opportunities.domain.opportunity import Importance
from opportunities.domain.related import key

PREFIX = "opportunity"
LONGEST_REASON = 2000
_LONGEST = {
    **dict.fromkeys(("position", "source", "industry", "company_size", "decision_cycle", "follow_up_status"), 200),
    "stage": 63,
    "title": 200,
}
_LINES = {"need": 10_000, "blocker": 2000}
_PERSON = re.compile(r"people/[A-Za-z0-9_-]{1,64}")
_TEAM = re.compile(r"teams/[A-Za-z0-9_-]{1,64}")
_PARTIES = {"customer": "customers", "contact": "contacts", "lead": "leads"}
_MOST = 50
Reader = Callable[[Any], Any]


def _text(longest: int, multiline: bool = False) -> Reader:
    return lambda value: fields.text(value, longest, multiline=multiline)


def _title(value: str) -> str:
    return fields.text(value, _LONGEST["title"], required=True)


def _named(collection: str) -> Reader:
    pattern = re.compile(rf"{collection}/[0-9a-f]{{32}}")

    def read(value: str) -> str:
        if value and not pattern.fullmatch(value):
            raise FieldProblem(f'must be "{collection}/..."', f"须为 “{collection}/…”")
        return value

    return read


def person(value: str) -> str:
    """The name of a person. Raises FieldProblem."""
    if not _PERSON.fullmatch(value):
        raise FieldProblem('must be "people/..."', "须为 “people/…”")
    return value


def _date(value: str) -> str:
    if not value:
        return ""
    try:
        day = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2100:
        raise FieldProblem(
            "must be a day such as 2026-10-01, from 2000 to 2100", "须为 2000 至 2100 年间的日期，如 2026-10-01"
        )
    return day.isoformat()


def _percent(value: int) -> int:
    if not 0 <= value <= 100:
        raise FieldProblem("must lie from 0 to 100", "须在 0 至 100 之间")
    return value


def _importance(value: int) -> int:
    if value and value not in Importance._value2member_map_:
        raise FieldProblem(f"{value} is no importance", f"{value} 不是有效的重要程度")
    return value or Importance.NORMAL.value


def _collaborators(value: Sequence[Any]) -> list[dict[str, str]]:
    if len(value) > _MOST:
        raise FieldProblem(f"at most {_MOST}", f"最多 {_MOST} 个")
    found = [_collaborator(one.person, one.team, one.part) for one in value]
    if len({key(one) for one in found}) < len(found):
        raise FieldProblem("has a person or a team twice", "同一人员或团队重复出现")
    return found


def _collaborator(who: str, team: str, part: str) -> dict[str, str]:
    """A person, or a whole team."""
    made = {"person": "" if team and not who else person(who), "part": fields.text(part, 200)}
    if team and who:
        raise FieldProblem("is either a person or a team", "只能指定人员或团队之一")
    if not team:
        return made
    if not _TEAM.fullmatch(team):
        raise FieldProblem('must be "teams/..."', "须为 “teams/…”")
    return {**made, "team": team}


def _optional(read: Callable[[str], str]) -> Reader:
    return lambda value: read(value) if value else ""


_READERS: Mapping[str, Reader] = {
    **{name: _text(longest) for name, longest in _LONGEST.items()},
    **{name: _text(longest, multiline=True) for name, longest in _LINES.items()},
    **{name: _named(collection) for name, collection in _PARTIES.items()},
    "title": _title,
    "expected_close_date": _date,
    "win_probability": _percent,
    "products": custom.tags,
    "importance": _importance,
    "collaborators": _collaborators,
    "phone": _optional(fields.direct_line),
    "email": _optional(fields.email),
    "checklist_done": lambda value: list(dict.fromkeys(fields.text(one, 130, required=True) for one in value)),
}
_MONEY = {"amount": "currency", "budget": "budget_currency"}
CHANGEABLE = (*_READERS, *_MONEY, "custom")
CREATED = (*(name for name in CHANGEABLE if name != "checklist_done"), "pipeline", "owner")


def paths(request: opportunities_pb2.UpdateOpportunityRequest) -> list[str]:
    """The fields that an update changes. Raises Invalid."""
    return records.paths(request.update_mask.paths, request.opportunity, CHANGEABLE)


def moved(request: Any) -> tuple[str, str]:
    """(opportunity, stage) of a request that moves one, the stage empty for won; two empty texts of one that does
    not."""
    if isinstance(request, opportunities_pb2.WinOpportunityRequest):
        return request.name, ""
    named = request.update_mask.paths
    moves = request.opportunity.stage and (not named or "stage" in named or "*" in named)
    return (request.opportunity.name, request.opportunity.stage) if moves else ("", "")


def collaboration(
    request: opportunities_pb2.RequestCollaborationRequest,
) -> tuple[dict[str, str], str, datetime | None]:
    """Who is asked for what, in which words, until when. Raises Invalid."""
    check = FieldCheck()
    who = _somebody(request, check)
    part = check.take("part", fields.text, request.part, 200, required=True)
    detail = check.take("detail", fields.text, request.detail, LONGEST_REASON, multiline=True) or ""
    due = None
    if request.HasField("due_time"):
        due = check.take("due_time", read_moment, request.due_time)
    if check.violations:
        raise Invalid(check.violations)
    return {**who, "part": part or ""}, detail, due


def unshared(request: opportunities_pb2.UnshareOpportunityRequest) -> str:
    """The person or the team. Raises Invalid."""
    check = FieldCheck()
    who = _somebody(request, check)
    if check.violations:
        raise Invalid(check.violations)
    return key(who)


def _somebody(request: Any, check: FieldCheck) -> dict[str, str]:
    """The person or the team of a request, as a collaborator."""
    if request.request_id:
        check.take("request_id", fields.text, request.request_id, 128)
    if bool(request.person) == bool(request.team):
        check.refuse("person", "name a person or a team", "须指定人员或团队之一")
    if check.violations:
        return {}
    field = "team" if request.team else "person"
    return check.take(field, lambda _: _collaborator(request.person, request.team, ""), "") or {}


def read_moment(stamp: Timestamp) -> datetime:
    """Raises FieldProblem for a moment that is none."""
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise FieldProblem("is no moment", "不是有效的时间") from None


def values(message: opportunities_pb2.Opportunity, named: Sequence[str], check: FieldCheck) -> dict[str, Any]:
    """The values of these fields by the names of the columns; "custom.key" stays as it is, with None for a key that is
    to go."""
    found: dict[str, Any] = {}
    for name in named:
        if name in _MONEY:
            found.update(_money(message, name, check))
        elif name == "custom" or name.startswith("custom."):
            given = check.take(f"{PREFIX}.custom", custom.values, message.custom)
            key = name.partition(".")[2]
            found[name] = (given or {}).get(key) if key else given or None
        elif name == "pipeline":
            found[name] = check.take(f"{PREFIX}.{name}", fields.text, message.pipeline, 80)
        elif name == "owner":
            found[name] = check.take(f"{PREFIX}.{name}", _optional(person), message.owner)
        else:
            found[name] = check.take(f"{PREFIX}.{name}", _READERS[name], getattr(message, name))
    return found


def given(message: opportunities_pb2.Opportunity) -> list[str]:
    """The names of the columns for which something is said."""
    said = {descriptor.name for descriptor, _ in message.ListFields()}
    return [one for name in CREATED if name in said for one in (name, _MONEY.get(name)) if one]


def _money(message: opportunities_pb2.Opportunity, name: str, check: FieldCheck) -> dict[str, Any]:
    if not message.HasField(name):  # type: ignore[arg-type]
        return {name: None, _MONEY[name]: ""}
    read = check.take(f"{PREFIX}.{name}", read_amount, getattr(message, name))
    return {name: read.units, _MONEY[name]: read.currency} if read else {}
