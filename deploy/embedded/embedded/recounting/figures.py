"""The figure that a KPI makes of what was counted: its formula, done by hand."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from chassis import money
from reports.domain import kpi
from reports.domain.kpi import Kpi

_DONE = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def figure(of: Kpi, inputs: Mapping[str, float], home: str) -> float | None:
    """None where something is divided by nothing."""
    return told(of, value(of, inputs), home)


def value(of: Kpi, inputs: Mapping[str, float]) -> float | None:
    """The same to the last digit."""
    try:
        return _value(_read(of.formula), inputs)
    except ZeroDivisionError:
        return None


def told(of: Kpi, value: float | None, home: str) -> float | None:
    """Money in whole coins."""
    return float(money.rounded(Decimal(repr(value)), home)) if value is not None and of.unit == kpi.MONEY else value


def evenness(groups: Sequence[float | None]) -> float | None:
    """How even they are: the entropy of their shares over the largest there can be."""
    there = [one for one in groups if one is not None]
    if len(there) < 2 or not sum(there):
        return None
    shares = [one / sum(there) for one in there if one]
    return sum(share * math.log(1 / share) for share in shares) / math.log(len(there))


@lru_cache(maxsize=512)
def _read(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def _value(node: ast.expr, inputs: Mapping[str, float]) -> float:
    """Of the arithmetic that the formulas of the product are."""
    match node:
        case ast.Name(id=name):
            return inputs[name]
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.BinOp(left=left, op=op, right=right):
            return float(_DONE[type(op)](_value(left, inputs), _value(right, inputs)))
    raise ValueError(ast.dump(node))
