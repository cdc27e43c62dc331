"""What was known at a moment is shown by the rights of today: to whoever sees the record now, and to nobody else."""

from __future__ import annotations

import random
from typing import Any

import pytest

from chassis.access import Principal
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk
from tests.reports.leads import Lead
from tests.reports.people import customer, task

EVERYBODY = (ADMIN, BOSS, LI, ZHAO, WANG)
THEN = "2026-11-10T10:00"


def _given_away(desk: Desk) -> None:
    """Li's until the 15th, Wang's since; each of 1000."""
    deal = Deal("opportunities/a", "2026-11-02T10:00", 1000)
    desk.hear(*deal.win("2026-11-05T10:00").give("people/wang", "2026-11-15T10:00").told)


def _explained(desk: Desk, who: Principal, kpi: str = "won-amount", as_of: str = "") -> list[str]:
    request = pb.ExplainFigureRequest(name=f"reports/{kpi}", period="2026-11")
    if as_of:
        request.as_of_time.FromJsonString(f"{as_of}:00+08:00")
    return [one.record for one in desk.call("ExplainFigure", request, who).postings]


def _records(desk: Desk, who: Principal, as_of: str) -> list[str]:
    request = pb.ListRecordsRequest(parent="reports/won-amount", period="2026-11")
    request.as_of_time.FromJsonString(f"{as_of}:00+08:00")
    return [one.name for one in desk.call("ListRecords", request, who).records]


def test_P6_who_gave_a_record_away_sees_nothing_of_it_in_the_past_either(desk: Desk) -> None:
    _given_away(desk)
    then = {who.person: desk.figure("won-amount", who, period="2026-11", as_of=THEN) or 0 for who in EVERYBODY}
    assert then == {"people/admin": 1000, "people/boss": 0, "people/li": 0, "people/zhao": 0, "people/wang": 1000}
    for who in (LI, BOSS):
        assert _explained(desk, who, as_of=THEN) == []
        assert _records(desk, who, THEN) == []
    assert _explained(desk, WANG, as_of=THEN) == ["opportunities/a"]
    assert _records(desk, WANG, THEN) == ["opportunities/a"]
    # For whom it counted then is told as it was.
    assert desk.figures("won-amount", WANG, period="2026-11", group_by=["owner"], as_of=THEN) == {"people/li": 1000}


def test_P6_and_nothing_of_it_in_how_todays_figure_comes_about(desk: Desk) -> None:
    _given_away(desk)
    assert _explained(desk, LI) == []
    assert _explained(desk, WANG) == ["opportunities/a"]
    assert _explained(desk, ADMIN) == ["opportunities/a"] * 3  # won, given away: posted back and anew


def test_P6_B25_how_right_a_forecast_was_is_of_what_one_sees_now(desk: Desk) -> None:
    _given_away(desk)
    request = pb.BacktestReportRequest(name="reports/forecast", months=1)
    deals = [Deal(f"opportunities/{n}", "2026-10-02T10:00", 1000) for n in "xy"]
    desk.hear(*(told for deal in deals for told in deal.told))
    desk.hear(deals[0].give("people/wang", "2026-11-03T10:00").told[-1])
    open_then = {who.person: desk.call("BacktestReport", request, who).months[0].open for who in EVERYBODY}
    assert open_then == {"people/admin": 2, "people/boss": 1, "people/li": 1, "people/zhao": 0, "people/wang": 1}


def test_P12_a_deleted_lead_is_in_the_past_of_whoever_had_it(desk: Desk) -> None:
    lead = Lead("leads/a", "2026-11-02T10:00").assign("people/li", "2026-11-02T10:00")
    given = Lead("leads/b", "2026-11-02T10:00").assign("people/li", "2026-11-02T10:00")
    given.assign("people/wang", "2026-11-20T10:00")
    desk.hear(*lead.delete("2026-11-12T10:00").told, *given.told)
    assert desk.figure("leads-captured", LI, period="2026-11", as_of=THEN) == 1
    assert not desk.figure("leads-captured", LI, period="2026-11")
    assert desk.figure("leads-captured", WANG, period="2026-11", as_of=THEN) == 1
    assert desk.figure("leads-captured", ZHAO, period="2026-11", as_of=THEN) in (0, None)


KPIS = (
    *("leads-captured", "leads-open", "leads-assigned", "leads-released"),
    *("won-amount", "open-opportunities", "customers", "tasks-done", "follow-ups"),
)


@pytest.mark.parametrize("seed", range(4))
def test_P6_as_of_now_is_what_there_is_now_for_everybody(desk: Desk, seed: int) -> None:
    """Whatever changes hands how often, and whatever is deleted."""
    chance = random.Random(seed)
    told: list[Any] = []
    for n in range(12):
        days = sorted(chance.sample(range(1, 28), 5))
        when = [f"2026-10-{day:02}T10:00" for day in days]
        owners = chance.choices(("people/li", "people/zhao", "people/wang"), k=3)
        deal = Deal(f"opportunities/{n}", when[0], chance.randrange(1, 9000), owners[0])
        deal.give(owners[1], when[1])
        if chance.random() < 0.5:
            deal.win(when[2])
        deal.give(owners[2], when[3])
        if chance.random() < 0.2:
            deal.delete(when[4])
        lead = Lead(f"leads/{n}", when[0])
        if chance.random() < 0.8:
            lead.assign(owners[0], when[1]).assign(owners[1], when[2])
            if chance.random() < 0.3:
                lead.release(when[3])
        if chance.random() < 0.2:
            lead.delete(when[4])
        told += [*deal.told, *lead.told, customer(f"customers/{n}", when[0], owner=owners[0])]
        told.append(customer(f"customers/{n}", when[3], 2, owner=owners[1]))
        told.append(task(f"tasks/{n}", done=when[2], owner=owners[2]))
    chance.shuffle(told)
    desk.hear(*told)
    for kpi in KPIS:
        for who in EVERYBODY:
            asked: dict[str, Any] = {"period": "2026"}
            now = desk.figure(kpi, who, **asked) or 0
            assert (desk.figure(kpi, who, as_of="2026-12-31T10:00", **asked) or 0) == now, (kpi, who.person)
