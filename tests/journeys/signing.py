"""A contract as far as the money, through the public API: drawn up, agreed to by everybody whom the rules name, signed,
paid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.api import Api, until
from tests.journeys.desk import Desk, phone


def cny(units: int) -> dict[str, Any]:
    return {"currencyCode": "CNY", "units": str(units)}


@dataclass
class Team:
    """Somebody who sells, his manager, finance, and a customer of his."""

    desk: Desk
    mine: Api
    boss: Api
    finance: Api
    customer: str
    others: list[Api] = field(default_factory=list)

    @contextmanager
    def countersigned(self) -> Iterator[list[str]]:
        """Changes of contracts take a lawyer and a general manager, too; the house is left as it was."""
        law, chief = self.desk.hire("法务", role="backoffice"), self.desk.hire("总经理", role="manager")
        groups = {"legal": [law["name"]], "general-manager": [chief["name"]]}
        name_groups(self.desk, **groups)
        self.others = [self.desk.sign_in(law), self.desk.sign_in(chief)]
        try:
            yield [law["name"], chief["name"]]
        finally:
            name_groups(self.desk, **{id: [] for id in groups})

    def draw(self, units: int, **fields: Any) -> dict[str, Any]:
        of = {"title": f"年度采购 {phone()}", "customer": self.customer, "amount": cny(units), **fields}
        contract: dict[str, Any] = self.mine.post("/v1/contracts", of)
        return contract

    def agree(self, approval: str, *without: Api) -> list[str]:
        """Everybody agrees when it is his turn; the roles in that order."""
        by: list[str] = []
        people = [api for api in (self.boss, self.finance, self.desk.api, *self.others) if api not in without]
        while self.desk.api.get(f"/v1/{approval}")["status"] == "PENDING":
            for api in people:
                mine = api.get("/v1/approvals", filter=f'pendingFor = "{api.me["name"]}"', pageSize=1000)
                if approval in [one["name"] for one in mine.get("approvals", [])]:
                    api.post(f"/v1/{approval}:decide", {"verdict": "APPROVE"})
                    by.append(api.me["role"])
                    break
            else:
                break
        return by

    def sign(self, contract: dict[str, Any], **dates: Any) -> dict[str, Any]:
        """Submitted, agreed to and signed."""
        submitted = self.mine.post(f"/v1/{contract['name']}:submit")
        self.agree(submitted["approval"])
        signed: dict[str, Any] = self.mine.post(f"/v1/{contract['name']}:sign", dates)
        return signed

    def read(self, contract: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.mine.get(f"/v1/{contract['name']}")
        return found

    def plan(self, contract: dict[str, Any]) -> list[dict[str, Any]]:
        """Its instalments in their order."""
        wanted = f'contract = "{contract["name"]}"'
        found: list[dict[str, Any]] = self.mine.get("/v1/instalments", filter=wanted, orderBy="position")["instalments"]
        return found

    def pay(self, contract: dict[str, Any], units: int, **fields: Any) -> dict[str, Any]:
        payment: dict[str, Any] = self.finance.post(
            "/v1/payments", {"contract": contract["name"], "amount": cny(units), **fields}
        )
        return payment

    def invoice(self, contract: dict[str, Any], units: int, **fields: Any) -> dict[str, Any]:
        invoice: dict[str, Any] = self.finance.post(
            "/v1/invoices", {"contract": contract["name"], "amount": cny(units), **fields}
        )
        return invoice


def name_groups(desk: Desk, **members: list[str]) -> None:
    """Who is in these approver groups, and nobody else."""
    content = {id: {"members": named} for id, named in members.items()}
    desk.api.post("/v1/blueprint:apply", {"content": {"approverGroups": content}})


def team_of(desk: Desk, region: str) -> Team:
    """People of their own, and a customer."""
    team = desk.api.post("/v1/teams", {"displayName": f"组 {phone()}"})["name"]
    boss = desk.hire("经理", role="manager", team=team)
    seller = desk.hire("甲", team=team, manager=boss["name"], region=region)
    money = desk.hire("财务", role="finance")
    mine = desk.sign_in(seller)
    customer = mine.post("/v1/customers", {"displayName": f"华东物流 {phone()}"})
    return Team(desk, mine, desk.sign_in(boss), desk.sign_in(money), customer["name"])


def told(api: Api, kind: str, record: str) -> dict[str, Any]:
    """The notice of this kind about a record, as soon as it is there."""

    def look() -> Any:
        notices = api.get("/v1/notifications", pageSize=1000).get("notifications", [])
        return [one for one in notices if one.get("kind") == kind and one.get("record") == record]

    notices: list[dict[str, Any]] = until(look)
    assert len(notices) == 1
    return notices[0]
