"""Customers who buy in other currencies are valued by what it came to in the company's, by the rate of each day."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dealwright.contracts.v1 import quotes_pb2
from dealwright.contracts.v1.events_pb2 import ExchangeRateChanged
from reports.domain import rate as domain
from reports.domain.folding import News
from reports.servicer.rebuilder import Rebuilder
from tests.reports.deals import Deal
from tests.reports.desk import Desk, money
from tests.reports.people import Told, contract, customer
from tests.reports.test_rebuilding import History, _begin, _cells, _envelopes, _live, _to_the_end


def _rate(
    date: str,
    rate: str,
    currency: str = "EUR",
    version: int = 1,
    when: str = "",
    back: bool = False,
    gone: bool = False,
) -> Told:
    """Told when it begins to hold, unless `when` tells otherwise; `back`: of one yuan in the other currency."""
    pair = ("CNY", currency) if back else (currency, "CNY")
    of = quotes_pb2.ExchangeRate(
        name=f"exchangeRates/{pair[0]}-{pair[1]}-{date}",
        from_currency=pair[0],
        to_currency=pair[1],
        date=date,
        rate=rate,
    )
    return ExchangeRateChanged(exchange_rate=of, version=version, deleted=gone), when or f"{date}T08:00"


def _deal(name: str, amount: int, won: str, currency: str = "EUR", customer: str = "customers/a") -> list[Told]:
    of = {"customer": customer}
    return Deal(f"opportunities/{name}", "2026-10-01T10:00", amount, fields=of, currency=currency).win(won).told


def _contract(name: str, amount: int, date: str, currency: str = "EUR", **more: Any) -> Told:
    event, when = contract(f"contracts/{name}", "customers/a", date, amount, **more)
    event.contract.amount.currency_code = currency  # type: ignore[attr-defined]
    return event, when


def _value(desk: Desk, **asked: Any) -> dict[Any, Any]:
    return {key: n for key, n in desk.figures("rfm", group_by=["detail"], **asked).items() if n}


def test_C14_B29_money_from_abroad_counts_by_the_rate_of_its_day(desk: Desk) -> None:
    """10 000 and 20 000 euro at 8 and at 7 are 220 000 yuan; with 1 000 of home two hundred and twenty-one thousand."""
    desk.hear(
        customer("customers/a", "2026-10-01T10:00"),
        _rate("2026-10-01", "8"),
        _rate("2026-11-01", "7"),
        *_deal("a", 10_000, "2026-10-31T23:30"),
        _contract("a", 20_000, "2026-11-01"),
        *_deal("b", 1_000, "2026-11-05T10:00", "CNY"),
    )
    assert _value(desk) == {"F3M4": 1}
    # At seven and at six it is 191 000: in the band below.
    desk.hear(_rate("2026-10-01", "7", version=2, when="2026-11-09T10:00"))
    assert _value(desk) == {"F3M4": 1}
    desk.hear(_rate("2026-11-01", "6", version=2, when="2026-11-09T11:00"))
    assert _value(desk) == {"F3M3": 1}


def test_C14_a_rate_that_comes_later_counts_and_one_that_goes_does_not(desk: Desk) -> None:
    desk.hear(customer("customers/a", "2026-10-01T10:00"), *_deal("a", 10_000, "2026-11-02T10:00"))
    assert _value(desk) == {"F1M1": 1}, "nobody knows what it came to"
    desk.hear(_rate("2026-11-01", "7.5", when="2026-11-20T10:00"))
    assert _value(desk) == {"F1M3": 1}
    desk.hear(_rate("2026-11-03", "900", when="2026-11-20T11:00"))
    assert _value(desk) == {"F1M3": 1}, "that is of later days"
    desk.hear(_rate("2026-11-01", "7.5", version=2, gone=True, when="2026-11-20T12:00"))
    assert _value(desk) == {"F1M1": 1}
    # The other way round does as well: 1/0.02 = 50.
    desk.hear(_rate("2026-10-15", "0.02", back=True, when="2026-11-20T13:00"))
    assert _value(desk) == {"F1M4": 1}
    assert _value(desk, as_of="2026-11-20T10:30") == {"F1M3": 1}


def test_C14_a_rate_between_others_and_another_currencys_change_nothing(desk: Desk) -> None:
    desk.hear(customer("customers/a", "2026-10-01T10:00"), _rate("2026-10-01", "10"), _rate("2026-10-01", "1", "USD"))
    desk.hear(*_deal("a", 10_000, "2026-11-02T10:00"), *_deal("b", 10_000, "2026-11-02T10:00", "USD"))
    assert _value(desk) == {"F2M3": 1}  # 110 000
    desk.hear(_rate("2026-10-02", "20", "USD"))
    assert _value(desk) == {"F2M4": 1}  # 300 000


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_C14_in_whatever_order_they_are_heard_of(desk: Desk, order: tuple[int, ...]) -> None:
    parts = [
        [customer("customers/a", "2026-10-01T10:00")],
        [_rate("2026-10-01", "8")],
        _deal("a", 10_000, "2026-11-02T10:00"),
        [_rate("2026-11-02", "30")],
    ]
    for place in order:
        desk.hear(*parts[place])
    assert _value(desk) == {"F1M4": 1}


def test_C14_what_was_signed_by_a_line_in_another_currency_is_not_taken_for_yuan(desk: Desk) -> None:
    of, when = customer("customers/a", "2026-10-01T10:00", signed_amount=money(2_000_000, "USD"))
    desk.hear((of, when), *_deal("a", 20_000, "2026-11-02T10:00", "CNY"))
    assert _value(desk) == {"F1M2": 1}
    desk.hear(customer("customers/a", "2026-10-01T10:00", 2, signed_amount=money(300_000)))
    assert _value(desk) == {"F1M4": 1}


def test_C14_the_value_is_made_anew_as_it_was_on_each_day(desk: Desk) -> None:
    chance = random.Random(3)
    told: list[Told] = [customer(f"customers/{id}", "2026-11-01T08:00") for id in "ab"]
    for day in range(2, 26, 3):
        told.append(_rate(f"2026-11-{day:02}", f"{chance.randrange(2, 40)}", chance.choice(("EUR", "USD"))))
        if day > 9:
            told.append(_rate("2026-11-02", f"{day}", version=day, when=f"2026-11-{day:02}T20:00"))
        for currency in ("EUR", "USD", "CNY"):
            won, whose = f"2026-11-{day:02}T1{chance.randrange(10)}:00", chance.choice("ab")
            told += _deal(f"{day}{currency}", chance.randrange(100, 9000), won, currency, f"customers/{whose}")
    history = History()
    _live(desk, _envelopes(told, history))
    days = [f"2026-11-{day:02}T23:59" for day in range(1, 27, 2)]
    before, then = _cells(desk), [_value(desk, as_of=day) for day in days]
    assert len({str(one) for one in then}) > 4
    _begin(desk)
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    assert _cells(desk) == before
    assert [_value(desk, as_of=day) for day in days] == then


# --- the rates by themselves ---

DAYS = [f"2026-11-{day:02}" for day in range(1, 10)]
STATES = st.builds(
    lambda name, place, version, gone, straight, rate: News(
        "rates/EUR",
        "told",
        {
            "name": f"exchangeRates/{name}",
            "version": version,
            "gone": gone,
            "straight": straight,
            "date": DAYS[place],
            "rate": rate,
        },
    ),
    st.sampled_from("abcd"), st.integers(0, 8), st.integers(1, 4), st.booleans(), st.booleans(), st.sampled_from("248"),
)  # fmt: skip


def _of(news: list[News]) -> domain.Rates:
    rates = domain.Rates()
    for one in news:
        rates = domain.fold(rates, one)
    return rates


@given(st.data(), st.lists(STATES, unique_by=lambda one: (one.values["name"], one.values["version"]), max_size=12))
def test_rates_are_the_same_in_whatever_order_they_are_told(data: st.DataObject, news: list[News]) -> None:
    again = data.draw(st.lists(st.sampled_from(news), max_size=4)) if news else []
    rates = _of(data.draw(st.permutations([*news, *again])))
    assert rates == _of(news)
    assert domain.FOLDING.read(domain.FOLDING.plain(rates)) == rates


@given(
    st.lists(STATES, unique_by=lambda one: (one.values["name"], one.values["version"]), max_size=8),
    STATES,
)
def test_no_day_outside_of_what_may_have_changed_has_another_rate(news: list[News], one: News) -> None:
    before, now = domain.tells(_of(news)), domain.tells(_of([*news, one]))
    begin, end = domain.changed(before, now)
    for day in DAYS:
        if not begin <= day < end:
            assert domain.on(before, day) == domain.on(now, day)


@given(st.integers(-(10**15), 10**15), st.sampled_from(("", "7.8123", "0.5", "1")))
def test_what_it_comes_to_is_to_the_nearest_ten_thousandth(amount: int, rate: str) -> None:
    assert domain.worth(amount, "", rate) == amount
    assert abs(domain.worth(amount, "2026-11-05", rate) - Decimal(amount) * Decimal(rate or 0)) <= Decimal("0.5")
