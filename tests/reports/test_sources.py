"""What comes of leads, by where they came from."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import Denied, Invalid, Refused
from dealwright.leads.v1.leads_pb2 import Channel
from dealwright.reports.v1 import costs_pb2 as pb
from reports.servicer.costs import CostServicer
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, Desk, money
from tests.reports.leads import Lead

OCTOBER = "2026-10"


def _business() -> list[Lead | Deal]:
    """Captured in October: two of the web, one of which is won in November; two of the show, both won."""
    show = [Lead(f"leads/s{n}", "2026-10-10T10:00", "TRADE_SHOW") for n in range(2)]
    web = [Lead(f"leads/w{n}", "2026-10-10T10:00").assign("people/li", "2026-10-10T10:00") for n in range(2)]
    return [
        *show,
        web[0].contact("2026-10-11T10:00"),
        web[1],
        Deal("opportunities/w", "2026-10-21T10:00", 900, fields={"lead": "leads/w0"}).win("2026-11-10T10:00"),
        *(
            Deal(f"opportunities/s{n}", "2026-10-21T10:00", 500, fields={"lead": f"leads/s{n}"}).win("2026-10-30T10:00")
            for n in range(2)
        ),
        Deal("opportunities/other", "2026-10-21T10:00", 7000).win("2026-10-30T10:00"),
    ]


def test_B17_B18_conversion_and_amount_by_the_source_of_the_leads(desk: Desk) -> None:
    desk.hear(*(told for one in _business() for told in one.told))
    by: dict[str, Any] = {"period": OCTOBER, "group_by": ["channel"]}
    assert desk.figures("lead-conversion", **by) == {"TRADE_SHOW": 1, "WEB_FORM": 0.5}
    assert desk.figures("lead-win-rate", **by) == {"TRADE_SHOW": 1, "WEB_FORM": 0.5}
    assert desk.figures("source-won-amount", **by) == {"TRADE_SHOW": 1000, "WEB_FORM": 900}
    assert desk.figures("source-opportunities", **by) == {"TRADE_SHOW": 2, "WEB_FORM": 1}
    # The opportunities have their leads' channel everywhere.
    assert desk.figures("won-amount", period="2026", group_by=["channel"])["TRADE_SHOW"] == 1000


def test_B17_B18_B19_an_opportunity_without_a_lead_counts_under_its_own_source_when_it_was_opened(desk: Desk) -> None:
    """Not every source makes leads: what a referral brought is return all the same."""
    desk.also(CostServicer())
    named: dict[str, Any] = {"source": "REFERRAL"}
    told = Deal("opportunities/r", "2026-10-05T11:20", 400, fields=named).win("2026-11-10T10:00")
    still = Deal("opportunities/o", "2026-10-06T10:00", 5, fields=named)
    desk.hear(*told.told, *still.told, *(told for one in _business() for told in one.told))
    _cost(desk, "REFERRAL", 744)
    by: dict[str, Any] = {"period": OCTOBER, "group_by": ["channel"]}
    assert desk.figures("source-opportunities", **by) == {"REFERRAL": 2, "TRADE_SHOW": 2, "WEB_FORM": 1}
    assert desk.figures("source-won-amount", **by) == {"REFERRAL": 400, "TRADE_SHOW": 1000, "WEB_FORM": 900}
    assert desk.figures("roi", **by) == {"REFERRAL": 400 / 744, "TRADE_SHOW": None, "WEB_FORM": None}
    hours: dict[str, Any] = {"period": "2026-10-05", "group_by": ["hour"], "filter": "channel = REFERRAL"}
    assert {hour for hour, value in desk.figures("roi", **hours).items() if value} == {"2026-10-05T11"}
    # One that is of a lead counts once, where the lead was captured, whatever source it names besides.
    led = Deal("opportunities/l", "2026-10-07T10:00", 60, fields={**named, "lead": "leads/late"})
    desk.hear(*led.told)
    assert desk.figure("source-opportunities", period=OCTOBER) == 5
    desk.hear(*Lead("leads/late", "2026-10-08T10:00", "DOUYIN").told)
    assert desk.figures("source-opportunities", period="2026-10-07", group_by=["channel"]) == {}
    assert desk.figures("source-opportunities", period="2026-10-08", group_by=["channel"]) == {"REFERRAL": 1}
    # And one of which nobody knows where it came from is of no source.
    assert desk.figures("source-won-amount", period="2026", group_by=["channel"]).get("") is None


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[:4])
def test_B10_the_cycle_begins_with_the_leads_first_contact_in_whatever_order_they_are_heard_of(
    desk: Desk, order: tuple[int, ...]
) -> None:
    lead = Lead("leads/a", "2026-11-01T10:00").assign("people/li", "2026-11-01T10:00").contact("2026-11-02T10:00")
    deal = Deal("opportunities/a", "2026-11-05T10:00", fields={"lead": "leads/a"}).win("2026-11-12T10:00")
    parts = [lead.told, deal.told[:2], deal.told[2:]]
    for place in order:
        desk.hear(*parts[place])
    assert desk.figure("average-cycle", period="2026-11") == 10
    assert desk.figures("opportunities-won", period="2026-11", group_by=["channel"]) == {"WEB_FORM": 1}


def _cost(desk: Desk, channel: str, amount: int, month: str = OCTOBER, **more: Any) -> pb.ChannelCost:
    of = pb.ChannelCost(channel=Channel.Value(channel), month=month, amount=money(amount), **more)
    made: pb.ChannelCost = desk.call("CreateChannelCost", pb.CreateChannelCostRequest(channel_cost=of))
    desk.roll()
    return made


@pytest.fixture
def priced(desk: Desk) -> Desk:
    desk.also(CostServicer())
    desk.hear(*(told for one in _business() for told in one.told))
    return desk


def test_B17_what_channels_brought_for_what_they_cost(priced: Desk) -> None:
    web, show = _cost(priced, "WEB_FORM", 300), _cost(priced, "TRADE_SHOW", 4000)
    _cost(priced, "TRADE_SHOW", 99, "2026-11")
    by: dict[str, Any] = {"period": OCTOBER, "group_by": ["channel"]}
    assert priced.figures("roi", **by) == {"TRADE_SHOW": 0.25, "WEB_FORM": 3}
    assert priced.figures("cost-per-lead", **by) == {"TRADE_SHOW": 2000, "WEB_FORM": 150}
    assert priced.figure("roi", period=OCTOBER) == pytest.approx(1900 / 4300)
    show.amount.units = 1000
    mask = FieldMask(paths=["amount"])
    show = priced.call("UpdateChannelCost", pb.UpdateChannelCostRequest(channel_cost=show, update_mask=mask))
    priced.call("DeleteChannelCost", pb.DeleteChannelCostRequest(name=web.name))
    priced.roll()
    assert priced.figures("roi", **by)["TRADE_SHOW"] == 1
    assert priced.figure("channel-cost", period=OCTOBER) == 1000
    assert priced.call("UndeleteChannelCost", pb.UndeleteChannelCostRequest(name=web.name)).amount.units == 300
    priced.roll()
    assert priced.figure("channel-cost", period="2026") == 1399
    listed = priced.call("ListChannelCosts", pb.ListChannelCostsRequest(filter="channel = TRADE_SHOW"))
    assert [one.month for one in listed.channel_costs] == ["2026-11", "2026-10"]
    assert priced.call("GetChannelCost", pb.GetChannelCostRequest(name=show.name)) == show


def test_B17_a_channel_has_one_cost_a_month_and_wrong_ones_name_their_fields(priced: Desk) -> None:
    first = _cost(priced, "WEB_FORM", 300)
    with pytest.raises(Refused, match=first.name):
        _cost(priced, "WEB_FORM", 400)
    priced.call("DeleteChannelCost", pb.DeleteChannelCostRequest(name=first.name))
    _cost(priced, "WEB_FORM", 400)
    with pytest.raises(Refused, match="change it"):
        priced.call("UndeleteChannelCost", pb.UndeleteChannelCostRequest(name=first.name))
    for wrong in ({"month": "2026-13"}, {"amount": -1}, {"channel": "CHANNEL_UNSPECIFIED"}):
        with pytest.raises(Invalid, match=rf"channel_cost\.{next(iter(wrong))}"):
            _cost(priced, **{"channel": "DOUYIN", "amount": 1, **wrong})  # type: ignore[arg-type]


def test_B19_P8_what_channels_cost_is_for_whoever_may_see_it(priced: Desk) -> None:
    _cost(priced, "WEB_FORM", 300)
    blind = replace(ADMIN, grants={name: grant for name, grant in ADMIN.grants.items() if name != "channelCosts"})
    for kpi in ("roi", "channel-cost"):
        with pytest.raises(Denied, match=r"channelCosts\.read"):
            priced.figure(kpi, blind, period=OCTOBER)
    assert priced.counted("source-won-amount", blind, period="2026-10-10", group_by=["channel", "hour"]) == {
        ("TRADE_SHOW", "2026-10-10T10"): 1000,
        ("WEB_FORM", "2026-10-10T10"): 900,
    }
