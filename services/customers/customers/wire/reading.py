"""What callers write about customers and contacts, checked and normalised field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chassis import custom, fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from customers.domain.customer import DecisionRole, Stage, Tier
from dealwright.leads.v1 import leads_pb2

LONGEST_REQUEST_ID = 128
_MOST_EMPLOYEES = 10_000_000
_SYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,31}")
_CHANNELS = frozenset(leads_pb2.Channel.values())
_PERSON = re.compile(r"people/[A-Za-z0-9_-]{1,64}")

Reader = Callable[[Any], Any]


def _text(longest: int, required: bool = False) -> Reader:
    return lambda value: fields.text(value, longest, required=required)


def _optional(read: Reader) -> Reader:
    return lambda value: read(value) if value else ""


def _one_of(known: frozenset[int], english: str, chinese: str) -> Reader:
    def read(value: int) -> int:
        if value not in known:
            raise FieldProblem(f"{value} is no {english}", f"{value} 不是有效的{chinese}")
        return value

    return read


def _employees(value: int) -> int:
    if not 0 <= value <= _MOST_EMPLOYEES:
        raise FieldProblem(f"must be from 0 to {_MOST_EMPLOYEES}", f"须为 0 至 {_MOST_EMPLOYEES}")
    return value


def external_ids(value: Mapping[str, str]) -> dict[str, str]:
    """At most 20 systems, each with a short name; "" is no id."""
    if len(value) > 20:
        raise FieldProblem("at most 20", "最多 20 个")
    for system in value:
        if not _SYSTEM.fullmatch(system):
            raise FieldProblem(
                f"{system[:40]!r} is no name of a system: a letter, then up to 31 letters, digits or _.-",
                f"“{system[:40]}” 不是有效的系统名：须以字母开头，最多 32 个字母、数字或 _.-",
            )
    return {system: fields.text(given, 128) for system, given in value.items()}


def person(value: str) -> str:
    if not _PERSON.fullmatch(value):
        raise FieldProblem('must be "people/..."', "须为 “people/…”")
    return value


CUSTOMER: Mapping[str, Reader] = {
    "display_name": _text(200, required=True),
    "private_person": bool,
    "industry": _text(64),
    "employees": _employees,
    "region": fields.region,
    "channel": _one_of(_CHANNELS, "channel", "渠道"),
    "address": _text(500),
    "tier": _one_of(frozenset(Tier), "tier", "客户等级"),
    "stage": _one_of(frozenset(Stage) - {Stage.STAGE_UNSPECIFIED}, "stage", "客户阶段"),
    "tags": custom.tags,
    "shared_with_team": bool,
    "phone": _optional(fields.direct_line),
    "email": _optional(fields.email),
    "licence": _optional(lambda value: fields.licence(value, strict=False)),
    "external_ids": external_ids,
    "custom": custom.values,
}
CONTACT: Mapping[str, Reader] = {
    "full_name": _text(128, required=True),
    "title": _text(128),
    "phone": _optional(fields.direct_line),
    "email": _optional(fields.email),
    "decision_role": _one_of(frozenset(DecisionRole), "decision role", "决策角色"),
}


def created(message: Any, readers: Mapping[str, Reader], prefix: str, required: Sequence[str]) -> dict[str, Any]:
    """The values of a new record, by field. Raises Invalid with every wrong one."""
    given = {descriptor.name for descriptor, _ in message.ListFields()}
    return _read(message, [name for name in readers if name in given or name in required], readers, prefix)


def changed(message: Any, paths: Sequence[str], readers: Mapping[str, Reader], prefix: str) -> dict[str, Any]:
    """The values of these paths, by field; "custom.key" stays as it is, and of "external_ids" come what to lay over
    them, None for those to remove. Raises Invalid with every wrong one."""
    whole = [path for path in paths if "." not in path]
    values = _read(message, whole, readers, prefix)
    for path in (path for path in paths if "." in path):
        name, _, key = path.partition(".")
        check = FieldCheck()
        given = check.take(f"{prefix}.{name}", readers[name], getattr(message, name))
        if given is None:
            raise Invalid(check.violations)
        if name == "custom":
            values[path] = given.get(key)
        else:
            values.setdefault(name, {})[key] = given.get(key)
    return values


def _read(message: Any, names: Sequence[str], readers: Mapping[str, Reader], prefix: str) -> dict[str, Any]:
    check = FieldCheck()
    values = {name: check.take(f"{prefix}.{name}", readers[name], getattr(message, name)) for name in names}
    if check.violations:
        raise Invalid(check.violations)
    return values


def request_id(request: Any) -> None:
    """Raises Invalid for one that is no text."""
    if request.request_id:
        check = FieldCheck()
        check.take("request_id", fields.text, request.request_id, LONGEST_REQUEST_ID)
        if check.violations:
            raise Invalid(check.violations)


def source(given: str) -> str:
    """Where a batch comes from: the name of a record. Raises Invalid."""
    check = FieldCheck()
    read = check.take("source", fields.text, given, LONGEST_REQUEST_ID)
    if check.violations:
        raise Invalid(check.violations)
    return read or ""


def words(given: str, field: str, longest: int = 2000) -> str:
    """A text that a person wrote. Raises Invalid."""
    check = FieldCheck()
    read = check.take(field, fields.text, given, longest, multiline=True)
    if check.violations:
        raise Invalid(check.violations)
    return read or ""


def owner(given: str, field: str = "owner") -> str:
    """ "people/...". Raises Invalid."""
    check = FieldCheck()
    read = check.take(field, person, given)
    if check.violations:
        raise Invalid(check.violations)
    return read or ""


def known_by(given: Any) -> dict[str, str]:
    """What of a customer somebody named, normalised; what is wrong names nobody."""
    found: dict[str, str] = {}
    for name in ("display_name", "phone", "email", "licence"):
        value = getattr(given, name)
        try:
            if value:
                found[name] = CUSTOMER[name](value)
        except FieldProblem:
            continue
    return found
