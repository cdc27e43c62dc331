"""Instalments, invoices and payments through the public API."""

from __future__ import annotations

from datetime import timedelta

from tests.journeys.desk import Desk, phone
from tests.journeys.signing import Team, cny, team_of, told
from tests.journeys.test_opportunities import refused

THREE = {"financeMode": "INSTALMENTS", "instalmentCount": 3}


def paid(team: Team, contract: dict[str, str]) -> list[tuple[str, str]]:
    """What was paid of each instalment, and how it stands."""
    return [(one["paid"]["units"], one["status"]) for one in team.plan(contract)]


def test_K10_finance_modes_plan_the_instalments_and_people_change_them(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    year = {"financeMode": "SUBSCRIPTION", "interval": "QUARTER", "startDate": "2099-01-01", "expiryDate": "2099-12-31"}
    contract = team.draw(1000, **year)
    assert [(one["amount"]["units"], one["dueDate"]) for one in team.plan(contract)] == [
        ("250", f"2099-{month}-01") for month in ("01", "04", "07", "10")
    ]
    rows = [{"title": "首付", "amount": cny(300), "dueDate": "2099-01-01"}, {"title": "尾款", "amount": cny(600)}]
    refused(
        lambda: team.mine.post(f"/v1/{contract['name']}:plan", {"instalments": rows}), 400, "INVALID", "instalments"
    )
    rows[1]["amount"] = cny(700)
    plan = team.mine.post(f"/v1/{contract['name']}:plan", {"instalments": rows})["instalments"]
    assert [one["title"] for one in plan] == ["首付", "尾款"]
    instalment = team.mine.patch(f"/v1/{plan[1]['name']}", {"dueDate": "2099-06-30"})
    assert team.mine.get(f"/v1/{instalment['name']}")["dueDate"] == "2099-06-30"
    steps = team.sign(team.draw(1000, financeMode="MILESTONE"))
    instalment = team.plan(steps)[0]
    team.pay(steps, 200)
    reached = team.mine.post(f"/v1/{instalment['name']}:reach")
    assert (reached["dueDate"], reached["paid"]["units"]) == (steps["signDate"], "200")


def test_K5_K6_payments_are_partial_over_and_paid_back_and_the_balance_follows(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    contract = team.sign(team.draw(900, **THREE))
    first = team.pay(contract, 450, reference=f"ICBC-{phone()}", method="电汇")
    assert paid(team, contract) == [("300", "PAID"), ("150", "PARTLY_PAID"), ("0", "OPEN")]
    # The bank tells twice.
    assert team.pay(contract, 450, reference=first["reference"])["name"] == first["name"]
    refused(lambda: team.pay(contract, 451, reference=first["reference"]), 409, "REFERENCE_USED", "reference")
    over = team.pay(contract, 500)
    assert (over["unmatched"]["units"], team.read(contract)["balance"]["units"]) == ("50", "-50")
    refused(lambda: team.pay(contract, -951), 409, "NOT_PAID", "amount")
    team.pay(contract, -250)
    assert (team.read(contract)["paid"]["units"], team.read(contract)["balance"]["units"]) == ("700", "200")
    assert paid(team, contract) == [("300", "PAID"), ("300", "PAID"), ("100", "PARTLY_PAID")]
    payment = team.finance.patch(f"/v1/{first['name']}", {"note": "首付"})
    assert payment["note"] == "首付"
    team.finance.delete(f"/v1/{payment['name']}")
    assert team.read(contract)["paid"]["units"] == "250"
    team.finance.post(f"/v1/{payment['name']}:undelete")
    assert team.read(contract)["paid"]["units"] == "700"
    refused(lambda: team.mine.delete(f"/v1/{payment['name']}"), 403, "DENIED")
    refused(lambda: team.pay(contract, 1, payDate="2099-01-01"), 400, "INVALID", "payDate")
    listed = team.mine.get("/v1/payments", filter=f'contract = "{contract["name"]}"', orderBy="amount")["payments"]
    assert [one["amount"]["units"] for one in listed] == ["-250", "450", "500"]


def test_K6_who_sells_and_his_manager_are_warned_of_what_is_overdue(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    contract = team.sign(team.draw(900, **THREE))
    team.pay(contract, 100)
    desk.later(timedelta(days=3))
    notice = told(team.mine, "PAYMENT_OVERDUE", contract["name"])
    assert "已逾期" in notice["textZh"]
    told(team.boss, "PAYMENT_OVERDUE", contract["name"])
    desk.settle()
    notices = team.mine.get("/v1/notifications", pageSize=1000)["notifications"]
    assert len([one for one in notices if "逾期" in one["titleZh"]]) == 1
    wanted = f'contract = "{contract["name"]}" AND status = OVERDUE'
    assert len(team.mine.get("/v1/instalments", filter=wanted)["instalments"]) == 1


def test_K7_K12_what_is_to_come_by_month_and_what_came_by_who_sold_it(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    contract = team.sign(team.draw(900, **THREE, startDate="2099-01-10"))
    payment = team.pay(contract, 400, payDate=contract["signDate"])
    rows = team.mine.get("/v1/payments:forecast")["rows"]
    assert [(row["month"], row["amount"]["units"]) for row in rows] == [("2099-02", "200"), ("2099-03", "300")]
    (row,) = team.mine.get("/v1/payments:summarize")["rows"]
    assert (row["owner"], row["team"], row["month"], row["amount"]["units"]) == (
        team.mine.me["name"],
        team.mine.me["team"],
        contract["signDate"][:7],
        "400",
    )
    assert (payment["owner"], payment["team"]) == (row["owner"], row["team"])


def test_K8_K9_finance_invoices_what_was_signed_and_never_more(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    draft, contract = team.draw(1000), team.sign(team.draw(1000))
    refused(lambda: team.invoice(draft, 1), 409, "NOT_SIGNED", "contract")
    invoice = team.invoice(contract, 600, tax=cny(69), taxNumber="91310000MA1FL0B12X", number=f"N{phone()}")
    refused(lambda: team.invoice(contract, 401), 409, "OVER_INVOICED", "amount")
    refused(lambda: team.invoice(contract, 0), 400, "INVALID", "amount")
    refused(lambda: team.mine.post("/v1/invoices", {"contract": contract["name"]}), 403, "DENIED")
    assert team.read(contract)["invoiced"]["units"] == "600"
    assert team.finance.patch(f"/v1/{invoice['name']}", {"title": "华东物流（上海）"})["number"] == invoice["number"]
    listed = team.mine.get("/v1/invoices", filter=f"number = {invoice['number']}")["invoices"]
    assert [one["name"] for one in listed] == [invoice["name"]]
    team.finance.post(f"/v1/{invoice['name']}:void", {"reason": "抬头有误"})
    assert team.read(contract)["invoiced"]["units"] == "0"
    invoice = team.invoice(contract, 1000)
    team.finance.delete(f"/v1/{invoice['name']}")
    assert team.finance.post(f"/v1/{invoice['name']}:undelete")["amount"]["units"] == "1000"


def test_K13_where_a_company_says_so_delivery_comes_before_the_invoice(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    contract = team.sign(team.draw(1000))

    def apply(first: bool) -> None:
        content = {"contracts": {"invoiceAfterDelivery": first}}
        desk.api.post("/v1/blueprint:apply", {"content": content})

    apply(True)
    try:
        refused(lambda: team.invoice(contract, 10), 409, "NOT_DELIVERED", "contract")
        team.mine.post(f"/v1/{contract['name']}:deliver")
        assert team.invoice(contract, 10)["amount"]["units"] == "10"
    finally:
        apply(False)
