"""A lead deleted by mistake: everywhere gone, and everywhere there again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.api import Refused
from tests.journeys.desk import Desk


def timers(desk: Desk, lead: dict[str, Any]) -> set[str]:
    found = desk.api.get(f"/v1/{lead['name']}/timers").get("timers", [])
    return {timer["kind"] for timer in found if "fireTime" not in timer and not timer.get("cancelled")}


def tasks(desk: Desk, lead: dict[str, Any]) -> list[str]:
    found = desk.api.get("/v1/tasks", filter=f'record = "{lead["name"]}"', orderBy="create_time")
    return [task["status"] for task in found.get("tasks", [])]


def test_L1_L20_L21_a_deleted_lead_has_no_clock_and_no_task_and_comes_back_with_new_ones(
    desk: Desk, region: str
) -> None:
    boss, owner = desk.hire("经理", role="manager"), desk.hire("甲", region=region, capacity={"open": 1})
    lead = desk.capture(region=region)
    path = f"/v1/{lead['name']}"
    assert lead["owner"] == owner["name"]
    desk.settle()
    assert tasks(desk, lead) == ["OPEN"]
    assert timers(desk, lead)
    with pytest.raises(Refused) as denied:
        desk.sign_in(owner).delete(path)
    assert denied.value.status == 403
    gone = desk.api.delete(path)
    assert (gone["status"], bool(gone["deleteTime"])) == ("DELETED", True)
    with pytest.raises(Refused) as missing:
        desk.api.get(path)
    assert missing.value.status == 404
    assert desk.api.get(path, showDeleted="true")["status"] == "DELETED"
    with pytest.raises(Refused) as refused:
        desk.sign_in(owner).post(f"{path}:contact")
    assert (refused.value.status, refused.value.reason) == (409, "DELETED")
    desk.settle()
    assert tasks(desk, lead) == ["CANCELLED"]
    assert not timers(desk, lead)
    # His one place is free, and the same contact is a new lead.
    again = desk.capture(region=region, phone=lead["phone"])
    assert (again["owner"], again["name"] != lead["name"]) == (owner["name"], True)
    back = desk.api.post(f"{path}:undelete")
    assert (back["owner"], back["status"], back["reviewWith"]) == (owner["name"], "ASSIGNED", again["name"])
    back = desk.when(lead["name"], lambda now: "respondBy" in now)
    assert back["respondBy"] > lead.get("respondBy", "")
    desk.settle()
    assert tasks(desk, lead) == ["CANCELLED", "OPEN"]
    assert timers(desk, lead)
    told = [entry["titleEn"] for entry in desk.api.get("/v1/timeline", record=lead["name"])["entries"]]
    assert told[:2] == ["Lead brought back", "Lead deleted"]
    assert [point["kind"] for point in desk.chain(lead)][-2:] == ["DELETED", "UNDELETED"]
    assert boss["name"] != owner["name"]
    assert desk.api.post(f"{path}:contact")["status"] == "CONTACTED"
