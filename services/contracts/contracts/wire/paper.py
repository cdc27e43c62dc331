"""A quote on paper: what stands where, as plain texts for the template beside (`quote.typ`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from google.type.money_pb2 import Money as MoneyMessage

from chassis.money import written
from dealwright.contracts.v1 import quotes_pb2 as pb

TEMPLATE = Path(__file__).with_name("quote.typ")
_WORDS: Mapping[str, tuple[str, str]] = {
    "quote": ("报价单", "Quotation"),
    "terms": ("条款与说明", "Terms"),
    "sign": ("签字 / 盖章　　　　　日期", "Signature / stamp, date"),
    "version": ("第 {} 版", "Version {}"),
    "customer": ("客户", "Customer"),
    "contact": ("联系人", "Attention"),
    "date": ("报价日期", "Date"),
    "until": ("有效期至", "Valid until"),
    "seller": ("销售代表", "Your contact"),
    "phone": ("电话", "Tel."),
    "email": ("邮箱", "E-mail"),
    "tax_number": ("税号", "Tax no."),
    "bank": ("开户行及账号", "Bank"),
    "address": ("地址", "Address"),
    "website": ("网址", "Web"),
    "item": ("序号", "No."),
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
    "theirs": ("客户确认", "For the customer"),
    "ours": ("报价方", "For the supplier"),
    "footer": ("本报价单金额以 {} 计", "All amounts in {}"),
}
# Runs without a place to break: parts numbers, addresses of web pages, what somebody leant on.
_LONG = re.compile(r"[^\s\u2e80-\uffff]{25,}")
_BREAK = "\u200b"


def data(of: pb.PublicQuote, language: str) -> dict[str, Any]:
    """What `quote.typ` reads. Everything is text; columns that would be empty are left out."""
    words = {key: both[language == "en"] for key, both in _WORDS.items()}
    company = of.company
    discounted = any(line.discount_percent not in ("", "0") for line in of.lines)
    shown = {"item": True, "discount": discounted, "tax": True}
    columns = [key for key in _COLUMNS if shown.get(key, True)]
    number = of.number + (f" · {words['version'].format(of.revision)}" if of.revision > 1 else "")
    totals = [[words["net"], amount(of.net_total)], [words["tax_total"], amount(of.tax_total)]]
    if of.discount_percent not in ("", "0"):
        less = _decimal(of.net_total) - _decimal(of.subtotal)
        given = words["off"].format(of.discount_percent)
        totals = [[words["subtotal"], amount(of.subtotal)], [given, written(less, of.currency)], *totals]
    return {
        "language": language,
        "region": "CN" if language == "zh" else "GB",
        "title": f"{words['quote']} {of.number}",
        "words": {key: words[key] for key in ("quote", "terms", "sign")},
        "number": number,
        "company": {
            "name": _broken(company.display_name),
            "logo": company.logo,
            "lines": [
                [words[key], _broken(getattr(company, key))]
                for key in ("address", "phone", "email", "website", "tax_number", "bank")
            ],
        },
        "customer": [[words["customer"], _broken(of.customer)], [words["contact"], _broken(of.contact)]],
        "facts": [
            [words["date"], of.issue_date],
            [words["until"], of.valid_until],
            [words["seller"], _broken(of.seller)],
        ],
        "columns": [_column(key, words, of.currency) for key in columns],
        "lines": [[_cell(key, index, line) for key in columns] for index, line in enumerate(of.lines, 1)],
        "totals": totals,
        "total": [words["total"], f"{of.currency} {amount(of.total)}"],
        "terms": [_broken(one) for one in of.terms.split("\n") if one.strip()],
        "signatures": [words["theirs"], words["ours"]],
        "footer": f"{_broken(company.display_name)}　{of.number}　{words['footer'].format(of.currency)}".strip(),
    }


_COLUMNS = ("item", "description", "quantity", "price", "discount", "tax", "amount")


def _column(key: str, words: Mapping[str, str], currency: str) -> dict[str, Any]:
    return {"title": words[key], "wide": key == "description", "right": key not in ("item", "description")}


def _cell(key: str, index: int, line: pb.Quote.Line) -> str:
    return {
        "item": str(index),
        "description": _broken(line.description),
        "quantity": f"{_grouped(line.quantity)} {line.unit}".strip(),
        "price": amount(line.unit_price),
        "discount": f"{line.discount_percent}%" if line.discount_percent not in ("", "0") else "–",
        "tax": f"{line.tax_percent or '0'}%",
        "amount": amount(line.amount),
    }[key]


def _decimal(of: MoneyMessage) -> Decimal:
    return Decimal(of.units) + Decimal(of.nanos) / 10**9


def amount(of: MoneyMessage) -> str:
    """ "1,234.50": with the decimals of its currency, more where it has more. Empty where there is none."""
    return written(_decimal(of), of.currency_code) if of.currency_code else ""


def _grouped(number: str) -> str:
    whole, dot, rest = number.partition(".")
    return (f"{int(whole):,}" if whole.isdigit() else whole) + dot + rest


def _broken(text: str) -> str:
    """With places to break in long runs: what does not fit the column would leave the page."""
    return _LONG.sub(lambda found: _BREAK.join(re.findall(r".{1,10}", found[0], re.DOTALL)), text)
