"""Conditions on decimals, compared exactly.

CEL knows whole numbers of 64 bits and binary fractions, and no decimals: as a fraction, 900000000000.0001 is the same
as 900000000000.0002. So a decimal is a whole number of ten-thousandths to CEL, and a number that a condition compares
it with is made one, too, before it is compiled: people write `amount > 500000` or `amount > 500000.01`. Decimals are
compared with numbers and with one another, and enter nothing else: what is reckoned from them would not be in
ten-thousandths any more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from chassis import expressions
from chassis.expressions import Expression, ExpressionError

UNITS = 10_000
"""Of the whole number in one."""
_MOST, _DIGITS = 2**63 - 1, 24
_COMPARED = frozenset({"<", "<=", ">", ">=", "==", "!="})
# What may stand before and after a comparison, so that nothing binds its sides more closely.
_BEFORE = frozenset({"", "(", "[", ",", "?", ":", "&&", "||"})
_AFTER = frozenset({"", ")", "]", ",", "?", ":", "&&", "||"})
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)"""
    r"""|(?P<string>[bB]?[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')"""
    r"""|[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}"""
    r"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_]*|`[^`\n]*`)"""
    r"""|(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z0-9_]))"""
    r"""|(?P<mark>&&|\|\||[<>=!]=|\w+|.)""",
    re.DOTALL,
)


def compile(source: str, schema: Mapping[str, str], decimals: Collection[str]) -> Expression:
    """As `expressions.compile`, with these variables besides; their values are given as `units` tells. Raises
    ExpressionError, also for a decimal that is used in any other way."""
    expressions.compile(source, {**schema, **dict.fromkeys(decimals, "dyn")})
    return expressions.compile(_in_units(source, decimals), {**schema, **dict.fromkeys(decimals, "int")})


def units(value: Decimal | None) -> int | None:
    """In ten-thousandths; None for one that is finer, or more than 64 bits hold: it has no value."""
    if value is None or not value.is_finite() or len(value.as_tuple().digits) > _DIGITS or abs(value) > _MOST:
        return None
    whole = value * UNITS
    return int(whole) if whole == whole.to_integral_value() and abs(whole) <= _MOST else None


def _in_units(source: str, decimals: Collection[str]) -> str:
    tokens = [found for found in _TOKEN.finditer(source) if not found["space"]]
    words = [found[0] for found in tokens]
    scaled: dict[int, str] = {}
    for place, token in enumerate(tokens):
        if (token["name"] or "").strip("`") not in decimals or _is_part(tokens, words, place):
            continue
        number = _compared_with(tokens, words, place, decimals)
        if number is None:
            english = f"{token[0]} is compared with a number or with another amount, and enters nothing else"
            raise _at(source, token, english, f"{token[0]} 只能与数字或其他金额直接比较")
        if tokens[number]["number"]:
            whole = units(Decimal(words[number]))
            if whole is None:
                raise _at(source, tokens[number], "has at most four decimals", "最多四位小数")
            scaled[tokens[number].start()] = str(whole)
    return _TOKEN.sub(lambda found: scaled.get(found.start(), found[0]), source)


def _is_part(tokens: Sequence[re.Match[str]], words: Sequence[str], place: int) -> bool:
    """Whether a name is of a part of something else, `fields.amount`; `.amount` alone is the variable."""
    if place < 2 or words[place - 1] != ".":
        return False
    whole = tokens[place - 2]
    return bool(whole["string"] or (whole["name"] and whole[0] != "in")) or whole[0] in (")", "]", "}")


def _compared_with(
    tokens: Sequence[re.Match[str]], words: Sequence[str], place: int, decimals: Collection[str]
) -> int | None:
    """The place of what a decimal is compared with, a number or another decimal; None where it is not."""

    def word(at: int) -> str:
        return words[at] if 0 <= at < len(words) else ""

    def fits(at: int) -> bool:
        return 0 <= at < len(words) and bool(tokens[at]["number"] or words[at].strip("`") in decimals)

    if word(place + 1) in _COMPARED and word(place - 1 if place else -1) in _BEFORE:
        other = place + 3 if word(place + 2) == "-" and tokens[place + 3 : place + 4] else place + 2
        if fits(other) and (other == place + 2 or tokens[other]["number"]) and word(other + 1) in _AFTER:
            return other
    if word(place - 1) in _COMPARED and word(place + 1) in _AFTER and fits(place - 2):
        first = place - 3 if tokens[place - 2]["number"] and word(place - 3) == "-" else place - 2
        if word(first - 1) in _BEFORE:
            return place - 2
    return None


def _at(source: str, token: re.Match[str], english: str, chinese: str) -> ExpressionError:
    before = source[: token.start()]
    return ExpressionError(before.count("\n") + 1, token.start() - before.rfind("\n"), english, chinese)
