"""Approval flows and approver groups as a company writes them: two keys of the blueprint (Q9, Q19)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Any, TypeVar

from chassis import fields
from chassis.fields import FieldCheck
from contracts.domain import approval_facts
from contracts.domain.approval_flow import (
    END,
    Blank,
    Branch,
    Flow,
    Mode,
    Node,
    NodeKind,
    OnTimeout,
    Words,
    faults,
)
from contracts.domain.approvers import ASKER, EACH, Group, is_line

MOST_FLOWS, MOST_NODES, MOST_APPROVERS, MOST_BRANCHES, MOST_FIELDS, MOST_GROUPS = 100, 50, 50, 20, 50, 100
_COUNTERSIGNED = "contractChange"  # by different people, unless a company says otherwise
LONGEST_TIMEOUT = 2000.0
"""Working hours."""
_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
_SUBJECT = re.compile(r"[a-z][A-Za-z0-9]{0,62}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_FLOW = frozenset({"displayName", "for", "when", "order", "enabled", "askOnce", "distinctPeople", "nodes"})
_NODE = frozenset({"id", "displayName", "kind", "when", "next"})
_ASKING = frozenset({"approvers", "mode", "n", "timeoutHours", "onTimeout"})
_NODES: Mapping[NodeKind, frozenset[str]] = {
    NodeKind.APPROVE: _NODE | _ASKING,
    NodeKind.FILL_IN: _NODE | _ASKING | {"fields"},
    NodeKind.COPY: _NODE | {"approvers"},
    NodeKind.BRANCH: _NODE | {"branches"},
}
_GROUP = frozenset({"displayName", "members", "otherwise"})
E = TypeVar("E", bound=IntEnum)


def flows(given: Any, check: FieldCheck, path: str) -> dict[str, Flow]:
    """The flows of {id: flow}; what is wrong goes to `check`, circles and the like with their path (R16)."""
    if not isinstance(given, Mapping) or len(given) > MOST_FLOWS:
        check.refuse(path, f"must be an object of at most {MOST_FLOWS} flows", f"须为最多 {MOST_FLOWS} 个流程的对象")
        return {}
    return {str(id): flow(str(id), plain, check, f"{path}.{str(id)[:64]}") for id, plain in given.items()}


def flow(id: str, plain: Any, check: FieldCheck, path: str) -> Flow:
    """One flow; what is wrong goes to `check`."""
    before = len(check.violations)
    _match(id, _ID, check, path)
    given = _object(plain, _FLOW, check, path)
    listed = given.get("nodes", [])
    nodes = tuple(_node(one, check, f"{path}.nodes[{place}]") for place, one in enumerate(_list(listed, MOST_NODES)))
    if not isinstance(listed, list | tuple) or len(listed) > MOST_NODES:
        check.refuse(f"{path}.nodes", f"must be a list of at most {MOST_NODES}", f"须为最多 {MOST_NODES} 项的列表")
    if len({node.id for node in nodes}) < len(nodes):
        check.refuse(f"{path}.nodes", "two nodes have the same id", "节点编号重复")
    subject = _match(given.get("for"), _SUBJECT, check, f"{path}.for")
    made = Flow(
        id,
        _words(given, check, path),
        subject,
        nodes,
        _condition(given.get("when", ""), check, f"{path}.when"),
        int(_number(given, "order", 0, -1000, 1000, check, path)),
        _flag(given, "enabled", True, check, path),
        _flag(given, "askOnce", True, check, path),
        _flag(given, "distinctPeople", subject == _COUNTERSIGNED, check, path),
    )
    if len(check.violations) == before:
        for at, english, chinese in faults(made):
            check.refuse(f"{path}.{at}", english, chinese)
    return made


def groups(given: Any, check: FieldCheck, path: str) -> dict[str, Group]:
    """The approver groups of {id: group}, where a group may be the list of its members alone."""
    if not isinstance(given, Mapping) or len(given) > MOST_GROUPS:
        check.refuse(path, f"must be an object of at most {MOST_GROUPS} groups", f"须为最多 {MOST_GROUPS} 个组的对象")
        return {}
    made: dict[str, Group] = {}
    for id, plain in given.items():
        at = f"{path}.{str(id)[:64]}"
        _match(id, _ID, check, at)
        if isinstance(plain, list | tuple):
            plain = {"members": plain}
        content = _object(plain, _GROUP, check, at)
        lines = [_lines(content.get(key, []), check, f"{at}.{key}") for key in ("members", "otherwise")]
        for key, found in zip(("members", "otherwise"), lines, strict=True):
            if any(line == ASKER or line.startswith((EACH, "group:")) for line in found):
                check.refuse(f"{at}.{key}", "takes no groups", "不能引用其他组")
        made[str(id)] = Group(str(id), _words(content, check, at, str(id)), *lines)
    return made


# --- nodes ---


def _node(plain: Any, check: FieldCheck, path: str) -> Node:
    kind = _choice(plain, "kind", NodeKind, NodeKind.APPROVE, check, path)
    given = _object(plain, _NODES[kind], check, path)
    id = _match(given.get("id"), _ID, check, f"{path}.id")
    lines = _lines(given.get("approvers", []), check, f"{path}.approvers")
    if not given.get("approvers") and kind is not NodeKind.BRANCH:
        check.refuse(f"{path}.approvers", "names nobody", "没有指定任何人")
    if kind is NodeKind.APPROVE and ASKER in lines:
        check.refuse(f"{path}.approvers", "nobody approves his own request", "不能审批自己提交的申请")
    mode = _choice(given, "mode", Mode, Mode.ALL, check, path)
    n = int(_number(given, "n", 0, 0, MOST_APPROVERS, check, path))
    if mode is Mode.N_OF_M and not 1 <= n <= (MOST_APPROVERS if _grows(lines) else len(lines)):
        check.refuse(f"{path}.n", f"must lie from 1 to {len(lines)}", f"须在 1 至 {len(lines)} 之间")
    branches = tuple(
        _branch(one, check, f"{path}.branches[{place}]")
        for place, one in enumerate(_list(given.get("branches", []), MOST_BRANCHES))
    )
    if kind is NodeKind.BRANCH and not branches:
        check.refuse(
            f"{path}.branches", f"must be a list of 1 to {MOST_BRANCHES}", f"须为 1 至 {MOST_BRANCHES} 项的列表"
        )
    blanks = tuple(
        _blank(one, check, f"{path}.fields[{place}]")
        for place, one in enumerate(_list(given.get("fields", []), MOST_FIELDS))
    )
    if kind is NodeKind.FILL_IN and not blanks:
        check.refuse(f"{path}.fields", f"must be a list of 1 to {MOST_FIELDS}", f"须为 1 至 {MOST_FIELDS} 项的列表")
    following = given.get("next", "")
    return Node(
        id,
        _words(given, check, path, id),
        kind,
        lines,
        mode,
        n if mode is Mode.N_OF_M else 0,
        _condition(given.get("when", ""), check, f"{path}.when"),
        _number(given, "timeoutHours", 0.0, 0.0, LONGEST_TIMEOUT, check, path),
        _choice(given, "onTimeout", OnTimeout, OnTimeout.REMIND, check, path),
        following if following in ("", END) else _match(following, _ID, check, f"{path}.next"),
        branches,
        blanks,
    )


def _grows(lines: tuple[str, ...]) -> bool:
    """Whether there may be more seats than lines."""
    return any(line.startswith(EACH) for line in lines)


def _branch(plain: Any, check: FieldCheck, path: str) -> Branch:
    given = _object(plain, frozenset({"when", "next"}), check, path)
    when = given.get("when", "")
    if not when:
        check.refuse(f"{path}.when", "is required", "必填")
    following = given.get("next")
    return Branch(
        _condition(when, check, f"{path}.when"),
        END if following == END else _match(following, _ID, check, f"{path}.next"),
    )


def _blank(plain: Any, check: FieldCheck, path: str) -> Blank:
    given = _object(plain, frozenset({"id", "displayName", "required"}), check, path)
    id = _match(given.get("id"), _FIELD, check, f"{path}.id")
    return Blank(id, _words(given, check, path, id), _flag(given, "required", False, check, path))


# --- values ---


def _object(plain: Any, keys: frozenset[str], check: FieldCheck, path: str) -> Mapping[str, Any]:
    if not isinstance(plain, Mapping):
        check.refuse(path, "must be an object", "须为对象")
        return {}
    for key in sorted(map(str, plain.keys() - keys)):
        check.refuse(f"{path}.{key[:64]}", "there is no such setting", "没有这个设置项")
    return plain


def _list(value: Any, most: int) -> list[Any]:
    return list(value)[:most] if isinstance(value, list | tuple) else []


def _lines(value: Any, check: FieldCheck, path: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > MOST_APPROVERS:
        check.refuse(path, f"must be a list of at most {MOST_APPROVERS}", f"须为最多 {MOST_APPROVERS} 项的列表")
        return ()
    for place, line in enumerate(value):
        if not is_line(line):
            check.refuse(f"{path}[{place}]", "names nobody that is known here", "不是有效的审批人")
    if len(set(map(str, value))) < len(value):
        check.refuse(path, "names somebody twice", "重复指定")
    return tuple(line for line in value if is_line(line))


def _match(value: Any, shape: re.Pattern[str], check: FieldCheck, path: str) -> str:
    if isinstance(value, str) and shape.fullmatch(value) and value != END:
        return value
    check.refuse(path, f"must look like {shape.pattern}", f"格式须为 {shape.pattern}")
    return ""


def _words(given: Mapping[str, Any], check: FieldCheck, path: str, default: str = "") -> Words:
    """{zh, en}, or one text for both."""
    value = given.get("displayName", default)
    both = value if isinstance(value, Mapping) else {"zh": value, "en": value}
    if both.keys() - {"zh", "en"}:
        check.refuse(f"{path}.displayName", "takes zh and en", "只能有 zh 与 en")
    english = check.take(f"{path}.displayName.en", fields.text, both.get("en", ""), 100)
    chinese = check.take(f"{path}.displayName.zh", fields.text, both.get("zh", ""), 100)
    if not english and not chinese:
        check.refuse(f"{path}.displayName", "is required", "必填")
    return Words(english or chinese or "", chinese or english or "")


def _condition(value: Any, check: FieldCheck, path: str) -> str:
    if value == "":
        return ""
    wrong = approval_facts.wrong_with(value)
    if wrong is not None:
        check.refuse(path, *wrong)
        return ""
    return str(value)


def _choice(plain: Any, key: str, kind: type[E], default: E, check: FieldCheck, path: str) -> E:
    value = plain.get(key, default.name) if isinstance(plain, Mapping) else default.name
    if isinstance(value, str) and value in kind.__members__:
        return kind[value]
    names = ", ".join(kind.__members__)
    check.refuse(f"{path}.{key}", f"must be one of {names}", f"须为 {names} 之一")
    return default


def _number(
    given: Mapping[str, Any], key: str, default: float, least: float, most: float, check: FieldCheck, path: str
) -> float:
    value = given.get(key, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and least <= value <= most and (isinstance(default, float) or value == int(value)):
        return float(value)
    check.refuse(f"{path}.{key}", f"must lie from {least} to {most}", f"须在 {least} 至 {most} 之间")
    return default


def _flag(given: Mapping[str, Any], key: str, default: bool, check: FieldCheck, path: str) -> bool:
    value = given.get(key, default)
    if not isinstance(value, bool):
        check.refuse(f"{path}.{key}", "must be true or false", "须为 true 或 false")
        return default
    return value


@lru_cache(maxsize=256)
def _read(id: str, text: str) -> Flow:
    return flow(id, json.loads(text), FieldCheck(), "")


def stored(id: str, plain: Mapping[str, Any]) -> Flow:
    """A flow that was checked when it was saved."""
    return _read(id, json.dumps(plain))
