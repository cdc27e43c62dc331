"""What people do about a customer, through the public API: follow-ups, tasks, requests to others, and one history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.journeys.api import Api, until
from tests.journeys.desk import Desk, phone
from tests.journeys.test_opportunities import cny, opened, refused, team_of


def moment(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def logged(api: Api, record: str, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.post("/v1/followUps", {"record": record, "outcome": "PROGRESS", **fields})
    return made


def asked(api: Api, **fields: Any) -> dict[str, Any]:
    task: dict[str, Any] = api.post("/v1/tasks", {"title": "报价", **fields})
    return task


def follow_ups(api: Api, filter: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/v1/followUps", filter=filter).get("followUps", [])
    return found


def tasks(api: Api, filter: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/v1/tasks", filter=filter).get("tasks", [])
    return found


def history(api: Api, record: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/v1/timeline", record=record, **query).get("entries", [])
    return found


def titles(api: Api, record: str) -> list[str]:
    return [entry["titleZh"] for entry in history(api, record, orderBy="happen_time")]


def customer_of(api: Api, **fields: Any) -> str:
    return str(api.post("/v1/customers", {"displayName": f"华东物流 {phone()}", **fields})["name"])


def test_F1_F2_F3_F4_F5_F16_a_visit_is_logged_by_the_template_and_stands_on_the_timeline(desk: Desk) -> None:
    mine = desk.sign_in(desk.hire("甲"))
    customer = customer_of(mine)
    deal = opened(mine, customer=customer)
    refused(lambda: mine.post("/v1/followUps", {"record": deal["name"]}), 400, "INVALID", "outcome")
    visit = logged(
        mine, deal["name"], method="VISIT", summary="看了仓库", nextPlan="发报价", happenTime=moment(hours=2)
    )
    call = logged(mine, customer, method="CALL", summary="确认需求")
    assert (visit["owner"], visit["customer"], visit["opportunity"]) == (mine.me["name"], customer, deal["name"])
    of_deal = follow_ups(mine, f'opportunity = "{deal["name"]}"')
    assert [one["name"] for one in of_deal] == [visit["name"]]
    by_person = f'owner = "{mine.me["name"]}" AND happen_time >= "{moment(days=7)}"'
    assert [one["name"] for one in follow_ups(mine, by_person)] == [call["name"], visit["name"]]
    until(lambda: len(history(mine, customer)) == 3)
    assert titles(mine, customer) == ["拜访：有进展", "商机创建", "电话：有进展"]
    changed = mine.patch(f"/v1/{visit['name']}", {"summary": "看了三个仓库", "etag": visit["etag"]})
    assert history(mine, deal["name"])[-1]["detail"]["summary"] == "看了三个仓库"
    refused(
        lambda: mine.patch(f"/v1/{visit['name']}", {"summary": "x", "etag": visit["etag"]}), 409, "STALE", "summary"
    )
    assert changed["etag"] != visit["etag"]
    desk.api.delete(f"/v1/{visit['name']}")
    assert follow_ups(mine, f'opportunity = "{deal["name"]}"') == []
    desk.api.post(f"/v1/{visit['name']}:undelete")
    assert mine.get(f"/v1/{visit['name']}")["summary"] == "看了三个仓库"


def test_F2_the_company_sets_its_own_template(desk: Desk) -> None:
    mine = desk.sign_in(desk.hire("甲"))
    customer = customer_of(mine)
    before = desk.api.get("/v1/blueprint")["content"]["followUps"]
    try:
        desk.api.post("/v1/blueprint:apply", {"content": {"followUps": {**before, "required": ["outcome", "summary"]}}})
        refused(lambda: logged(mine, customer), 400, "INVALID", "summary")
        logged(mine, customer, summary="好")
    finally:
        desk.api.post("/v1/blueprint:apply", {"content": {"followUps": before}})
    logged(mine, customer)


def test_F6_a_follow_up_says_to_which_stage_it_moves_the_opportunity(desk: Desk) -> None:
    mine = desk.sign_in(desk.hire("甲"))
    deal = opened(mine)
    said = {"record": deal["name"], "outcome": "PROGRESS", "summary": "需求已明确"}
    made = mine.post("/v1/followUps?toStage=need-clear", said)
    assert made["opportunity"] == deal["name"]
    until(lambda: mine.get(f"/v1/{deal['name']}")["stage"] == "need-clear")
    other = {**said, "record": customer_of(mine)}
    refused(lambda: mine.post("/v1/followUps?toStage=need-clear", other), 400, "INVALID", "toStage")


def test_F7_a_revisit_is_a_task_of_whoever_comes_back(desk: Desk) -> None:
    mine = desk.sign_in(desk.hire("甲"))
    customer = customer_of(mine)
    back = moment(days=-5)
    logged(mine, customer, outcome="REVISIT", nextTime=back, nextPlan="带样品")
    (task,) = tasks(mine, f'record = "{customer}"')
    assert (task["kind"], task["status"], task["title"]) == ("REVISIT", "OPEN", "回访：带样品")
    assert task["dueTime"][:19] == back[:19]
    mine.post(f"/v1/{task['name']}:complete", {"result": "已回访"})
    assert titles(mine, customer)[-1] == "回访已完成"


def test_F10_F14_a_team_and_another_department_work_off_what_they_are_asked_for(desk: Desk) -> None:
    boss, *staff = (desk.sign_in(one) for one in team_of(desk, "甲", "乙", "丙"))
    finance = desk.sign_in(desk.hire("丁", role="finance"))
    whole = asked(boss, title="季度盘点", team=boss.me["team"])
    assert [one["title"] for one in tasks(staff[0], "status = OPEN")] == ["季度盘点"]
    task = staff[0].post(f"/v1/{whole['name']}:claim")
    assert task["owner"] == staff[0].me["name"]
    refused(lambda: boss.post(f"/v1/{task['name']}:claim"), 409, "TAKEN")
    customer = customer_of(staff[0])
    credit = asked(
        staff[0],
        kind="COLLABORATION",
        record=customer,
        parent=whole["name"],
        owner=finance.me["name"],
        title="信用审核",
        deliverable="审核意见",
        dueTime=moment(days=-2),
        mentions=[finance.me["name"]],
    )
    assert [one["deliverable"] for one in tasks(finance, "kind = COLLABORATION")] == ["审核意见"]
    finance.post(f"/v1/{credit['name']}:start")
    finance.post(f"/v1/{credit['name']}:complete", {"result": "额度 50 万"})
    refused(lambda: finance.post(f"/v1/{credit['name']}:complete"), 409, "TASK_CLOSED")
    seen = staff[0].get(f"/v1/{whole['name']}")
    assert (seen["parts"], seen["partsDone"]) == (1, 1)
    until(lambda: any(n["kind"] == "MENTIONED" for n in finance.get("/v1/notifications")["notifications"]))
    task = staff[0].patch(f"/v1/{task['name']}", {"title": "季度盘点（华东）"})
    staff[0].post(f"/v1/{task['name']}:assign", {"owner": staff[1].me["name"]})
    staff[1].post(f"/v1/{task['name']}:cancel", {"result": "并入年度盘点"})
    staff[1].post(f"/v1/{task['name']}:reopen")
    staff[1].delete(f"/v1/{task['name']}")
    assert staff[1].post(f"/v1/{task['name']}:undelete")["status"] == "OPEN"


def test_F17_F18_nobody_is_forgotten_and_unanswered_calls_are_the_managers_to_see(desk: Desk) -> None:
    boss, *staff = (desk.sign_in(one) for one in team_of(desk, "甲", "乙"))
    mine = staff[0]
    silent, called = customer_of(mine), customer_of(mine)
    logged(mine, called, method="CALL", outcome="NOT_REACHED", summary="无人接听")
    (seen,) = follow_ups(boss, f'outcome = NOT_REACHED AND record = "{called}"')
    assert seen["owner"] == mine.me["name"]
    since = f'NOT happen_time >= "{moment(days=7)}"'

    def latest() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = boss.get("/v1/followUps:latest", kind="customers", filter=since)["latest"]
        return found

    assert [one["record"] for one in until(latest)] == [silent]
    every = boss.get("/v1/followUps:latest", kind="customers")["latest"]
    assert {one["record"]: one.get("followUp", "") for one in every} == {silent: "", called: seen["name"]}


def test_F19_F20_who_sees_a_customer_sees_what_all_of_them_did(desk: Desk) -> None:
    boss, *staff = (desk.sign_in(one) for one in team_of(desk, "甲", "乙"))
    service = desk.sign_in(desk.hire("丙", role="backoffice"))
    mine = staff[0]
    customer = customer_of(mine)
    logged(mine, customer, summary="设备选型", happenTime=moment(hours=3))
    logged(service, customer, summary="电话报修", happenTime=moment(hours=2))
    logged(boss, customer, summary="登门致歉", happenTime=moment(hours=1))
    said = [[e["detail"]["summary"] for e in history(who, customer)] for who in (mine, service, boss)]
    assert said == [["登门致歉", "电话报修", "设备选型"]] * 3
    stranger = desk.sign_in(desk.hire("丁"))
    refused(lambda: history(stranger, customer), 404, "NOT_FOUND")


def test_L12_L20_whoever_gets_a_lead_finds_it_among_his_tasks_until_he_called(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    lead = desk.capture(region=region, text="想看样机")
    (task,) = until(lambda: tasks(mine, f'record = "{lead["name"]}"'))
    assert task["title"].startswith("您有一条新线索待处理,请在")
    assert (task["status"], task["owner"]) == ("OPEN", mine.me["name"])
    mine.post(f"/v1/{lead['name']}:contact")
    until(lambda: tasks(mine, f'record = "{lead["name"]}" AND status = DONE'))


def test_C17_C18_a_customers_chain_begins_with_the_form_and_has_the_engineers_report(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    number = phone()
    lead = desk.capture(region=region, phone=number, company=f"华兴 {number}", channel="WEB_FORM", text="询价")
    desk.capture(region=region, phone=number, channel="DOUYIN", text="私信：要样品")
    mine.post(f"/v1/{lead['name']}:contact")
    mine.post(f"/v1/{lead['name']}:qualify")
    (customer,) = until(lambda: mine.get("/v1/customers", filter=f'lead = "{lead["name"]}"').get("customers", []))
    report = mine.post(
        "/v1/interactions",
        {
            "record": customer["name"],
            "kind": "DIAGNOSIS_REPORT",
            "system": "remote",
            "externalId": f"R-{number}",
            "title": "PLC 通讯中断",
            "text": "E-204 timeout",
            "detail": {"code": "E-204"},
        },
    )
    desk.settle()
    chain = history(mine, customer["name"], orderBy="happen_time")
    assert [entry["titleZh"] for entry in chain] == [
        "官网表单：线索录入",
        "线索分配",
        "抖音：再次联系我们",
        "首次联系",
        "线索转为商机",
        "远程诊断报告",
    ]
    texts = [entry["detail"]["text"] for entry in chain if "text" in entry.get("detail", {})]
    assert texts == ["询价", "私信：要样品", "E-204 timeout"]
    assert chain[-1]["source"] == report["name"]
    assert chain[-1]["detail"]["detail"] == {"code": "E-204"}


def test_C22_a_change_of_requirement_is_a_form_on_the_deal(desk: Desk) -> None:
    mine, finance = desk.sign_in(desk.hire("甲")), desk.sign_in(desk.hire("丁", role="finance"))
    customer = customer_of(mine)
    deal = opened(mine, customer=customer)
    wanted = {"record": deal["name"], "type": "QUANTITY", "detail": "SKU 从 12 增至 47", "surcharge": cny(8000)}
    requirement = mine.post("/v1/changeRequests", {**wanted, "scheduleDays": 10})
    (seen,) = finance.get("/v1/changeRequests", filter=f'record = "{deal["name"]}"')["changeRequests"]
    assert (seen["surcharge"]["units"], seen["scheduleDays"]) == ("8000", 10)
    mine.patch(f"/v1/{requirement['name']}", {"scheduleDays": 12})
    assert titles(mine, customer)[-1] == "数量变更"
    desk.api.delete(f"/v1/{requirement['name']}")
    desk.api.post(f"/v1/{requirement['name']}:undelete")
    assert mine.get(f"/v1/{requirement['name']}")["scheduleDays"] == 12


def test_C26_a_service_ticket_of_a_customer_goes_its_way(desk: Desk) -> None:
    boss, *staff = (desk.sign_in(one) for one in team_of(desk, "甲", "乙"))
    customer = customer_of(staff[0])
    refused(lambda: asked(boss, kind="TICKET", title="停机", team=boss.me["team"]), 400, "INVALID", "record")
    ticket = asked(boss, kind="TICKET", title="停机", record=customer, team=boss.me["team"])
    staff[0].post(f"/v1/{ticket['name']}:start")
    staff[0].post(f"/v1/{ticket['name']}:complete")
    staff[0].post(f"/v1/{ticket['name']}:reopen")
    ticket = staff[0].post(f"/v1/{ticket['name']}:complete")
    assert (ticket["status"], ticket["customer"], ticket["owner"]) == ("DONE", customer, staff[0].me["name"])
    assert titles(staff[0], customer) == ["工单已完成"]


def test_I22_orders_mails_and_talks_of_other_systems_are_kept_once(desk: Desk) -> None:
    mine = desk.sign_in(desk.hire("甲"))
    customer = customer_of(mine)
    order = {"record": customer, "kind": "ORDER", "system": "shop", "externalId": phone(), "title": "订单"}
    order_kept = mine.post("/v1/interactions", {**order, "happenTime": moment(days=30)})
    assert mine.post("/v1/interactions", order)["name"] == order_kept["name"]
    mine.post("/v1/interactions", {**order, "kind": "MAIL", "system": "imap"})
    listed = mine.get("/v1/interactions", filter=f'record = "{customer}"')["interactions"]
    assert [one["kind"] for one in listed] == ["MAIL", "ORDER"]
    assert mine.get(f"/v1/{order_kept['name']}")["title"] == "订单"
    assert titles(mine, customer) == ["订单", "邮件"]


def test_F20_I1_old_follow_ups_come_in_by_the_thousand_each_once(desk: Desk) -> None:
    mine = desk.sign_in(desk.hire("甲"))
    customer = customer_of(mine)
    rows = [
        {
            "followUp": {"record": customer, "summary": f"{n}", "happenTime": moment(days=400 - n / 10)},
            "historical": True,
        }
        for n in range(999)
    ]
    rows.append({"followUp": {"record": "customers/none", "happenTime": moment(days=1)}, "historical": True})
    body = {"requests": rows, "requestId": f"import {phone()}"}
    results = mine.post("/v1/followUps:batchCreate", body)["results"]
    assert [n for n, one in enumerate(results) if "error" in one] == [999]
    again = mine.post("/v1/followUps:batchCreate", body)["results"]
    assert [one.get("followUp") for one in again] == [one.get("followUp") for one in results]
    answer = mine.get("/v1/followUps", filter=f'record = "{customer}"', pageSize=1000)
    assert len(answer["followUps"]) == 999
    page, found = history_page(mine, customer, ""), 0
    while page:
        found += len(page["entries"])
        token = page.get("nextPageToken", "")
        page = history_page(mine, customer, token) if token else {}
    assert found == 999


def history_page(api: Api, record: str, token: str) -> dict[str, Any]:
    page: dict[str, Any] = api.get("/v1/timeline", record=record, pageSize=400, pageToken=token)
    return page
