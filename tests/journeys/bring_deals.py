"""Brings a set of deals (deal_sheets) into a running Dealwright, as history, through its public API.

    python -m tests.journeys.bring_deals FOLDER LAYOUT.toml      (DEALWRIGHT_URL, DEALWRIGHT_ADMIN_PASSWORD)

People with their managers and teams, customers, products, a pipeline of the set's stages, and the deals with the days
on which they were opened, moved and closed. What was mapped or missing is printed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from tests.journeys.api import Api
from tests.journeys.deal_sheets import Deal, Layout, Sheets, layout, read

MOST = 250
ZONE = ZoneInfo("Asia/Shanghai")
"""Of the company's clock, by which a day begins."""
T = TypeVar("T")


def bring(api: Api, sheets: Sheets) -> dict[str, str]:
    """All of it; the names of people, by what the sheets call them. What is nobody's there is whoever's brings it."""
    of = sheets.layout
    _pipeline(api, of)
    people = _people(api, sheets) | {"": str(api.me["name"])}
    customers = _customers(api, sheets)
    for name, said in sheets.products.items():
        _product(api, of, name, said)
    for part in _parts(list(sheets.deals)):
        requests = [_request(of, deal, people, customers) for deal in part]
        answer = api.post("/v1/opportunities:batchCreate", {"requests": requests})
        _insist(answer["results"], [deal.id for deal in part])
    return people


def _parts(every: Sequence[T]) -> Iterator[Sequence[T]]:
    return (every[at : at + MOST] for at in range(0, len(every), MOST))


def _insist(results: list[dict[str, Any]], ids: Sequence[str]) -> None:
    """Every row was taken in."""
    wrong = [(id, one["error"]) for id, one in zip(ids, results, strict=True) if "error" in one]
    if wrong:
        raise AssertionError(f"{len(wrong)} refused, first {wrong[0]}")


def _pipeline(api: Api, of: Layout) -> None:
    stages = [
        {"id": one.id, "displayName": one.said or one.id, "kind": one.kind, "probability": 100 * (one.kind == "WON")}
        for one in of.stages
    ]
    content = {"pipelines": {of.pipeline: {"displayName": of.name, "stages": stages}}}
    api.post("/v1/blueprint:apply", {"content": content})


def _people(api: Api, sheets: Sheets) -> dict[str, str]:
    """A team for each manager, with everybody that he leads."""
    found: dict[str, str] = {}
    managers: dict[str, tuple[str, str]] = {}
    for name, said in sheets.people.items():
        manager = said.get("manager", "")
        if manager and manager not in managers:
            team = api.post("/v1/teams", {"displayName": manager})["name"]
            managers[manager] = (_hire(api, manager, "manager", team, said), team)
        leader, team = managers.get(manager, ("", ""))
        found[name] = _hire(api, name, "sales", team, said, leader)
    return found | {name: person for name, (person, _) in managers.items()}


def _hire(api: Api, name: str, role: str, team: str, said: Any, manager: str = "") -> str:
    login = re.sub(r"[^a-z0-9]+", ".", name.lower()).strip(".")
    person = {"displayName": name, "login": login, "role": role, "team": team, "manager": manager}
    made = api.post("/v1/people", {**person, "region": said.get("region", "")})
    return str(made["name"])


def _customers(api: Api, sheets: Sheets) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _parts(list(sheets.customers.items())):
        requests = [
            {"customer": {"displayName": name, "industry": said.get("industry", ""), "region": said.get("region", "")}}
            for name, said in part
        ]
        results = api.post("/v1/customers:batchCreate", {"requests": requests})["results"]
        _insist(results, [name for name, _ in part])
        found |= {name: one["customer"]["name"] for (name, _), one in zip(part, results, strict=True)}
    return found


def _product(api: Api, of: Layout, name: str, said: Any) -> None:
    product = {"code": re.sub(r"\W+", "-", name), "displayName": name, "category": said.get("category", "")}
    if said.get("price"):
        product["unitPrice"] = money(Decimal(said["price"]), of.currency)
    api.post("/v1/products", product)


def _request(of: Layout, deal: Deal, people: dict[str, str], customers: dict[str, str]) -> dict[str, Any]:
    opportunity: dict[str, Any] = {
        "title": deal.id,
        "pipeline": f"pipelines/{of.pipeline}",
        "owner": people.get(deal.owner, ""),
        "customer": customers.get(deal.customer, ""),
        "products": [deal.product] if deal.product else [],
    }
    if deal.value is not None:
        opportunity["amount"] = money(deal.value, of.currency)
    history = [{"stage": stage, "enterTime": _midnight(day)} for stage, day in deal.visits]
    return {"opportunity": opportunity, "historical": True, "history": history}


def money(value: Decimal, currency: str) -> dict[str, Any]:
    return {"currencyCode": currency, "units": str(int(value)), "nanos": int(value % 1 * 1_000_000_000)}


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), ZONE).isoformat()


def main(folder: str, path: str) -> None:
    sheets = read(layout(Path(path)), Path(folder))
    api = Api(
        os.environ.get("DEALWRIGHT_URL", "http://127.0.0.1:8080"), "admin", os.environ["DEALWRIGHT_ADMIN_PASSWORD"]
    )
    bring(api, sheets)
    print(f"{len(sheets.deals)} deals, {len(sheets.customers)} customers, {len(sheets.people)} people")
    for note, times in sorted(sheets.notes.items()):
        print(f"{times:6} {note}")


if __name__ == "__main__":
    main(*sys.argv[1:])
