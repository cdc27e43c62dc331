"""A deal and everybody around it through the public API: gates, colleagues, heads of regions, leavers, the customer."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from tests.journeys import signing
from tests.journeys.api import Api, until
from tests.journeys.desk import Desk, phone
from tests.journeys.test_customers import of_lead, qualify
from tests.journeys.test_opportunities import cny, dragged, log, opened, read, refused, team_of, upload


def gates(api: Api, deal: dict[str, Any]) -> dict[str, Any]:
    return {one["stage"]: one for one in api.get(f"/v1/{deal['name']}/gates")["stageGates"]}


def test_O16_O17_O20_O21_gates_say_what_is_missing_and_open_when_it_is_there(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    deal = opened(mine)
    dragged(mine, deal, "need-clear")
    (missing,) = gates(mine, deal)["quote"]["requirements"]
    assert (missing["field"], missing["messageZh"], missing["gate"]["kind"]) == (
        "attachments.quote",
        "请先上传报价单",
        "ATTACHMENT",
    )
    refused(lambda: dragged(mine, deal, "quote"), 409, "GATE", "attachments.quote")
    # Asked right after the upload, whatever the bus is doing.
    upload(mine, deal, "quote")
    dragged(mine, deal, "quote")
    desk.settle()
    told = mine.get("/v1/notifications").get("notifications", [])
    assert any(deal["number"] in one["textZh"] for one in told), told
    log(mine, deal)
    refused(lambda: dragged(mine, deal, "negotiation"), 409, "GATE", "followUps")
    log(mine, deal)
    assert dragged(mine, deal, "negotiation")["stage"] == "negotiation"


def test_O18_negotiation_takes_a_quotation_and_a_competitor_analysis(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    deal = opened(mine, pipeline="pipelines/five-stage")
    dragged(mine, deal, "need-confirmation", "proposal-quote")
    upload(mine, deal, "quote")
    refused(lambda: dragged(mine, deal, "negotiation"), 409, "GATE", "attachments.competitor-analysis")
    upload(mine, deal, "competitor-analysis")
    assert dragged(mine, deal, "negotiation")["stage"] == "negotiation"


def test_F6_a_follow_up_moves_the_stage_and_what_a_gate_refuses_is_a_warning(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    deal = opened(mine)
    mine.post("/v1/followUps?toStage=need-clear", {"record": deal["name"], **SAID})
    assert until(lambda: read(mine, deal)["stage"] == "need-clear")
    mine.post("/v1/followUps?toStage=quote", {"record": deal["name"], **SAID})
    (warning,) = until(lambda: read(mine, deal).get("warnings"))
    assert (warning["kind"], warning["stage"]) == ("STAGE_REFUSED", "quote")
    assert "报价单" in warning["messageZh"]


SAID = {"method": "CALL", "outcome": "PROGRESS", "summary": "电话沟通"}


def test_O33_O36_colleagues_are_asked_for_parts_and_their_tasks_add_up(desk: Desk, region: str) -> None:
    _, seller, helper = team_of(desk, "经理", "甲", "乙", region=region)
    mine, theirs = desk.sign_in(seller), desk.sign_in(helper)
    deal = opened(mine)
    asked = {"person": helper["name"], "part": "技术方案", "detail": "两天内", "dueTime": "2099-01-31T00:00:00Z"}
    mine.post(f"/v1/{deal['name']}:requestCollaboration", asked)
    wanted = f'opportunity = "{deal["name"]}"'
    (task,) = until(lambda: theirs.get("/v1/tasks", filter=wanted).get("tasks"))
    assert (task["kind"], task["part"], task["owner"]) == ("COLLABORATION", "技术方案", helper["name"])
    assert read(theirs, deal)["collaboratorProgress"]["total"] == 1
    theirs.post(f"/v1/{task['name']}:complete", {"result": "已完成"})
    assert until(lambda: read(mine, deal)["collaboratorProgress"].get("done") == 1)
    refused(lambda: mine.post(f"/v1/{deal['name']}:requestCollaboration", {"part": "x"}), 400, "INVALID", "person")


def test_O35_L25_a_qualified_lead_becomes_an_opportunity_that_the_regional_head_confirms(
    desk: Desk, region: str
) -> None:
    boss, seller = team_of(desk, "经理", "甲", region=region)
    mine, leading = desk.sign_in(seller), desk.sign_in(boss)
    way = desk.api.get("/v1/blueprint")["content"]["pipelines"]["six-stage"]
    change(desk, {**way, "confirmBy": "manager"})
    try:
        lead = desk.capture(region=region, company=f"华兴 {phone()}", fullName="王小明", text="三个仓库")
        mine.post(f"/v1/{lead['name']}:qualify", {"opportunity": True})
        (deal,) = until(lambda: mine.get("/v1/opportunities", filter=f'lead = "{lead["name"]}"').get("opportunities"))
    finally:
        change(desk, way, confirmBy=None)
    customer = of_lead(mine, lead)
    assert (deal["owner"], deal["customer"], deal["status"]) == (
        seller["name"],
        customer["name"],
        "AWAITING_CONFIRMATION",
    )
    assert deal["need"] == "三个仓库"
    refused(lambda: dragged(mine, deal, "need-clear"), 409, "NOT_OPEN")
    refused(lambda: mine.post(f"/v1/{deal['name']}:confirm"), 403, "DENIED")
    assert leading.post(f"/v1/{deal['name']}:confirm")["status"] == "OPEN"
    assert dragged(mine, deal, "need-clear")["stage"] == "need-clear"


def change(desk: Desk, way: dict[str, Any], **gone: None) -> None:
    desk.api.post("/v1/blueprint:apply", {"content": {"pipelines": {"six-stage": {**way, **gone}}}})


def test_C16_a_leavers_customers_opportunities_and_leads_wait_on_one_list_for_the_manager(
    desk: Desk, region: str
) -> None:
    boss, leaver, heir = team_of(desk, "经理", "甲", "乙")
    desk.api.patch(f"/v1/{leaver['name']}", {"region": region})
    desk.settle()
    lead = desk.capture(region=region)
    theirs, leading = desk.sign_in(leaver), desk.sign_in(boss)
    customer = theirs.post("/v1/customers", {"displayName": f"离职 {phone()}"})
    deal = opened(theirs, customer=customer["name"])
    desk.api.patch(f"/v1/{leaver['name']}", {"state": "LEFT"})
    wanted = f'state = OPEN AND person = "{leaver["name"]}"'

    def waiting() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = leading.get("/v1/handOvers", filter=wanted).get("handOvers", [])
        return found

    found = until(lambda: waiting() if len(waiting()) == 3 else None)
    assert {one["record"] for one in found} == {lead["name"], customer["name"], deal["name"]}
    assert {read(desk.api, one)["owner"] for one in (lead, customer, deal)} == {leaver["name"]}

    def moved(record: dict[str, Any]) -> bool:
        return bool(read(leading, record)["owner"] == heir["name"])

    one = {"owner": heir["name"]}
    leading.post(f"/v1/{found[0]['name']}:confirm", one)
    leading.post("/v1/handOvers:batchConfirm", {"names": [found[1]["name"], found[2]["name"]], **one})
    for record in (lead, customer, deal):
        assert until(partial(moved, record))
    assert waiting() == []


def test_C5_C6_C21_O39_one_call_shows_the_whole_customer_and_one_the_chain(desk: Desk, region: str) -> None:
    person = desk.hire("甲", region=region)
    mine = desk.sign_in(person)
    lead = qualify(desk, person, company=f"全景 {phone()}", fullName="王小明")
    customer = of_lead(mine, lead)
    # The buttons on the page: a new opportunity, a new follow-up.
    deal = opened(mine, customer=customer["name"], lead=lead["name"], amount=cny(80_000))
    mine.post("/v1/followUps", {"record": customer["name"], **SAID})
    upload(mine, deal, "quote")
    line = {"description": "仓储系统", "quantity": "1", "unitPrice": cny(80_000)}
    quote = mine.post("/v1/quotes", {"opportunity": deal["name"], "lines": [line]})
    desk.settle()
    seen = mine.get(f"/v1/{customer['name']}:view360")
    assert seen["customer"]["name"] == customer["name"]
    assert [one["fullName"] for one in seen["contacts"]] == ["王小明"]
    assert [one["name"] for one in seen["opportunities"]] == [deal["name"]]
    assert [one["name"] for one in seen["quotes"]] == [quote["name"]]
    assert [one["kind"] for one in seen["attachments"]] == ["quote"]
    assert {one["kind"] for one in seen["timeline"]} >= {"FOLLOW_UP", "ATTACHMENT"}
    assert {one["state"] for one in seen["parts"]} == {"COMPLETE"}
    links = mine.get(f"/v1/{deal['name']}/chain")["chainLinks"]
    assert [(one["phase"], one["record"]) for one in links] == [
        ("PRE_SALE", lead["name"]),
        ("PRE_SALE", customer["name"]),
        ("PRE_SALE", deal["name"]),
        ("IN_SALE", quote["name"]),
    ]
    stranger = desk.sign_in(desk.hire("乙", region=region + "二"))
    refused(lambda: stranger.get(f"/v1/{customer['name']}:view360"), 404, "NOT_FOUND")


def test_C12_C13_a_customer_who_signed_more_than_the_line_is_a_vip_with_tasks_for_its_owner(
    desk: Desk, region: str
) -> None:
    team = signing.team_of(desk, region)
    mine = team.mine
    customer = mine.post("/v1/customers", {"displayName": f"大客户 {phone()}"})
    line = desk.api.get("/v1/blueprint")["content"]["customers"]["vip"]
    assert (line["amount"], line["currency"]) == ("500000", "CNY")
    contract = mine.post("/v1/contracts", {"title": "框架", "customer": customer["name"], "amount": cny(500_001)})
    approval = mine.post(f"/v1/{contract['name']}:submit")["approval"]
    team.agree(approval)
    until(lambda: read(mine, contract)["status"] == "APPROVED")
    mine.post(f"/v1/{contract['name']}:sign", {})
    assert until(lambda: read(mine, customer).get("vip"))
    now = read(mine, customer)
    assert (now["signedAmount"]["units"], "vipTime" in now) == ("500001", True)
    found = mine.get("/v1/customers", filter="vip = true")["customers"]
    assert [one["name"] for one in found] == [customer["name"]]
    tasks = until(lambda: mine.get("/v1/tasks", filter=f'customer = "{customer["name"]}"').get("tasks"))
    assert any("VIP" in one["title"] for one in tasks)
    mine.get(f"/v1/{customer['name']}:view360")


def test_C23_C24_C25_the_pool_and_the_profile_of_won_customers_are_found_by_filters(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    industry = f"行业{phone()}"
    started = time.monotonic()
    customer = mine.post("/v1/customers", {"displayName": f"快 {phone()}", "industry": industry, "region": "上海"})
    assert time.monotonic() - started < 2.0
    desk.api.post("/v1/customers", {"displayName": f"池 {phone()}", "industry": industry})
    pool = desk.api.get("/v1/customers", filter=f'owner = "" AND industry = "{industry}"')["customers"]
    assert len(pool) == 1
    deal = opened(mine, customer=customer["name"], pipeline="pipelines/four-stage")
    dragged(mine, deal, "intent", "quote", "won")
    won = f'stage = WON AND industry = "{industry}"'
    found = until(lambda: desk.api.get("/v1/customers", filter=won).get("customers"))
    assert [(one["name"], one["region"]) for one in found] == [(customer["name"], "上海")]
    log(mine, customer)
    late = f'industry = "{industry}" AND last_follow_up_time >= 2020-01-01T00:00:00Z'
    assert until(lambda: mine.get("/v1/customers", filter=late).get("customers"))


def test_O33_O34_what_a_colleague_leaves_undone_comes_back_to_the_owner_who_is_told(desk: Desk, region: str) -> None:
    mine, helper = (desk.sign_in(desk.hire(name, region=region)) for name in ("甲", "乙"))
    deal = opened(mine)
    mine.post(f"/v1/{deal['name']}:requestCollaboration", {"person": helper.me["name"], "part": "技术方案"})
    of_deal = {"filter": f'opportunity = "{deal["name"]}"'}
    (task,) = until(lambda: helper.get("/v1/tasks", **of_deal).get("tasks"))
    assert task["owner"] == helper.me["name"]
    mine.post(f"/v1/{deal['name']}:unshare", {"person": helper.me["name"]})
    desk.settle()
    assert mine.get(f"/v1/{task['name']}")["owner"] == mine.me["name"]
    assert not helper.get("/v1/tasks", **of_deal).get("tasks")
    told = mine.get("/v1/notifications", filter="kind = TASK_ASSIGNED").get("notifications", [])
    assert [one["titleZh"] for one in told if one.get("record") == task["name"]] == ["协作人已退出，任务退回给您"]
    now = read(mine, deal)["collaboratorProgress"]
    assert (now["total"], [one["person"] for one in now["parts"]]) == (1, [mine.me["name"]])
    mine.post(f"/v1/{task['name']}:complete")
    assert until(lambda: read(mine, deal)["collaboratorProgress"].get("done") == 1)
