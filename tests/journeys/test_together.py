"""Who works together on a deal or a customer, and what each of them sees of it, through the public API."""

from __future__ import annotations

from typing import Any

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
