"""Quotes are made, changed, submitted, revised and accepted."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.access import Scope
from chassis.errors import Denied, NotFound, Stale
from contracts import subscribers
from contracts.usecases import quotes
from contracts.usecases.parties import Party
from dealwright.contracts.v1 import events_pb2
from dealwright.contracts.v1 import quotes_pb2 as pb
from dealwright.opportunities.v1 import opportunities_pb2
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged
from tests.contracts.desk import (
    ADMIN,
    BOSS,
    CONTACT,
    CUSTOMER,
    LI,
    OPPORTUNITY,
    WANG,
    ZHAO,
    Desk,
    later,
    money,
    principal,
    refused,
)
from tests.contracts.quoting import Line, act, change, get, line, listed, price_list, product, quote

TODAY = datetime.now(UTC).astimezone(clock.company_zone()).date()
DRAFT, SUBMITTED, APPROVED = pb.Quote.DRAFT, pb.Quote.SUBMITTED, pb.Quote.APPROVED


def test_Q1_O24_C21_one_click_makes_a_quote_of_the_opportunitys_products_at_their_prices(desk: Desk) -> None:
    desk.deal(products=["WMS", "扫码枪", "Training", "现场服务"], amount=12_340_000, currency="CNY")
    wms = product(desk, "WMS", 100, unit="套", tax_percent="13")
    gun = product(desk, "GUN", 50, display_name="扫码枪")
    product(desk, "T-1", 30, display_name="培训", display_name_en="Training", active=False)
    price_list(desk, (wms.name, 90), is_default=True)
    desk.announced()
    made = desk.call("QuoteOpportunity", pb.QuoteOpportunityRequest(opportunity=OPPORTUNITY))
    assert re.fullmatch(rf"Q-{TODAY:%Y%m%d}-\d{{4}}", made.number)
    assert (made.opportunity, made.customer, made.contact) == (OPPORTUNITY, CUSTOMER, CONTACT)
    assert (made.owner, made.team, made.status, made.revision) == ("people/li", "teams/east", DRAFT, 1)
    assert [(one.product, one.description, one.unit_price) for one in made.lines] == [
        (wms.name, "WMS 系统", money(90)),
        (gun.name, "扫码枪", money(50)),
        ("", "Training", money(0)),
        ("", "现场服务", money(0)),
    ]
    assert (made.lines[0].unit, made.lines[0].tax_percent, made.lines[0].list_price) == ("套", "13", money(90))
    assert (made.net_total, made.tax_total, made.total) == (money(140), money(11, 700_000_000), money(151, 700_000_000))
    assert made.valid_until == (TODAY + timedelta(days=30)).isoformat()
    (told,) = desk.announced(events_pb2.QuoteChanged)
    assert (told.quote, told.version, told.deleted) == (made, 1, False)
    assert get(desk, made.name) == made


def test_Q1_an_opportunity_without_products_is_quoted_for_its_amount(desk: Desk) -> None:
    desk.deal(amount=12_340_000, currency="USD")
    made = quote(desk)
    assert [(one.description, one.unit_price) for one in made.lines] == [("年度采购", money(1234, currency="USD"))]
    assert (made.currency, made.total) == ("USD", money(1234, currency="USD"))


def test_Q1_lines_discounts_and_tax_make_the_totals(desk: Desk) -> None:
    desk.deal()
    made = quote(
        desk,
        line(1000, quantity="2.5", discount_percent="10", tax_percent="13"),
        line(0, unit_price=money(99, 990_000_000), quantity="3", tax_percent="6"),
        discount_percent="5",
        terms="预付 30%\n余款验收后",
    )
    assert [one.amount for one in made.lines] == [money(2250), money(299, 970_000_000)]
    assert (made.list_total, made.subtotal) == (money(2799, 970_000_000), money(2549, 970_000_000))
    assert made.net_total == money(2422, 470_000_000)  # 2549.97 * 0.95 = 2422.4715
    # 13 % of 2137.50 and 6 % of 284.97
    assert (made.tax_total, made.total) == (money(294, 980_000_000), money(2717, 450_000_000))
    assert (made.discount_percent, made.total_discount_percent) == ("5", "13.4823")
    assert made.terms == "预付 30%\n余款验收后"


def test_Q3_a_price_below_the_list_counts_as_a_discount(desk: Desk) -> None:
    desk.deal()
    name = product(desk, price=100).name
    made = quote(desk, Line(product=name, unit_price=money(80)))
    assert (made.lines[0].list_price, made.list_total, made.total_discount_percent) == (money(100), money(100), "20")


@pytest.mark.parametrize(
    ("of", "field"),
    [
        (line(-1), "quote.lines[0].unit_price"),
        (line(1, quantity="-1"), "quote.lines[0].quantity"),
        (line(1, quantity="0"), "quote.lines[0].quantity"),
        (line(1, quantity="1.00001"), "quote.lines[0].quantity"),
        (line(1, quantity="1e3"), "quote.lines[0].quantity"),
        (line(1, discount_percent="100.0001"), "quote.lines[0].discount_percent"),
        (line(1, discount_percent="-5"), "quote.lines[0].discount_percent"),
        (line(1, tax_percent="101"), "quote.lines[0].tax_percent"),
        (line(1, product=f"products/{9:032x}"), "quote.lines[0].product"),
        (line(0, unit_price=money(1, currency="USD")), "quote.lines[0].unit_price"),
        (Line(description="无价"), "quote.lines[0].unit_price"),
        (Line(unit_price=money(1)), "quote.lines[0].description"),
        (line(999_999_999_999, quantity="2"), "quote.lines"),
    ],
)
def test_Q1_a_wrong_line_is_refused_by_its_field(desk: Desk, of: pb.Quote.Line, field: str) -> None:
    desk.deal()
    with refused("INVALID", field):
        quote(desk, of)
    assert listed(desk) == []


def test_Q1_a_wrong_quote_is_refused_by_its_field(desk: Desk) -> None:
    desk.deal()
    others, other = f"customers/{7:032x}", f"contacts/{8:032x}"
    desk.know(Party(others, 1, False, "别家", "people/li"), Party(other, 1, False, "别人", customer=others))
    with refused("INVALID", "quote.contact"):
        quote(desk, line(), contact=other)
    with refused("NOT_FOUND", "quote.contact"):
        quote(desk, line(), contact=f"contacts/{9:032x}")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"discount_percent": "100.5"}, "quote.discount_percent"),
        ({"valid_until": "2020-01-01"}, "quote.valid_until"),
        ({"valid_until": "soon"}, "quote.valid_until"),
        ({"currency": "yuan"}, "quote.currency"),
        ({"opportunity": ""}, "quote.opportunity"),
        ({"lines": [line()] * 201}, "quote.lines"),
    ]
    for of, field in wrong:
        with refused("INVALID", field):
            quote(desk, **{"lines": [line()], **of})
    assert len(quote(desk, *[line()] * 200).lines) == 200


def test_Q1_a_quote_needs_an_opportunity_with_a_customer_that_goes_on(desk: Desk) -> None:
    desk.deal(customer="")
    with refused("INVALID", "quote.opportunity"):
        quote(desk)
    desk.deal(version=2, open=False)
    with refused("NOT_OPEN"):
        quote(desk)
    with pytest.raises(NotFound):
        quote(desk, opportunity=f"opportunities/{9:032x}")


def test_Q1_numbers_are_unique_under_64_creators(desk: Desk) -> None:
    desk.deal()
    start = threading.Barrier(16)

    def make(_: int) -> list[str]:
        start.wait()
        return [quote(desk, line()).number for _ in range(4)]

    with ThreadPoolExecutor(16) as pool:
        numbers = [number for made in pool.map(make, range(16)) for number in made]
    assert len(set(numbers)) == 64


def test_Q1_only_a_draft_is_changed_and_never_over_somebody_elses_change(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, line())
    changed = change(desk, made.name, etag=made.etag, mask="lines,discount_percent", lines=[line(50)])
    assert (changed.total, changed.discount_percent) == (money(50), "0")
    with pytest.raises(Stale):
        change(desk, made.name, etag=made.etag, mask="terms", terms="旧")
    own = pb.Quote(name=made.name)
    own.custom.update({"渠道": "展会", "级别": 2})
    assert dict(change(desk, made.name, mask="custom", custom=own.custom).custom) == {"渠道": "展会", "级别": 2}
    own.custom.update({"级别": 3})
    assert dict(change(desk, made.name, mask="custom.级别", custom=own.custom).custom) == {"渠道": "展会", "级别": 3}
    with refused("INVALID", "quote.currency"):
        change(desk, made.name, currency="USD")
    with refused("INVALID", "quote.lines[0].unit_price"):
        change(desk, made.name, currency="USD", lines=[line(1)])
    with refused("INVALID", "update_mask.status"):
        change(desk, made.name, mask="status", status=APPROVED)
    act(desk, "Submit", made.name)
    with refused("NOT_DRAFT"):
        change(desk, made.name, mask="terms", terms="晚了")


def test_Q1_quotes_are_seen_by_whom_the_opportunity_is_seen(desk: Desk) -> None:
    desk.deal()
    mine = quote(desk, line())
    for who in (ADMIN, BOSS, LI):
        assert listed(desk, who) == [mine.name]
    for who in (ZHAO, WANG):
        assert listed(desk, who) == []
        with pytest.raises(NotFound):
            quote(desk, line(), who=who)
        with pytest.raises(NotFound):
            act(desk, "Submit", mine.name, who)
    with pytest.raises(Denied):
        quote(desk, line(), who=principal("people/li", "sales", Scope.OWN, read_only=frozenset({"discount_percent"})),
              discount_percent="3")  # fmt: skip


def test_Q1_quotes_go_to_whoever_gets_the_opportunity(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, line())
    desk.announced()
    given = opportunities_pb2.Opportunity(
        name=OPPORTUNITY, owner="people/wang", team="teams/west", customer=CUSTOMER,
        status=opportunities_pb2.Opportunity.OPEN,
    )  # fmt: skip
    desk.tell(subscribers.opportunities, OpportunityChanged(opportunity=given, version=5))
    assert (listed(desk, WANG), listed(desk, LI)) == ([made.name], [])
    (told,) = desk.announced(events_pb2.QuoteChanged)
    assert (told.quote.owner, told.quote.team) == ("people/wang", "teams/west")


def test_Q1_a_deleted_quote_comes_back_for_thirty_days(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.deal()
    made = quote(desk, line())
    act(desk, "Delete", made.name)
    assert listed(desk) == []
    assert listed(desk, show_deleted=True) == [made.name]
    assert act(desk, "Undelete", made.name).name == made.name
    act(desk, "Delete", made.name)
    desk.announced()
    with later(timedelta(days=31), monkeypatch), desk.runtime.transaction() as tx:
        quotes.purge(tx)
    (told,) = desk.announced(events_pb2.QuoteChanged)
    assert (told.deleted, listed(desk, show_deleted=True)) == (True, [])
