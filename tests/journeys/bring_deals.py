"""Brings a set of leads and deals (deal_sheets) into a running Dealwright, as history, through its public API.

    python -m tests.journeys.bring_deals FOLDER LAYOUT.toml      (DEALWRIGHT_URL, DEALWRIGHT_ADMIN_PASSWORD)

People with their managers and teams, customers, products, a pipeline of the set's stages, leads with their channels and
the days on which they came, and the deals with the days on which they were opened, moved and closed. What was mapped,
missing or refused is printed.
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

from tests.journeys.api import Api
from tests.journeys.deal_cells import ZONE, Notes, amount
from tests.journeys.deal_sheets import Deal, Layout, Sheets, layout, read

MOST = 250
T = TypeVar("T")


def bring(api: Api, sheets: Sheets) -> dict[str, str]:
    """All of it; the names of people, by what the sheets call them. What is nobody's there is whoever's brings it. What
    is refused is noted."""
    of, notes = sheets.layout, sheets.notes
    _pipeline(api, of)
    people = _people(api, sheets) | {"": str(api.me["name"])}
    customers = _customers(api, sheets)
    for number, (name, said) in enumerate(sheets.products.items()):
        _product(api, of, name, said, number, notes)
    leads = _leads(api, sheets)
    deals = [(deal, _request(of, deal, people, customers, leads)) for deal in sheets.deals]
    for part in _parts(deals):
        answer = api.post("/v1/opportunities:batchCreate", {"requests": [request for _, request in part]})
        _taken("deal", [deal.id for deal, _ in part], answer["results"], notes)
    return people


def _parts(every: Sequence[T]) -> Iterator[Sequence[T]]:
    return (every[at : at + MOST] for at in range(0, len(every), MOST))


def _taken(what: str, names: Sequence[str], results: list[dict[str, Any]], notes: Notes) -> dict[str, dict[str, Any]]:
    """The answers to those that were taken in, by their names; the others are noted."""
    answers = dict(zip(names, results, strict=True))
    for name, one in answers.items():
        if "error" in one:
            notes[f"{what} {name} was refused: {one['error']}"] += 1
    return {name: one for name, one in answers.items() if "error" not in one}


def _pipeline(api: Api, of: Layout) -> None:
    stages = [
        {"id": one.id, "displayName": one.said or one.id, "kind": one.kind, "probability": 100 * (one.kind == "WON")}
        for one in of.stages
    ]
    content = {"pipelines": {of.pipeline: {"displayName": of.name, "stages": stages}}}
    api.post("/v1/blueprint:apply", {"content": content})


def _people(api: Api, sheets: Sheets) -> dict[str, str]:
    """A team for each manager, with everybody that he leads."""
    of = sheets.layout
    found: dict[str, str] = {}
    managers: dict[str, tuple[str, str]] = {}
    for name, said in sheets.people.items():
        manager = said.get("manager", "")
        if manager and manager not in managers:
            team = api.post("/v1/teams", {"displayName": manager})["name"]
            managers[manager] = (
                _hire(api, manager, "manager", team, f"{of.pipeline} {len(managers) + len(found)}", said),
                team,
            )
        leader, team = managers.get(manager, ("", ""))
        found[name] = _hire(api, name, "sales", team, f"{of.pipeline} {len(managers) + len(found)}", said, leader)
    return found | {name: person for name, (person, _) in managers.items()}


def _hire(api: Api, name: str, role: str, team: str, apart: str, said: Any, manager: str = "") -> str:
    """`apart` tells the login from others': names are written in other letters, too."""
    login = re.sub(r"[^a-z0-9]+", ".", f"{name} {apart}".lower()).strip(".")
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
        answer = api.post("/v1/customers:batchCreate", {"requests": requests})
        taken = _taken("customer", [name for name, _ in part], answer["results"], sheets.notes)
        found |= {name: one["customer"]["name"] for name, one in taken.items()}
    return found


def _product(api: Api, of: Layout, name: str, said: Any, number: int, notes: Notes) -> None:
    product = {"code": f"{of.pipeline}-{number}", "displayName": name, "category": said.get("category", "")}
    price = amount(said.get("price", ""), notes)
    if price is not None:
        product["unitPrice"] = money(price, of.currency)
    api.post("/v1/products", product)


def _leads(api: Api, sheets: Sheets) -> dict[str, str]:
    """Each has an address of its own: such sets tell of nobody how he is reached."""
    found: dict[str, str] = {}
    for part in _parts(list(enumerate(sheets.leads))):
        requests = [
            {
                "lead": {
                    "fullName": f"{sheets.layout.name} {number}",
                    "email": f"{number}@{sheets.layout.pipeline}.example.com",
                    "channel": lead.channel,
                    "captureTime": _midnight(lead.captured),
                }
            }
            for number, lead in part
        ]
        answer = api.post("/v1/leads:batchCapture", {"requests": requests})
        taken = _taken("lead", [str(number) for number, _ in part], answer["results"], sheets.notes)
        found |= {lead.id: taken[str(number)]["lead"]["name"] for number, lead in part if str(number) in taken}
    found.pop("", None)
    return found


def _request(
    of: Layout, deal: Deal, people: dict[str, str], customers: dict[str, str], leads: dict[str, str]
) -> dict[str, Any]:
    opportunity: dict[str, Any] = {
        "title": deal.id or "-",
        "pipeline": f"pipelines/{of.pipeline}",
        "owner": people.get(deal.owner, ""),
        "customer": customers.get(deal.customer, ""),
        "lead": leads.get(deal.lead, ""),
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
    for line in noted_of(sheets):
        print(line)


def noted_of(sheets: Sheets) -> list[str]:
    """What was brought, and how often what was noted of it."""
    counted = {"leads": sheets.leads, "deals": sheets.deals, "customers": sheets.customers, "people": sheets.people}
    first = ", ".join(f"{len(those)} {name}" for name, those in counted.items())
    return [first, *(f"{times:6} {note}" for note, times in sorted(sheets.notes.items()))]


if __name__ == "__main__":
    main(*sys.argv[1:])
