"""Reading a policy from outside (YAML or JSON, already parsed): every mistake is named by its path.

People are named as `people/...` there, and by their bare ids in what comes of it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from rules.domain.policy import (
    CHANNELS,
    CHECKS,
    KEYS_OF_KIND,
    KINDS,
    MATCH_FIELDS,
    RESERVED_STEP,
    VALUES_OF_FACT,
    Policy,
    build,
)
from rules.domain.reader import Problem, Reader

_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LONGEST_CONDITION = 2000
_TOP = {"id", "timeZone", "chargeManualMoves", "skills", "clocks", "steps"}
_OF_EVERY_STEP = {"id", "kind", "when", "match", "checks"}
_CLOCK_LIMITS = {
    "responseMinutes": (1, 525_600),
    "reassignments": (0, 20),
    "reclaimDays": (1, 3650),
    "lowIntentDays": (1, 3650),
}


class PolicyInvalid(ValueError):
    """`problems`: (path, English, Chinese) each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{path}: {english}" for path, english, _ in problems))


def from_plain(plain: Any, version: int = 1) -> Policy:
    """The policy that this data describes. Raises PolicyInvalid, which names every wrong path."""
    read = Reader()
    top = read.mapping(plain, "", _TOP)
    read.text(top.get("id", "assignment"), "id", empty=False)
    zone = top.get("timeZone", "Asia/Shanghai")
    try:
        ZoneInfo(zone)
    except Exception:
        read.no("timeZone", "is no IANA time zone", "不是有效的时区")
    read.flag(top.get("chargeManualMoves", False), "chargeManualMoves")
    _clocks(read, top.get("clocks", {}))
    skills = top.get("skills", {})
    if isinstance(skills, Mapping):
        for name, needs in skills.items():
            read.texts(needs, f"skills.{name}")
    else:
        read.no("skills", "must be an object", "必须是对象")
    _steps(read, top.get("steps"))
    if read.problems:
        raise PolicyInvalid(read.problems)
    return build({**top, "steps": [_with_ids(step) for step in top["steps"]]}, version)


def _with_ids(step: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(step)
    if "to" in found:
        found["to"] = found["to"].removeprefix("people/")
    if "rules" in found:
        found["rules"] = [{**r, "people": [p.removeprefix("people/") for p in r["people"]]} for r in found["rules"]]
    return found


def _clocks(read: Reader, plain: Any) -> None:
    clocks = read.mapping(plain, "clocks", {*_CLOCK_LIMITS, "responseWorking"})
    for key, (least, most) in _CLOCK_LIMITS.items():
        if key in clocks:
            read.number(clocks[key], f"clocks.{key}", least, most)
    if "responseWorking" in clocks:
        read.flag(clocks["responseWorking"], "clocks.responseWorking")


def _steps(read: Reader, plain: Any) -> None:
    if not isinstance(plain, list) or not 1 <= len(plain) <= 50:
        read.no("steps", "must be a list of 1 to 50 steps", "必须是1到50个步骤的列表")
        return
    seen: set[str] = set()
    for number, item in enumerate(plain):
        path = f"steps[{number}]"
        kind = item.get("kind") if isinstance(item, Mapping) else None
        of_kind = KEYS_OF_KIND.get(kind) if isinstance(kind, str) else None
        step = read.mapping(
            item, path, _OF_EVERY_STEP.union(*(KEYS_OF_KIND.values() if of_kind is None else (of_kind,)))
        )
        if of_kind is None:
            read.no(f"{path}.kind", f"must be one of {', '.join(KINDS)}", f"必须是以下之一：{'、'.join(KINDS)}")
        _step(read, step, path, seen)


def _step(read: Reader, step: dict[str, Any], path: str, seen: set[str]) -> None:
    name = step.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name) or name == RESERVED_STEP:
        read.no(f"{path}.id", "must be lower-case letters, digits and dashes", "必须由小写字母、数字和短横组成")
    elif name in seen:
        read.no(f"{path}.id", "is used twice", "重复使用")
    else:
        seen.add(name)
    if "when" in step:
        read.text(step["when"], f"{path}.when", _LONGEST_CONDITION)
    if "checks" in step:
        read.texts(step["checks"], f"{path}.checks", CHECKS)
    for key in ("words", "channels", "industries"):
        if key in step:
            read.texts(step[key], f"{path}.{key}", CHANNELS if key == "channels" else None)
    if "match" in step:
        for fact, values in read.mapping(step["match"], f"{path}.match", set(MATCH_FIELDS)).items():
            read.texts(values, f"{path}.match.{fact}", VALUES_OF_FACT.get(fact))
    if "chargesTurn" in step:
        read.flag(step["chargesTurn"], f"{path}.chargesTurn")
    if "radius" in step:
        read.number(step["radius"], f"{path}.radius", 1, 1_000_000)
    if "to" in step:
        read.person(step["to"], f"{path}.to", ("queue", "manager"))
    if "rules" in step:
        _rules(read, step["rules"], f"{path}.rules")


def _rules(read: Reader, plain: Any, path: str) -> None:
    if not isinstance(plain, list) or len(plain) > 100:
        read.no(path, "must be a list of at most 100 rules", "必须是不超过100项的列表")
        return
    for number, item in enumerate(plain):
        rule = read.mapping(item, f"{path}[{number}]", {"phrases", "people"})
        read.texts(rule.get("phrases"), f"{path}[{number}].phrases")
        read.people(rule.get("people"), f"{path}[{number}].people")
