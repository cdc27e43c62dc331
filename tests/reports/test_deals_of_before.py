"""Deals that were opened, moved and closed before they were entered (V13), and what stages are called."""

from __future__ import annotations

import pytest

from dealwright.opportunities.v1.events_pb2 import OpportunityOpened
from tests.reports.deals import Deal
from tests.reports.desk import Desk

ENTERED = "2026-11-20T10:00"


def _past() -> list[Deal]:
    return [
        Deal("opportunities/a", "2016-10-20T10:00", 1000, entered=ENTERED)
        .move("need", "2016-11-01T10:00")
        .win("2017-03-01T10:00"),
        Deal("opportunities/b", "2016-12-30T10:00", 3000, entered=ENTERED).lose("2017-01-09T10:00"),
        # Nobody knows when it was prospected: it was opened in a later stage.
        Deal("opportunities/c", "2017-01-02T10:00", 5000, entered=ENTERED, stage="need").win("2017-01-12T10:00"),
    ]


def _tell(desk: Desk, *deals: Deal) -> None:
    desk.hear(*(told for deal in deals for told in deal.told))


def test_V13_B3_B8_B10_what_happened_before_it_was_entered_counts_when_it_happened(desk: Desk) -> None:
    _tell(desk, *_past())
    quarters = {
        kpi: desk.figures(kpi, period="all", group_by=["quarter"])
        for kpi in ("opportunities-opened", "won-amount", "win-rate")
    }
    assert quarters == {
        "opportunities-opened": {"2016-10-01": 2, "2017-01-01": 1},
        "won-amount": {"2017-01-01": 6000},
        "win-rate": {"2017-01-01": pytest.approx(2 / 3)},
    }
    assert desk.figure("average-cycle", period="2017-Q1") == (132 + 10) / 2
    entered = desk.figures("stage-entered", period="all", group_by=["stage"])
    assert entered == {"first-contact": 2, "need": 2}
    assert desk.figures("stage-conversion", period="2016", group_by=["stage"]) == {"first-contact": 0.5, "need": 1}
    assert desk.figures("stage-time", period="all", group_by=["stage"]) == {"first-contact": 11, "need": 65}


def test_V13_and_was_not_known_before_it_was_entered(desk: Desk) -> None:
    _tell(desk, *_past())
    assert desk.figure("won-amount", period="2017", as_of="2026-11-19T10:00") in (0, None)
    assert desk.figure("won-amount", period="2017", as_of="2026-11-21T10:00") == 6000


def test_B3_stages_are_called_as_their_pipeline_calls_them(desk: Desk) -> None:
    _tell(desk, *_past())
    rows = desk.report("stage-entered", period="all", group_by=["stage"]).rows
    assert {row.keys[0]: row.labels[0] for row in rows} == {"first-contact": "初访 First contact", "need": "需求 Need"}
    both = desk.report("stage-entered", period="all", group_by=["pipeline", "stage"]).rows
    assert [row.labels[1] for row in both] == ["初访 First contact", "需求 Need"]
    opened = OpportunityOpened(opportunity="opportunities/d", stage="need", place=1)
    opened.pipeline, opened.stage_display_name = "pipelines/others", "要什么 Need"
    desk.hear((opened, ENTERED))
    rows = desk.report("stage-entered", period="all", group_by=["stage"]).rows
    assert [row.labels[0] for row in rows] == ["初访 First contact", "要什么 Need (others) / 需求 Need (six-stage)"]
    narrow = desk.report("stage-entered", period="all", group_by=["stage"], filter='pipeline = "pipelines/six-stage"')
    assert [row.labels[0] for row in narrow.rows] == ["初访 First contact", "需求 Need"]
