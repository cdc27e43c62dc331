"""What a company has in its books, made through the API: leads, customers, deals, what was said, papers and money. The
bench of the reports lays it over the days of a year."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from chassis.database import Database
from loadtests import contacts
from loadtests.driving import LoadFailed
from loadtests.population import Population, call

MADE = {
    "leads": 500,
    "customers": 100,
    "opportunities": 200,
    "followUps": 500,
    "tasks": 100,
    "checkIns": 50,
    "contracts": 50,
    "instalments": 100,
    "invoices": 50,
    "payments": 50,
}
"""How many of each the API makes, besides the tasks that the service makes by itself."""
SHARES = {
    "leads": 1.0,
    "customers": 0.1,
    "opportunities": 0.2,
    "followUps": 1.0,
    "tasks": 0.2,
    "checkIns": 0.05,
    "contracts": 0.05,
    "instalments": 0.1,
    "invoices": 0.05,
    "payments": 0.05,
}
"""How many there are in the end, as parts of the leads."""
REGIONS = ("华东", "华南", "华北", "西南", "华中")
_INDUSTRIES = ("物流", "制造", "零售")
_STAGES = ("need-clear", "quote", "negotiation", "won")
_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
# Agreeing is measured by others: here nobody has to.
_NOBODY = {"zh": "无需审批", "en": "Nobody"}
_AGREED = {"id": "nobody", "displayName": _NOBODY, "kind": "APPROVE", "approvers": ["role:admin"], "when": "false"}


def lead(number: int) -> dict[str, Any]:
    return {
        "fullName": f"线索{number}",
        "phone": contacts.contact(number).phone,
        "region": REGIONS[number % 5],
        "industry": _INDUSTRIES[number % 3],
        "channel": ("WEB_FORM", "TRADE_SHOW", "DOUYIN", "REFERRAL")[number % 4],
    }


def make(url: str, people: Population, number: int) -> None:
    """Makes MADE; the leads have the contacts from `number` on. Raises LoadFailed."""
    for first in range(number, number + MADE["leads"], 100):
        requests = [{"lead": lead(one)} for one in range(first, first + 100)]
        call(url, "/v1/leads:batchCapture", {"requests": requests}, people.office)
    customers = [
        call(url, "/v1/customers", _customer(one, people.sellers), people.admin)["name"]
        for one in range(MADE["customers"])
    ]
    deals: list[str] = []
    for first in range(0, MADE["opportunities"], 50):
        requests = [_deal(one, customers[one // 2], people.sellers) for one in range(first, first + 50)]
        answer = call(url, "/v1/opportunities:batchCreate", {"requests": requests}, people.admin)
        deals += [one["opportunity"]["name"] for one in answer["results"] if "opportunity" in one]
    if len(deals) < MADE["opportunities"]:
        raise LoadFailed(f"only {len(deals)} opportunities could be made: {answer['results'][-1]}")
    _activities(url, people.admin, customers, deals)
    _papers(url, people, customers)


def _customer(number: int, sellers: Sequence[str]) -> dict[str, Any]:
    of = {"displayName": f"客户{number}", "region": REGIONS[number % 5], "industry": _INDUSTRIES[number % 3]}
    return {**of, "owner": sellers[number % len(sellers)]}


def _deal(number: int, customer: str, sellers: Sequence[str]) -> dict[str, Any]:
    passed = _STAGES[: 1 + number % 4]
    history = [{"stage": stage, "enterTime": f"2026-0{3 + place}-10T02:00:00Z"} for place, stage in enumerate(passed)]
    amount = _cny(10_000 + number * 100)
    of = {"title": f"采购{number}", "customer": customer, "amount": amount, "source": "WEB_FORM"}
    of["owner"] = sellers[number % len(sellers)]
    opened = {"openTime": "2026-02-10T02:00:00Z"} | ({"closeTime": history[-1]["enterTime"]} if "won" in passed else {})
    return {"opportunity": of | opened, "historical": True, "history": history}


def _activities(url: str, admin: str, customers: Sequence[str], deals: Sequence[str]) -> None:
    """Follow-ups on several days of each customer, tasks of which half are done, check-ins with their proofs."""
    for one in range(MADE["followUps"]):
        said = {"record": deals[one % len(deals)], "method": "CALL", "outcome": "PROGRESS", "summary": "介绍了公司"}
        call(url, "/v1/followUps", {**said, "happenTime": _moment(-(one % 7))}, admin)
    for one in range(MADE["tasks"]):
        of = {"title": "回访", "record": customers[one % len(customers)], "dueTime": _moment(one % 20 - 10)}
        task = call(url, "/v1/tasks", of, admin)["name"]
        if one % 2:
            call(url, f"/v1/{task}:complete", {}, admin)
    place = {"latitude": 31.2, "longitude": 121.5}
    for customer in customers[: MADE["checkIns"] // 5]:
        proven: dict[str, Any] = {"record": customer, "location": place}
        for kind in ("photo", "signature"):
            content = base64.b64encode(_PICTURE + kind.encode() + customer.encode()).decode()
            file = {"record": customer, "kind": kind, "content": content, "fileName": f"{kind}.png"}
            proven[kind] = call(url, "/v1/attachments", {**file, "contentType": "image/png"}, admin)["name"]
        for day in range(5):
            call(url, "/v1/checkIns", {**proven, "happenTime": _moment(-day)}, admin)


def _papers(url: str, people: Population, customers: Sequence[str]) -> None:
    """Contracts that were signed, each with two instalments, an invoice and a payment of a part."""
    flow = {"displayName": _NOBODY, "for": "contract", "nodes": [_AGREED]}
    call(url, "/v1/blueprint:apply", {"content": {"approvalFlows": {"contract": flow}}}, people.admin)

    def post(path: str, body: Mapping[str, Any]) -> Any:
        return call(url, f"/v1/{path}", body, people.admin)

    for one in range(MADE["contracts"]):
        units = 10_000 * (1 + one % 9)
        paper = {"title": f"合同{one}", "customer": customers[one * 2 % len(customers)], "amount": _cny(units * 2)}
        paper |= {"financeMode": "INSTALMENTS", "owner": people.sellers[one % len(people.sellers)]}
        name = post("contracts", paper)["name"]
        parts = [
            {"title": title, "amount": _cny(units), "dueDate": _moment(days)[:10]}
            for title, days in (("首付", 1 + one % 30), ("尾款", 60 + 5 * one))
        ]
        post(f"{name}:plan", {"instalments": parts})
        post(f"{name}:submit", {})
        post(f"{name}:sign", {})
        post("invoices", {"contract": name, "amount": _cny(units)})
        post("payments", {"contract": name, "amount": _cny(units // 2 * (1 + one % 3)), "method": "电汇"})


def _cny(units: int) -> dict[str, str]:
    return {"currencyCode": "CNY", "units": str(units)}


def _moment(days: int) -> str:
    """At this time, so many days from today."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z")


def quiet(dsn: str) -> None:
    """Waits until all that was told is in the sums of these reports. Raises LoadFailed after three minutes."""
    reports = Database(dsn)
    still, last = 0, -1
    deadline = time.monotonic() + 180
    try:
        while still < 6:
            if time.monotonic() > deadline:
                raise LoadFailed("the reports do not come to rest")
            with reports.read() as on:
                count, fresh = (
                    on.execute(sa.text(f"select count(*) from {table}")).scalar_one()
                    for table in ("postings", "batches")
                )
            still = still + 1 if (count == last and not fresh) else 0
            last = count
            time.sleep(0.5)
    finally:
        reports.dispose()
