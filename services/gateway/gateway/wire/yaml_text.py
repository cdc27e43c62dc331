"""YAML text to plain data and back, by the core schema of YAML 1.2: `18:00` and `no` are texts, not 1080 and false.

Anchors and aliases are refused (a bomb needs them and a blueprint does not), and so are tags.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from gateway.wire.json_text import MOST_DEPTH, NotANumber, NotJson, Repeated

_WHOLE = re.compile(r"[-+]?[0-9]{1,40}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_WORDS = {"null": None, "Null": None, "NULL": None, "~": None, "": None}
_WORDS_TRUE = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def parse(body: bytes) -> Any:
    """One document. Raises NotJson with line and column."""
    try:
        text = body.decode()
    except UnicodeDecodeError as problem:
        raise NotJson("The body is not UTF-8.", "请求正文不是 UTF-8 编码。") from problem
    try:
        return _Reader(text).document()
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise NotJson(
            f"The body is not YAML: {problem.problem or 'unreadable'} at line {line}, column {column}.",
            f"请求正文不是有效的 YAML：第 {line} 行第 {column} 列。",
        ) from problem
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        if isinstance(problem, NotJson):
            raise
        raise NotJson("The body is not YAML.", "请求正文不是有效的 YAML。") from problem


def write(plain: Any) -> bytes:
    """Plain data as one document that `parse`, and readers of YAML 1.1 as well, read back as it was."""
    text = yaml.dump(plain, Dumper=_Writer, allow_unicode=True, sort_keys=False, width=110)
    return text.encode(errors="replace")


class _Writer(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _written(writer: _Writer, text: str) -> yaml.ScalarNode:
    """A text; quoted where it would read as something else by the schema here, beside what PyYAML quotes by its own."""
    style = None if isinstance(_plain(text), str) and not isinstance(_plain(text), NotANumber) else "'"
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _written)


class _Reader:
    """Walks the parser's events, so that nothing is built that was not looked at."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> Any:
        while not isinstance(event := next(self._events), yaml.DocumentStartEvent):
            if isinstance(event, yaml.StreamEndEvent):
                return None
        value = self._value(next(self._events), MOST_DEPTH)
        next(self._events)
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            raise NotJson("The body holds more than one YAML document.", "请求正文包含多个 YAML 文档。")
        return value

    def _value(self, event: Any, depth: int) -> Any:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise NotJson(
                f"YAML anchors and aliases are not taken (line {line}, column {column}).",
                f"不接受 YAML 锚点与别名（第 {line} 行第 {column} 列）。",
            )
        if depth <= 0:
            raise NotJson(f"The body is nested too deeply (line {line}).", f"请求正文嵌套过深（第 {line} 行）。")
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            raise NotJson(f"YAML tags are not taken (line {line}).", f"不接受 YAML 标签（第 {line} 行）。")
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.tag or not event.implicit[0] else _plain(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(item, depth - 1))
            return items
        made: dict[str, Any] = {}
        repeated = None
        while not isinstance(item := next(self._events), yaml.MappingEndEvent):
            if not isinstance(item, yaml.ScalarEvent) or item.anchor or (item.value == "<<" and item.implicit[0]):
                raise NotJson(
                    f"A YAML key must be text (after line {line}).", f"YAML 的键必须是文本（第 {line} 行之后）。"
                )
            repeated = item.value if item.value in made else repeated
            made[item.value] = self._value(next(self._events), depth - 1)
        if repeated is None:
            return made
        marked = Repeated(made)
        marked.key = repeated
        return marked


def _plain(text: str) -> Any:
    if text in _WORDS:
        return None
    if text in _WORDS_TRUE:
        return _WORDS_TRUE[text]
    if _WHOLE.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return NotANumber(text) if _NOT_FINITE.match(text) else text
