"""Quotes that a customer opens by a link: the page, who counts as somebody, and how often one may ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.type.money_pb2 import Money

from chassis.errors import NotFound, Refused
from dealwright.api.v1.file_pb2 import File
from dealwright.contracts.v1 import quotes_pb2 as pb
from gateway.doors import quote_pages

Visit = Callable[..., requests.Response]


def _money(units: int, nanos: int = 0, currency: str = "CNY") -> Money:
    return Money(currency_code=currency, units=units, nanos=nanos)


def _shown(**of: Any) -> pb.PublicQuote:
    line = pb.Quote.Line(description="<b>系统</b>", quantity="2", unit="套", unit_price=_money(1000), tax_percent="13",
                         discount_percent="5", amount=_money(1900))  # fmt: skip
    company = pb.PublicQuote.Company(display_name="示例 & 科技", logo='"><script>', phone="021")
    shown: dict[str, Any] = {
        "number": "Q-20260131-0001",
        "revision": 2,
        "company": company,
        "customer": "客户",
        "lines": [line],
        "currency": "CNY",
        "subtotal": _money(1900),
        "discount_percent": "10",
        "net_total": _money(1710),
        "tax_total": _money(222, 300_000_000),
        "total": _money(1932, 300_000_000),
        "terms": "<i>预付</i>\n余款",
    }
    return pb.PublicQuote(**{**shown, **of})


@pytest.fixture
def visit(world: Any, client: Any) -> Visit:
    """One link stands: "good"."""

    def opened(call: Any) -> pb.PublicQuote:
        if call.request.token == "ended":
            raise Refused("ENDED", "This offer has ended.", "该报价已失效。")
        if call.request.token != "good":
            raise NotFound("")
        return _shown()

    def file(call: Any) -> File:
        opened(call)
        return File(file_name="Q-1.pdf", content_type="application/pdf", content=b"%PDF-")

    world.on("OpenQuoteLink", opened)
    world.on("DownloadQuoteLink", file)
    visitor = client()
    return lambda path, verb="GET", **headers: visitor(verb, path, headers=headers)


def test_Q15_the_page_shows_the_quote_in_both_languages_and_nothing_in_it_is_markup(visit: Visit) -> None:
    english, chinese = visit("/q/good"), visit("/q/good?lang=zh")
    for word in ("Quotation", "Version 2", "Total incl. tax", "CNY 1,932.30", "−190.00", "Download PDF"):
        assert word in english.text, word
    for word in ("报价单", "第 2 版", "价税合计", "CNY 1,932.30", "下载 PDF", "示例 &amp; 科技"):
        assert word in chinese.text, word
    for page in (english, chinese):
        assert "<script" not in page.text
        assert "<b>" not in page.text
        assert "<i>" not in page.text
        assert "&lt;b&gt;系统&lt;/b&gt;" in page.text
    assert (english.headers["Content-Language"], chinese.headers["Content-Language"]) == ("en", "zh-CN")
    policy = english.headers["Content-Security-Policy"]
    assert policy.count("default-src") == 1
    assert "script-src" not in policy
    assert english.headers["Referrer-Policy"] == "no-referrer"
    assert english.headers["Cache-Control"] == "private, no-store"
    assert visit("/quote.css").headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ({"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.49"}, True),
        ({"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}, True),
        ({"User-Agent": "curl/8.5.0"}, True),
        ({"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}, False),
        ({"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, False),
        ({"User-Agent": "Mozilla/5.0 (compatible; Baiduspider/2.0)"}, False),
        ({"User-Agent": "facebookexternalhit/1.1"}, False),
        ({"User-Agent": "SkypeUriPreview Preview/0.5"}, False),
        ({"User-Agent": ""}, False),
        ({"User-Agent": "Mozilla/5.0", "Sec-Purpose": "prefetch;prerender"}, False),
        ({"User-Agent": "Mozilla/5.0", "Purpose": "prefetch"}, False),
        ({"User-Agent": "Mozilla/5.0", "X-Moz": "prefetch"}, False),
    ],
)
def test_Q15_a_program_that_fetches_ahead_is_not_somebody_who_looks(
    world: Any, visit: Visit, headers: dict[str, str], seen: bool
) -> None:
    assert visit("/q/good", **headers).status_code == 200
    ((request, _),) = world.calls("OpenQuoteLink")
    assert (request.token, request.seen) == ("good", seen)


def test_Q15_the_head_of_the_page_is_no_look_at_it(world: Any, visit: Visit) -> None:
    answer = visit("/q/good", "HEAD", **{"User-Agent": "Mozilla/5.0"})
    assert (answer.status_code, answer.content) == (200, b"")
    ((request, _),) = world.calls("OpenQuoteLink")
    assert request.seen is False


def test_Q15_the_pdf_is_a_download(visit: Visit) -> None:
    answer = visit("/q/good/pdf")
    assert (answer.content, answer.headers["Content-Type"]) == (b"%PDF-", "application/pdf")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="Q-1.pdf"')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.parametrize(
    "path", ["/q/bad", "/q/bad/pdf", "/q/", "/q/good/", "/q/good/pdf/x", "/q/a b", "/q/" + "A" * 65, "/q/%3Cscript%3E"]
)
def test_Q15_a_link_that_opens_nothing_is_one_page_whatever_is_wrong(visit: Visit, path: str) -> None:
    gone, known = visit(path), visit("/q/bad")
    assert (gone.status_code, gone.text, gone.headers["Content-Type"]) == (404, known.text, "text/html; charset=utf-8")
    assert "This quotation cannot be opened" in gone.text


@pytest.mark.parametrize("path", ["/q/ended", "/q/ended/pdf"])
def test_Q15_a_link_to_an_offer_that_has_ended_says_so_and_shows_nothing_of_it(visit: Visit, path: str) -> None:
    english, chinese = visit(path), visit(path, **{"Accept-Language": "zh-CN"})
    for answer, words in ((english, "This offer has ended"), (chinese, "该报价已失效")):
        assert (answer.status_code, answer.headers["Content-Type"]) == (410, "text/html; charset=utf-8")
        assert words in answer.text
        assert answer.headers["Cache-Control"] == "private, no-store"
        for secret in ("1,932", "Q-20260131-0001", "pdf"):
            assert secret not in answer.text


def test_Q15_other_verbs_are_refused(visit: Visit) -> None:
    for verb in ("POST", "PUT", "DELETE", "PATCH"):
        answer = visit("/q/good", verb)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_Q15_who_tries_many_links_is_stopped_and_may_still_sign_in(world: Any, visit: Visit, client_at: Any) -> None:
    opened = world.open(link_rate=3, sign_in_rate=5, address_rate=0)
    try:
        visitor = client_at(opened.url, "")
        codes = [visitor("GET", f"/q/guess{number}").status_code for number in range(5)]
        assert codes == [404, 404, 404, 429, 429]
        stopped = visitor("GET", "/q/good")
        assert (stopped.status_code, stopped.headers["Content-Type"]) == (429, "text/html; charset=utf-8")
        assert int(stopped.headers["Retry-After"]) > 0
        signing = visitor("POST", "/v1/sessions", json={"login": "a", "password": "b"})
        assert signing.status_code != 429
    finally:
        opened.stop()


def test_Q15_amounts_have_the_decimals_of_their_currency() -> None:
    page = quote_pages.quote("en", _shown(currency="JPY", total=_money(1932, currency="JPY")), "good")
    assert "JPY 1,932<" in page
