"""A currency that nobody pays with is refused wherever money comes in, and the field is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.api import Refused
from tests.journeys.desk import Desk, phone
from tests.journeys.signing import team_of

_NONE = {"currencyCode": "XXY", "units": "10"}


def test_O3_Q14_K5_an_unknown_currency_is_refused_in_every_field_of_money(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    deal = team.mine.post("/v1/opportunities", {"customer": team.customer, "title": "仓储系统"})
    contract = team.draw(100)
    of_quote = {"opportunity": deal["name"], "lines": [{"description": "实施", "unitPrice": _NONE}]}
    product = desk.api.post("/v1/products", {"code": f"P-{phone()}", "displayName": "产品"})
    rate = {"toCurrency": "CNY", "date": "2026-01-05", "rate": "7"}
    change = {"record": deal["name"], "type": "OTHER", "detail": "改", "surcharge": _NONE}
    payment = {"contract": contract["name"], "amount": _NONE}
    prices = {"displayName": f"价目 {phone()}", "currency": "CNY"}
    listed = {**prices, "lines": [{"product": product["name"], "unitPrice": _NONE}]}
    wrong: list[tuple[str, str, Any, str]] = [
        ("POST", "/v1/opportunities", {"customer": team.customer, "title": "甲", "amount": _NONE}, "amount"),
        ("PATCH", f"/v1/{deal['name']}", {"budget": _NONE}, "budget"),
        ("POST", "/v1/quotes", of_quote, "lines[0].unitPrice"),
        ("POST", "/v1/quotes", {**of_quote, "lines": [], "currency": "XXY"}, "currency"),
        ("POST", "/v1/products", {"code": "X", "displayName": "产品", "unitPrice": _NONE}, "unitPrice"),
        ("PATCH", f"/v1/{product['name']}", {"unitPrice": _NONE}, "unitPrice"),
        ("POST", "/v1/priceLists", {**prices, "currency": "XXY"}, "currency"),
        ("POST", "/v1/priceLists", listed, "lines[0].unitPrice"),
        ("POST", "/v1/exchangeRates", {**rate, "fromCurrency": "XXY"}, "fromCurrency"),
        ("POST", "/v1/contracts", {"title": "合同", "customer": team.customer, "amount": _NONE}, "amount"),
        ("PATCH", f"/v1/{contract['name']}", {"amount": _NONE}, "amount"),
        ("POST", f"/v1/{contract['name']}:plan", {"instalments": [{"amount": _NONE}]}, "instalments[0].amount"),
        ("POST", "/v1/invoices", payment, "amount"),
        ("POST", "/v1/payments", payment, "amount"),
        ("POST", "/v1/changeRequests", change, "surcharge"),
        *(
            ("POST", "/v1/blueprint:apply", {"content": content}, f"content.{path}")
            for path, content in (
                ("company.currency", {"company": {"currency": "XXY"}}),
                ("customers.vip.currency", {"customers": {"vip": {"currency": "XXY"}}}),
            )
        ),
    ]
    for verb, path, body, field in wrong:
        with pytest.raises(Refused) as refused:
            desk.api._call(verb, path, {}, body)
        told = refused.value
        assert (told.status, list(told.fields)) == (400, [field]), (path, told)
        assert "ISO 4217" in told.fields[field]
