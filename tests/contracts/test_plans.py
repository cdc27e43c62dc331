"""Plans, matching and due dates as plain functions, over thousands of made-up contracts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.calendar import WorkingCalendar, always_open, china_days
from chassis.money import coin, coins, rounded
from contracts.domain import plan as plans
from contracts.domain.contract import FinanceMode, Interval
from contracts.domain.due import last_day
from contracts.domain.matching import Receipt, settle
from contracts.domain.plan import PlanProblem, Terms, generate

days = st.dates(date(2024, 1, 31), date(2030, 12, 31))
currencies = st.sampled_from(["CNY", "JPY", "KWD"])
amounts = currencies.flatmap(
    lambda currency: st.tuples(st.decimals(coin(currency), Decimal(10**9), places=coins(currency)), st.just(currency))
)


@given(amounts, st.sampled_from(FinanceMode), st.sampled_from(Interval), st.integers(1, 60), days, st.integers(0, 3000))
def test_K10_every_plan_comes_to_the_amount_exactly(
    paid: tuple[Decimal, str], mode: FinanceMode, interval: Interval, count: int, base: date, length: int
) -> None:
    amount, currency = paid
    terms = Terms(amount, currency, mode, interval, count, base, base + timedelta(days=length))
    try:
        planned = generate(terms)
    except PlanProblem as problem:
        assume(problem.field != "amount")  # less than a coin for each
        raise
    assert sum(one.amount for one in planned) == amount
    assert all(one.amount > 0 for one in planned)
    assert all(one.amount == rounded(one.amount, currency) for one in planned)
    dates = [one.due_date for one in planned if one.due_date]
    assert dates == sorted(set(dates))
    if mode is FinanceMode.MILESTONE:
        assert not dates
    else:
        assert dates[0] == base
    if mode is FinanceMode.SUBSCRIPTION:
        assert terms.expiry is not None
        step = plans.MONTHS[interval]
        assert dates[-1] <= terms.expiry < plans.months_after(base, len(dates) * step)
    elif mode is not FinanceMode.ONE_OFF:
        assert len(planned) == count


def test_K10_the_last_instalment_takes_the_rounding() -> None:
    planned = generate(Terms(Decimal(100), "CNY", FinanceMode.INSTALMENTS, count=3, base=date(2026, 1, 31)))
    assert [str(one.amount) for one in planned] == ["33.33", "33.33", "33.34"]
    yen = generate(Terms(Decimal(100), "JPY", FinanceMode.INSTALMENTS, count=3, base=date(2026, 1, 31)))
    assert [str(one.amount) for one in yen] == ["33", "33", "34"]
    assert [one.due_date for one in planned] == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert generate(Terms(Decimal(0), "CNY", FinanceMode.ONE_OFF)) == ()
    with pytest.raises(PlanProblem) as problem:
        generate(Terms(Decimal("0.02"), "CNY", FinanceMode.INSTALMENTS, count=3, base=date(2026, 1, 31)))
    assert problem.value.field == "amount"


@given(days, st.integers(1, 60))
def test_K10_what_follows_begins_the_day_after_and_lasts_as_long(start: date, months: int) -> None:
    expiry = plans.months_after(start, months) - timedelta(days=1)
    begun, ends = plans.following(start, expiry)
    assert begun == expiry + timedelta(days=1)
    if start.day <= 28:
        assert ends == plans.months_after(start, 2 * months) - timedelta(days=1)
    assert ends > begun


parts = st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 1000)), min_size=1, max_size=12)


@given(parts, st.integers(0, 12_000))
def test_Q8_a_lower_total_leaves_every_instalment_what_was_paid_of_it(
    given_parts: list[tuple[int, int]], total: int
) -> None:
    found = [(max(amount, paid), paid) for amount, paid in given_parts]
    assume(sum(paid for _, paid in found) <= total <= sum(amount for amount, _ in found))
    lowered = plans.lowered(found, total)
    assert sum(lowered) == total
    assert all(paid <= now <= was for now, (was, paid) in zip(lowered, found, strict=True))


@given(
    st.lists(st.integers(1, 100), max_size=8),
    st.lists(st.tuples(st.integers(-200, 300), st.integers(0, 7), st.integers(0, 100)), max_size=12),
)
def test_K6_what_is_matched_and_what_is_not_come_to_what_was_paid(
    sizes: list[int], told: list[tuple[int, int, int]]
) -> None:
    plan = [(f"i{number}", size) for number, size in enumerate(sizes)]
    receipts: list[Receipt] = []
    for number, (amount, wish, share) in enumerate(told):
        total = sum(one.amount for one in receipts)
        amount = max(amount, -total)
        if amount:
            sign = 1 if amount > 0 else -1
            receipts.append(
                Receipt(f"p{number}", amount, {f"i{wish}": sign * min(share, abs(amount))} if share else {})
            )
    settled = settle(plan, receipts)
    for receipt in receipts:
        matched = settled.payments[receipt.name]
        assert sum(matched.shares.values()) + matched.unmatched == receipt.amount
        assert all((share > 0) == (receipt.amount > 0) for share in matched.shares.values())
    assert all(0 <= settled.paid[name] <= size for name, size in plan)
    assert sum(settled.paid.values()) + settled.credit == sum(receipt.amount for receipt in receipts)
    for name, _ in plan:
        assert settled.paid[name] == sum(m.shares.get(name, 0) for m in settled.payments.values())
    assert settled.credit >= 0


@given(st.lists(st.integers(1, 100), min_size=1, max_size=8), st.lists(st.integers(1, 100), max_size=8))
def test_K6_the_oldest_instalment_is_paid_first(sizes: list[int], amounts: list[int]) -> None:
    plan = [(f"i{number}", size) for number, size in enumerate(sizes)]
    settled = settle(plan, [Receipt(f"p{number}", amount) for number, amount in enumerate(amounts)])
    left = sum(amounts)
    for name, size in plan:
        assert settled.paid[name] == min(left, size)
        left -= settled.paid[name]
    assert settled.credit == left


def test_K6_an_instalment_is_late_after_the_companys_working_days() -> None:
    off, made_up = china_days([2026])
    office = WorkingCalendar("Asia/Shanghai", (((540, 1080),),) * 5 + ((), ()), off, made_up)
    saturday, holiday = date(2026, 11, 21), date(2026, 10, 1)
    assert last_day(saturday, 0, always_open()) == saturday
    assert last_day(saturday, 3, always_open()) == saturday + timedelta(days=3)
    assert last_day(saturday, 0, office) == date(2026, 11, 23)
    assert last_day(saturday, 5, office) == date(2026, 11, 30)
    assert last_day(holiday, 0, office) == date(2026, 10, 8)
    # Saturday 10 October is worked in exchange.
    assert last_day(holiday, 2, office) == date(2026, 10, 10)
