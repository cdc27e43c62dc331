"""Conditions that people write (CEL, https://cel.dev), type-checked when saved and bounded when evaluated.

The library's own bounds hold as well: 32 levels of syntax, 10 000 iterations an evaluation, regular expressions
that run in linear time (RE2). It does not bound memory: 8 steps of `map` that each join a text with itself, or
900 turns of `exists` that join 28 texts, took gigabytes. So `map`, loops within loops, `+` within loops and
patterns that are no literal are refused when saved.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Outcome = bool | str
"""What a condition comes to: True, False, or the reason why it has no answer. Test `is True`."""

LONGEST_SOURCE = 4_000
DEEPEST = 28
"""Brackets within brackets; the library stops at 32 levels, of which operators and our own list take some."""
LONGEST_LITERAL = 500
LONGEST_PATTERN = 200
MOST_LOOPS = 8
MOST_COMMAS = 1_000

_LOOPS = frozenset({"all", "exists", "exists_one", "filter"})
# Strings come first, so that brackets and names within them do not count; a raw one knows no escapes.
_TOKEN = re.compile(
    r"""(?P<string>[bB]?[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')"""
    r"""|[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}"""
    r"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))"""
    r"""|(?P<comment>//[^\n]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*|`[^`\n]*`)|(?P<open>[(\[{])|(?P<close>[)\]}])"""
    r"""|(?P<comma>,)|(?P<dot>\.)|(?P<plus>\+)""",
    re.DOTALL,
)
_REPORTED = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")
_OVERRIDES = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_TYPE = re.compile(r"\s*([a-z]+)\s*(?:\((.*)\))?\s*", re.DOTALL)


class ExpressionError(ValueError):
    """An expression that cannot be saved: the place (both from 1, columns in code points) and the reason."""

    def __init__(self, line: int, column: int, message: str, chinese: str = "") -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line = line
        self.column = column
        self.message = message
        self.english = str(self)
        self.chinese = f"第 {line} 行第 {column} 列：{chinese or message}"


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition that has been checked against a schema: variable name to type name, sorted by name."""

    source: str
    schema: tuple[tuple[str, str], ...]
    variables: frozenset[str]
    """Those of the schema's variables that the source names."""
    _program: Any = field(repr=False, compare=False)

    def evaluate(self, values: Mapping[str, Any]) -> Outcome:
        """What the condition comes to. A variable that is missing or None has no value."""
        return ConditionSet([("", self)]).evaluate(values)[""]


def compile(source: str, schema: Mapping[str, str]) -> Expression:
    """Checks a condition against the variables and their types and makes it ready.

    Types: bool, int, uint, double, string, bytes, timestamp, duration, dyn, list(T), map(K, V).
    Raises ExpressionError for what does not parse or type-check, does not yield a bool, or could run wild; and
    ValueError for a schema that names an unknown type.
    """
    key = tuple(sorted(schema.items()))
    program, names = _checked(source, key)
    kind = program.return_type().name()
    if kind != "BOOL":
        raise ExpressionError(
            1, 1, f"must be true or false, but yields {kind.lower()}", f"结果必须为真或假，而不是 {kind.lower()}"
        )
    # One level deeper, as a set holds it: what only just compiles alone is refused now, not on the hot path.
    _compile(_environment(key), f"[[\n{source}\n]]", shift=1)
    return Expression(source, key, names, program)


@dataclass(frozen=True, slots=True)
class Number:
    """A formula that yields a number, checked against a schema."""

    source: str
    variables: frozenset[str]
    """Those of the schema's variables that the source names."""
    _program: Any = field(repr=False, compare=False)

    def evaluate(self, values: Mapping[str, float]) -> float | None:
        """What it comes to; None where it has no answer."""
        try:
            found = self._program.eval(data=dict(values)).plain_value()
        except (RuntimeError, TypeError, ValueError, MemoryError):
            return None
        return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def compile_number(source: str, schema: Mapping[str, str]) -> Number:
    """As `compile`, for a formula whose outcome is a number; a whole number in it is written 2.0 beside fractions."""
    program, names = _checked(source, tuple(sorted(schema.items())))
    kind = program.return_type().name()
    if kind not in ("INT", "UINT", "DOUBLE"):
        raise ExpressionError(
            1, 1, f"must be a number, but yields {kind.lower()}", f"结果必须为数字，而不是 {kind.lower()}"
        )
    return Number(source, names, program)


def _checked(source: str, key: tuple[tuple[str, str], ...]) -> tuple[Any, frozenset[str]]:
    """The program of a source that may be saved, and the variables that it names."""
    _refuse_hostile(source)
    program = _compile(_environment(key), source)
    names = {match["name"].strip("`") for match in _TOKEN.finditer(source) if match["name"]}
    return program, frozenset(names & dict(key).keys())


class ConditionSet:
    """Conditions of one schema, evaluated together: one call into the library for all of them.

    `conditions` are (id, Expression) with ids of their own. Raises ValueError when schemas differ.
    """

    def __init__(self, conditions: Iterable[tuple[str, Expression]]) -> None:
        self.conditions = tuple(conditions)
        self.ids = tuple(condition_id for condition_id, _ in self.conditions)
        if len(set(self.ids)) != len(self.ids):
            raise ValueError("two conditions have the same id")
        if len({expression.schema for _, expression in self.conditions}) > 1:
            raise ValueError("the conditions have different schemas")
        self.variables = frozenset().union(*(expression.variables for _, expression in self.conditions))
        self._programs = [expression._program for _, expression in self.conditions]
        self._environment: Any = None
        self._together: Any = None
        if self.conditions:
            self._environment = _environment(self.conditions[0][1].schema)
        if len(self.conditions) > 1:
            # A new line before each comma and bracket: a source may end in a comment.
            listed = "[" + "\n,".join(expression.source + "\n" for _, expression in self.conditions) + "]"
            try:
                self._together = self._environment.compile(listed)
            except RuntimeError:
                # Too long for one expression (100 000 code points): singly, then.
                self._together = None

    def evaluate(self, values: Mapping[str, Any]) -> dict[str, Outcome]:
        """By condition id: True, False, or the reason why there is no answer; never raises for a value.

        A variable that is missing or None has no value: a condition that needs it has no answer, one that
        another branch decides (`a || missing`) has.
        """
        known = {name: values[name] for name in self.variables if values.get(name) is not None}
        if self._together is not None:
            try:
                outcomes = self._together.eval(data=known).plain_value()
            except (RuntimeError, TypeError, ValueError, MemoryError):
                outcomes = None
            # An error is a text in this library; one element without an answer makes one of the whole list.
            if type(outcomes) is list:
                return dict(zip(self.ids, outcomes, strict=True))
        return {
            condition_id: self._single(program, known)
            for condition_id, program in zip(self.ids, self._programs, strict=True)
        }

    def _single(self, program: Any, known: Mapping[str, Any]) -> Outcome:
        try:
            outcome = program.eval(data=known).plain_value()
        except (RuntimeError, TypeError, ValueError, MemoryError) as problem:
            return _reason(str(problem))
        if outcome is True or outcome is False:
            return bool(outcome)
        return _reason(str(outcome))


def _reason(message: str) -> str:
    """The library's words without its status code, never "", at most 200 characters."""
    plain = re.sub(r"^[A-Z_]+: ", "", message.strip())
    plain = re.sub(r" \[[A-Z_]+\]$", "", plain)
    return plain[:200] or "no answer"


@lru_cache(maxsize=64)
def _environment(schema: tuple[tuple[str, str], ...]) -> Any:
    # Imported here: 13 MB with the first environment, which only a process that evaluates conditions pays.
    from cel_expr_python import cel

    return cel.NewEnv(variables={name: _type(cel.Type, kind) for name, kind in schema})


def _type(types: Any, kind: str) -> Any:
    match = _TYPE.fullmatch(kind)
    name, inner = (match[1], match[2]) if match else ("", None)
    if name == "list" and inner:
        return types.List(_type(types, inner))
    if name == "map" and inner and "," in inner:
        key, _, value = inner.partition(",")
        return types.Map(_type(types, key), _type(types, value))
    plain = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration", "dyn")
    if name in plain and inner is None:
        return getattr(types, name.upper())
    raise ValueError(f"unknown type {kind!r}")


def _compile(env: Any, source: str, shift: int = 0) -> Any:
    try:
        return env.compile(source)
    except RuntimeError as problem:
        message = str(problem)
    found = _REPORTED.search(message)
    if "recursion" in message or found is None:
        if "recursion" in message:
            raise ExpressionError(1, 1, "is nested too deeply", "嵌套过深")
        raise ExpressionError(1, 1, _reason(message))
    line, column = max(1, int(found[1]) - shift), max(1, int(found[2]))
    raise ExpressionError(line, column, found[3].strip())


def _refuse_hostile(source: object) -> None:
    """What must not even reach the parser, or would type-check and then run wild."""
    if not isinstance(source, str) or not source.strip():
        raise ExpressionError(1, 1, "is empty", "不能为空")
    if len(source) > LONGEST_SOURCE:
        raise ExpressionError(1, 1, f"has more than {LONGEST_SOURCE} characters", f"超过 {LONGEST_SOURCE} 个字符")
    unseen = _OVERRIDES.search(source)
    if unseen:
        raise _at(source, unseen.start(), "contains a forbidden character", "含有不允许的字符")
    tokens = [match for match in _TOKEN.finditer(source) if not match["comment"]]
    loops, depth, commas, starts = 0, 0, 0, list[int]()
    for index, token in enumerate(tokens):
        if token["open"]:
            depth += 1
            loop = _opens_loop(tokens, index)
            if loop == "map":
                raise _at(source, tokens[index - 1].start(), "map is not available", "不支持 map")
            if loop:
                loops += 1
                if starts:
                    raise _at(
                        source, tokens[index - 1].start(), "a loop within a loop is not available", "不支持嵌套循环"
                    )
                starts.append(depth)
            if depth > DEEPEST or loops > MOST_LOOPS:
                raise _at(source, token.start(), "is nested too deeply or loops too often", "嵌套过深或循环过多")
        elif token["close"]:
            if starts and starts[-1] == depth:
                starts.pop()
            depth -= 1
        elif token["comma"]:
            commas += 1
            if commas > MOST_COMMAS:
                raise _at(source, token.start(), "has too many elements", "元素过多")
        elif token["plus"] and starts:
            raise _at(source, token.start(), "+ is not available within a loop", "循环内不支持 +")
        elif token["string"] and len(token[0]) > LONGEST_LITERAL:
            raise _at(source, token.start(), f"a text of more than {LONGEST_LITERAL} characters", "文本过长")
        elif token["name"] in ("matches", "`matches`"):
            _refuse_pattern(source, tokens, index, bool(starts))


def _opens_loop(tokens: Sequence[re.Match[str]], index: int) -> str:
    """The macro whose bracket this is ("exists" of `tags.exists(`), or ""."""
    if index < 2 or tokens[index][0] != "(" or not tokens[index - 2]["dot"]:
        return ""
    name = tokens[index - 1]["name"] or ""
    return name if name in _LOOPS or name == "map" else ""


def _refuse_pattern(source: str, tokens: Sequence[re.Match[str]], index: int, looping: bool) -> None:
    """`matches` takes one short literal that is a regular expression, and not once per element."""
    start = tokens[index].start()
    after = [token[0] for token in tokens[index + 1 : index + 4]]
    if len(after) < 3 or after[0] != "(" or not tokens[index + 2]["string"] or after[2] != ")":
        raise _at(source, start, "matches needs one literal pattern", "matches 需要一个字面正则表达式")
    if len(after[1]) > LONGEST_PATTERN or looping:
        raise _at(source, start, "a pattern too long, or within a loop", "正则表达式过长或位于循环内")
    tried = _compile(_environment(()), f'"".matches({after[1]})').eval(data={}).plain_value()
    if isinstance(tried, str):
        raise _at(source, tokens[index + 2].start(), _reason(tried), "正则表达式无效")


def _at(source: str, offset: int, message: str, chinese: str) -> ExpressionError:
    before = source[:offset]
    return ExpressionError(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, message, chinese)
