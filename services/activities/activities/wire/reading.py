"""What callers write, checked and normalised field by field, all that is wrong named at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import custom, fields, records
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from chassis.messages import read_amount
from dealwright.activities.v1 import activities_pb2 as pb

LONGEST_REQUEST_ID = 128
LONGEST_TEXT = 10_000
MOST_ROWS = 1000
MOST_NAMED = 50
MOST_DAYS = 3650
_PERSON = re.compile(r"people/[A-Za-z0-9_-]{1,64}")
_TEAM = re.compile(r"teams/[A-Za-z0-9_-]{1,64}")
_RECORD = re.compile(r"[a-z][A-Za-z]{1,31}/[0-9a-f]{32}")
_SYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,31}")

Reader = Callable[[Any], Any]


def text(longest: int, required: bool = False, multiline: bool = False) -> Reader:
    return lambda value: fields.text(value, longest, multiline=multiline, required=required)


def _optional(read: Reader) -> Reader:
    return lambda value: read(value) if value else ""


def _matching(pattern: re.Pattern[str], example: str) -> Reader:
    def read(value: str) -> str:
        if not pattern.fullmatch(value):
            raise FieldProblem(f'must be "{example}/..."', f"须为 “{example}/…”")
        return value

    return read


person = _matching(_PERSON, "people")
team = _matching(_TEAM, "teams")
task = _matching(re.compile(r"tasks/[0-9a-f]{32}"), "tasks")
_attachment = _matching(re.compile(r"attachments/[0-9a-f]{32}"), "attachments")


def record(value: str) -> str:
    if not _RECORD.fullmatch(value):
        raise FieldProblem('must be the name of a record, such as "customers/..."', "须为记录名，如 “customers/…”")
    return value


def _each(read: Reader) -> Reader:
    def every(value: Sequence[str]) -> list[str]:
        if len(value) > MOST_NAMED:
            raise FieldProblem(f"at most {MOST_NAMED}", f"最多 {MOST_NAMED} 个")
        return list(dict.fromkeys(read(one) for one in value))

    return every


def _one_of(message: Any, enum: str, required: bool = False) -> Reader:
    known = message.DESCRIPTOR.enum_types_by_name[enum].values_by_number

    def read(value: int) -> int:
        if value not in known or (required and not value):
            names = ", ".join(one.name for number, one in known.items() if number)
            raise FieldProblem(f"must be one of: {names}", f"须为以下之一：{names}")
        return value

    return read


def _moment(value: Timestamp) -> datetime | None:
    if not value.ListFields():
        return None
    try:
        return fields.moment(value.ToDatetime(UTC))
    except (ValueError, OverflowError) as problem:
        if isinstance(problem, FieldProblem):
            raise
        raise FieldProblem("must lie in the years 2000 to 2100", "必须在 2000 至 2100 年之间") from None


def _days(value: int) -> int:
    if abs(value) > MOST_DAYS:
        raise FieldProblem(f"must lie from -{MOST_DAYS} to {MOST_DAYS}", f"须在 -{MOST_DAYS} 至 {MOST_DAYS} 之间")
    return value


def _system(value: str) -> str:
    if not _SYSTEM.fullmatch(value):
        raise FieldProblem(
            "is a letter, then up to 31 letters, digits or _.-", "须以字母开头，最多 32 个字母、数字或 _.-"
        )
    return value


FOLLOW_UP: Mapping[str, Reader] = {
    "method": _one_of(pb.FollowUp, "Method"),
    "outcome": _one_of(pb.FollowUp, "Outcome"),
    "summary": text(LONGEST_TEXT, multiline=True),
    "next_plan": text(2000, multiline=True),
    "next_time": _moment,
    "next_owner": _optional(person),
    "happen_time": _moment,
    "attachments": _each(_attachment),
    "mentions": _each(person),
    "custom": custom.values,
}
NEW_FOLLOW_UP: Mapping[str, Reader] = {**FOLLOW_UP, "record": record, "owner": _optional(person)}
TASK: Mapping[str, Reader] = {
    "title": text(200, required=True),
    "title_en": text(200),
    "detail": text(LONGEST_TEXT, multiline=True),
    "due_time": _moment,
    "part": text(64),
    "deliverable": text(500),
    "mentions": _each(person),
    "attachments": _each(_attachment),
    "result": text(2000, multiline=True),
    "custom": custom.values,
}
NEW_TASK: Mapping[str, Reader] = {
    **{name: read for name, read in TASK.items() if name != "result"},
    "kind": _one_of(pb.Task, "Kind"),
    "record": _optional(record),
    "parent": _optional(task),
    "owner": _optional(person),
    "team": _optional(team),
}
CHANGE_REQUEST: Mapping[str, Reader] = {
    "type": _one_of(pb.ChangeRequest, "Type", required=True),
    "detail": text(LONGEST_TEXT, required=True, multiline=True),
    "schedule_days": _days,
    "surcharge": lambda value: read_amount(value, signed=True),
}
INTERACTION: Mapping[str, Reader] = {
    "record": record,
    "kind": _one_of(pb.Interaction, "Kind", required=True),
    "system": _system,
    "external_id": text(200, required=True),
    "title": text(200),
    "text": text(LONGEST_TEXT, multiline=True),
    "detail": custom.values,
    "attachments": _each(_attachment),
    "happen_time": _moment,
}
INTERACTION_CHANGEABLE = {
    name: reader for name, reader in INTERACTION.items() if name not in ("record", "system", "external_id")
}


def created(
    message: Message, readers: Mapping[str, Reader], prefix: str, required: Sequence[str] = ()
) -> dict[str, Any]:
    """The values that a new record is given, by field. Raises Invalid with every wrong one."""
    given = {descriptor.name for descriptor, _ in message.ListFields()}
    return _read(message, [name for name in readers if name in given or name in required], readers, prefix)


def changed(message: Any, mask: Sequence[str], readers: Mapping[str, Reader], prefix: str) -> dict[str, Any]:
    """The values of the fields that an update changes; "custom.key" stays as it is, with None for a key that is to go.
    Raises Invalid."""
    paths = records.paths(mask, message, tuple(readers))
    values = _read(message, [path for path in paths if "." not in path], readers, prefix)
    own = [path for path in paths if "." in path]
    if own:
        given = _read(message, ["custom"], readers, prefix)["custom"]
        values |= {path: (given or {}).get(path.partition(".")[2]) for path in own}
    return values


def _read(message: Any, names: Sequence[str], readers: Mapping[str, Reader], prefix: str) -> dict[str, Any]:
    check = FieldCheck()
    values: dict[str, Any] = {}
    for name in names:
        if name == "surcharge":
            read = None
            if message.HasField(name):
                read = check.take(f"{prefix}.{name}", readers[name], getattr(message, name))
            values |= {"surcharge": read.units if read else None, "currency": read.currency if read else ""}
        else:
            found = check.take(f"{prefix}.{name}", readers[name], getattr(message, name))
            values[name] = (found or None) if name == "custom" else found
    if check.violations:
        raise Invalid(check.violations)
    return values


def request_id(request: Any) -> None:
    """Raises Invalid for one that is no text."""
    if request.request_id:
        one("request_id", text(LONGEST_REQUEST_ID), request.request_id)


def one(field: str, read: Reader, given: Any) -> Any:
    """One value. Raises Invalid."""
    check = FieldCheck()
    found = check.take(field, read, given)
    if check.violations:
        raise Invalid(check.violations)
    return found
