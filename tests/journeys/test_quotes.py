"""Quotes through the public API: one click from the opportunity, approved, sent by a link, opened by the customer."""

from __future__ import annotations

import io
import re
from typing import Any

import pypdf
import pytest
import requests

from tests.journeys.api import Api, until
from tests.journeys.desk import Desk, phone
from tests.journeys.test_opportunities import cny, opened, refused, team_of

BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0", "Accept-Language": "zh-CN"}


def _product(desk: Desk, price: int, **of: Any) -> dict[str, Any]:
    given = {"code": f"P-{phone()}", "displayName": f"产品 {phone()}", "unitPrice": cny(price), "taxPercent": "13"}
    made: dict[str, Any] = desk.api.post("/v1/products", {**given, **of})
    return made


def _deal(api: Api, *products: dict[str, Any], **of: Any) -> dict[str, Any]:
    customer = api.post("/v1/customers", {"displayName": f"华东物流 {phone()}"})
    return opened(api, customer=customer["name"], products=[one["code"] for one in products], **of)


def _line(price: int, **of: Any) -> dict[str, Any]:
    return {"description": "实施服务", "unitPrice": cny(price), **of}


def _quote(api: Api, deal: dict[str, Any], *lines: dict[str, Any], **of: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.post("/v1/quotes", {"opportunity": deal["name"], "lines": list(lines), **of})
    return made


def current(api: Api, quote: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/v1/{quote['name']}")
    return found


def _approve(asking: Api, quote: dict[str, Any], *deciders: Api) -> dict[str, Any]:
    asked = asking.post(f"/v1/{quote['name']}:submit")
    for decider in deciders:
        decider.post(f"/v1/{asked['approval']}:decide", {"verdict": "APPROVE"})
    return current(asking, quote)


def _visit(url: str, path: str, verb: str = "GET", **headers: str) -> requests.Response:
    return requests.request(verb, url + path, headers={**BROWSER, **headers}, timeout=20)


def test_Q1_O24_C21_one_click_on_the_opportunity_makes_a_quote_at_the_customers_prices(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    wms, gun = _product(desk, 1000, displayNameEn="Warehouse system"), _product(desk, 50)
    prices = {"displayName": "价目", "currency": "CNY", "lines": [{"product": wms["name"], "unitPrice": cny(900)}]}
    desk.api.post("/v1/priceLists", {**prices, "region": region})
    customer = mine.post("/v1/customers", {"displayName": f"公司 {phone()}", "region": region})
    deal = opened(mine, customer=customer["name"], products=[wms["code"], gun["displayName"], "培训"])
    quote = mine.post(f"/v1/{deal['name']}:quote")
    assert re.fullmatch(r"Q-\d{8}-\d{4,}", quote["number"])
    assert [(one.get("product", ""), one["unitPrice"]["units"]) for one in quote["lines"]] == [
        (wms["name"], "900"),
        (gun["name"], "50"),
        ("", "0"),
    ]
    assert (quote["netTotal"]["units"], quote["taxTotal"]["units"], quote["customer"]) == (
        "950",
        "123",
        customer["name"],
    )
    assert (quote["status"], quote["owner"], current(mine, quote)) == ("DRAFT", mine.me["name"], quote)
    for body, field in (
        ({"lines": [_line(-1)]}, "lines[0].unitPrice"),
        ({"lines": [_line(1, quantity="-2")]}, "lines[0].quantity"),
        ({"lines": [_line(1, discountPercent="101")]}, "lines[0].discountPercent"),
        ({"lines": [{**_line(1), "unitPrice": {"currencyCode": "USD", "units": "1"}}]}, "lines[0].unitPrice"),
        ({"lines": [_line(1, product=f"products/{7:032x}")]}, "lines[0].product"),
        ({"lines": [_line(1)] * 201}, "lines"),
    ):
        refused(lambda body=body: mine.patch(f"/v1/{quote['name']}", body), 400, "INVALID", field)
    assert current(mine, quote) == quote
    changed = mine.patch(f"/v1/{quote['name']}", {"lines": [_line(100, quantity="2.5")], "etag": quote["etag"]})
    assert changed["total"] == {**cny(250), "nanos": 0}
    old = {"terms": "旧", "etag": quote["etag"]}
    sums = ("listTotal", "netTotal", "subtotal", "taxTotal", "total")
    refused(lambda: mine.patch(f"/v1/{quote['name']}", old), 409, "STALE", "lines", *sums)


def test_Q3_Q19_a_discount_over_15_percent_goes_to_the_finance_director_or_as_the_company_says(
    desk: Desk, region: str
) -> None:
    boss, seller = team_of(desk, "经理", "甲", region=region)
    money = desk.hire("财务", role="finance")
    mine, leading, paying = desk.sign_in(seller), desk.sign_in(boss), desk.sign_in(money)
    was = {key: desk.api.get("/v1/blueprint")["content"][key] for key in ("approverGroups", "approvalFlows")}
    groups = {"director": {"members": [boss["name"]]}, "finance-director": {"members": [money["name"]]}}
    _apply(desk, {"approverGroups": groups})
    try:
        deal = _deal(mine)
        small = _approve(mine, _quote(mine, deal, _line(1000), discountPercent="15"), leading)
        assert (small["status"], small["totalDiscountPercent"]) == ("APPROVED", "15")
        large = _quote(mine, deal, _line(1000), discountPercent="15.5")
        assert _approve(mine, large, leading)["status"] == "SUBMITTED"
        paying.post(f"/v1/{current(mine, large)['approval']}:decide", {"verdict": "APPROVE"})
        assert current(mine, large)["status"] == "APPROVED"
        found = leading.get("/v1/quotes", filter=f'opportunity = "{deal["name"]}" AND status = APPROVED')
        assert {one["name"] for one in found["quotes"]} == {small["name"], large["name"]}
        # Another company asks nobody below 20 %.
        _apply(desk, {"approvalFlows": {"quote": {"when": "discount > 20.0"}}})
        free = mine.post(f"/v1/{_quote(mine, deal, _line(1000), discountPercent='18')['name']}:submit")
        assert free["status"] == "APPROVED"
        asked = mine.post(f"/v1/{_quote(mine, deal, _line(1000), discountPercent='20.5')['name']}:submit")
        assert asked["status"] == "SUBMITTED"
    finally:
        kept = {id: {"members": group.get("members")} for id, group in was["approverGroups"].items() if id in groups}
        _apply(
            desk,
            {"approverGroups": kept, "approvalFlows": {"quote": {"when": was["approvalFlows"]["quote"].get("when")}}},
        )


def test_Q4_when_all_agreed_the_opportunity_is_worth_the_quote_and_its_seller_is_told(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, "经理", "甲", region=region)
    mine, leading = desk.sign_in(seller), desk.sign_in(boss)
    deal = _deal(mine, amount=cny(5000), winProbability=35, custom={"margin": 12})
    flow: dict[str, Any] = {"displayName": "报价", "for": "quote", "order": -9, "when": f'asker == "{seller["name"]}"'}
    flow["nodes"] = [{"id": "boss", "displayName": "经理", "kind": "APPROVE", "approvers": [boss["name"]]}]
    _apply(desk, {"approvalFlows": {"ours": flow}})
    try:
        first = _quote(mine, deal, _line(1000, taxPercent="13"), discountPercent="10")
        asked = mine.post(f"/v1/{first['name']}:submit")
        assert mine.get(f"/v1/{deal['name']}")["amount"]["units"] == "5000", "not before everybody agreed"
        leading.post(f"/v1/{asked['approval']}:decide", {"verdict": "APPROVE"})
        now = until(lambda: taken(mine, deal, first))
        assert now["amount"]["units"] == "1017"
        assert (now["stage"], now["winProbability"], now["custom"]) == (deal["stage"], 35, {"margin": 12})
        refused(
            lambda: mine.patch(f"/v1/{deal['name']}", {"amount": cny(9000), "etag": deal["etag"]}),
            *(409, "STALE", "amount", "approvedQuote", "quoteApproveTime"),
        )
        entry = until(
            lambda: next(iter(mine.get("/v1/timeline", record=deal["name"], filter="kind = QUOTE")["entries"]), None)
        )
        assert entry["detail"]["approved_quote"] == first["name"]
        told = mine.get("/v1/notifications", filter="kind = APPROVAL_DECIDED")["notifications"]
        assert asked["approval"] in [one["record"] for one in told]
        # The next version takes its place.
        second = mine.post(f"/v1/{first['name']}:revise")
        mine.patch(f"/v1/{second['name']}", {"discountPercent": "0"})
        assert _approve(mine, second, leading)["status"] == "APPROVED"
        assert until(lambda: taken(mine, deal, second))["amount"]["units"] == "1130"
    finally:
        _apply(desk, {"approvalFlows": {"ours": None}})


def taken(api: Api, deal: dict[str, Any], quote: dict[str, Any]) -> dict[str, Any] | None:
    """The opportunity, once it has taken a quote."""
    now: dict[str, Any] = api.get(f"/v1/{deal['name']}")
    return now if now.get("approvedQuote") == quote["name"] else None


def _apply(desk: Desk, content: dict[str, Any]) -> None:
    desk.api.post("/v1/blueprint:apply", {"content": content})


def test_Q17_every_version_that_a_customer_got_is_kept(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, "经理", "甲", region=region)
    mine, leading = desk.sign_in(seller), desk.sign_in(boss)
    deal = _deal(mine)
    first = _approve(mine, _quote(mine, deal, _line(1000)), leading)
    second = mine.post(f"/v1/{first['name']}:revise")
    mine.patch(f"/v1/{second['name']}", {"lines": [_line(900)]})
    accepted = _approve(mine, second, leading)
    assert mine.post(f"/v1/{accepted['name']}:accept")["status"] == "ACCEPTED"
    found = mine.get("/v1/quotes", filter=f'customer = "{deal["customer"]}"', orderBy="revision")["quotes"]
    assert [(one["number"], one["revision"], one["status"], one["total"]["units"]) for one in found] == [
        (first["number"], 1, "REPLACED", "1000"),
        (first["number"], 2, "ACCEPTED", "900"),
    ]
    refused(lambda: mine.delete(f"/v1/{first['name']}"), 403, "DENIED")
    leading.delete(f"/v1/{first['name']}")
    assert leading.post(f"/v1/{first['name']}:undelete")["status"] == "REPLACED"


def test_Q1_Q15_the_owner_hears_at_once_that_the_customer_opened_the_quote(desk: Desk, region: str) -> None:
    company = {"displayName": "上海示例科技", "displayNameEn": "Example Technology", "phone": "021-62345678"}
    _apply(desk, {"company": company})
    boss, seller = team_of(desk, "经理", "甲", region=region)
    mine, leading = desk.sign_in(seller), desk.sign_in(boss)
    hostile = '<script>alert(1)</script> #read("/etc/passwd")'
    quote = _quote(mine, _deal(mine), _line(1000, description=hostile, taxPercent="13"), terms="预付 30%")
    refused(lambda: mine.post(f"/v1/{quote['name']}:link"), 409, "NOT_APPROVED")
    assert _approve(mine, quote, leading)["status"] == "APPROVED"
    link = mine.post(f"/v1/{quote['name']}:link")
    assert mine.post(f"/v1/{quote['name']}:link") == link

    def count() -> tuple[int, bool]:
        now = current(mine, quote)
        return now.get("openCount", 0), bool(now.get("firstOpenTime"))

    # Those who only fetch it are not the customer.
    assert _visit(mine.url, link["url"], "HEAD").status_code == 200
    for headers in ({"User-Agent": "Slackbot-LinkExpanding 1.0"}, {"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}):
        assert _visit(mine.url, link["url"], **headers).status_code == 200
    assert count() == (0, False)
    page = _visit(mine.url, link["url"])
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert (page.headers["Cache-Control"], page.headers["X-Robots-Tag"]) == ("private, no-store", "noindex, nofollow")
    for word in ("报价单", "上海示例科技", quote["number"], "CNY 1,130.00", "预付 30%", "&lt;script&gt;"):
        assert word in page.text, word
    assert "<script" not in page.text
    assert count() == (1, True)
    told = _opened(mine, quote)
    assert (told["first"], told["quote"]["number"]) == (True, quote["number"])
    notices = until(lambda: mine.get("/v1/notifications", filter="kind = QUOTE_OPENED").get("notifications"))
    assert len(notices) == 1
    assert _visit(mine.url, link["url"] + "?lang=en").text.count("Quotation") > 0
    assert count()[0] == 2
    # The PDF, for the customer and for the seller.
    theirs = _visit(mine.url, link["url"] + "/pdf")
    assert (theirs.status_code, theirs.headers["Content-Type"]) == (200, "application/pdf")
    assert theirs.headers["Content-Disposition"].startswith(f'attachment; filename="{quote["number"]}.pdf"')
    ours = mine._session.get(f"{mine.url}/v1/{quote['name']}:download", params={"language": "zh"}, timeout=20)
    assert ours.content == theirs.content
    text = "".join(pypdf.PdfReader(io.BytesIO(theirs.content)).pages[0].extract_text().split())
    for word in ("报价单", "上海示例科技", "CNY1,130.00", '#read("/etc/passwd")'):
        assert word in text, word
    # An end.
    mine.post(f"/v1/{quote['name']}:unlink")
    for path in (link["url"], "/q/" + "A" * 43, "/q/x%2F..%2Fy", "/q/"):
        gone = _visit(mine.url, path)
        assert (gone.status_code, "无法打开该报价" in gone.text) == (404, True), path
    assert _visit(mine.url, link["url"] + "/pdf").status_code == 404
    assert _visit(mine.url, link["url"], "POST").status_code == 405
    assert count()[0] == 2


@pytest.mark.parametrize("end", ["lose", "delete"])
def test_Q15_an_offer_ends_with_its_deal_and_goes_on_with_it(end: str, desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, "经理", "甲", region=region)
    mine, leading = desk.sign_in(seller), desk.sign_in(boss)
    deal = _deal(mine)
    quote = _quote(mine, deal, _line(1000))
    _approve(mine, quote, leading)
    link = mine.post(f"/v1/{quote['name']}:link")["url"]
    why = {"reason": "价格"}
    if end == "lose":
        mine.post(f"/v1/{deal['name']}:lose", why)
    else:
        leading.delete(f"/v1/{deal['name']}")
    desk.settle()
    for path, words in ((link, "该报价已失效"), (link + "?lang=en", "This offer has ended"), (link + "/pdf", "已失效")):
        gone = _visit(mine.url, path)
        assert (gone.status_code, words in gone.text, "1,000" in gone.text) == (410, True, False), path
    if end == "lose":
        leading.post(f"/v1/{deal['name']}:reopen", why)
    else:
        leading.post(f"/v1/{deal['name']}:undelete")
    desk.settle()
    now = current(mine, quote)
    assert (now.get("openCount", 0), now.get("firstOpenTime")) == (0, None), "nobody was told that it was opened"
    assert "1,000" in _visit(mine.url, link).text
    assert _visit(mine.url, link + "/pdf").status_code == 200


def _opened(api: Api, quote: dict[str, Any]) -> dict[str, Any]:
    def mine(event: dict[str, Any]) -> bool:
        return event["type"].endswith("QuoteOpened") and bool(event["data"]["quote"]["name"] == quote["name"])

    found: dict[str, Any] = api.feed(mine, 5)["data"]
    return found


def test_Q1_prices_in_another_currency_go_by_the_rate_of_the_day(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    for day, rate in (("2026-01-10", "7.1"), ("2026-01-20", "7.25")):
        desk.api.post("/v1/exchangeRates", {"fromCurrency": "SGD", "toCurrency": "CNY", "date": day, "rate": rate})
    asked = {"amount": "100", "fromCurrency": "SGD", "toCurrency": "CNY", "date": "2026-01-19"}
    assert mine.get("/v1/exchangeRates:convert", **asked)["amount"]["units"] == "710"
    refused(lambda: mine.get("/v1/exchangeRates:convert", **{**asked, "date": "2026-01-01"}), 409, "NO_RATE")
    refused(lambda: mine.post("/v1/products", {"code": "X", "displayName": "X"}), 403, "DENIED")
    product = _product(desk, 0, unitPrice={"currencyCode": "SGD", "units": "100"})
    quote = _quote(mine, _deal(mine), {"product": product["name"]})
    assert (quote["lines"][0]["unitPrice"]["units"], quote["currency"]) == ("725", "CNY")
    refused(lambda: _product(desk, 1, code=product["code"]), 409, "CODE_TAKEN")
