"""What a company wants of its follow-ups (F2), and of tasks that make themselves: two documents of the blueprint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from activities.domain.follow_up import Outcome
from chassis.fields import FieldCheck

OUTCOMES = tuple(one.name for one in Outcome if one)
# What may be required, as JSON has it; time and person are there in any case.
_FIELDS = ("attachments", "method", "nextOwner", "nextPlan", "nextTime", "outcome", "summary")
_CUSTOM = re.compile(r"custom\.\w[\w .\-]{0,63}")
_KIND = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

FOLLOW_UPS: Mapping[str, Any] = {
    "outcomes": list(OUTCOMES),
    "required": ["outcome"],
    "requiredFor": {"REVISIT": ["nextTime"]},
    # What may be attached; empty: anything.
    "attachmentKinds": [],
}
TASKS: Mapping[str, Any] = {
    # Whoever gets a lead gets a task, due when the first response is; after so many hours where nobody says.
    "leadTask": True,
    "leadHours": 2,
    # Of a collaborator's part, where nobody says.
    "collaborationDays": 3,
}
_LARGEST = {"leadHours": 24 * 30, "collaborationDays": 365}


def follow_ups(given: Any, check: FieldCheck, path: str) -> dict[str, Any]:
    """The template in its normal form; what is left out is as in the default one."""
    plain = _document(given, FOLLOW_UPS, check, path)
    outcomes = _listed(plain["outcomes"], OUTCOMES, check, f"{path}.outcomes")
    if not outcomes:
        check.refuse(f"{path}.outcomes", "needs at least one", "至少需要一个")
    required_for = plain["requiredFor"]
    if not isinstance(required_for, Mapping) or required_for.keys() - set(OUTCOMES):
        known = ", ".join(OUTCOMES)
        check.refuse(f"{path}.requiredFor", f"must be an object with keys among: {known}", f"须为以 {known} 为键的对象")
        required_for = {}
    kinds = plain["attachmentKinds"]
    if not isinstance(kinds, list) or not all(isinstance(one, str) and _KIND.fullmatch(one) for one in kinds):
        check.refuse(f"{path}.attachmentKinds", "must be a list of kinds such as quote", "须为附件类型列表，如 quote")
        kinds = []
    return {
        "outcomes": outcomes,
        "required": _fields(plain["required"], check, f"{path}.required"),
        "requiredFor": {
            outcome: _fields(names, check, f"{path}.requiredFor.{outcome}")
            for outcome, names in sorted(required_for.items())
        },
        "attachmentKinds": list(dict.fromkeys(kinds)),
    }


def tasks(given: Any, check: FieldCheck, path: str) -> dict[str, Any]:
    plain = _document(given, TASKS, check, path)
    if not isinstance(plain["leadTask"], bool):
        check.refuse(f"{path}.leadTask", "must be true or false", "须为 true 或 false")
    for name, most in _LARGEST.items():
        value = plain[name]
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
        if not whole or not 1 <= value <= most:
            check.refuse(f"{path}.{name}", f"must be a whole number from 1 to {most}", f"须为 1 至 {most} 的整数")
        else:
            plain[name] = int(value)
    return plain


def _document(given: Any, default: Mapping[str, Any], check: FieldCheck, path: str) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        check.refuse(path, "must be an object", "须为对象")
        given = None
    for key in sorted((given or {}).keys() - default.keys()):
        check.refuse(f"{path}.{key}", "there is no such key", "没有这个键")
    return {key: (given or {}).get(key, value) for key, value in default.items()}


def _listed(given: Any, known: Sequence[str], check: FieldCheck, path: str) -> list[str]:
    if not isinstance(given, list) or any(one not in known for one in given):
        check.refuse(path, f"must be a list of: {', '.join(known)}", f"须为以下值的列表：{'、'.join(known)}")
        return list(known)
    return list(dict.fromkeys(given))


def _fields(given: Any, check: FieldCheck, path: str) -> list[str]:
    fit = isinstance(given, list) and all(
        isinstance(one, str) and (one in _FIELDS or _CUSTOM.fullmatch(one)) for one in given
    )
    if not fit:
        known = ", ".join((*_FIELDS, "custom.…"))
        check.refuse(path, f"must be a list of: {known}", f"须为以下字段的列表：{known}")
        return []
    return list(dict.fromkeys(given))


def missing(template: Mapping[str, Any], values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What the template wants of a follow-up with these values and is not there: (field, English, Chinese)."""
    outcome = Outcome(values.get("outcome", 0))
    wrong: list[tuple[str, str, str]] = []
    if outcome and outcome.name not in template["outcomes"]:
        known = ", ".join(template["outcomes"])
        wrong.append(("follow_up.outcome", f"must be one of: {known}", f"须为以下之一：{known}"))
    wanted = [*template["required"], *(template["requiredFor"].get(outcome.name, ()) if outcome else ())]
    for name in dict.fromkeys(wanted):
        field, dot, key = name.partition(".")
        column = re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", field)
        value = values.get(column)
        if not ((value or {}).get(key) if dot else value):
            wrong.append((f"follow_up.{column}{dot}{key}", "is required", "必填"))
    return wrong
