"""The page of a quote as its customer reads it. No script, nothing from elsewhere; every text is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from html import escape

from google.type.money_pb2 import Money

from chassis.money import written
from dealwright.contracts.v1 import quotes_pb2

# The status of a link whose offer has ended: it was there, and is gone.
ENDED = 410
_WORDS: Mapping[str, tuple[str, str]] = {
    "quote": ("报价单", "Quotation"),
    "version": ("第 {} 版", "Version {}"),
    "customer": ("客户", "Customer"),
    "contact": ("联系人", "Attention"),
    "date": ("报价日期", "Date"),
    "until": ("有效期至", "Valid until"),
    "seller": ("销售代表", "Your contact"),
    "description": ("产品 / 服务", "Product / service"),
    "quantity": ("数量", "Quantity"),
    "price": ("单价", "Unit price"),
    "discount": ("折扣", "Discount"),
    "tax": ("税率", "Tax"),
    "amount": ("金额（未税）", "Amount (net)"),
    "subtotal": ("小计", "Subtotal"),
    "off": ("整单折扣 {}%", "Discount {}%"),
    "net": ("未税合计", "Net total"),
    "tax_total": ("税额", "Tax"),
    "total": ("价税合计", "Total incl. tax"),
    "terms": ("条款与说明", "Terms"),
    "download": ("下载 PDF", "Download PDF"),
    "gone": ("无法打开该报价", "This quotation cannot be opened"),
    "ended": ("该报价已失效", "This offer has ended"),
    "seller_knows": ("如仍需要，请联系您的销售代表。", "Please ask your contact if you still need it."),
    "ask": ("链接可能已过期或被撤回，请联系您的销售代表。", "It is over or was withdrawn. Please ask your contact."),
    "later": ("请稍后再试。", "Please try again later."),
    "other": ("English", "中文"),
}  # fmt: skip


def _words(tongue: str) -> dict[str, str]:
    return {key: both[tongue == "en"] for key, both in _WORDS.items()}


def quote(tongue: str, of: quotes_pb2.PublicQuote, token: str) -> str:
    words = _words(tongue)
    company = of.company
    title = f"{words['quote']} {of.number}"
    version = f" · {words['version'].format(of.revision)}" if of.revision > 1 else ""
    facts = [
        *((words["customer"], of.customer), (words["contact"], of.contact), (words["date"], of.issue_date)),
        *((words["until"], of.valid_until), (words["seller"], of.seller)),
    ]
    other = "en" if tongue == "zh" else "zh"
    body = f"""<header>
<p class="company">{_logo(company.logo)}<strong>{escape(company.display_name)}</strong></p>
<p class="tongue"><a href="?lang={other}" lang="{other}">{words["other"]}</a></p>
</header>
<h1>{words["quote"]} <small>{escape(of.number)}{version}</small></h1>
<dl>{"".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts if value)}</dl>
<div class="wide" tabindex="0" role="region" aria-label="{words["description"]}">
<table>
<thead><tr><th scope="col">{words["description"]}</th>{_heads(words)}</tr></thead>
<tbody>
{"".join(_line(one) for one in of.lines)}</tbody>
</table>
</div>
<dl class="totals">{_totals(words, of)}</dl>
<p><a class="button" href="/q/{escape(token)}/pdf?lang={tongue}" download>{words["download"]}</a></p>
{_terms(words, of.terms)}
<footer>{_footer(company)}</footer>"""
    return _page(tongue, title, body)


def problem(tongue: str, status: int, detail: str) -> str:
    words = _words(tongue)
    what = words["ended" if status == ENDED else "gone"]
    why = {404: words["ask"], ENDED: words["seller_knows"], 429: detail, 405: detail}.get(status, words["later"])
    return _page(tongue, what, f'<h1>{what}</h1>\n<p role="alert">{escape(why)}</p>')


def _logo(text: str) -> str:
    return f'<span class="logo">{escape(text)}</span> ' if text else ""


def _heads(words: Mapping[str, str]) -> str:
    return "".join(f'<th scope="col">{words[key]}</th>' for key in ("quantity", "price", "discount", "tax", "amount"))


def _line(one: quotes_pb2.Quote.Line) -> str:
    off = f"{one.discount_percent}%" if one.discount_percent not in ("", "0") else "–"
    cells = (
        f"{one.quantity} {one.unit}".strip(),
        _amount(one.unit_price),
        off,
        f"{one.tax_percent or '0'}%",
        _amount(one.amount),
    )
    row = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(one.description)}</th>{row}</tr>\n'


def _totals(words: Mapping[str, str], of: quotes_pb2.PublicQuote) -> str:
    rows = [(words["net"], _amount(of.net_total)), (words["tax_total"], _amount(of.tax_total))]
    if of.discount_percent not in ("", "0"):
        less = written(_decimal(of.net_total) - _decimal(of.subtotal), of.currency)
        given = words["off"].format(escape(of.discount_percent))
        rows = [(words["subtotal"], _amount(of.subtotal)), (given, less), *rows]
    rows.append((words["total"], f"{of.currency} {_amount(of.total)}"))
    return "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in rows)


def _terms(words: Mapping[str, str], terms: str) -> str:
    return f'<h2>{words["terms"]}</h2>\n<p class="terms">{escape(terms)}</p>' if terms else ""


def _footer(company: quotes_pb2.PublicQuote.Company) -> str:
    known = (company.display_name, company.address, company.phone, company.email, company.website)
    return " · ".join(escape(one) for one in known if one)


def _decimal(of: Money) -> Decimal:
    return Decimal(of.units) + Decimal(of.nanos) / 10**9


def _amount(of: Money) -> str:
    return written(_decimal(of), of.currency_code) if of.currency_code else ""


def _page(tongue: str, title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="{"zh-CN" if tongue == "zh" else "en"}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(title)}</title><link rel="stylesheet" href="/quote.css"></head>
<body><main>
{body}
</main></body></html>
"""
