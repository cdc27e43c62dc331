"""What one who may see a customer learns of the deals that others have with it."""

from __future__ import annotations

from typing import Any

from activities.domain.entry import Entry
from activities.domain.known import Known
from activities.usecases import following, timeline
from chassis import clock, ids
from dealwright.activities.v1 import activities_pb2 as pb
from tests.security.house import House


def _told(house: House, customer: str, who: str) -> Any:
    request = pb.ListTimelineRequest(record=customer)
    answer = house.do("activities.ActivityService.ListTimeline", request, house.principals[who])
    (entry,) = answer.entries
    return entry


def test_P8_what_anothers_deal_is_worth_is_on_no_timeline_of_his_customer(house: House) -> None:
    customer, deal, now = f"customers/{ids.new_id()}", f"opportunities/{ids.new_id()}", clock.now()
    worth = {"number": "O-1", "amount": {"currencyCode": "CNY", "units": "4242"}}
    with house.runtimes["activities"].transaction() as tx:
        his = Known(customer, "customers", house.people["sales"], customer=customer, version=1)
        others = Known(deal, "opportunities", house.people["other"], customer=customer, opportunity=deal, version=1)
        following.know(tx, [his, others])
        said = (pb.TimelineEntry.STAGE, "商机创建", "Opportunity opened", "people/x", now, now, deal)
        timeline.put(tx, [Entry(ids.new_id(), deal, "opportunities", *said, detail=worth)])
    seen = _told(house, customer, "sales")
    assert (seen.kind, seen.record) == (pb.TimelineEntry.STAGE, deal)
    assert not seen.detail.fields
    assert _told(house, customer, "backoffice").detail["amount"]["units"] == "4242"
