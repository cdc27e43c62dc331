"""What begins with a ticket, an invoice or a payment, by a company's own automations: colleagues and other systems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from chassis import clock
from tests.journeys.api import Api, until
from tests.journeys.desk import Desk, phone
from tests.journeys.signing import cny, team_of


def rule(id: str, on: str, *to: str, kind: str = "NOTIFY", **more: Any) -> dict[str, Any]:
    words = {"titleZh": f"{id} {{title}}", "titleEn": f"{id} {{title}}"}
    return {"id": id, "on": on, "actions": [{"kind": kind, "to": list(to), **words}], **more}


@contextmanager
def automated(desk: Desk, *rules: dict[str, Any]) -> Iterator[None]:
    """With these automations besides; the house is left as it was."""
    before = desk.api.get("/v1/blueprint")["content"]["automations"]
    desk.api.post("/v1/blueprint:apply", {"content": {"automations": [*before, *rules]}})
    try:
        yield
    finally:
        desk.api.post("/v1/blueprint:apply", {"content": {"automations": before}})


def notices(api: Api, record: str) -> list[str]:
    found = api.get("/v1/notifications", pageSize=1000).get("notifications", [])
    return sorted(one["titleZh"] for one in found if one.get("record") == record)


def test_C26_a_service_ticket_starts_the_flow_that_the_company_wants_for_it(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    law = desk.hire("工程师", role="backoffice")
    of_tickets = f'kind == "TICKET" && customer == "{team.customer}"'
    due = clock.now() + timedelta(days=2)
    with automated(
        desk,
        rule("ticket-new", "TASK_OPENED", "manager", when=of_tickets),
        rule("ticket-visit", "TASK_OPENED", law["name"], kind="CREATE_TASK", when=of_tickets),
        rule("ticket-late", "TASK_OVERDUE", "owner", "manager", when=of_tickets),
        rule("ticket-done", "TASK_DONE", "manager", when=of_tickets),
    ):
        asked = {"kind": "TICKET", "title": "停机", "record": team.customer, "owner": team.mine.me["name"]}
        late = team.mine.post("/v1/tasks", {**asked, "dueTime": due.isoformat()})
        done = team.mine.post("/v1/tasks", {**asked, "dueTime": due.isoformat()})
        until(lambda: notices(team.boss, done["name"]) == ["ticket-new 停机"])
        engineer = desk.sign_in(law)
        his = f'record = "{team.customer}" AND owner = "{law["name"]}"'
        until(lambda: len(engineer.get("/v1/tasks", filter=his).get("tasks", [])) == 2)
        desk.settle()
        visits = [one["title"] for one in engineer.get("/v1/tasks", filter=his)["tasks"]]
        assert visits == ["ticket-visit 停机"] * 2, "one for each, and none for what it asked for itself"
        team.mine.post(f"/v1/{done['name']}:complete", {"result": "已更换电源"})
        until(lambda: notices(team.boss, done["name"]) == ["ticket-done 停机", "ticket-new 停机"])
        desk.settle()
        assert notices(team.mine, late["name"]) == []
        desk.later(timedelta(days=2.01))
        until(lambda: notices(team.mine, late["name"]) == ["ticket-late 停机"])
        until(lambda: notices(team.boss, late["name"]) == ["ticket-late 停机", "ticket-new 停机"])
        assert notices(team.mine, done["name"]) == [], "it was done in time"


def test_K8_a_finance_system_hears_of_invoices_and_says_what_was_paid(desk: Desk, region: str) -> None:
    """It signs in as somebody of finance, follows the live feed, and posts what the bank told it, once."""
    team = team_of(desk, region)
    ledger = desk.hire("财务系统", role="finance")
    system = desk.sign_in(ledger)
    contract = team.sign(team.draw(1000))
    of_ours = f'contract == "{contract["name"]}"'
    with automated(
        desk,
        *(
            rule(on.lower().replace("_", "-"), on, ledger["name"], when=of_ours)
            for on in ("INVOICE_ISSUED", "PAYMENT_RECEIVED", "PAYMENT_REFUNDED")
        ),
    ):
        issued = team.invoice(contract, 600, number=f"N{phone()}")
        heard = system.feed(lambda event: event["type"] == "ActionRequested" and event["subject"] == issued["name"])
        invoice = system.get(f"/v1/{heard['subject']}")
        assert (invoice["contract"], invoice["amount"]["units"]) == (contract["name"], "600")
        reference = f"B{phone()}"
        booked = {"contract": invoice["contract"], "amount": cny(600), "method": "BANK", "reference": reference}
        payment = system.post("/v1/payments", booked)
        assert system.post("/v1/payments", booked)["name"] == payment["name"], "told twice by the bank"
        assert team.read(contract)["balance"]["units"] == "400"
        system.feed(lambda event: event["type"] == "ActionRequested" and event["subject"] == payment["name"])
        back = system.post("/v1/payments", {**booked, "amount": cny(-100), "reference": f"{reference}-R"})
        system.feed(lambda event: event["type"] == "ActionRequested" and event["subject"] == back["name"])
        assert team.read(contract)["balance"]["units"] == "500"
        heard_of = ["invoice-issued", "payment-received", "payment-refunded"]
        until(lambda: [one.split()[0] for one in notices(system, contract["name"])] == heard_of)
