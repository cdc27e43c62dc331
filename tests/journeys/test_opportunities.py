"""Opportunities through the public API: from the first visit to won or lost, and who may look on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.journeys.api import Api, Refused, until
from tests.journeys.desk import Desk, phone

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def cny(units: int) -> dict[str, Any]:
    return {"currencyCode": "CNY", "units": str(units)}


def opened(api: Api, **fields: Any) -> dict[str, Any]:
    deal: dict[str, Any] = api.post("/v1/opportunities", {"title": f"年度采购 {phone()}", **fields})
    return deal


def read(api: Api, deal: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/v1/{deal['name']}")
    return found


def dragged(api: Api, deal: dict[str, Any], *stages: str) -> dict[str, Any]:
    """Through these stages, one after the other."""
    moved = deal
    for stage in stages:
        moved = api.patch(f"/v1/{deal['name']}", {"stage": stage})
    return moved


def upload(api: Api, deal: dict[str, Any], kind: str) -> None:
    """A file of this kind on the deal."""
    fields = {"record": deal["name"], "kind": kind}
    api.upload("/v1/attachments", fields, {"file": (f"{kind}.pdf", PDF, "application/pdf")})


def log(api: Api, deal: dict[str, Any], **fields: Any) -> None:
    said = {"method": "CALL", "outcome": "PROGRESS", "summary": "电话沟通"}
    api.post("/v1/followUps", {"record": deal["name"], **said, **fields})


def equip(api: Api, deal: dict[str, Any], *kinds: str) -> None:
    """Files of these kinds and two follow-ups: what the shipped stages ask for."""
    for kind in kinds:
        upload(api, deal, kind)
    for _ in range(2):
        log(api, deal)


def history(api: Api, deal: dict[str, Any]) -> list[dict[str, Any]]:
    moves: list[dict[str, Any]] = api.get(f"/v1/{deal['name']}/stages")["stageChanges"]
    return moves


def refused(call: Any, status: int, reason: str, *fields: str) -> None:
    with pytest.raises(Refused) as problem:
        call()
    found = problem.value
    assert (found.status, found.reason, tuple(found.fields)) == (status, reason, fields)


def team_of(desk: Desk, *names: str, **fields: Any) -> list[dict[str, Any]]:
    """A manager and his people, in a team of their own."""
    team = desk.api.post("/v1/teams", {"displayName": f"组 {phone()}"})["name"]
    return [
        desk.hire(name, role="manager" if not number else "sales", team=team, **fields)
        for number, name in enumerate(names)
    ]


def test_O1_O2_O3_O4_O5_O6_an_opportunity_of_a_customer_made_a_moment_ago_has_a_number_and_all_that_is_known(
    desk: Desk, region: str
) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    customer = mine.post("/v1/customers", {"displayName": f"华东物流 {phone()}"})
    given = {
        "title": "仓储系统",
        "customer": customer["name"],
        "amount": {"currencyCode": "CNY", "units": "500000", "nanos": 500_000_000},
        "expectedCloseDate": "2099-12-31",
        "need": "三个仓库",
        "products": ["WMS", "扫码枪"],
        "budget": cny(600_000),
        "decisionCycle": "三个月",
        "blocker": "预算审批",
        "position": "采购总监",
        "phone": "13812345678",
        "email": "wang@example.cn",
        "source": "展会",
        "industry": "物流",
        "companySize": "500-1000",
        "followUpStatus": "已拜访",
        "custom": {"仓库": 3},
    }
    deal = mine.post("/v1/opportunities", given)
    assert {key: deal[key] for key in given} == {
        **given,
        "phone": "+8613812345678",
        "budget": {**cny(600_000), "nanos": 0},
    }
    assert re.fullmatch(r"CRM-\d{8}-\d{4,}", deal["number"])
    assert (deal["owner"], deal["stage"], deal["status"]) == (mine.me["name"], "first-visit", "OPEN")
    assert deal["winProbability"] == 10
    other = opened(mine)
    assert other["number"] != deal["number"]
    assert read(mine, deal) == deal
    found = mine.get("/v1/opportunities", filter=f'customer = "{customer["name"]}" AND amount >= 500000.5')
    assert [one["name"] for one in found["opportunities"]] == [deal["name"]]
    refused(lambda: opened(mine, customer=f"customers/{7:032x}"), 400, "INVALID", "customer")


def test_O7_O8_amounts_below_zero_and_close_dates_in_the_past_are_refused(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    refused(lambda: opened(mine, amount=cny(-1)), 400, "INVALID", "amount")
    refused(lambda: opened(mine, expectedCloseDate="2020-01-01"), 400, "INVALID", "expectedCloseDate")
    past = mine.post("/v1/opportunities?historical=true", {"title": "旧单", "expectedCloseDate": "2020-01-01"})
    assert past["expectedCloseDate"] == "2020-01-01"


def test_O9_O10_O32_a_deal_passes_the_six_stages_in_order_and_is_won(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, "经理", "甲", region=region)
    mine = desk.sign_in(seller)
    deal = opened(mine, amount=cny(80_000))
    refused(lambda: dragged(mine, deal, "negotiation"), 409, "JUMP", "stage")
    refused(lambda: mine.post(f"/v1/{deal['name']}:win"), 409, "JUMP", "opportunity.stage")
    equip(mine, deal, "quote")
    assert dragged(mine, deal, "need-clear", "quote", "negotiation")["winProbability"] == 80
    won = mine.post(f"/v1/{deal['name']}:win")
    assert (won["stage"], won["status"]) == ("won", "WON")
    assert [move["toStage"] for move in history(mine, deal)] == [
        "first-visit",
        "need-clear",
        "quote",
        "negotiation",
        "won",
    ]
    # A jump takes somebody who leads, and a reason that stays.
    deal = opened(mine)
    refused(lambda: mine.patch(f"/v1/{deal['name']}?force=true&reason=急", {"stage": "quote"}), 403, "DENIED")
    forced = desk.sign_in(boss).patch(f"/v1/{deal['name']}?force=true&reason=客户着急", {"stage": "quote"})
    assert forced["stage"] == "quote"
    last = history(mine, deal)[-1]
    assert (last["forced"], last["reason"], last["actor"]) == (True, "客户着急", boss["name"])


def test_O31_a_lost_deal_names_its_reason_and_may_come_back(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    deal = opened(mine)
    dragged(mine, deal, "need-clear")
    refused(lambda: mine.post(f"/v1/{deal['name']}:lose"), 400, "INVALID", "reason")
    lost = mine.post(f"/v1/{deal['name']}:lose", {"reason": "价格"})
    assert (lost["stage"], lost["status"], lost["statusReason"]) == ("lost", "LOST", "价格")
    refused(lambda: dragged(mine, deal, "quote"), 409, "NOT_OPEN")
    back = mine.post(f"/v1/{deal['name']}:reopen", {"reason": "客户回来"})
    assert (back["stage"], back["status"]) == ("need-clear", "OPEN")


def test_O11_O12_O13_O14_every_stage_set_is_there_and_what_is_on_hold_goes_on_where_it_was(
    desk: Desk, region: str
) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    ways = {way["name"]: way for way in mine.get("/v1/pipelines")["pipelines"]}
    sizes = {"six-stage": 6, "seven-stage": 7, "five-stage": 5, "four-stage": 4, "lifecycle": 7}
    assert {name: len(ways[f"pipelines/{name}"]["stages"]) for name in sizes} == sizes
    assert [name for name, way in ways.items() if way.get("isDefault")] == ["pipelines/six-stage"]
    deal = opened(mine, pipeline="pipelines/seven-stage")
    dragged(mine, deal, "needs-analysis")
    held = mine.post(f"/v1/{deal['name']}:hold", {"reason": "客户停产"})
    assert (held["stage"], held["status"]) == ("on-hold", "ON_HOLD")
    again = mine.post(f"/v1/{deal['name']}:resume")
    assert (again["stage"], again["status"]) == ("needs-analysis", "OPEN")


def test_O14_O19_O39_delivery_follows_in_the_same_chain_after_a_report_that_the_manager_approved(
    desk: Desk, region: str
) -> None:
    boss, seller = team_of(desk, "经理", "甲", region=region)
    mine, leading = desk.sign_in(seller), desk.sign_in(boss)
    desk.api.patch(f"/v1/{seller['name']}", {"manager": boss["name"]})
    desk.settle()
    deal = opened(mine, pipeline="pipelines/lifecycle")
    dragged(mine, deal, "first-contact")
    wanted = f'opportunity = "{deal["name"]}"'
    (task,) = until(lambda: mine.get("/v1/tasks", filter=wanted).get("tasks"))
    assert (task["owner"], "《客户需求调研报告》" in task["title"]) == (seller["name"], True)
    lacking = ("attachments.requirements", "approvals.requirements")
    refused(lambda: dragged(mine, deal, "need-confirmation"), 409, "GATE", *lacking)
    upload(mine, deal, "requirements")
    (approval,) = until(lambda: leading.get("/v1/approvals", filter=wanted).get("approvals"))
    refused(lambda: dragged(mine, deal, "need-confirmation"), 409, "GATE", lacking[1])
    leading.post(f"/v1/{approval['name']}:decide", {"verdict": "APPROVE"})
    won = dragged(mine, deal, "need-confirmation", "proposal-quote", "contract-approval", "delivery")
    assert won["status"] == "WON"
    assert dragged(mine, deal, "invoicing-payment")["status"] == "WON"


def test_O22_a_checklist_opens_the_next_stage(desk: Desk, region: str) -> None:
    checked = {"id": "demo", "title": "已演示"}
    stages = [
        {"id": "talk", "displayName": "谈", "probability": 20, "checklist": [checked]},
        {"id": "offer", "displayName": "报", "probability": 60, "gates": [{"kind": "CHECKLIST"}]},
        {"id": "deal", "displayName": "成", "probability": 100, "kind": "WON"},
    ]
    listed = {"displayName": "清单", "stages": stages}
    desk.api.post("/v1/blueprint:apply", {"content": {"pipelines": {"listed": listed}}})
    mine = desk.sign_in(desk.hire("甲", region=region))
    deal = opened(mine, pipeline="pipelines/listed")
    refused(lambda: dragged(mine, deal, "offer"), 409, "GATE", "checklistDone")
    mine.patch(f"/v1/{deal['name']}", {"checklistDone": ["talk/demo"]})
    assert dragged(mine, deal, "offer")["stage"] == "offer"


def test_O15_a_company_writes_its_own_stages_and_gates(desk: Desk, region: str) -> None:
    gates = [
        {"kind": "FILLED", "field": "budget"},
        {"kind": "AMOUNT", "minimum": "10000", "currency": "CNY"},
        {
            "kind": "CONDITION",
            "expression": "products.size() > 0",
            "message": "name a product",
            "messageZh": "请选产品",
        },
    ]
    stages = [
        {"id": "talk", "displayName": "谈", "probability": 20},
        {"id": "offer", "displayName": "报", "probability": 60, "gates": gates},
        {"id": "deal", "displayName": "成", "probability": 100, "kind": "WON"},
    ]

    def apply(way: Any) -> Any:
        return desk.api.post("/v1/blueprint:apply", {"content": {"pipelines": {"ours": way}}})

    wrong = {
        "displayName": "我们的",
        "stages": [*stages[:1], {**stages[1], "gates": [{"kind": "FILLED", "field": "鞋"}]}],
    }
    with pytest.raises(Refused) as problem:
        apply(wrong)
    assert any(field.endswith("stages[1].gates[0].field") for field in problem.value.fields), problem.value
    apply({"displayName": "我们的", "stages": stages})
    mine = desk.sign_in(desk.hire("甲", region=region))
    deal = opened(mine, pipeline="pipelines/ours", amount=cny(9_999))
    refused(lambda: dragged(mine, deal, "offer"), 409, "GATE", "budget", "amount", "stage")
    mine.patch(f"/v1/{deal['name']}", {"budget": cny(1), "amount": cny(10_000), "products": ["WMS"]})
    assert dragged(mine, deal, "offer", "deal")["status"] == "WON"
    assert mine.get("/v1/pipelines/ours")["stages"][1]["gates"][2]["message"] == "name a product"


def test_O5_O23_the_board_shows_each_stage_with_count_and_amount(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    first, second = opened(mine, amount=cny(100)), opened(mine, amount=cny(200))
    assert [(row["stage"], row["count"], row["amount"]["units"]) for row in board(mine)] == [
        ("first-visit", "2", "300")
    ]
    dragged(mine, second, "need-clear")
    assert [(row["stage"], row["amount"]["units"]) for row in board(mine)] == [
        ("first-visit", "100"),
        ("need-clear", "200"),
    ]
    deal = first
    mine.post(f"/v1/{deal['name']}:lose", {"reason": "价格"})
    assert board(mine, filter="status = OPEN AND stage = first-visit") == []


def board(api: Api, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.get("/v1/opportunities:summarize", **query).get("rows", [])
    return rows


def test_O33_O37_collaborators_see_an_important_deal(desk: Desk, region: str) -> None:
    _, seller, helper = team_of(desk, "经理", "甲", "乙", region=region)
    mine, theirs = desk.sign_in(seller), desk.sign_in(helper)
    deal = opened(mine, importance="IMPORTANT")
    refused(lambda: read(theirs, deal), 404, "NOT_FOUND")
    mine.patch(f"/v1/{deal['name']}", {"collaborators": [{"person": helper["name"], "part": "报价"}]})
    assert read(theirs, deal)["collaborators"] == [{"person": helper["name"], "part": "报价"}]
    found = theirs.get("/v1/opportunities", filter="importance = IMPORTANT")["opportunities"]
    assert [one["name"] for one in found] == [deal["name"]]
    refused(lambda: theirs.patch(f"/v1/{deal['name']}", {"title": "改"}), 403, "DENIED")


def test_O34_a_share_ends_by_itself_after_7_days(desk: Desk, region: str) -> None:
    seller, helper = desk.hire("甲", region=region), desk.hire("乙", region=region)
    mine, theirs = desk.sign_in(seller), desk.sign_in(helper)
    deal = opened(mine)
    mine.post(f"/v1/{deal['name']}:share", {"person": helper["name"]})
    assert read(theirs, deal)["owner"] == seller["name"]
    assert [one["person"] for one in mine.get(f"/v1/{deal['name']}/shares")["shares"]] == [helper["name"]]
    desk.later(timedelta(days=6, hours=23))
    assert read(theirs, deal)["name"] == deal["name"]
    desk.later(timedelta(hours=1, minutes=1))
    refused(lambda: read(theirs, deal), 404, "NOT_FOUND")
    assert not mine.get(f"/v1/{deal['name']}/shares").get("shares")
    mine.post(f"/v1/{deal['name']}:share", {"person": helper["name"], "days": 30})
    mine.post(f"/v1/{deal['name']}:unshare", {"person": helper["name"]})
    refused(lambda: read(theirs, deal), 404, "NOT_FOUND")


def test_O6_a_manager_gives_a_deal_to_another_and_what_was_deleted_comes_back(desk: Desk, region: str) -> None:
    boss, seller, other = team_of(desk, "经理", "甲", "乙", region=region)
    mine, leading = desk.sign_in(seller), desk.sign_in(boss)
    deal = opened(mine)
    refused(lambda: mine.post(f"/v1/{deal['name']}:transfer", {"owner": other["name"]}), 403, "DENIED")
    given = leading.post(f"/v1/{deal['name']}:transfer", {"owner": other["name"], "ownerVersion": "1"})
    assert (given["owner"], given["ownerVersion"]) == (other["name"], "2")
    stale = {"owner": seller["name"], "ownerVersion": "1"}
    refused(lambda: leading.post(f"/v1/{deal['name']}:transfer", stale), 409, "STALE", "owner", "ownerVersion")
    leading.delete(f"/v1/{deal['name']}")
    refused(lambda: read(leading, deal), 404, "NOT_FOUND")
    assert leading.post(f"/v1/{deal['name']}:undelete")["owner"] == other["name"]
    assert until(lambda: read(desk.sign_in(other), deal))["title"] == deal["title"]
