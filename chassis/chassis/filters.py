"""Filters in the language of AIP-160, read from text into SQL criteria over the columns that a list allows.

    status = POOLED AND (region = "华东" OR -company:acme) AND capture_time >= 2026-10-01T00:00:00+08:00

Operators: `=` `!=` `<` `<=` `>` `>=` and `:`, which is "contains" for text (ASCII letters in either case) and `=`
for the rest; `field:*` asks whether there is a value at all. As AIP-160 has it, OR binds closer than AND. A row
without a value answers no to every comparison except `!=`, so that NOT is always the opposite.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

import sqlalchemy as sa

from chassis.columns import Column, compared, present, spellings
from chassis.errors import Invalid
from chassis.fields import FieldProblem

LONGEST = 2000
DEEPEST = 20
MOST_TERMS = 100


def criteria(
    filter_text: str, columns: Mapping[str, Column], hidden: frozenset[str] = frozenset()
) -> sa.ColumnElement[bool] | None:
    """The filter as SQL criteria; None for an empty one. `hidden` are the fields that the caller's role may not see.

    Raises Invalid on "filter" with the position and the way out.
    """
    if not filter_text.strip():
        return None
    if len(filter_text) > LONGEST:
        _refuse(LONGEST, f"at most {LONGEST} characters; shorten it", f"最多 {LONGEST} 个字符，请缩短")
    unfit = re.search("[\0\ud800-\udfff]", filter_text)
    if unfit:
        _refuse(unfit.start(), "a character that no text has; remove it", "含有无效字符，请删除")
    return _Reader(filter_text, columns, spellings(columns, hidden)).whole()


def _refuse(position: int, english: str, chinese: str) -> NoReturn:
    """`position` counts from 0; people count from 1."""
    raise Invalid([("filter", f"at character {position + 1}: {english}", f"第 {position + 1} 个字符：{chinese}")])


_SPACE = re.compile(r"\s*")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_OPERATOR = re.compile(r"<=|>=|!=|=|<|>|:")
_BARE = re.compile(r"""[^\s()"'=<>!*,]+""")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"' + r"|'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}
_KEYWORDS = frozenset(("AND", "OR", "NOT"))


class _Reader:
    """Reads one filter from left to right."""

    def __init__(self, text: str, columns: Mapping[str, Column], names: Mapping[str, str]) -> None:
        self.text, self.columns, self.names = text, columns, names
        self.at = 0
        self.terms = 0

    def whole(self) -> sa.ColumnElement[bool]:
        found = self.all_of(0)
        if self.at < len(self.text):
            if self.text[self.at] == ")":
                _refuse(self.at, "this ) has no (; remove it", "多余的右括号，请删除")
            _refuse(self.at, "write AND or OR, in capitals, here", "此处应为大写的 AND 或 OR")
        return found

    def all_of(self, depth: int) -> sa.ColumnElement[bool]:
        parts = [self.any_of(depth)]
        while self.skip("AND"):
            parts.append(self.any_of(depth))
        return sa.and_(*parts) if len(parts) > 1 else parts[0]

    def any_of(self, depth: int) -> sa.ColumnElement[bool]:
        parts = [self.one(depth)]
        while self.skip("OR"):
            parts.append(self.one(depth))
        return sa.or_(*parts) if len(parts) > 1 else parts[0]

    def one(self, depth: int) -> sa.ColumnElement[bool]:
        self.space()
        start = self.at
        if self.skip("NOT") or self.skip("-"):
            return sa.not_(self.one(self.deeper(depth, start)))
        if not self.skip("("):
            return self.comparison()
        inner = self.all_of(self.deeper(depth, start))
        if not self.skip(")"):
            _refuse(self.at, f"the ( at character {start + 1} needs a )", f"第 {start + 1} 个字符的左括号缺少右括号")
        return inner

    def deeper(self, depth: int, start: int) -> int:
        if depth >= DEEPEST:
            _refuse(start, f"nested more than {DEEPEST} deep; simplify it", f"嵌套超过 {DEEPEST} 层，请简化")
        return depth + 1

    def space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def skip(self, mark: str) -> bool:
        """Whether `mark` comes next, and if so past it. A word must end where the mark does."""
        self.space()
        end = self.at + len(mark)
        if not self.text.startswith(mark, self.at):
            return False
        if mark.isalpha() and end < len(self.text) and (self.text[end].isalnum() or self.text[end] in "_."):
            return False
        self.at = end
        self.space()
        return True

    def comparison(self) -> sa.ColumnElement[bool]:
        self.terms += 1
        start = self.at
        if self.terms > MOST_TERMS:
            _refuse(start, f"more than {MOST_TERMS} comparisons; use fewer", f"比较超过 {MOST_TERMS} 个，请减少")
        field = _FIELD.match(self.text, start)
        if field is None or field[0] in _KEYWORDS:
            known = ", ".join(dict.fromkeys(self.names.values()))
            _refuse(start, f"the name of a field is expected: {known}", f"此处应为字段名：{known}")
        name = self.names.get(field[0])
        if name is None:
            known, wrong = ", ".join(dict.fromkeys(self.names.values())), field[0][:60]
            _refuse(
                start,
                f"one cannot filter on {wrong!r}; there are: {known}",
                f"不能按 “{wrong}” 筛选，可用的字段：{known}",
            )
        self.at = field.end()
        self.space()
        sign = _OPERATOR.match(self.text, self.at)
        if sign is None:
            _refuse(
                self.at,
                f"one of = != < <= > >= : is expected after {name}",
                f"{name} 之后应为 = != < <= > >= : 之一",
            )
        self.at = sign.end()
        self.space()
        column = self.columns[name]
        if sign[0] == ":" and self.text.startswith("*", self.at):
            self.at += 1
            return present(column)
        place = self.at
        value = self.value(name, sign[0])
        try:
            return compared(column, sign[0], value)
        except FieldProblem as problem:
            _refuse(place, f"{name} {problem.english}", f"{name} {problem.chinese}")

    def value(self, name: str, sign: str) -> str:
        start = self.at
        if start < len(self.text) and self.text[start] in "\"'":
            quoted = _QUOTED.match(self.text, start)
            if quoted is None:
                _refuse(start, "the text that begins here has no closing quote", "此处开始的文本缺少结束引号")
            self.at = quoted.end()
            return _unescaped(quoted[0][1:-1], start + 1)
        bare = _BARE.match(self.text, start)
        if bare is None or bare[0] in _KEYWORDS:
            _refuse(
                start,
                f'a value is expected after {name} {sign}; put text with special characters in quotes: "..."',
                f"{name} {sign} 之后应为值；含特殊字符的文本请用引号括起来",
            )
        self.at = bare.end()
        return bare[0]


def _unescaped(text: str, start: int) -> str:
    def one(found: re.Match[str]) -> str:
        escape = found[1]
        if len(escape) > 1:
            return chr(int(escape[1:], 16))
        if escape not in _ESCAPES:
            _refuse(
                start + found.start(),
                f"there is no escape \\{escape}; use \\\\ \\\" \\' \\n \\r \\t or \\u with four digits",
                f"不支持转义 \\{escape}，可用 \\\\ \\\" \\' \\n \\r \\t 或 \\u 加四位十六进制",
            )
        return _ESCAPES[escape]

    plain = _ESCAPE.sub(one, text)
    if "\\u" in text:
        # Characters beyond 16 bits are written as two escapes, as in JSON; half of one is none.
        plain = plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if "\0" in plain or "\ufffd" in plain:
            _refuse(start, "an escape for a character that no text has; remove it", "转义的字符无效，请删除")
    return plain
