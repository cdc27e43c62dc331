"""What a third of the made-up requests about customers and deals say instead, so that commands succeed at times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.security import examples_reports
from tests.security.examples_deals import MAKERS, PDF, TEN, Deals, sheet


@dataclass(frozen=True)
class Call:
    """`name`: the resource asked for, in the path; empty where there is none, or any will do."""

    name: str = ""
    body: Any = None
    query: dict[str, Any] | None = None


Make = Callable[[Deals, int], Call]


def _says(body: Callable[[Deals, int], Any], query: dict[str, Any] | None = None) -> Make:
    return lambda d, n: Call("", body(d, n), query)


def _on(make: Callable[[Deals], str], **body: Any) -> Make:
    return lambda d, n: Call(make(d), body)


def _asks(**query: Any) -> Make:
    return lambda d, n: Call("", None, query)


_TITLE = "POST /v1/opportunities/{opportunity}"
CALLS: dict[str, Make] = {
    # --- leads ---
    "PATCH /v1/leads/{lead}": _on(Deals.lead, fullName="新名"),
    "DELETE /v1/leads/{lead}": lambda d, n: Call(d.lead(), None, {}),
    "POST /v1/leads/{lead}:undelete": lambda d, n: Call(d.gone(d.lead()), {}),
    "POST /v1/leads/{lead}:qualify": _on(Deals.lead),
    "POST /v1/forms/{form}:undelete": lambda d, n: Call(d.gone(d.form()), {}),
    "POST /v1/calendars/{calendar}:undelete": lambda d, n: Call(
        d.gone(d.made(f"calendars?calendarId=gone-{next(d.numbers)}", {"displayName": "班"})), {}
    ),
    "POST /v1/teams/{team}:undelete": lambda d, n: Call(
        d.gone(d.made("teams", {"displayName": f"组 {next(d.numbers)}"})), {}
    ),
    "POST /v1/forms/{form}:submit": lambda d, n: Call(d.form(), {"lead": {"phone": str(13500000000 + n % 10**8)}}),
    # --- imports ---
    "POST /v1/imports": _says(lambda d, n: {"kind": "LEADS", "content": sheet(next(d.numbers)), "fileName": "a.csv"}),
    "POST /v1/imports/{import}:append": lambda d, n: Call(
        d.brought("UPLOADING", more=True, content=PDF), {"offset": 9, "content": sheet(n % 1000)}
    ),
    "PATCH /v1/imports/{import}": _on(lambda d: d.brought("PREVIEWED", validateOnly=True), historical=True),
    "POST /v1/imports/{import}:commit": _on(lambda d: d.brought("PREVIEWED", validateOnly=True)),
    "POST /v1/imports/{import}:cancel": _on(lambda d: d.brought("PREVIEWED", validateOnly=True)),
    "POST /v1/imports/{import}:undo": _on(lambda d: d.brought("SUCCEEDED")),
    "GET /v1/imports/{import}:downloadRefused": lambda d, n: Call(d.brought("SUCCEEDED")),
    "POST /v1/automations:preview": _says(lambda d, n: {"on": "OPPORTUNITY_OPENED", "facts": {"amount": n % 1000}}),
    # --- customers ---
    "POST /v1/customers": _says(lambda d, n: {"displayName": f"客户 {n}"}, {}),
    "POST /v1/customers:batchCreate": _says(lambda d, n: {"requests": [{"customer": {"displayName": f"客户 {n}"}}]}),
    "POST /v1/customers:batchFind": _says(lambda d, n: {"customers": [{"displayName": f"客户 {n}"}]}),
    "PATCH /v1/customers/{customer}": _on(Deals.customer, address="路 1 号"),
    "POST /v1/customers/{customer}:merge": lambda d, n: Call(d.customer(), {"other": d.customer()}),
    "POST /v1/customers/{customer}:transfer": lambda d, n: Call(d.customer(), {"owner": d.person(), "reason": "换"}),
    "POST /v1/contacts": _says(lambda d, n: {"customer": d.known_customer(), "fullName": "王"}, {}),
    "POST /v1/contacts:batchCreate": _says(
        lambda d, n: {"requests": [{"contact": {"customer": d.known_customer(), "fullName": "王"}}]}
    ),
    "PATCH /v1/contacts/{contact}": _on(Deals.contact, title="经理"),
    "POST /v1/handOvers/{handOver}:confirm": lambda d, n: Call(d.hand_over(), {"owner": d.person()}),
    "POST /v1/handOvers:batchConfirm": _says(lambda d, n: {"names": [d.hand_over()], "owner": d.person()}),
    # --- opportunities ---
    "POST /v1/opportunities": _says(lambda d, n: {"title": f"采购 {n}"}, {}),
    "POST /v1/opportunities:batchCreate": _says(lambda d, n: {"requests": [{"opportunity": {"title": f"采购 {n}"}}]}),
    "PATCH /v1/opportunities/{opportunity}": _on(Deals.deal, title="新名"),
    f"{_TITLE}:win": _on(Deals.ready),
    f"{_TITLE}:lose": _on(Deals.deal, reason="价格"),
    f"{_TITLE}:hold": _on(Deals.deal, reason="停产"),
    f"{_TITLE}:resume": _on(lambda d: d.did(d.deal(), "hold", reason="停产")),
    f"{_TITLE}:reopen": _on(lambda d: d.did(d.deal(), "lose", reason="价格"), reason="回来"),
    f"{_TITLE}:transfer": lambda d, n: Call(d.deal(), {"owner": d.person(), "reason": "换"}),
    f"{_TITLE}:confirm": _on(Deals.awaiting),
    f"{_TITLE}:requestCollaboration": lambda d, n: Call(d.deal(), {"person": d.person(), "part": "报价"}),
    f"{_TITLE}:share": lambda d, n: Call(d.deal(), {"person": d.person()}),
    f"{_TITLE}:quote": _on(Deals.deal),
    f"{_TITLE}:contract": _on(Deals.deal),
    "GET /v1/opportunities:summarize": _asks(),
    # --- what people do ---
    "POST /v1/followUps": _says(
        lambda d, n: {"record": d.known_customer(), "outcome": "PROGRESS", "summary": f"谈 {n}"}, {}
    ),
    "POST /v1/followUps:batchCreate": _says(
        lambda d, n: {"requests": [{"followUp": {"record": d.known_customer(), "outcome": "PROGRESS"}}]}
    ),
    "PATCH /v1/followUps/{followUp}": _on(Deals.follow_up, summary="新"),
    "GET /v1/followUps:summarize": _asks(),
    "GET /v1/followUps:latest": _asks(kind="customers"),
    "POST /v1/tasks": _says(lambda d, n: {"title": f"报价 {n}"}, {}),
    "PATCH /v1/tasks/{task}": _on(Deals.task, title="新"),
    "POST /v1/tasks/{task}:claim": _on(
        lambda d: d.task(owner="", team=d.made("teams", {"displayName": f"队 {next(d.numbers)}"}))
    ),
    "POST /v1/tasks/{task}:start": _on(Deals.task),
    "POST /v1/tasks/{task}:complete": _on(Deals.task, result="好"),
    "POST /v1/tasks/{task}:cancel": _on(Deals.task, result="免"),
    "POST /v1/tasks/{task}:reopen": _on(lambda d: d.did(d.task(), "complete")),
    "POST /v1/tasks/{task}:assign": lambda d, n: Call(d.task(), {"owner": d.front.me}),
    "POST /v1/changeRequests": _says(lambda d, n: {"record": d.deal(), "type": "DELIVERY", "detail": f"换 {n}"}, {}),
    "PATCH /v1/changeRequests/{changeRequest}": _on(Deals.change_request, detail="新"),
    "POST /v1/interactions": _says(
        lambda d, n: {"record": d.known_customer(), "kind": "ORDER", "system": "shop", "externalId": f"made-{n}"}, {}
    ),
    "PATCH /v1/interactions/{interaction}": _on(Deals.interaction, title="新"),
    "GET /v1/timeline": lambda d, n: Call("", None, {"record": d.known_customer()}),
    "POST /v1/attachments": _says(
        lambda d, n: {"record": d.known_customer(), "kind": "contract", "content": PDF, "fileName": f"{n}.pdf"}
    ),
    "PATCH /v1/attachments/{attachment}": _on(Deals.attachment, kind="quote"),
    "POST /v1/checkIns": _says(lambda d, n: d.visit(), {}),
    "PATCH /v1/checkIns/{checkIn}": _on(lambda d: d.made("checkIns", d.visit()), note="新"),
    "POST /v1/templates": _says(
        lambda d, n: {"displayName": f"模板 {n}", "kind": "DOCUMENT", "bodyZh": "好", "bodyEn": "hi"}, {}
    ),
    "PATCH /v1/templates/{template}": _on(Deals.template, bodyZh="新"),
    "POST /v1/templates/{template}:render": lambda d, n: Call(d.template(), {"record": d.known_customer()}),
    "POST /v1/notifications/{notification}:markRead": _on(Deals.notification),
    "POST /v1/notifications:batchMarkRead": _says(lambda d, n: {"names": [d.notification()]}),
    "PATCH /v1/notificationPreference": _says(lambda d, n: {"companyDefault": bool(n % 2)}, {}),
    # --- quotes ---
    "POST /v1/products": _says(lambda d, n: {"code": f"M-{n}", "displayName": "产品", "unitPrice": TEN}, {}),
    "PATCH /v1/products/{product}": _on(Deals.product, unit="套"),
    "POST /v1/priceLists": _says(lambda d, n: {"displayName": f"价目 {n}", "currency": "CNY"}, {}),
    "PATCH /v1/priceLists/{priceList}": _on(Deals.price_list, displayName="新"),
    "POST /v1/exchangeRates": _says(lambda d, n: d.rate(), {}),
    "PATCH /v1/exchangeRates/{exchangeRate}": _on(Deals.exchange_rate, rate="7.2"),
    "GET /v1/exchangeRates:convert": _asks(amount="1", fromCurrency="CNY", toCurrency="CNY"),
    "POST /v1/quotes": _says(lambda d, n: {"opportunity": d.deal(), "lines": d.lines()}, {}),
    "PATCH /v1/quotes/{quote}": _on(Deals.quote, terms="预付"),
    "POST /v1/quotes/{quote}:submit": _on(Deals.quote),
    "POST /v1/quotes/{quote}:revise": _on(Deals.agreed_quote),
    "POST /v1/quotes/{quote}:accept": _on(Deals.agreed_quote),
    "POST /v1/quotes/{quote}:link": _on(Deals.agreed_quote),
    "POST /v1/quotes/{quote}:unlink": _on(lambda d: d.did(d.agreed_quote(), "link")),
    "POST /v1/quotes/{quote}:contract": _on(Deals.agreed_quote),
    "POST /v1/quoteLinks:open": _says(lambda d, n: {"token": d.link()}),
    "GET /v1/quoteLinks:download": lambda d, n: Call("", None, {"token": d.link()}),
    "GET /v1/quotes/{quote}:download": lambda d, n: Call(d.quote(), None, {}),
    # --- approvals ---
    "POST /v1/approvals": _says(lambda d, n: {"record": d.deal()}, {}),
    "POST /v1/approvals/{approval}:decide": _on(Deals.approval, verdict="APPROVE"),
    "POST /v1/approvals/{approval}:delegate": lambda d, n: Call(d.approval(), {"to": d.person()}),
    "POST /v1/approvals/{approval}:withdraw": _on(lambda d: d.approval(None)),
    "POST /v1/approvals/{approval}:remind": _on(lambda d: d.approval(None)),
    "POST /v1/approvalFlows:simulate": _says(lambda d, n: {"flowId": "opportunity", "last": 1 + n % 10}),
    # --- contracts and what is paid on them ---
    "POST /v1/contracts": _says(lambda d, n: {"title": f"采购 {n}", "amount": TEN}, {}),
    "PATCH /v1/contracts/{contract}": _on(Deals.contract, title="新名"),
    "POST /v1/contracts/{contract}:submit": _on(Deals.contract),
    "POST /v1/contracts/{contract}:sign": _on(Deals.agreed_contract),
    "POST /v1/contracts/{contract}:void": _on(Deals.contract, reason="取消"),
    "POST /v1/contracts/{contract}:transfer": lambda d, n: Call(d.contract(), {"owner": d.person(), "reason": "换"}),
    "POST /v1/contracts/{contract}:renew": _on(lambda d: d.signed(expiryDate="2099-12-31")),
    "POST /v1/contracts/{contract}:change": _on(Deals.signed, contract={"terms": "延"}, reason="客户"),
    "POST /v1/contracts/{contract}:deliver": _on(Deals.signed),
    "POST /v1/contracts/{contract}:plan": _on(Deals.contract, instalments=[{"amount": TEN}]),
    "GET /v1/contracts:summarize": _asks(),
    "PATCH /v1/instalments/{instalment}": _on(Deals.instalment, title="首付"),
    "POST /v1/instalments/{instalment}:reach": _on(lambda d: d.instalment(d.signed(financeMode="MILESTONE"))),
    "POST /v1/invoices": _says(lambda d, n: {"contract": d.signed(), "amount": TEN}, {}),
    "PATCH /v1/invoices/{invoice}": _on(Deals.invoice, title="新抬头"),
    "POST /v1/invoices/{invoice}:void": _on(Deals.invoice, reason="作废"),
    "POST /v1/payments": _says(lambda d, n: {"contract": d.signed(), "amount": TEN}, {}),
    "PATCH /v1/payments/{payment}": _on(Deals.payment, note="首付"),
    "GET /v1/payments:forecast": _asks(),
    "GET /v1/payments:summarize": _asks(),
}


def _unshared(d: Deals, n: int) -> Call:
    who, deal = d.person(), d.deal()
    return Call(d.did(deal, "share", person=who), {"person": who})


CALLS[f"{_TITLE}:unshare"] = _unshared


def sound_call(label: str) -> Make | None:
    """What is right for the operation ("DELETE /v1/tasks/{task}"); None where anything made up does as well."""
    if label in CALLS:
        return CALLS[label]
    if label in examples_reports.SAID:
        said = examples_reports.SAID[label]
        return lambda d, n: Call(*said(d, n))
    kind = label.partition("{")[2].partition("}")[0]
    make = MAKERS.get(kind) or examples_reports.MAKERS.get(kind)
    if make is None:
        return None
    if label.startswith("DELETE"):
        return lambda d, n: Call(make(d), None, {})
    if label.endswith(":undelete"):
        return lambda d, n: Call(d.gone(make(d)), {})
    return None
