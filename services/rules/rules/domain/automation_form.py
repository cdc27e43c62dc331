"""Reading automations from outside: every mistake is named by its path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Any

from rules.domain import automation as kinds
from rules.domain.automation import Automation, build
from rules.domain.conditions import wrong_with
from rules.domain.reader import Problem, Reader

_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_AT = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_TO = re.compile(r"owner|manager|team|people/[A-Za-z0-9._~-]{1,100}|roles/[a-z0-9-]{1,40}|part:[^\s].{0,99}")
_TO_FORMS = "owner, manager, team, people/..., roles/... or part:..."
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ALWAYS = {"id", "nameZh", "nameEn", "enabled", "on", "when", "actions", "author"}
_LONGEST_CONDITION = 2000
_LONGEST_BODY = 2000
_MOST_ACTIONS = 10
_MOST_DAYS, _MOST_HOURS = 3650, 87_600
_PERSON = re.compile(r"(people/[A-Za-z0-9._~-]{1,100})?")


class AutomationsInvalid(ValueError):
    """`problems`: (path, English, Chinese) each."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{path}: {english}" for path, english, _ in problems))


def from_plain(plain: Any, path: str = "automations") -> tuple[Automation, ...]:
    """The automations that this data describes. Raises AutomationsInvalid, which names every wrong path."""
    read = Reader()
    if not isinstance(plain, list) or len(plain) > kinds.MOST:
        read.no(path, f"must be a list of at most {kinds.MOST}", f"必须是不超过{kinds.MOST}项的列表")
        raise AutomationsInvalid(read.problems)
    seen: set[str] = set()
    for number, item in enumerate(plain):
        _automation(read, item, f"{path}[{number}]", seen)
    if read.problems:
        raise AutomationsInvalid(read.problems)
    return tuple(build(item) for item in plain)


def _automation(read: Reader, item: Any, path: str, seen: set[str]) -> None:
    on = item.get("on") if isinstance(item, Mapping) else None
    trigger = on if isinstance(on, str) and on in kinds.FACTS else ""
    own = _keys_of(trigger) if trigger else {"after", "repeat", "at"}
    plain = read.mapping(item, path, _ALWAYS | own)
    name = plain.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        read.no(f"{path}.id", "must be lower-case letters, digits and dashes", "必须由小写字母、数字和短横组成")
    elif name in seen:
        read.no(f"{path}.id", "is used twice", "重复使用")
    else:
        seen.add(name)
    if not trigger:
        names = ", ".join(kinds.TRIGGERS)
        read.no(f"{path}.on", f"must be one of {names}", f"必须是以下之一：{names}")
    for key in ("nameZh", "nameEn"):
        if key in plain:
            read.text(plain[key], f"{path}.{key}")
    if "enabled" in plain:
        read.flag(plain["enabled"], f"{path}.enabled")
    author = plain.get("author", "")
    if not isinstance(author, str) or not _PERSON.fullmatch(author):
        read.no(f"{path}.author", "must be people/... or empty", "必须是 people/... 或留空")
    _condition(read, plain.get("when", ""), f"{path}.when", trigger)
    _times(read, plain, path, trigger)
    _actions(read, plain.get("actions"), f"{path}.actions", trigger)


def _keys_of(trigger: str) -> set[str]:
    return {
        *(("after",) if trigger in kinds.DELAYED else ()),
        *(("repeat",) if trigger in kinds.SILENT else ()),
        *(("at",) if trigger == kinds.DAILY else ()),
    }


def _condition(read: Reader, when: Any, path: str, trigger: str) -> None:
    before = len(read.problems)
    read.text(when, path, _LONGEST_CONDITION)
    if len(read.problems) == before and when and trigger:
        problem = wrong_with(trigger, when)
        if problem is not None:
            known = ", ".join(sorted(kinds.FACTS[trigger]))
            read.no(path, f"{problem.english} (facts: {known})", f"{problem.chinese}（可用：{known}）")


def _times(read: Reader, plain: Mapping[str, Any], path: str, trigger: str) -> None:
    waits = _span(read, plain.get("after", {}), f"{path}.after", {"days", "hours", "working"})
    _span(read, plain.get("repeat", {}), f"{path}.repeat", {"days", "hours"})
    if trigger in kinds.SILENT and not waits:
        read.no(f"{path}.after", "must say how long", "必须填写时长")
    if trigger == kinds.DAILY:
        at = plain.get("at")
        if not isinstance(at, str) or not _AT.fullmatch(at):
            read.no(f"{path}.at", 'must be a time of day such as "09:00"', "必须是一天中的时刻，如“09:00”")
        else:
            time.fromisoformat(at)
        after = plain.get("after")
        if isinstance(after, Mapping) and after.get("working"):
            read.no(f"{path}.after.working", "is not for a daily look", "每日扫描不支持工作时间")


def _span(read: Reader, plain: Any, path: str, known: set[str]) -> bool:
    """Whether it is any time at all."""
    span = read.mapping(plain, path, known)
    for key, most in (("days", _MOST_DAYS), ("hours", _MOST_HOURS)):
        if key in span:
            read.number(span[key], f"{path}.{key}", 0, most)
    if "working" in span:
        read.flag(span["working"], f"{path}.working")
    return bool(span.get("days") or span.get("hours"))


def _actions(read: Reader, plain: Any, path: str, trigger: str) -> None:
    if not isinstance(plain, list) or not 1 <= len(plain) <= _MOST_ACTIONS:
        read.no(path, f"must be a list of 1 to {_MOST_ACTIONS} actions", f"必须是1到{_MOST_ACTIONS}个动作的列表")
        return
    for number, item in enumerate(plain):
        _action(read, item, f"{path}[{number}]", trigger)


def _action(read: Reader, item: Any, path: str, trigger: str) -> None:
    kind = item.get("kind") if isinstance(item, Mapping) else None
    keys = kinds.KEYS_OF_ACTION.get(kind) if isinstance(kind, str) else None
    action = read.mapping(item, path, set().union(*kinds.KEYS_OF_ACTION.values()) if keys is None else set(keys))
    if keys is None or not isinstance(kind, str):
        names = ", ".join(kinds.ACTIONS)
        read.no(f"{path}.kind", f"must be one of {names}", f"必须是以下之一：{names}")
        return
    if kind in kinds.TO_OPPORTUNITY and trigger and trigger not in kinds.ON_OPPORTUNITIES:
        read.no(f"{path}.kind", f"is not for {trigger}: it is about opportunities", f"不适用于 {trigger}，仅适用于商机")
    if "to" in keys:
        _recipients(read, action.get("to"), f"{path}.to")
    _texts(read, action, path, "title" if kind in kinds.TO_PEOPLE else "text")
    if "dueHours" in action:
        read.number(action["dueHours"], f"{path}.dueHours", 0, _MOST_HOURS)
    if action.get("taskKind", "TODO") not in kinds.TASK_KINDS:
        names = ", ".join(kinds.TASK_KINDS)
        read.no(f"{path}.taskKind", f"must be one of {names}", f"必须是以下之一：{names}")
    if "template" in action:
        read.text(action["template"], f"{path}.template")


def _recipients(read: Reader, to: Any, path: str) -> None:
    if not isinstance(to, list) or not 1 <= len(to) <= 20:
        read.no(path, f"must be a list of 1 to 20, each {_TO_FORMS}", f"必须是1到20项的列表，每项为 {_TO_FORMS}")
        return
    for number, item in enumerate(to):
        if not isinstance(item, str) or not _TO.fullmatch(item):
            read.no(f"{path}[{number}]", f"must be {_TO_FORMS}", f"必须是 {_TO_FORMS}")


def _texts(read: Reader, action: Mapping[str, Any], path: str, required: str) -> None:
    """Both languages of what people read."""
    for key in ("titleZh", "titleEn", "textZh", "textEn"):
        must = key.startswith(required)
        if key not in action and not must:
            continue
        before = len(read.problems)
        text = action.get(key)
        read.text(text, f"{path}.{key}", 200 if key.startswith("title") else _LONGEST_BODY, empty=not must)
        if len(read.problems) == before:
            for name in _PLACEHOLDER.findall(text or ""):
                if name not in kinds.PLACEHOLDERS:
                    names = ", ".join("{" + known + "}" for known in kinds.PLACEHOLDERS)
                    shown = "{" + name[:40] + "}"
                    read.no(f"{path}.{key}", f"{shown} is none of {names}", f"{shown} 不是可用的占位符：{names}")
