"""Automations through the public API: what lies still is warned, told and lost; what moves asks for work at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.journeys.api import Api, Refused, until
from tests.journeys.desk import Desk, phone

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def team_of(desk: Desk) -> tuple[dict[str, Any], dict[str, Any]]:
    """A manager and one of his people, in a team of their own."""
    team = desk.api.post("/v1/teams", {"displayName": f"组 {phone()}"})["name"]
    boss = desk.hire("经理", role="manager", team=team)
    return boss, desk.hire("甲", team=team, manager=boss["name"])


def opened(api: Api, **fields: Any) -> dict[str, Any]:
    deal: dict[str, Any] = api.post("/v1/opportunities", {"title": f"仓储系统 {phone()}", **fields})
    return deal


def read(api: Api, deal: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/v1/{deal['name']}")
    return found


def clocks(desk: Desk, deal: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Those that run or stand still, by automation."""
    timers = desk.api.get(f"/v1/{deal['name']}/timers").get("timers", [])
    return {t["automation"]: t for t in timers if "fireTime" not in t}


def known(desk: Desk, deal: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its clocks, as soon as the rules have heard of it."""

    def listed() -> dict[str, dict[str, Any]] | None:
        try:
            return clocks(desk, deal)
        except Refused:
            return None

    found: dict[str, dict[str, Any]] = until(listed)
    return found


def tasks(api: Api, deal: dict[str, Any]) -> list[str]:
    answer = api.get("/v1/tasks", filter=f'record = "{deal["name"]}"')
    return sorted(task["title"] for task in answer.get("tasks", []))


def notices(api: Api, deal: dict[str, Any]) -> list[str]:
    answer = api.get("/v1/notifications", pageSize=100)
    return sorted(n["titleZh"] for n in answer.get("notifications", []) if n.get("record") == deal["name"])


def left(timer: dict[str, Any], deal: dict[str, Any]) -> timedelta:
    due = datetime.fromisoformat(timer["dueTime"])
    return due - datetime.fromisoformat(deal["createTime"]).astimezone(UTC)


def test_F8_O29_O30_O37_silence_climbs_the_ladder_and_a_follow_up_begins_it_anew(desk: Desk) -> None:
    boss, seller = team_of(desk)
    hers, his = desk.sign_in(seller), desk.sign_in(boss)
    plain, important = opened(hers), opened(hers, importance="IMPORTANT")
    followed = opened(hers)
    assert left(known(desk, important)["important-reminder"], important) == 7 * DAY
    assert "important-reminder" not in known(desk, plain)
    known(desk, followed)
    desk.settle()
    desk.later(7 * DAY - HOUR)
    hers.post(
        "/v1/followUps", {"record": followed["name"], "method": "CALL", "outcome": "PROGRESS", "summary": "已联系"}
    )
    desk.settle()
    assert "warnedTime" not in read(hers, plain), "an hour is left"
    desk.later(1.1 * HOUR)
    warned = until(lambda: (of := read(hers, plain)) and "warnedTime" in of and of)
    assert (warned["warningZh"], warned["warning"]) == ("已7天没有进展", "Nothing happened for 7 days")
    until(lambda: tasks(hers, important))
    desk.settle()
    assert tasks(hers, important) == [f"重要商机 {important['title']} 已7天未跟进，请尽快跟进"]
    assert tasks(hers, plain) == []
    assert "warnedTime" not in read(hers, followed)
    hers.post("/v1/followUps", {"record": plain["name"], "method": "CALL", "outcome": "PROGRESS", "summary": "已联系"})
    until(lambda: "warnedTime" not in read(hers, plain))
    desk.settle()
    desk.later(7 * DAY)
    until(lambda: notices(his, important))
    desk.settle()
    heard = [n for n in notices(his, important) if "14天未跟进" in n]
    assert heard == [f"商机 {important['title']} 已14天未跟进"]
    assert not [n for n in notices(his, plain) if "14天" in n], "its silence began anew"


def test_F9_every_morning_owner_and_manager_are_mailed_of_important_ones_that_lie(desk: Desk) -> None:
    boss, seller = team_of(desk)
    hers, his = desk.sign_in(seller), desk.sign_in(boss)
    important, plain = opened(hers, importance="IMPORTANT"), opened(hers)
    known(desk, important)
    desk.settle()
    desk.later(8 * DAY + HOUR)
    subject = f"【高优商机跟进预警】{important['title']}项目已超过7天未跟进"
    until(lambda: subject in notices(hers, important))
    until(lambda: subject in notices(his, important))
    assert not [n for n in notices(his, plain) if "高优" in n]


def test_O28_on_hold_it_is_left_alone_and_after_90_days_of_silence_it_is_lost_with_the_reason(desk: Desk) -> None:
    _, seller = team_of(desk)
    hers = desk.sign_in(seller)
    lost, held, gone_on = opened(hers), opened(hers), opened(hers)
    for deal in (lost, held, gone_on):
        known(desk, deal)
    hers.post(f"/v1/{held['name']}:hold", {"reason": "预算冻结"})
    until(lambda: all(t.get("paused") for t in clocks(desk, held).values()))
    desk.settle()
    desk.later(80 * DAY)
    hers.patch(f"/v1/{gone_on['name']}", {"stage": "need-clear"})
    desk.settle()
    desk.later(10.1 * DAY)
    found = until(lambda: (of := read(hers, lost))["status"] == "LOST" and of)
    assert "连续90天无进展" in found["statusReason"]
    moves = hers.get(f"/v1/{lost['name']}/stages")["stageChanges"]
    assert "90 days" in moves[-1]["reason"]
    desk.settle()
    assert read(hers, held)["status"] == "ON_HOLD"
    assert read(hers, gone_on)["status"] == "OPEN"
    hers.post(f"/v1/{held['name']}:resume")
    until(lambda: not any(t.get("paused") for t in clocks(desk, held).values()))
    due = datetime.fromisoformat(clocks(desk, held)["lost-after-silence"]["dueTime"])
    resumed = datetime.fromisoformat(read(hers, held)["updateTime"])
    assert abs(due - resumed - 90 * DAY) < HOUR, "none of its days were used on hold"


def test_O25_O26_O27_stages_ask_for_their_work_at_once(desk: Desk) -> None:
    _, seller = team_of(desk)
    hers = desk.sign_in(seller)
    quoted = opened(hers, pipeline="pipelines/four-stage")
    for stage in ("intent", "quote"):
        hers.patch(f"/v1/{quoted['name']}", {"stage": stage})
    until(lambda: tasks(hers, quoted))
    assert tasks(hers, quoted) == [f"为商机 {quoted['number']} {quoted['title']} 准备报价"]
    until(lambda: f"商机 {quoted['number']} 待报价" in notices(hers, quoted))
    seven = opened(hers, pipeline="pipelines/seven-stage")
    for stage in ("needs-analysis", "solution"):
        hers.patch(f"/v1/{seven['name']}", {"stage": stage})
    until(lambda: tasks(hers, seven))
    assert tasks(hers, seven) == ["提交解决方案"]
    until(lambda: notices(hers, seven))
    assert f"标准方案模板：{seven['title']}" in notices(hers, seven)


def test_R10_R19_an_automation_is_rehearsed_applied_and_works_minutes_later(desk: Desk) -> None:
    _, seller = team_of(desk)
    hers = desk.sign_in(seller)
    before = desk.api.get("/v1/blueprint")["content"]["automations"]
    title = f"试用{phone()}"
    mine = {
        "id": "my-own",
        "on": "OPPORTUNITY_OPENED",
        "when": f'title == "{title}"',
        "after": {"hours": 2},
        "actions": [
            {"kind": "NOTIFY", "to": ["owner"], "titleZh": "请回访 {title}", "titleEn": "Call back: {title}"},
        ],
    }
    facts = {"title": title, "owner": seller["name"]}
    rehearsed = desk.api.post(
        "/v1/automations:preview", {"on": "OPPORTUNITY_OPENED", "facts": facts, "content": {"automations": [mine]}}
    )["outcomes"]
    assert [(o["automation"], o["fires"], o["after"]) for o in rehearsed] == [("my-own", True, "7200s")]
    assert rehearsed[0]["actions"][0]["person"] == seller["name"]
    with pytest.raises(Refused) as problem:
        desk.api.post("/v1/blueprint:apply", {"content": {"automations": [{**mine, "when": "colour == 1"}]}})
    assert list(problem.value.fields) == ["content.automations[0].when"]
    with pytest.raises(Refused) as problem:
        hers.post("/v1/blueprint:apply", {"content": {"automations": []}})
    assert problem.value.status == 403
    try:
        desk.api.post("/v1/blueprint:apply", {"content": {"automations": [*before, mine]}})
        now = {a["id"]: a for a in desk.api.get("/v1/blueprint")["content"]["automations"]}
        assert now["my-own"]["author"] == desk.api.me["name"]
        deal = opened(hers, title=title)
        known(desk, deal)
        desk.settle()
        desk.later(2.01 * HOUR)
        until(lambda: notices(hers, deal))
        assert notices(hers, deal) == [f"请回访 {title}"]
    finally:
        desk.api.post("/v1/blueprint:apply", {"content": {"automations": before}})


def test_F7_R5_whoever_planned_to_come_back_is_reminded_when_it_is_time(desk: Desk) -> None:
    _, seller = team_of(desk)
    hers = desk.sign_in(seller)
    deal, other = opened(hers), opened(hers)
    known(desk, deal)
    known(desk, other)
    visit = {"method": "VISIT", "outcome": "REVISIT", "summary": "三天后再来"}
    for one in (deal, other):
        seen = hers.post("/v1/followUps", {**visit, "record": one["name"], "nextTime": _after(one, 3 * DAY)})
        assert seen["outcome"] == "REVISIT"
    until(lambda: "revisit-reminder" in clocks(desk, other))
    desk.settle()
    desk.later(2 * DAY)
    hers.post("/v1/followUps", {**visit, "outcome": "PROGRESS", "record": other["name"], "summary": "提前去过"})
    until(lambda: "revisit-reminder" not in clocks(desk, other))
    desk.settle()
    desk.later(DAY + HOUR)
    until(lambda: notices(hers, deal))
    desk.settle()
    reminder = f"回访时间已到：{deal['title']}"
    assert reminder in notices(hers, deal)
    assert reminder not in notices(hers, other)


def _after(deal: dict[str, Any], span: timedelta) -> str:
    return (datetime.fromisoformat(deal["createTime"]) + span).isoformat()


def test_C13_a_customer_of_tier_A_that_nobody_saw_for_14_days_is_remembered(desk: Desk) -> None:
    _, seller = team_of(desk)
    hers = desk.sign_in(seller)
    names = [f"{tier}级客户 {phone()}" for tier in "AC"]
    seen, unseen = (
        hers.post("/v1/customers", {"displayName": name, "tier": tier}) for name, tier in zip(names, "AC", strict=True)
    )
    assert "tier-a-untouched" in known(desk, seen)
    assert list(known(desk, unseen)) == ["tier-c-untouched"]
    desk.settle()
    desk.later(14 * DAY + HOUR)
    until(lambda: tasks(hers, seen))
    assert tasks(hers, seen) == [f"{names[0]}已14天未联系，请安排跟进"]
    assert tasks(hers, unseen) == []
