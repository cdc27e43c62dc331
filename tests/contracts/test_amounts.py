"""What a quote comes to."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.money import coin, rounded, written
from contracts.domain.amounts import Priced, Totals, totals


def _decimals(most: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(0), Decimal(most), places=4, allow_nan=False, allow_infinity=False)


_lines = st.builds(
    Priced,
    quantity=_decimals("1000000"),
    unit_price=_decimals("1000000"),
    discount=_decimals("100"),
    tax=_decimals("100"),
    list_price=st.none() | _decimals("1000000"),
)
_currencies = st.sampled_from(["CNY", "JPY", "KWD"])


@settings(max_examples=300, deadline=None)
@given(st.lists(_lines, max_size=30), _decimals("100"), _currencies)
def test_Q1_lines_sum_up_to_the_totals_and_nothing_is_below_zero(
    lines: list[Priced], discount: Decimal, currency: str
) -> None:
    found = totals(lines, discount, currency)
    assert sum(found.lines) == found.subtotal
    assert sum(found.shares) == found.net
    assert sum(found.taxes) == found.tax
    assert found.net + found.tax == found.total
    assert 0 <= found.net <= found.subtotal
    assert all(amount >= 0 for amount in (*found.lines, *found.shares, *found.taxes, found.list_total))
    assert 0 <= found.discount <= 100
    shown = (*found.lines, *found.shares, *found.taxes, found.list_total, found.net, found.tax)
    assert all(amount == rounded(amount, currency) for amount in shown)
    for share, amount in zip(found.shares, found.lines, strict=True):
        exact = found.net * amount / found.subtotal if found.subtotal else Decimal(0)
        assert abs(share - exact) < coin(currency)


@settings(max_examples=300, deadline=None)
@given(st.lists(_lines, min_size=1, max_size=10), _decimals("100"))
def test_Q3_the_discount_that_is_told_is_what_was_given_away_of_the_list_price(
    lines: list[Priced], discount: Decimal
) -> None:
    found = totals(lines, discount, "CNY")
    listed = sum(one.quantity * max(one.list_price or Decimal(0), one.unit_price) for one in lines)
    kept = sum(one.quantity * one.unit_price * (100 - one.discount) / 100 for one in lines) * (100 - discount) / 100
    if listed:
        exact = (listed - kept) * 100 / listed
        assert exact - Decimal("1e-15") <= found.discount < exact + Decimal("0.00011")


def _one(**line: str) -> Totals:
    return totals([Priced(**{name: Decimal(value) for name, value in line.items()})], Decimal(0), "CNY")


@pytest.mark.parametrize(
    ("line", "amount"),
    [
        ({"quantity": "1", "unit_price": "0.005"}, "0.01"),
        ({"quantity": "3", "unit_price": "0.3349"}, "1.00"),
        ({"quantity": "2.5", "unit_price": "9.99", "discount": "15"}, "21.23"),
    ],
)
def test_Q1_half_a_cent_is_rounded_up(line: dict[str, str], amount: str) -> None:
    assert _one(**line).net == Decimal(amount)


def test_Q1_amounts_have_the_decimals_of_their_currency() -> None:
    line = Priced(Decimal(1), Decimal("10.5555"))
    assert [str(totals([line], Decimal(0), c).net) for c in ("CNY", "JPY", "KWD")] == ["10.56", "11", "10.556"]


def test_Q3_fifteen_percent_of_an_odd_price_is_not_over_fifteen() -> None:
    assert _one(quantity="1", unit_price="9.99", discount="15").discount == 15
    assert _one(quantity="1", unit_price="9.99", discount="15.0001").discount > 15


def test_Q3_a_price_below_the_list_is_a_discount_and_one_above_it_makes_up_for_none() -> None:
    assert _one(quantity="1", unit_price="80", list_price="100").discount == 20
    dear = Priced(Decimal(1), Decimal(200), list_price=Decimal(100))
    cheap = Priced(Decimal(1), Decimal(50), list_price=Decimal(100))
    both = totals([dear, cheap], Decimal(0), "CNY")
    assert (both.list_total, both.discount) == (Decimal(300), Decimal("16.6667"))


def test_Q1_amounts_are_written_with_the_decimals_of_their_currency() -> None:
    assert written(Decimal("1234567.5"), "CNY") == "1,234,567.50"
    assert written(Decimal("0.1234"), "CNY") == "0.1234"
    assert (written(Decimal(1200), "JPY"), written(Decimal(-3), "KWD")) == ("1,200", "−3.000")
