"""Decimals in conditions come out as decimals do."""

from __future__ import annotations

import operator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chassis import exact
from chassis.exact import UNITS
from chassis.expressions import ExpressionError

DECIMALS = ("amount", "limit")
OPERATORS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne
}  # fmt: skip
BELOW = 10**12 * UNITS - 1
UNDER = st.integers(-BELOW, BELOW)
# The same, its neighbours, and whatever.
PAIRS = st.one_of(
    st.tuples(UNDER, UNDER), st.builds(lambda a, d: (a, max(-BELOW, min(BELOW, a + d))), UNDER, st.integers(-2, 2))
)


def true(source: str, **values: Any) -> Any:
    given = {name: exact.units(value) if isinstance(value, Decimal) else value for name, value in values.items()}
    return exact.compile(source, {"fields": "map(string, dyn)", "kind": "string"}, DECIMALS).evaluate(given)


@settings(max_examples=150, deadline=None)
@example((9_000_000_000_000_001, 9_000_000_000_000_002))
@example((BELOW, BELOW - 1))
@given(PAIRS)
def test_Q6_every_comparison_of_amounts_below_10_to_the_12_comes_out_as_decimals_do(pair: tuple[int, int]) -> None:
    amount, limit = (Decimal(units) / UNITS for units in pair)
    written = f"{limit:f}"
    for sign, compare in OPERATORS.items():
        expected = compare(amount, limit)
        assert true(f"amount {sign} {written}", amount=amount) is expected
        assert true(f"{written} {sign} amount", amount=amount) is compare(limit, amount)
        assert true(f"amount {sign} limit", amount=amount, limit=limit) is expected


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("amount > 500000", True),
        ("amount > 500000.0", True),
        ("amount > 5e5", True),
        ("amount > 500000.0001", False),
        ("-3.5 < amount && !(amount < 5)", True),
        ("amount>500000?kind=='a':amount<1", True),
        ("kind == 'amount * 2' || amount >= 500000.0001 // amount * 3", True),
        ("fields.amount > 2 && fields['amount'] < 4 && amount != 3", True),
        ("limit > 1 || amount > 1", True),
    ],
)
def test_R16_a_decimal_is_written_as_people_write_it(source: str, outcome: bool) -> None:
    assert true(source, amount=Decimal("500000.0001"), kind="a", fields={"amount": 3}) is outcome


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("amount * 2.0 > 5.0", 1),
        ("5 + amount > 5", 5),
        ("kind == 'a' && (amount) > 5", 17),
        ("amount in [5]", 1),
        ("amount == null", 1),
        ("amount > 'x'", 1),
        ("amount > 5u", 1),
        ("amount > 0x10", 1),
        ("amount > fields.limit", 1),
        ("amount > -limit", 1),
        ("amount > 5 + 1", 1),
        ("kind in ['a'] && .amount > 5", 19),
        ("true && .amount > 5", 10),
        ("amount > 0.00001", 10),
        ("amount < 1000000000000000", 10),
        ("\n amount", 1),
    ],
)
def test_R16_a_decimal_enters_nothing_but_a_comparison(source: str, column: int) -> None:
    with pytest.raises(ExpressionError) as problem:
        true(source)
    assert problem.value.column == column


@pytest.mark.parametrize("value", [None, Decimal("0.00001"), Decimal("NaN"), Decimal(10**15), Decimal("1e-999999")])
def test_R16_what_has_no_value_gives_no_answer(value: Decimal | None) -> None:
    outcome = true("amount > 1", amount=value)
    assert isinstance(outcome, str)
