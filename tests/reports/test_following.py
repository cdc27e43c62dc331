"""Behind a figure are customers, and what was done about each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chassis.access import Grant
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, LI, WANG, Desk, moment
from tests.reports.people import customer, follow_up


def _drilled(desk: Desk, kpi: str, who: Any = ADMIN, as_of: str = "", **asked: Any) -> dict[str, list[str]]:
    """The follow-ups of each record behind a figure."""
    request = pb.ListRecordsRequest(parent=f"reports/{kpi}", period="2026-11", **asked)
    if as_of:
        request.as_of_time.FromDatetime(moment(as_of))
    found = desk.call("ListRecords", request, who).records
    return {one.name: [told.name for told in one.follow_ups] for one in found}


def _house(desk: Desk) -> None:
    deals = [
        Deal("opportunities/a", "2026-11-02T10:00", fields={"customer": "customers/a", "source": "WEB"}),
        Deal("opportunities/b", "2026-11-02T10:00", fields={"customer": "customers/b", "source": "WEB"}),
    ]
    desk.hear(
        *(told for deal in deals for told in deal.told),
        customer("customers/a", "2026-11-01T10:00"),
        customer("customers/b", "2026-11-01T10:00"),
    )
    desk.hear(
        *(follow_up(f"followUps/{n}", f"2026-11-0{n}T11:00", customer="customers/a") for n in range(1, 8)),
        follow_up("followUps/9", "2026-11-09T11:00", customer="customers/a", owner="people/wang"),
        follow_up("followUps/4", "2026-11-04T12:00", 2, True, customer="customers/a"),
    )


def test_B5_behind_a_segment_are_the_customers_with_their_latest_follow_ups(desk: Desk) -> None:
    _house(desk)
    segment: dict[str, Any] = {"group_by": ["stage", "channel"], "keys": ["first-contact", "WEB"]}
    latest = [f"followUps/{n}" for n in (9, 7, 6, 5, 3)]
    assert _drilled(desk, "follow-up-rate", measure="entered", **segment) == {
        "opportunities/a": latest,
        "opportunities/b": [],
    }
    assert _drilled(desk, "customers-created") == {"customers/a": latest, "customers/b": []}
    request = pb.ListRecordsRequest(parent="reports/customers-created", period="2026-11")
    (first,) = (one for one in desk.call("ListRecords", request).records if one.name == "customers/a")
    newest = first.follow_ups[0]
    assert newest.owner == "people/wang"
    assert newest.happen_time.ToJsonString() == "2026-11-09T03:00:00Z"


def test_B5_of_a_follow_up_it_is_told_how_it_was_done_and_what_came_of_it(desk: Desk) -> None:
    desk.hear(
        customer("customers/a", "2026-11-01T10:00"),
        follow_up("followUps/1", "2026-11-02T11:00", customer="customers/a", method="VISIT", outcome="PROGRESS"),
    )
    request = pb.ListRecordsRequest(parent="reports/customers-created", period="2026-11")
    (one,) = desk.call("ListRecords", request).records[0].follow_ups
    assert (one.method, one.outcome) == ("VISIT", "PROGRESS")


def test_B5_P3_everybody_has_the_follow_ups_that_he_may_see_as_of_then_too(desk: Desk) -> None:
    _house(desk)
    assert _drilled(desk, "customers-created", LI)["customers/a"] == [f"followUps/{n}" for n in (7, 6, 5, 3, 2)]
    assert _drilled(desk, "customers-created", WANG) == {}
    then = _drilled(desk, "customers-created", LI, as_of="2026-11-04T11:30")
    assert then["customers/a"] == [f"followUps/{n}" for n in (4, 3, 2, 1)]
    none = replace(LI, grants={**LI.grants, "followUps": Grant()})
    assert _drilled(desk, "customers-created", none)["customers/a"] == []
    for field in ("method", "outcome", "happen_time", "owner", "customer"):
        blind = replace(LI.grants["followUps"], hidden=frozenset({field}))
        who = replace(LI, grants={**LI.grants, "followUps": blind})
        assert _drilled(desk, "customers-created", who)["customers/a"] == [], field
