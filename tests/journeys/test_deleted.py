"""What an administrator deletes by mistake, through the public API: a form, a team, a calendar, each back as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.journeys.api import Api, Refused
from tests.journeys.desk import Desk, phone


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(Refused) as problem:
        call()
    return problem.value.status, problem.value.reason


def test_L4_a_form_that_was_deleted_is_closed_until_it_is_brought_back(desk: Desk) -> None:
    address = f"/v1/forms/booth-{phone()}"
    form = {"displayName": "展位", "fields": ["fullName", "phone"], "open": True}
    made = desk.api.post(f"/v1/forms?formId={address.removeprefix('/v1/forms/')}", form)
    visitor = Api(desk.api.url)
    sent = {"lead": {"fullName": "王", "phone": phone()}}
    assert visitor.get(f"{address}:describe")["displayName"] == "展位"
    gone = desk.api.delete(address)
    assert "deleteTime" in gone
    for asked in (
        lambda: visitor.get(f"{address}:describe"),
        lambda: visitor.post(f"{address}:submit", sent),
        lambda: desk.api.get(address),
    ):
        assert refused(asked) == (404, "NOT_FOUND")
    assert desk.api.get(address, showDeleted="true") == gone
    assert gone not in desk.api.get("/v1/forms", pageSize=1000)["forms"]
    assert gone in desk.api.get("/v1/forms", pageSize=1000, showDeleted="true")["forms"]
    desk.later(timedelta(days=29))
    back = desk.api.post(f"{address}:undelete")
    assert back == {**made, "etag": back["etag"]}
    assert visitor.post(f"{address}:submit", sent)["message"]


def test_R20_a_team_that_was_deleted_leads_nobody_until_it_is_brought_back(desk: Desk) -> None:
    api = desk.api
    boss = desk.hire("经理", role="manager")
    made = api.post("/v1/teams", {"displayName": f"组 {phone()}", "manager": boss["name"]})
    below = api.post("/v1/teams", {"displayName": f"下 {phone()}", "parent": made["name"]})
    assert refused(lambda: api.delete(f"/v1/{made['name']}")) == (409, "TEAM_NOT_EMPTY")
    api.delete(f"/v1/{below['name']}")
    api.delete(f"/v1/{made['name']}")
    assert refused(lambda: api.post(f"/v1/{below['name']}:undelete")) == (409, "PARENT_DELETED")
    with pytest.raises(Refused) as nowhere:
        desk.hire("甲", team=made["name"])
    assert list(nowhere.value.fields) == ["team"]
    again = api.post("/v1/teams", {"displayName": made["displayName"]})
    assert refused(lambda: api.post(f"/v1/{made['name']}:undelete")) == (409, "ALREADY_EXISTS")
    api.delete(f"/v1/{again['name']}")
    for team in (made, below):
        assert api.post(f"/v1/{team['name']}:undelete") == {**team, "etag": "3"}
    seller = desk.hire("乙", team=below["name"], region=f"区{phone()}")
    lead = desk.capture(region=seller["region"])
    desk.settle()
    assert desk.sign_in(boss).get(f"/v1/{lead['name']}")["owner"] == seller["name"]


def test_a_calendar_that_was_deleted_is_in_no_blueprint_until_it_is_brought_back(desk: Desk) -> None:
    api = desk.api
    made = api.post(
        "/v1/calendars",
        {"displayName": f"Night {phone()}", "spans": [{"weekday": 1, "start": "20:00", "end": "24:00"}]},
    )
    key = made["name"].removeprefix("calendars/")
    api.delete(f"/v1/{made['name']}")
    assert key not in api.get("/v1/blueprint")["content"]["calendars"]
    assert made["name"] not in {one["name"] for one in api.get("/v1/calendars")["calendars"]}
    assert made["name"] in {one["name"] for one in api.get("/v1/calendars", showDeleted="true")["calendars"]}
    back = api.post(f"/v1/{made['name']}:undelete")
    assert back == {**made, "etag": back["etag"]}
    assert key in api.get("/v1/blueprint")["content"]["calendars"]
