"""Formulas of KPIs: CEL over measures, each a number, that yields a number."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from chassis import expressions
from chassis.expressions import ExpressionError, Number

# A literal between quotes, a number with a point or an exponent, a name, or a whole number.
_LITERAL = re.compile(
    r"""(?P<other>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|0[xX][0-9A-Fa-f]+u?"""
    r"""|\d+\.?[uU]|[A-Za-z_]\w*)|(?P<whole>\d+)"""
)


@lru_cache(maxsize=512)
def _compiled(source: str, measures: tuple[str, ...]) -> Number:
    return expressions.compile_number(in_fractions(source), dict.fromkeys(measures, "double"))


def in_fractions(source: str) -> str:
    """The formula with whole numbers written as fractions: CEL divides no fraction by a whole number, people do."""
    return _LITERAL.sub(lambda found: f"{found['whole']}.0" if found["whole"] else found[0], source)


def check(source: str, measures: Collection[str], spare: Collection[str] = ()) -> None:
    """Raises ExpressionError for one that cannot be: the place and the reason. `spare` are those of the measures that
    it need not use."""
    try:
        made = _compiled(source, tuple(sorted(measures)))
    except ExpressionError as problem:
        raise _placed(problem, source) from problem
    if missing := sorted(set(measures) - made.variables - set(spare)):
        names = ", ".join(missing)
        raise ExpressionError(1, 1, f"does not use {names}", f"未使用 {names}")


def value(source: str, given: Mapping[str, float]) -> float | None:
    """What it comes to; None where it has no value: what is divided by nothing."""
    found = _compiled(source, tuple(sorted(given))).evaluate(given)
    return found if found is not None and math.isfinite(found) else None


def _placed(problem: ExpressionError, source: str) -> ExpressionError:
    """The same at the place where it stands in what was written."""
    lines = source.split("\n")
    if problem.line > len(lines):
        return problem
    line, column = lines[problem.line - 1], problem.column
    for found in _LITERAL.finditer(line):
        if found["whole"] and found.end() < column:
            column -= 2
    chinese = problem.chinese.partition("：")[2]
    return ExpressionError(problem.line, max(1, column), problem.message, chinese)
