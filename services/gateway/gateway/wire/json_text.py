"""JSON text to plain data, without the leniences of `json`: what is doubtful stays visible to the reader.

A repeated key, NaN or an over-long number becomes a mark in the data, so that whoever walks it can name the path.
"""

from __future__ import annotations

import json
from typing import Any

MOST_DEPTH = 24
"""Levels of arrays and objects. Each costs up to three protobuf messages, of which a parser takes 100."""


class NotJson(ValueError):
    """The text as a whole cannot be read. Carries a message in English and one in Chinese."""

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english)
        self.english = english
        self.chinese = chinese


class Repeated(dict[str, Any]):
    """An object one of whose keys came twice."""

    key = ""


class NotANumber(str):
    """NaN, Infinity, -Infinity or a number too long to be one."""


def parse(body: bytes) -> Any:
    """Raises NotJson."""
    try:
        text = body.decode()
    except UnicodeDecodeError as problem:
        raise NotJson(
            f"The body is not UTF-8 (byte {problem.start}).", f"请求正文不是 UTF-8 编码（第 {problem.start} 字节）。"
        ) from problem
    if text.startswith("\ufeff"):
        raise NotJson("The body starts with a byte order mark.", "请求正文以 BOM 字节顺序标记开头。")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=NotANumber, parse_int=_whole)
    except json.JSONDecodeError as problem:
        raise NotJson(
            f"The body is not JSON: {problem.msg} at line {problem.lineno}, column {problem.colno}.",
            f"请求正文不是有效的 JSON：第 {problem.lineno} 行第 {problem.colno} 列。",
        ) from problem
    except RecursionError as problem:
        raise NotJson("The body is nested too deeply.", "请求正文嵌套过深。") from problem


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    marked = Repeated(made)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            marked.key = key
        seen.add(key)
    return marked


def _whole(digits: str) -> Any:
    return int(digits) if len(digits) <= 40 else NotANumber(digits[:20] + "...")
