"""Who makes the deals of the drill, and who has to agree to them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.faults.load import insist

DESKS = 3


@dataclass(frozen=True)
class House:
    """Who has a part in the deals: salespeople by name with their tokens, who decides, finance, and what is sold."""

    sales: dict[str, str]
    deciders: dict[str, str]
    finance: str
    product: str


def money(amount: int) -> dict[str, str]:
    return {"currencyCode": "CNY", "units": str(amount)}


def staffed(url: str, admin: str, password: str) -> House:
    """Two people at every step that one of them can decide. Salespeople are away: they take no leads."""
    team = insist(url, "/v1/teams", {"displayName": "大客户部"}, admin)["name"]

    def hire(login: str, role: str, **more: Any) -> tuple[str, str]:
        person = {"displayName": login, "login": login, "password": password, "role": role, **more}
        name = insist(url, "/v1/people", person, admin)["name"]
        return name, insist(url, "/v1/sessions", {"login": login, "password": password})["token"]

    directors, generals = (
        [hire(f"{post}-{n}", "manager", team=team) for n in range(2)] for post in ("director", "general")
    )
    finance = [hire(f"finance-{n}", "finance") for n in range(2)]
    bosses = {"director": directors, "finance-director": finance, "general-manager": generals, "risk-control": generals}
    sales = dict(hire(f"desk-{n}", "sales", team=team, manager=directors[0][0]) for n in range(DESKS))
    for person in sales:
        insist(url, f"/v1/{person}:setPresence", {"presence": "OFFLINE"}, admin)
    named = {group: [name for name, _ in two] for group, two in bosses.items()}
    _name_approvers(url, admin, named)
    product = insist(url, "/v1/products", {"code": "WMS", "displayName": "仓储", "unitPrice": money(1000)}, admin)
    return House(sales, dict([*directors, *generals, *finance]), finance[0][1], product["name"])


def _name_approvers(url: str, admin: str, named: dict[str, list[str]]) -> None:
    """As soon as whoever keeps the groups has heard of the people: the bus is late on purpose."""
    end = time.monotonic() + 60
    while True:
        try:
            insist(url, "/v1/blueprint:apply", {"content": {"approverGroups": named}}, admin)
            return
        except AssertionError as refused:
            if "is not known" not in str(refused) or time.monotonic() > end:
                raise
        time.sleep(0.2)
