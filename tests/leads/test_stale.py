"""Two people at one lead: whoever comes second hears what the first changed, whatever he did with it."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Scope
from chassis.errors import Stale
from dealwright.leads.v1 import leads_pb2
from tests.leads.desk import LI, MANAGER, Desk, principal

PHONE = "13812345678"
pytestmark = pytest.mark.usefixtures("staff")


def update(desk: Desk, name: str, *paths: str, who: Any = MANAGER, etag: str = "", **fields: Any) -> leads_pb2.Lead:
    lead = leads_pb2.Lead(name=name, etag=etag, **fields)
    request = leads_pb2.UpdateLeadRequest(lead=lead, update_mask=FieldMask(paths=paths))
    answer: leads_pb2.Lead = desk.call("UpdateLead", request, who)
    return answer


def told(desk: Desk, name: str, etag: str, who: Any = MANAGER) -> dict[str, tuple[Any, str]]:
    with pytest.raises(Stale) as stale:
        update(desk, name, "text", who=who, etag=etag, text="x")
    return {one.field: (one.value, one.actor) for one in stale.value.changes}


def of_li(desk: Desk) -> str:
    name: str = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    return name


def test_L1_an_old_etag_hears_which_fields_changed_what_they_hold_now_and_by_whom(desk: Desk) -> None:
    name = of_li(desk)
    update(desk, name, "company", who=LI, company="华兴")
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    found = told(desk, name, "1")
    assert (found["company"], found["status"]) == (("华兴", "people/li"), ("CONTACTED", "people/li"))
    assert found.keys() == {"company", "status", "first_response_time", "last_activity_time"}
    assert "company" not in told(desk, name, "2")
    assert desk.get(name).text == ""


def test_L1_a_channel_that_adds_to_a_lead_is_told_of_and_so_are_claims_and_releases(desk: Desk) -> None:
    name = of_li(desk)
    desk.capture(phone=PHONE, industry="物流")
    assert told(desk, name, "1")["industry"] == ("物流", "people/admin")
    etag = desk.get(name).etag
    desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name), LI)
    assert {"status": ("POOLED", "people/li"), "owner": ("", "people/li")}.items() <= told(desk, name, etag).items()


def test_P7_what_a_role_does_not_show_is_not_told_of(desk: Desk) -> None:
    name = of_li(desk)
    update(desk, name, "company", "industry", who=LI, company="华兴", industry="物流")
    blind = principal("people/li", "sales", Scope.OWN, "teams/east", hidden=frozenset({"company"}))
    assert told(desk, name, "1", blind) == {"industry": ("物流", "people/li")}
    assert not {"company", "name", "etag"} & told(desk, name, "77", blind).keys()


def test_L4_own_fields_are_patched_key_by_key(desk: Desk) -> None:
    name = of_li(desk)
    for paths, given, kept in (
        ((), {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ((), {"c": 3}, {"a": 1, "b": 2, "c": 3}),
        (("custom",), {"c": 4}, {"a": 1, "b": 2, "c": 4}),
        (("custom.a",), {}, {"b": 2, "c": 4}),
        (("*",), {"d": 5}, {"b": 2, "c": 4, "d": 5}),
    ):
        lead = leads_pb2.Lead(phone=PHONE, channel=leads_pb2.API)
        lead.custom.update(given)
        more: dict[str, Any] = {"phone": PHONE, "channel": leads_pb2.API} if paths == ("*",) else {}
        assert dict(update(desk, name, *paths, custom=lead.custom, **more).custom) == kept
