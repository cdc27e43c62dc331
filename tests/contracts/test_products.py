"""Products, price lists and exchange rates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Scope
from chassis.errors import Denied, Stale
from contracts.usecases import products
from dealwright.contracts.v1 import events_pb2
from dealwright.contracts.v1 import quotes_pb2 as pb
from tests.contracts.desk import ADMIN, CUSTOMER, LI, Desk, later, money, principal, refused
from tests.contracts.quoting import Line, price_list, product, quote


def _update(desk: Desk, of: pb.Product, *mask: str) -> pb.Product:
    request = pb.UpdateProductRequest(product=of, update_mask=FieldMask(paths=mask))
    changed: pb.Product = desk.call("UpdateProduct", request, ADMIN)
    return changed


def test_Q1_a_product_keeps_what_a_company_says_of_it(desk: Desk) -> None:
    given = pb.Product(
        code="WMS-1", display_name="仓储系统", display_name_en="Warehouse system", unit="套", category="软件",
        tax_percent="13", unit_price=money(1200, 500_000_000),
    )  # fmt: skip
    given.custom.update({"保修": "一年", "级别": 3})
    made = desk.call("CreateProduct", pb.CreateProductRequest(product=given), ADMIN)
    for field, value in given.ListFields():
        assert getattr(made, field.name) == value, field.name
    assert made.active
    changed = _update(desk, pb.Product(name=made.name, etag=made.etag, unit_price=money(1300)), "unit_price")
    assert (changed.unit_price, changed.tax_percent) == (money(1300), "13")
    own = pb.Product(name=made.name, active=False)
    own.custom.update({"级别": 4})
    changed = _update(desk, own, "custom.级别", "active")
    assert (dict(changed.custom), changed.active) == ({"保修": "一年", "级别": 4}, False)
    with pytest.raises(Stale):
        _update(desk, pb.Product(name=made.name, etag=made.etag, unit="箱"), "unit")


def test_Q1_a_code_is_one_products(desk: Desk) -> None:
    first, second = product(desk, "A"), product(desk, "B")
    with refused("CODE_TAKEN"):
        product(desk, "A")
    with refused("CODE_TAKEN"):
        _update(desk, pb.Product(name=second.name, code="A"), "code")
    desk.call("DeleteProduct", pb.DeleteProductRequest(name=first.name), ADMIN)
    again = product(desk, "A")
    with refused("CODE_TAKEN"):
        desk.call("UndeleteProduct", pb.UndeleteProductRequest(name=first.name), ADMIN)
    desk.call("DeleteProduct", pb.DeleteProductRequest(name=again.name), ADMIN)
    assert desk.call("UndeleteProduct", pb.UndeleteProductRequest(name=first.name), ADMIN).code == "A"


@pytest.mark.parametrize(
    ("of", "field"),
    [
        ({"code": ""}, "product.code"),
        ({"display_name": ""}, "product.display_name"),
        ({"tax_percent": "101"}, "product.tax_percent"),
        ({"tax_percent": "-1"}, "product.tax_percent"),
        ({"tax_percent": "NaN"}, "product.tax_percent"),
        ({"unit_price": money(-1)}, "product.unit_price"),
        ({"unit_price": money(1, currency="yuan")}, "product.unit_price"),
    ],
)
def test_Q1_a_wrong_product_is_refused_by_its_field(desk: Desk, of: dict[str, object], field: str) -> None:
    with refused("INVALID", field):
        product(desk, **of)  # type: ignore[arg-type]
    assert desk.call("ListProducts", pb.ListProductsRequest(), ADMIN).total_size == 0


def test_Q1_the_shelf_is_for_whom_the_role_says(desk: Desk) -> None:
    reader = principal("people/li", "sales", Scope.OWN, shelf=Scope.NONE)
    with pytest.raises(Denied):
        desk.call("ListProducts", pb.ListProductsRequest(), reader)
    product(desk, category="软件")
    product(desk, "GUN", category="硬件")
    found = desk.call("ListProducts", pb.ListProductsRequest(filter='category = "硬件"', order_by="code"), LI)
    assert [one.code for one in found.products] == ["GUN"]


def test_Q1_what_was_deleted_is_gone_after_thirty_days(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = product(desk)
    desk.call("DeleteProduct", pb.DeleteProductRequest(name=made.name), ADMIN)
    for days, left in ((29, 1), (31, 0)):
        with later(timedelta(days=days), monkeypatch), desk.runtime.transaction() as tx:
            products.purge(tx)
        listed = desk.call("ListProducts", pb.ListProductsRequest(show_deleted=True), ADMIN)
        assert len(listed.products) == left


def test_Q1_a_price_comes_from_the_list_that_knows_the_customer_best(desk: Desk) -> None:
    desk.deal()  # tier A, 上海
    name = product(desk, price=100).name

    def costs(**of: Any) -> int:
        return int(quote(desk, Line(product=name), **of).lines[0].unit_price.units)

    assert costs() == 100
    price_list(desk, (name, 90), is_default=True)
    assert costs() == 90
    price_list(desk, (name, 80), tier="A")
    price_list(desk, (name, 10), tier="B")
    assert costs() == 80
    price_list(desk, (name, 70), region="上海市")
    assert costs() == 70
    price_list(desk, (name, 60), region="上海", tier="A")
    price_list(desk, (name, 20), region="上海", tier="A", valid_until="2020-01-01")
    price_list(desk, (name, 20), region="上海", tier="A", valid_from="2099-01-01")
    assert costs() == 60
    named = price_list(desk, (name, 50))
    assert costs() == 60
    assert costs(price_list=named.name) == 50
    with refused("INVALID", "quote.price_list"):
        costs(price_list=f"priceLists/{9:032x}")


def test_Q1_there_is_one_default_price_list_for_a_currency(desk: Desk) -> None:
    first = price_list(desk, is_default=True)
    price_list(desk, is_default=True, currency="USD")
    second = price_list(desk, is_default=True)
    found = desk.call("ListPriceLists", pb.ListPriceListsRequest(filter="is_default = true AND currency = CNY"), ADMIN)
    assert [one.name for one in found.price_lists] == [second.name]
    back = pb.UpdatePriceListRequest(
        price_list=pb.PriceList(name=first.name, is_default=True), update_mask=FieldMask(paths=["is_default"])
    )
    desk.call("UpdatePriceList", back, ADMIN)
    desk.call("DeletePriceList", pb.DeletePriceListRequest(name=first.name), ADMIN)
    third = price_list(desk, is_default=True)
    with pytest.raises(Stale):
        desk.call("UndeletePriceList", pb.UndeletePriceListRequest(name=first.name), ADMIN)
    assert desk.call("GetPriceList", pb.GetPriceListRequest(name=third.name), LI).is_default


def test_Q1_a_wrong_price_list_is_refused_by_its_field(desk: Desk) -> None:
    name = product(desk).name
    with refused("INVALID", "price_list.lines[0].product"):
        price_list(desk, (f"products/{9:032x}", 1))
    with refused("INVALID", "price_list.lines[1].product"):
        price_list(desk, (name, 1), (name, 2))
    with refused("INVALID", "price_list.lines[0].unit_price"):
        price_list(desk, (name, -1))
    with refused("INVALID", "price_list.lines[0].unit_price"):
        price_list(desk, lines=[pb.PriceList.Line(product=name, unit_price=money(1, currency="USD"))])
    with refused("INVALID", "price_list.valid_until"):
        price_list(desk, valid_from="2026-02-01", valid_until="2026-01-01")
    with refused("INVALID", "price_list.valid_from", "price_list.tier"):
        price_list(desk, tier="D", valid_from="2026-02-30")
    of = price_list(desk, (name, 1))
    with refused("INVALID", "price_list.currency"):
        changed = pb.PriceList(name=of.name, currency="USD")
        request = pb.UpdatePriceListRequest(price_list=changed, update_mask=FieldMask(paths=["currency"]))
        desk.call("UpdatePriceList", request, ADMIN)


def _rate(desk: Desk, day: str, rate: str, source: str = "USD", target: str = "CNY") -> pb.ExchangeRate:
    given = pb.ExchangeRate(from_currency=source, to_currency=target, date=day, rate=rate)
    made: pb.ExchangeRate = desk.call("CreateExchangeRate", pb.CreateExchangeRateRequest(exchange_rate=given), ADMIN)
    return made


def _convert(desk: Desk, amount: str, source: str, target: str, day: str) -> tuple[str, str]:
    request = pb.ConvertMoneyRequest(amount=amount, from_currency=source, to_currency=target, date=day)
    found = desk.call("ConvertMoney", request, LI)
    return f"{found.amount.units}.{found.amount.nanos // 10_000_000:02}", found.date


def test_Q1_an_amount_is_converted_by_the_latest_rate_of_its_day_or_before(desk: Desk) -> None:
    _rate(desk, "2026-01-10", "7.1")
    late = _rate(desk, "2026-01-20", "7.2345")
    assert _convert(desk, "100", "USD", "CNY", "2026-01-15") == ("710.00", "2026-01-10")
    assert _convert(desk, "100", "USD", "CNY", "2026-01-20") == ("723.45", "2026-01-20")
    assert _convert(desk, "723.45", "CNY", "USD", "2026-02-01") == ("100.00", "2026-01-20")
    assert _convert(desk, "12.345", "CNY", "CNY", "2026-01-01") == ("12.35", "2026-01-01")
    with refused("NO_RATE"):
        _convert(desk, "100", "USD", "CNY", "2026-01-09")
    desk.call("DeleteExchangeRate", pb.DeleteExchangeRateRequest(name=late.name), ADMIN)
    assert _convert(desk, "100", "USD", "CNY", "2026-02-01") == ("710.00", "2026-01-10")


def test_Q1_a_pair_has_one_rate_a_day(desk: Desk) -> None:
    first = _rate(desk, "2026-01-10", "7.10")
    assert first.rate == "7.1"
    with refused("RATE_TAKEN"):
        _rate(desk, "2026-01-10", "7.2")
    changed = pb.ExchangeRate(name=first.name, etag=first.etag, rate="7.3")
    request = pb.UpdateExchangeRateRequest(exchange_rate=changed, update_mask=FieldMask(paths=["rate"]))
    assert desk.call("UpdateExchangeRate", request, ADMIN).rate == "7.3"
    other = pb.ExchangeRate(name=first.name, date="2026-02-01")
    request = pb.UpdateExchangeRateRequest(exchange_rate=other, update_mask=FieldMask(paths=["date"]))
    with refused("INVALID", "update_mask.date"):
        desk.call("UpdateExchangeRate", request, ADMIN)
    for rate in ("0", "-7", "seven", "7.12345678901"):
        with refused("INVALID", "exchange_rate.rate"):
            _rate(desk, "2026-03-01", rate)
    with refused("INVALID", "exchange_rate.to_currency"):
        _rate(desk, "2026-03-01", "1", "CNY")


def test_Q1_C12_whoever_sums_by_our_rates_is_told_of_each_as_it_is(desk: Desk) -> None:
    made = _rate(desk, "2026-01-10", "7.10")
    desk.call("DeleteExchangeRate", pb.DeleteExchangeRateRequest(name=made.name), ADMIN)
    desk.call("UndeleteExchangeRate", pb.UndeleteExchangeRateRequest(name=made.name), ADMIN)
    changed = pb.ExchangeRate(name=made.name, rate="7.3")
    request = pb.UpdateExchangeRateRequest(exchange_rate=changed, update_mask=FieldMask(paths=["rate"]))
    desk.call("UpdateExchangeRate", request, ADMIN)
    told = desk.announced(events_pb2.ExchangeRateChanged)
    found = [(e.exchange_rate.rate, e.version, e.deleted) for e in told]
    assert found == [("7.1", 1, False), ("7.1", 2, True), ("7.1", 3, False), ("7.3", 4, False)]
    of = told[0].exchange_rate
    assert (of.name, of.from_currency, of.to_currency, of.date) == (made.name, "USD", "CNY", "2026-01-10")


def test_Q1_a_price_in_another_currency_is_converted_for_the_quote(desk: Desk) -> None:
    desk.deal()
    name = product(desk, unit_price=money(10, currency="USD")).name
    with refused("INVALID", "quote.lines[0].unit_price"):
        quote(desk, Line(product=name))
    _rate(desk, "2026-01-10", "7.105")
    made = quote(desk, Line(product=name))
    assert (made.currency, made.lines[0].unit_price, made.customer) == ("CNY", money(71, 50_000_000), CUSTOMER)
