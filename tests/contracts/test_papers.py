"""Quotes as PDF."""

from __future__ import annotations

import io
import time
from typing import Any

import pypdf
import pytest

from chassis import clock, typeset
from chassis.access import Grant, Principal, Scope
from chassis.errors import NotFound
from chassis.rpc import Call
from chassis.transaction import Origin
from contracts.usecases.settings import PART
from contracts.wire import paper
from dealwright.api.v1.file_pb2 import File
from dealwright.contracts.v1 import quotes_pb2 as pb
from tests.contracts.desk import LI, WANG, Desk, principal
from tests.contracts.quoting import act, approve, line, product, quote

HOSTILE = [
    *('#read("/etc/passwd")', "] #panic() [", "$x^2$ $", "`", "\\u{41} \\", "*a* _b_ @c <d>", "/* x", '"); exit(1'),
]  # fmt: skip


def _serve(desk: Desk, method: str, request: Any, who: Principal = LI) -> File:
    servicer = next(one for one in desk.servicers if hasattr(one, method))
    made: File = getattr(servicer, method)(Call(request, who, Origin()))
    return made


def _render(desk: Desk, name: str, who: Principal = LI, language: str = "") -> File:
    return _serve(desk, "RenderQuote", pb.RenderQuoteRequest(name=name, language=language), who)


def _text(file: File) -> str:
    pages = pypdf.PdfReader(io.BytesIO(file.content)).pages
    return "".join(" ".join(page.extract_text() for page in pages).split())


def _fonts(file: File) -> list[tuple[str, bool]]:
    """The name of each font of the first page, and whether its outlines are in the file."""
    found = []
    for font in pypdf.PdfReader(io.BytesIO(file.content)).pages[0]["/Resources"]["/Font"].values():  # type: ignore[index]
        inner = font.get_object()["/DescendantFonts"][0].get_object()
        carried = {"/FontFile", "/FontFile2", "/FontFile3"} & inner["/FontDescriptor"].get_object().keys()
        found.append((str(inner["/BaseFont"]).lstrip("/"), bool(carried)))
    return found


def _company(desk: Desk, **settings: str) -> None:
    everything = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)
    with desk.runtime.transaction(Principal("people/admin", "admin", grants={"blueprint": everything})) as tx:
        PART.apply(tx, {"company": settings}, PART.read(tx)[1])


def _offer(desk: Desk) -> pb.Quote:
    _company(desk, displayName="上海示例科技有限公司", displayNameEn="Example Ltd.", logo="示例")
    desk.deal(products=["WMS"])
    product(desk, "WMS", 1000, display_name="智能仓储系统", display_name_en="Smart warehouse", tax_percent="13")
    return quote(desk, discount_percent="5", terms="预付 30%")


def test_Q1_a_quote_is_a_pdf_that_carries_its_chinese_fonts(desk: Desk) -> None:
    made = _offer(desk)
    file = _render(desk, made.name)
    assert (file.file_name, file.content_type) == (f"{made.number}.pdf", "application/pdf")
    assert len(file.content) < 200_000
    names, carried = zip(*_fonts(file), strict=True)
    assert {name.partition("+")[2] for name in names} == {
        "NotoSansSC-Regular",
        "NotoSerifSC-Regular",
    }
    assert all(carried)


def test_Q1_the_paper_says_what_the_quote_says_in_chinese_and_english(desk: Desk) -> None:
    made = _offer(desk)
    chinese = _text(_render(desk, made.name))
    for word in (
        "报价单",
        "上海示例科技有限公司",
        "华东物流有限公司",
        "王芳",
        made.number,
        "智能仓储系统",
        made.valid_until,
    ):
        assert word in chinese, word
    for word in ("1,000.00", "−50.00", "950.00", "123.50", "CNY1,073.50", "预付30%"):
        assert word in chinese, word
    english = _text(_render(desk, made.name, language="en"))
    for word in ("Quotation", "ExampleLtd.", "Smartwarehouse", "Totalincl.tax", "CNY1,073.50"):
        assert word in english, word
    _company(desk, displayName="上海示例科技有限公司", language="en")
    assert "Quotation" in _text(_render(desk, made.name))


def test_Q1_what_people_write_is_text_and_never_markup(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, *(line(1, description=one) for one in HOSTILE), terms="\n".join(HOSTILE))
    text = _text(_render(desk, made.name))
    for one in HOSTILE:
        assert text.count("".join(one.split())) >= 2, one
    assert "root:" not in text


def test_Q1_two_hundred_long_lines_are_typeset_within_a_moment(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, *(line(1, description="长" * 500) for _ in range(200)))
    started = time.monotonic()
    pages = pypdf.PdfReader(io.BytesIO(_render(desk, made.name).content)).pages
    assert time.monotonic() - started < 8
    assert len(pages) > 20
    assert pages[-1].extract_text().count("200") >= 1


def test_Q1_typesetting_that_takes_too_long_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = desk.runtime.settings.data / "endless"
    endless.write_text("#!/bin/sh\nexec sleep 60\n")
    endless.chmod(0o755)
    monkeypatch.setattr("chassis.typeset.sys.executable", str(endless))
    started = time.monotonic()
    with pytest.raises(typeset.NotTypeset):
        typeset.pdf(paper.TEMPLATE, {}, clock.now(), 0.3)
    assert time.monotonic() - started < 5


def test_Q1_a_paper_shows_what_its_reader_may_see(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.deal()
    made = quote(desk, line(4711, description="秘密项目"), line(1))
    with pytest.raises(NotFound):
        _render(desk, made.name, WANG)
    blind = principal("people/li", "sales", Scope.OWN, hidden=frozenset({"lines", "total"}))
    text = _text(_render(desk, made.name, blind))
    assert "秘密项目" not in text
    assert "4,712" in text  # the sum before tax, which was not hidden
    assert text.count("4,712") < _text(_render(desk, made.name)).count("4,712")


def test_Q15_the_customer_downloads_the_same_paper(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, line(100))
    approve(desk, made.name)
    token = act(desk, "Link", made.name).url.removeprefix("/q/")
    nobody = Principal()
    file = _serve(desk, "DownloadQuoteLink", pb.DownloadQuoteLinkRequest(token=token), nobody)
    assert file.content == _render(desk, made.name).content
    with pytest.raises(NotFound):
        _serve(desk, "DownloadQuoteLink", pb.DownloadQuoteLinkRequest(token="A" * 43), nobody)


def test_Q1_long_words_have_places_to_break() -> None:
    shown = paper.data(pb.PublicQuote(lines=[pb.Quote.Line(description="A" * 60 + " 正常文字" + "中" * 60)]), "zh")
    description = shown["lines"][0][1]
    assert description.replace("\u200b", "") == "A" * 60 + " 正常文字" + "中" * 60
    assert max(len(run) for run in description.split("中")[0].split("\u200b")) <= 16
