"""Opportunities that were opened, moved and closed before they were entered (V13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import clock
from chassis.bus.subscriptions import decode
from chassis.errors import Denied
from dealwright.bus.v1.envelope_pb2 import EventBatch
from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from tests.opportunities.desk import ADMIN, LI, Desk, refused

P = pb.Opportunity
_PLACES = "opportunity.open_time", "opportunity.close_time"


def _day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T02:00").replace(tzinfo=UTC)


def _bring(
    desk: Desk, *path: tuple[str, str], opened: str = "", closed: str = "", who: Any = ADMIN, **fields: Any
) -> Any:
    """One with this path of (stage, day), in a batch of its own: its result."""
    batch = pb.BatchCreateOpportunitiesRequest()
    one = batch.requests.add(opportunity=P(**{"title": "旧单", "owner": "people/li", **fields}), historical=True)
    for stage, day in path:
        one.history.add(stage=stage).enter_time.FromDatetime(_day(day))
    if opened:
        one.opportunity.open_time.FromDatetime(_day(opened))
    if closed:
        one.opportunity.close_time.FromDatetime(_day(closed))
    (result,) = desk.call("BatchCreateOpportunities", batch, who).results
    return result


def _made(desk: Desk, *path: tuple[str, str], **said: Any) -> pb.Opportunity:
    result = _bring(desk, *path, **said)
    assert not result.HasField("error"), result.error
    found: pb.Opportunity = result.opportunity
    return found


def _wrong(desk: Desk, *path: tuple[str, str], **said: Any) -> list[str]:
    error = _bring(desk, *path, **said).error
    assert error.reason == "INVALID", error
    return [one.field for one in error.fields]


def _days(desk: Desk, name: str) -> list[tuple[str, str, int, str]]:
    """Its stage changes, oldest first."""
    found = sorted(desk.history(name), key=lambda one: one.name)
    return [(one.from_stage, one.to_stage, one.to_status, f"{one.happen_time.ToDatetime():%F}") for one in found]


WAY = (
    ("first-visit", "2016-10-20"),
    ("需求明确 Need clear", "2016-11-01"),
    ("quote", "2016-12-05"),
    ("won", "2017-03-01"),
)


def test_V13_one_that_was_won_long_ago_has_its_stages_with_their_days(desk: Desk) -> None:
    made = _made(desk, *WAY)
    assert (made.stage, made.status, made.win_probability) == ("won", P.WON, 100)
    assert [f"{stamp.ToDatetime():%F}" for stamp in (made.open_time, made.stage_time, made.close_time)] == [
        *("2016-10-20", "2017-03-01", "2017-03-01"),
    ]
    assert made.create_time.ToDatetime(UTC) > clock.now() - timedelta(minutes=5)
    assert _days(desk, made.name) == [
        ("", "first-visit", P.OPEN, "2016-10-20"),
        ("first-visit", "need-clear", P.OPEN, "2016-11-01"),
        ("need-clear", "quote", P.OPEN, "2016-12-05"),
        ("quote", "won", P.WON, "2017-03-01"),
    ]
    # It goes on from there as any other.
    again = desk.act("Reopen", made.name, ADMIN, reason="退单")
    assert (again.stage, again.status, again.etag) == ("quote", P.OPEN, "5")


def test_V13_its_events_have_the_times_and_places_of_then(desk: Desk) -> None:
    desk.announced()
    made = _made(desk, *WAY, status_reason="价格合适")
    every = desk.announced()
    (opened,) = [one for one in every if isinstance(one, events_pb2.OpportunityOpened)]
    assert (opened.stage, opened.place, opened.stage_display_name) == ("first-visit", 1, "初访 First visit")
    moved = [one for one in every if isinstance(one, events_pb2.StageChanged)]
    assert [
        (m.from_place, m.to_place, m.version, m.state.stage, f"{m.change_time.ToDatetime():%F}") for m in moved
    ] == [
        (1, 2, 2, "need-clear", "2016-11-01"),
        (2, 3, 3, "quote", "2016-12-05"),
        (3, 5, 4, "won", "2017-03-01"),
    ]
    assert [(m.to_stage_display_name, m.reason) for m in moved][-1] == ("成交 Won", "价格合适")
    (state,) = [one for one in every if isinstance(one, events_pb2.OpportunityChanged)]
    assert (state.version, state.opportunity.status_reason) == (4, "价格合适")
    assert {f"{time:%F}" for name, time in _told(desk) if name == "OpportunityOpened"} == {"2016-10-20"}
    # Nothing begins because of it: no order, no gate that is looked at, no task.
    kinds = {type(one).__name__ for one in every}
    assert kinds == {"OpportunityOpened", "OpportunityChanged", "StageChanged"}, made.name


def _told(desk: Desk) -> list[tuple[str, datetime]]:
    """Of all events so far, what they are and when they happened."""
    outbox = desk.runtime.service.tables.outbox
    with desk.runtime.reading() as tx:
        bodies = [row[0] for row in tx.execute(sa.select(outbox.c.body).order_by(outbox.c.id))]
    found = [event for body in bodies for event in EventBatch.FromString(body).events]
    return [(type(decode(event)).__name__, event.time.ToDatetime()) for event in found]


def test_V13_where_nobody_says_how_it_came_there_it_was_opened_in_the_first_stage_and_skipped_none(desk: Desk) -> None:
    desk.announced()
    made = _made(desk, stage="won", opened="2016-10-20", closed="2017-03-01")
    assert _days(desk, made.name) == [
        ("", "first-visit", P.OPEN, "2016-10-20"),
        ("first-visit", "won", P.WON, "2017-03-01"),
    ]
    assert made.status_reason == "HISTORICAL"
    assert [(m.from_place, m.to_place) for m in desk.announced(events_pb2.StageChanged)] == [(0, 5)]
    late = _made(desk, ("quote", "2016-12-05"), ("lost", "2016-12-24"), opened="2016-10-20")
    assert [stage for _, stage, _, _ in _days(desk, late.name)] == ["first-visit", "quote", "lost"]
    straight = _made(desk, ("quote", "2016-12-05"))
    assert [stage for _, stage, _, _ in _days(desk, straight.name)] == ["quote"]
    assert (straight.status, f"{straight.open_time.ToDatetime():%F}") == (P.OPEN, "2016-12-05")


def test_V13_what_is_lost_stays_in_its_stage_where_a_pipeline_has_none_for_it(desk: Desk) -> None:
    made = _made(
        desk, ("lead", "2016-12-05"), ("intent", "2016-12-06"), ("lost", "2016-12-24"), pipeline="pipelines/four-stage"
    )
    assert (made.stage, made.status, made.win_probability) == ("intent", P.LOST, 0)
    assert f"{made.close_time.ToDatetime():%F}" == "2016-12-24"


def test_V13_what_cannot_have_been_so_is_refused_with_its_field(desk: Desk) -> None:
    tomorrow = f"{clock.now() + timedelta(days=1):%F}"
    assert _wrong(desk, ("first-visit", "2016-10-20"), ("quote", "2016-10-19")) == ["history.1.enter_time"]
    assert _wrong(desk, ("first-visit", "2016-10-20"), ("quote", tomorrow)) == ["history.1.enter_time"]
    assert _wrong(desk, ("first-visit", "1999-10-20")) == ["history.0.enter_time"]
    assert _wrong(desk, ("first-visit", "2016-10-20"), ("nowhere", "2016-10-21")) == ["history.1.stage"]
    assert _wrong(desk, ("quote", "2016-10-20"), ("quote", "2016-10-21")) == ["history.1.stage"]
    assert _wrong(desk, ("won", "2016-10-20"), ("quote", "2016-10-21")) == ["history.1.stage"]
    assert _wrong(desk, ("first-visit", "2016-10-20"), opened="2016-10-19") == ["history.0.enter_time"]
    assert _wrong(desk, ("quote", "2016-10-20"), stage="negotiation") == ["opportunity.stage"]
    assert _wrong(desk, ("quote", "2016-10-20"), closed="2016-10-21") == [_PLACES[1]]
    assert _wrong(desk, ("won", "2016-10-20"), closed="2016-10-21") == [_PLACES[1]]
    assert _wrong(desk, stage="won", opened="2016-10-21", closed="2016-10-20") == [_PLACES[1]]
    assert _wrong(desk, *(("quote", "2016-10-20"), ("negotiation", "2016-10-20")) * 51) == ["history"]
    assert desk.listed() == []


def test_V13_history_is_for_who_leads_and_only_of_what_is_historical(desk: Desk) -> None:
    error = _bring(desk, *WAY, who=LI).error
    assert error.reason == "DENIED"
    assert _bring(desk, ("first-visit", "2016-10-20"), who=LI).error.reason == "DENIED"
    with refused("INVALID", "history"):
        request = pb.CreateOpportunityRequest(opportunity=P(title="今天"))
        request.history.add(stage="quote").enter_time.FromDatetime(_day("2016-10-20"))
        desk.call("CreateOpportunity", request, ADMIN)
    with refused("INVALID", "opportunity.open_time"):
        request = pb.CreateOpportunityRequest(opportunity=P(title="今天"))
        request.opportunity.open_time.FromDatetime(_day("2016-10-20"))
        desk.call("CreateOpportunity", request, ADMIN)
    single = pb.CreateOpportunityRequest(opportunity=P(title="单笔", stage="won"), historical=True)
    single.opportunity.close_time.FromDatetime(_day("2016-10-20"))
    made = desk.call("CreateOpportunity", single, ADMIN)
    assert (made.status, f"{made.open_time.ToDatetime():%F}") == (P.WON, "2016-10-20")
    with pytest.raises(Denied):
        desk.call("CreateOpportunity", single, LI)


def test_V13_lists_go_by_when_it_was_opened(desk: Desk) -> None:
    for title, day in (("甲", "2016-10-20"), ("乙", "2015-10-20")):
        _made(desk, ("first-visit", day), title=title)
    desk.open(title="今天")
    assert desk.listed(order_by="open_time") == ["乙", "甲", "今天"]
    assert desk.listed(filter='open_time < "2016-01-01T00:00:00Z"') == ["乙"]
    pages = [desk.listed(order_by="open_time desc", page_size=1)]
    assert pages == [["今天"]]
