"""What opportunities add to the figures."""

from __future__ import annotations

import random
from itertools import permutations
from typing import Any

import pytest

from chassis.access import Scope
from chassis.errors import Denied
from dealwright.activities.v1.events_pb2 import FollowUpChanged
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk, moment, principal

NOVEMBER = "2026-11"


def _house() -> list[Deal]:
    return [
        Deal("opportunities/a", "2026-11-02T10:00", 1000).move("need", "2026-11-03T10:00").win("2026-11-12T10:00"),
        Deal("opportunities/b", "2026-11-02T10:00", 3000).move("need", "2026-11-04T10:00").lose("2026-11-05T10:00"),
        Deal("opportunities/c", "2026-11-05T10:00", 5000, "people/wang").touch("2026-11-06T10:00"),
        Deal("opportunities/d", "2026-10-30T10:00", 7000, "people/zhao")
        .move("need", "2026-11-01T10:00")
        .win("2026-11-03T10:00"),
    ]


def _tell(desk: Desk, *deals: Deal) -> None:
    desk.hear(*(told for deal in deals for told in deal.told))


def test_B8_conversion_is_won_over_opened(desk: Desk) -> None:
    _tell(desk, *_house())
    assert desk.figure("opportunities-opened", period=NOVEMBER) == 3
    assert desk.figure("opportunities-won", period=NOVEMBER) == 2
    assert desk.figure("conversion", period=NOVEMBER) == pytest.approx(2 / 3)


def test_B9_B10_the_average_deal_and_its_cycle(desk: Desk) -> None:
    _tell(desk, *_house())
    assert desk.figure("average-deal", period=NOVEMBER) == 4000
    assert desk.figure("average-cycle", period=NOVEMBER) == (10 + 4) / 2


def test_B3_B7_V10_the_funnel_is_a_cohorts_and_goes_by_when_a_stage_was_entered(desk: Desk) -> None:
    _tell(desk, *_house())
    entered = desk.figures("stage-entered", period=NOVEMBER, group_by=["stage"])
    assert entered == {"first-contact": 3, "need": 3}
    flow = desk.figures("stage-conversion", period=NOVEMBER, group_by=["stage"])
    assert flow == {"first-contact": pytest.approx(2 / 3), "need": pytest.approx(2 / 3)}
    assert desk.figures("stage-time", period=NOVEMBER, group_by=["stage"])["need"] == pytest.approx((9 + 1 + 2) / 3)


def test_B13_a_ranking_by_owner_and_by_team(desk: Desk) -> None:
    _tell(desk, *_house())
    assert desk.figures("won-amount", period=NOVEMBER, group_by=["owner"]) == {"people/li": 1000, "people/zhao": 7000}
    assert desk.figures("won-amount", period=NOVEMBER, group_by=["team"]) == {"teams/east": 8000}
    assert desk.counted("won-amount", period="2026", group_by=["owner", "month"]) == {
        ("people/li", "2026-11-01"): 1000,
        ("people/zhao", "2026-11-01"): 7000,
    }


def test_everybody_counts_what_he_may_see(desk: Desk) -> None:
    _tell(desk, *_house())
    seen = {who.person: desk.figure("opportunities-opened", who, period="2026") for who in (ADMIN, BOSS, LI, WANG)}
    assert seen == {"people/admin": 4, "people/boss": 3, "people/li": 2, "people/wang": 1}


def test_what_changes_hands_counts_for_whoever_has_it(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-11-02T10:00").give("people/zhao", "2026-11-04T10:00")
    _tell(desk, deal)
    assert desk.figure("open-amount", ZHAO) == 1000
    assert desk.figure("open-amount", LI) in (0, None)
    # Of the time when it was another's, too.
    assert desk.figures("open-amount", ZHAO, group_by=["owner"], as_of="2026-11-03T10:00") == {"people/li": 1000}
    assert not desk.figure("open-amount", LI, as_of="2026-11-03T10:00")


def test_a_hidden_field_is_in_no_figure(desk: Desk) -> None:
    _tell(desk, *_house())
    blind = principal("people/li", "sales", Scope.OWN, "teams/east", hidden=("amount", "source"))
    assert desk.figure("opportunities-won", blind, period=NOVEMBER) == 1
    with pytest.raises(Denied, match=r"opportunities\.amount"):
        desk.figure("won-amount", blind, period=NOVEMBER)
    for asked in ({"group_by": ["channel"]}, {"filter": 'channel = "WEB"'}):
        with pytest.raises(Denied, match=r"opportunities\.source"):
            desk.figures("opportunities-won", blind, period=NOVEMBER, **asked)


def test_what_is_deleted_is_in_no_figure_and_what_was_known_then_stays(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-11-02T10:00").win("2026-11-12T10:00").delete("2026-11-20T10:00")
    _tell(desk, deal)
    assert desk.figure("won-amount", period=NOVEMBER) == 0
    assert desk.figure("won-amount", period=NOVEMBER, as_of="2026-11-13T10:00") == 1000


def test_the_order_and_the_number_of_times_in_which_events_come_make_no_difference(desk: Desk) -> None:
    told = [one for deal in _house() for one in deal.told]
    chance = random.Random(7)
    shuffled = chance.sample(told, len(told))
    for at in range(0, len(shuffled), 3):
        desk.hear(*shuffled[at : at + 3], *shuffled[:1])
    for kpi, group in (("stage-entered", "stage"), ("won-amount", "owner"), ("open-amount", "stage")):
        found = {key: value for key, value in desk.figures(kpi, period="2026", group_by=[group]).items() if value}
        assert (
            found
            == {
                "stage-entered": {"first-contact": 4, "need": 3},
                "won-amount": {"people/li": 1000, "people/zhao": 7000},
                "open-amount": {"first-contact": 5000},
            }[kpi]
        )


def test_B6_a_figure_leads_to_its_records_and_O40_explains_itself(desk: Desk) -> None:
    _tell(desk, *_house())
    asked = pb.ListRecordsRequest(parent="reports/won-amount", period=NOVEMBER, filter="owner = people/li")
    found = desk.call("ListRecords", asked)
    assert [(one.name, one.amount.units) for one in found.records] == [("opportunities/a", 1000)]
    said = desk.call("ExplainFigure", pb.ExplainFigureRequest(name="reports/won-amount", period=NOVEMBER))
    assert said.kpi.formula == "amount"
    assert said.figure.amount.units == 8000
    assert {(one.record, one.amount.units, bool(one.events)) for one in said.postings} == {
        ("opportunities/a", 1000, True),
        ("opportunities/d", 7000, True),
    }


def test_B5_the_share_followed_up_within_7_days_by_stage_and_channel_leads_to_the_opportunities(desk: Desk) -> None:
    told = [
        Deal("opportunities/a", "2026-11-02T10:00", fields={"source": "WEB"}).touch("2026-11-05T10:00"),
        Deal("opportunities/b", "2026-11-02T10:00", fields={"source": "WEB"}).touch("2026-11-10T10:00", "followUps/2"),
        Deal("opportunities/c", "2026-11-02T10:00", fields={"source": "SHOW"}).touch("2026-11-03T10:00", "followUps/3"),
    ]
    _tell(desk, *told)
    rates = desk.figures("follow-up-rate", period=NOVEMBER, group_by=["stage", "channel"])
    assert rates == {("first-contact", "WEB"): 0.5, ("first-contact", "SHOW"): 1}
    asked = pb.ListRecordsRequest(
        parent="reports/follow-up-rate", period=NOVEMBER, filter="stage = first-contact AND channel = WEB"
    )
    assert [one.name for one in desk.call("ListRecords", asked).records] == ["opportunities/a"]


def test_B20_what_was_lost_by_reason(desk: Desk) -> None:
    lost = [
        Deal(f"opportunities/{place}", "2026-11-02T10:00", 1000).lose("2026-11-05T10:00", reason)
        for place, reason in enumerate(("PRICE", "PRICE", "TIMING"))
    ]
    _tell(desk, *lost)
    assert desk.figures("opportunities-lost", period=NOVEMBER, group_by=["reason"]) == {"PRICE": 2, "TIMING": 1}


def test_O38_O40_drop_off_by_stage_and_departures_from_the_process(desk: Desk) -> None:
    _tell(
        desk,
        Deal("opportunities/a", "2026-11-02T10:00").move("need", "2026-11-03T10:00").lose("2026-11-05T10:00"),
        Deal("opportunities/b", "2026-11-02T10:00").move("proposal", "2026-11-03T10:00", forced=True),
        Deal("opportunities/c", "2026-11-02T10:00")
        .move("need", "2026-11-03T10:00")
        .move("first-contact", "2026-11-04T10:00"),
    )
    drop_off = desk.figures("stage-drop-off", period=NOVEMBER, group_by=["stage"])
    assert drop_off == {"first-contact": 0, "need": 0.5, "proposal": 0}
    deviations = desk.figures("deviations", period=NOVEMBER, group_by=["detail"])
    assert deviations == {"FORCED": 1, "SKIPPED": 1, "BACK": 1}


def test_O40_what_was_on_hold_and_is_taken_up_again_further_back_is_no_departure(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-11-02T10:00").move("need", "2026-11-03T10:00")
    deal.move("need", "2026-11-05T10:00", status=4)
    _tell(desk, deal.move("first-contact", "2026-11-06T10:00"))
    assert desk.counted("deviations", period=NOVEMBER, group_by=["detail"]) == {}


def test_O38_what_went_back_before_it_was_lost_was_lost_in_the_stage_in_which_it_stood(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-11-02T10:00").move("need", "2026-11-03T10:00")
    _tell(desk, deal.move("first-contact", "2026-11-04T10:00").lose("2026-11-05T10:00"))
    asked: dict[str, Any] = {"period": NOVEMBER, "group_by": ["stage"]}
    assert desk.figures("stage-drop-off", **asked) == {"first-contact": 1, "need": 0}
    assert desk.figures("opportunities-lost", **asked) == {"first-contact": 1}


def test_a_follow_up_that_is_moved_deleted_and_brought_back_counts_as_it_is_in_whatever_order(desk: Desk) -> None:
    states = [("2026-11-03T10:00", 1, False), ("2026-11-20T10:00", 2, False), ("2026-11-20T10:00", 3, True)]
    states.append(("2026-11-20T10:00", 4, False))
    for number, order in enumerate(permutations(states)):
        deal = Deal(f"opportunities/{number}", "2026-11-02T10:00")
        desk.hear(*deal.told)
        for when, version, deleted in order:
            changed = FollowUpChanged(version=version, deleted=deleted)
            changed.follow_up.name, changed.follow_up.opportunity = f"followUps/{number}", deal.name
            changed.follow_up.happen_time.FromDatetime(moment(when))
            desk.hear((changed, when), roll=False)
    desk.roll()
    assert desk.figure("follow-up-rate", period=NOVEMBER) == 0
    untouched = pb.ListRecordsRequest(parent="reports/open-opportunities", period="all", page_size=1)
    (newest,) = desk.call("ListRecords", untouched).records
    assert newest.happen_time.ToJsonString().startswith("2026-11-20")


def test_what_is_gone_for_good_at_the_version_it_had_is_in_no_figure_whatever_is_heard_after(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-11-02T10:00").touch("2026-11-03T10:00")
    changed = OpportunityChanged()
    (first,) = (event for event, *_ in deal.told if isinstance(event, OpportunityChanged))
    changed.CopyFrom(first)
    changed.deleted = True
    desk.hear((changed, "2026-11-04T10:00"), *deal.told)
    assert desk.figure("opportunities-opened", period=NOVEMBER) in (0, None)
    desk.hear(*deal.told)
    assert desk.figure("open-opportunities") in (0, None)


def test_B23_what_was_known_on_a_day_is_looked_at_from_that_day(desk: Desk) -> None:
    _tell(desk, Deal("opportunities/a", "2026-11-01T10:00", 1000).move("need", "2026-11-02T10:00"))
    untouched = {
        day: desk.figure("opportunities-untouched-7d", as_of=f"2026-11-{day:02}T10:00") or 0 for day in (3, 12)
    }
    assert untouched == {3: 0, 12: 1}
    opened = [desk.figure("opportunities-opened", period="this_month", as_of=f"2026-{day}T10:00") for day in ("11-03",)]
    assert opened == [1]
    assert (desk.figure("opportunities-opened", period="last_month", as_of="2026-11-03T10:00") or 0) == 0
