"""A lead that comes back soon after it was given away: to somebody else, and to who gave it away only at need."""

from __future__ import annotations

from typing import Any

from dealwright.rules.v1 import events_pb2
from tests.rules.house import House

BACK: dict[str, Any] = {"cause": "RETURNED", "owner_version": 2}


def test_L21_L22_who_gave_a_lead_away_gets_it_back_only_when_nobody_else_may(house: House) -> None:
    house.hire("li", "wang", region="east")
    for number in range(1, 7):
        assert house.capture(number, region="east", excluded=["people/li"], **BACK) == ["wang"]
    house.presence("wang", "OFFLINE")
    assert house.capture(7, region="east", excluded=["people/li"], **BACK) == ["li"]
    house.presence("li", "OFFLINE")
    assert house.capture(8, region="east", excluded=["people/li"], **BACK) == [""]
    house.announced()
    house.presence("li", "ONLINE")
    decided = house.announced(events_pb2.LeadAssignmentDecided)
    assert [event.owner for event in decided] == ["people/li"]


def test_L18_who_was_to_lose_a_lead_never_gets_it_though_nobody_else_may(house: House) -> None:
    house.hire("li", region="east")
    asked = {"cause": "REASSIGNED", "owner_version": 1, "excluded": ["people/li"]}
    assert house.capture(1, region="east", **asked) == [""]


def test_R21_what_came_back_and_waits_is_decided_once_however_often_it_is_said(house: House) -> None:
    house.hire("li", region="east")
    house.presence("li", "OFFLINE")
    assert house.capture(1, region="east", excluded=["people/li"], **BACK) == [""]
    once = len(house.entries())
    for _ in range(2):
        assert house.capture(1, region="east", excluded=["people/li"], **BACK) == [""]
    assert len(house.entries()) == once
    house.assert_sound()
