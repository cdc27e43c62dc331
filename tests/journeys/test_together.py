"""Who works together on a deal or a customer, and what each of them sees of it, through the public API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.desk import Desk
from tests.journeys.test_opportunities import opened, read, refused


def test_O33_F14_who_has_no_part_left_sees_the_deal_no_longer_until_he_is_asked_again(desk: Desk, region: str) -> None:
    seller, helper = desk.hire("甲", region=region), desk.hire("乙", region=region)
    mine, theirs = desk.sign_in(seller), desk.sign_in(helper)
    deal = opened(mine)

    def ask() -> dict[str, Any]:
        mine.post(f"/v1/{deal['name']}:requestCollaboration", {"person": helper["name"], "part": "报价"})
        desk.settle()
        wanted = f'kind = COLLABORATION AND status = OPEN AND opportunity = "{deal["name"]}"'
        (task,) = theirs.get("/v1/tasks", filter=wanted)["tasks"]
        return dict(task)

    task = ask()
    assert read(theirs, deal)["name"] == deal["name"]
    mine.post(f"/v1/{task['name']}:cancel")
    desk.settle()
    refused(lambda: read(theirs, deal), 404, "NOT_FOUND")
    refused(lambda: theirs.get("/v1/timeline", record=deal["name"]), 404, "NOT_FOUND")
    assert ask()["name"] == task["name"]
    assert read(theirs, deal)["name"] == deal["name"]
    mine.post(f"/v1/{deal['name']}:unshare", {"person": helper["name"]})
    refused(lambda: read(theirs, deal), 404, "NOT_FOUND")
    refused(lambda: mine.post(f"/v1/{deal['name']}:unshare", {"person": helper["name"]}), 409, "NOT_SHARED")


def test_F19_F20_what_hangs_on_a_deal_does_not_show_through_a_customer_that_the_team_shares(
    desk: Desk, region: str
) -> None:
    team = desk.api.post("/v1/teams", {"displayName": f"组 {region}"})["name"]
    seller, other = (desk.hire(name, team=team, region=region) for name in ("甲", "乙"))
    mine, mate = desk.sign_in(seller), desk.sign_in(other)
    customer = mine.post("/v1/customers", {"displayName": f"共享 {region}", "sharedWithTeam": True})
    secret = f"绝密{region}"
    deal = opened(mine, title=secret, customer=customer["name"])
    contract = mine.post(f"/v1/{deal['name']}:contract", {"contract": {"title": secret}})
    desk.settle()
    made = []
    for record in (deal["name"], contract["name"]):
        written = {"record": record, "type": "QUANTITY", "detail": secret}
        made.append(mine.post("/v1/changeRequests", written))
        made.append(mine.post("/v1/tasks", {"record": record, "title": secret, "detail": secret}))
    mine.post(f"/v1/{made[-1]['name']}:complete", {"result": secret})
    called = {"record": deal["name"], "method": "CALL", "outcome": "REFUSED", "summary": secret, "nextPlan": secret}
    made.append(mine.post("/v1/followUps", called))
    mine.post(f"/v1/{deal['name']}:requestCollaboration", {"person": seller["name"], "part": "报价"})
    order = {"record": deal["name"], "kind": "ORDER", "system": "erp", "externalId": region, "title": secret}
    made.append(mine.post("/v1/interactions", order))
    file = {"file": (f"{secret}.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")}
    made.append(mine.upload("/v1/attachments", {"record": deal["name"], "kind": "quote"}, file))
    shown = mine.post("/v1/followUps", {"record": customer["name"], "method": "VISIT", "outcome": "PROGRESS"})
    desk.settle()
    refused(lambda: read(mate, deal), 404, "NOT_FOUND")
    for one in made:
        refused(lambda one=one: mate.get(f"/v1/{one['name']}"), 404, "NOT_FOUND")
    wanted = f'customer = "{customer["name"]}"'
    for place in ("followUps", "tasks", "changeRequests", "interactions", "attachments", "checkIns"):
        found = mate.get(f"/v1/{place}", filter=wanted)
        assert _told(found, secret, deal["number"]) == [], place
    assert [one["name"] for one in mate.get("/v1/followUps", filter=wanted)["followUps"]] == [shown["name"]]
    timeline = mate.get("/v1/timeline", record=customer["name"])["entries"]
    whole = mate.get(f"/v1/{customer['name']}:view360")
    assert _told(timeline, secret, deal["number"], "REFUSED", "拒绝") == []
    assert _told(whole, secret, deal["number"], "REFUSED", "拒绝") == []
    # That something happened he sees, and all that is about the customer itself.
    assert {"其他商机有新动态", "商机创建", "拜访：有进展"} <= {one["titleZh"] for one in timeline}
    assert len(timeline) == len(mine.get("/v1/timeline", record=customer["name"])["entries"])
    # Asked for a part of the deal, he sees what hangs on it, through the customer as well.
    mine.post(f"/v1/{deal['name']}:requestCollaboration", {"person": other["name"], "part": "法务"})
    desk.settle()
    seen = {one["name"] for one in mate.get("/v1/followUps", filter=wanted)["followUps"]}
    assert {made[-3]["name"], shown["name"]} <= seen


def _told(answer: Any, *words: str) -> list[str]:
    """Those of these words that are in an answer."""
    text = repr(answer)
    return [word for word in words if word in text]


def test_F16_a_manager_reads_in_one_call_how_often_each_of_his_people_followed_up(desk: Desk, region: str) -> None:
    team = desk.api.post("/v1/teams", {"displayName": f"频次 {region}"})["name"]
    one, two = (desk.hire(name, team=team, region=region) for name in ("甲", "乙"))
    boss = desk.sign_in(desk.hire("经理", "manager", team=team))
    for person, outcomes in ((one, ("PROGRESS", "PROGRESS", "REFUSED")), (two, ("PROGRESS",))):
        api = desk.sign_in(person)
        customer = api.post("/v1/customers", {"displayName": f"频次 {region} {person['name']}"})["name"]
        for outcome in outcomes:
            api.post("/v1/followUps", {"record": customer, "method": "CALL", "outcome": outcome})

    def often(api: Any, since: str) -> dict[tuple[str, str], str]:
        rows = api.get("/v1/followUps:summarize", filter=f'happenTime >= "{since}"').get("rows", [])
        # What others logged about leads that nobody owns any more, a manager reads, too.
        ours = (one["name"], two["name"])
        return {(row["owner"], row["outcome"]): row["count"] for row in rows if row["owner"] in ours}

    whole = {(one["name"], "PROGRESS"): "2", (one["name"], "REFUSED"): "1", (two["name"], "PROGRESS"): "1"}
    assert often(boss, "2020-01-01T00:00:00Z") == whole
    assert often(desk.sign_in(two), "2020-01-01T00:00:00Z") == {(two["name"], "PROGRESS"): "1"}
    assert often(boss, "2099-01-01T00:00:00Z") == {}


def test_F14_L20_a_new_notice_is_on_its_persons_feed_at_once_and_on_nobody_elses(desk: Desk, region: str) -> None:
    one, two = (desk.hire(name, region=region) for name in ("甲", "乙"))
    mine, theirs = desk.sign_in(one), desk.sign_in(two)
    task = mine.post("/v1/tasks", {"title": f"绝密{region}", "owner": two["name"]})

    def told(event: dict[str, Any]) -> bool:
        return bool(event["type"] == "Notified" and event["data"].get("record") == task["name"])

    event = theirs.feed(told)
    assert event["notice"] == "有一项新任务分配给您"
    assert _told(event, "绝密") == []
    inbox = theirs.get(f"/v1/{event['subject']}")
    assert (inbox["kind"], inbox["textZh"]) == ("TASK_ASSIGNED", f"绝密{region}")
    assert desk.sign_in(two, "en").feed(told)["notice"] == "A task is yours"
    for other in (mine, desk.api):
        with pytest.raises(AssertionError, match="no such event"):
            other.feed(told, seconds=1)
