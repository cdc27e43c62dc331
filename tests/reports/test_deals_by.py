"""Deals by whom, by what and by when: what tiles of boards ask."""

from __future__ import annotations

import pytest

from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.deal import ON_HOLD
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, LI, Desk

NOVEMBER = "2026-11"


def _tell(desk: Desk, *deals: Deal) -> None:
    desk.hear(*(told for deal in deals for told in deal.told))


def _deal(
    id: str,
    opened: str,
    amount: int,
    owner: str = "people/li",
    channel: str = "",
    product: str = "",
    industry: str = "",
) -> Deal:
    fields = {"source": channel, "products": [product] if product else [], "industry": industry}
    return Deal(f"opportunities/{id}", opened, amount, owner, fields)


def _month(desk: Desk) -> None:
    _tell(
        desk,
        _deal("a", "2026-11-02T10:00", 1000, channel="展会", product="X1")
        .move("need", "2026-11-03T10:00")
        .win("2026-11-12T10:00"),
        _deal("b", "2026-11-02T10:00", 3000, channel="展会").lose("2026-11-05T10:00", "PRICE"),
        _deal("c", "2026-11-02T10:00", 500, channel="官网")
        .move("need", "2026-11-04T10:00")
        .lose("2026-11-20T10:00", "RIVAL"),
        _deal("d", "2026-11-03T10:00", 7000, "people/zhao", "官网", "X1").win("2026-11-09T10:00"),
        _deal("e", "2026-11-03T10:00", 9000, "people/zhao", "官网", "X2").win("2026-11-10T10:00"),
        _deal("f", "2026-11-16T10:00", 100, "people/zhao", "官网").move("need", "2026-11-17T10:00"),
    )


def test_B2_what_is_new_won_and_lost_in_a_week(desk: Desk) -> None:
    _month(desk)
    week = "2026-11-02..2026-11-08"
    found = [desk.figure(f"opportunities-{what}", period=week) for what in ("opened", "won", "lost")]
    assert found == [5, 0, 1]


def test_B4_how_long_deals_stay_in_a_stage_closed_or_gone_on(desk: Desk) -> None:
    _month(desk)
    days = desk.figures("stage-time", period=NOVEMBER, group_by=["stage"])
    assert days == {"first-contact": pytest.approx((1 + 3 + 2 + 6 + 7 + 1) / 6), "need": pytest.approx((9 + 16) / 2)}


def test_B4_one_that_is_lost_where_it_stands_leaves_its_stage(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-11-02T10:00").move("need", "2026-11-03T10:00")
    deal.reason = "PRICE"
    _tell(desk, deal.move("need", "2026-11-08T10:00", status=3))
    assert desk.figures("stage-time", period=NOVEMBER, group_by=["stage"]) == {"first-contact": 1, "need": 5}


def test_B5_B6_by_stage_and_channel_how_many_were_followed_up_in_a_week_and_which_those_are(desk: Desk) -> None:
    _month(desk)
    _tell(desk, _deal("g", "2026-11-02T10:00", 1, channel="官网").touch("2026-11-08T10:00"))
    _tell(desk, _deal("h", "2026-11-02T10:00", 1, channel="官网").touch("2026-11-10T10:00", "followUps/2"))
    rates = desk.figures("follow-up-rate", period=NOVEMBER, group_by=["stage", "channel"])
    assert rates["first-contact", "官网"] == pytest.approx(1 / 6)
    assert rates["first-contact", "展会"] == 0
    asked = pb.ListRecordsRequest(
        parent="reports/follow-up-rate", period=NOVEMBER, filter="stage = first-contact AND channel = 官网"
    )
    assert [one.name for one in desk.call("ListRecords", asked).records] == ["opportunities/g"]


def test_B7_V10_conversion_as_things_stand_is_there_too(desk: Desk) -> None:
    stages = (("a", "need"), ("b", "need"), ("c", "proposal"), ("d", ""))
    for id, stage in stages:
        deal = Deal(f"opportunities/{id}", "2026-11-02T10:00")
        if stage:
            deal.move("need", "2026-11-03T10:00")
        if stage == "proposal":
            deal.move("proposal", "2026-11-04T10:00")
        _tell(desk, deal)
    _tell(desk, Deal("opportunities/e", "2026-11-02T10:00").win("2026-11-05T10:00"))
    assert desk.figures("stage-conversion-now", group_by=["stage"]) == {"first-contact": 3, "need": 0.5, "proposal": 0}


def test_B12_B28_what_each_has_opened_and_won_how_long_it_took_and_how_much_of_it(desk: Desk) -> None:
    _month(desk)
    of_each = {
        kpi: desk.figures(kpi, period=NOVEMBER, group_by=["owner"])
        for kpi in ("opportunities-opened", "won-amount", "average-cycle", "win-rate", "average-deal", "conversion")
    }
    assert of_each == {
        "opportunities-opened": {"people/li": 3, "people/zhao": 3},
        "won-amount": {"people/li": 1000, "people/zhao": 16_000},
        "average-cycle": {"people/li": 10, "people/zhao": 6.5},
        "win-rate": {"people/li": pytest.approx(1 / 3), "people/zhao": 1},
        "average-deal": {"people/li": 1000, "people/zhao": 8000},
        "conversion": {"people/li": pytest.approx(1 / 3), "people/zhao": pytest.approx(2 / 3)},
    }


def test_B15_a_ranking_is_another_as_soon_as_a_deal_is_won(desk: Desk) -> None:
    _month(desk)
    _tell(desk, _deal("g", "2026-11-20T10:00", 99_000).win("2026-11-21T10:00"))
    assert desk.figures("won-amount", period=NOVEMBER, group_by=["owner"]) == {
        "people/li": 100_000,
        "people/zhao": 16_000,
    }


def test_B18_by_channel_how_many_came_and_how_many_of_them_were_won(desk: Desk) -> None:
    _month(desk)
    assert desk.figures("opportunities-opened", period=NOVEMBER, group_by=["channel"]) == {"展会": 2, "官网": 4}
    assert desk.figures("conversion", period=NOVEMBER, group_by=["channel"]) == {"展会": 0.5, "官网": 0.5}


def test_B20_why_deals_are_lost_where_and_what_that_costs(desk: Desk) -> None:
    _month(desk)
    assert desk.figures("opportunities-lost", period=NOVEMBER, group_by=["reason"]) == {"PRICE": 1, "RIVAL": 1}
    assert desk.figures("lost-amount", period=NOVEMBER, group_by=["reason", "stage"]) == {
        ("PRICE", "first-contact"): 3000,
        ("RIVAL", "need"): 500,
    }
    assert desk.report("lost-amount", period=NOVEMBER).total.figure.amount.units == 3500


def test_B32_filters_by_product_channel_and_time_go_together(desk: Desk) -> None:
    _month(desk)
    assert desk.figure("won-amount", period=NOVEMBER, filter="product = X1") == 8000
    assert desk.figure("won-amount", period=NOVEMBER, filter="product = X1 OR product = X2") == 17_000
    assert desk.figure("won-amount", period=NOVEMBER, filter="product = X1 AND channel = 官网") == 7000
    assert desk.figure("won-amount", period="2026-11-10..2026-11-12", filter="product = X1") == 1000


def test_B42_who_sells_sees_his_own_funnel_and_where_he_loses(desk: Desk) -> None:
    _month(desk)
    entered = desk.figures("stage-entered", LI, period=NOVEMBER, group_by=["stage"])
    assert entered == {"first-contact": 3, "need": 2}
    lost = desk.figures("stage-drop-off", LI, period=NOVEMBER, group_by=["stage"])
    assert lost == {"first-contact": pytest.approx(1 / 3), "need": 0.5}
    assert desk.figures("stage-entered", ADMIN, period=NOVEMBER, group_by=["stage"]) == {"first-contact": 6, "need": 3}


def test_B4_the_time_on_hold_is_the_stages_in_which_it_waits(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-11-02T10:00").move("waiting", "2026-11-04T10:00", ON_HOLD)
    _tell(desk, deal)
    assert not desk.figures("stage-time", period=NOVEMBER, group_by=["stage"]), "it has not left it"
    _tell(desk, deal.move("first-contact", "2026-11-10T10:00").move("need", "2026-11-12T10:00"))
    assert desk.figures("stage-time", period=NOVEMBER, group_by=["stage"]) == {"first-contact": 10}
    assert desk.figures("stage-entered", period=NOVEMBER, group_by=["stage"]) == {"first-contact": 1, "need": 1}
