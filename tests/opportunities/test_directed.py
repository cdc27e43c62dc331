"""What the rules ask for, carried out: warnings that end when something happens, and losses that happen only where
nothing did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf import json_format, struct_pb2

from dealwright.activities.v1 import activities_pb2
from dealwright.activities.v1 import events_pb2 as activity_events
from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from dealwright.rules.v1 import events_pb2 as rule_events
from opportunities import subscribers
from tests.opportunities.desk import Desk

LOSE = ("连续90天无进展，系统自动关闭", "No progress for 90 days: closed automatically")
WARN = ("已7天没有进展", "Nothing happened for 7 days")


def direct(desk: Desk, action: str, deal: pb.Opportunity, author: str = "", **changes: Any) -> None:
    """What the rules ask for, who know the opportunity as it is here."""
    words = {"MARK_LOST": LOSE, "WARN": WARN}.get(action, ("", ""))
    parameters = {"version": int(deal.etag), "last_activity": deal.stage_time.ToDatetime(UTC).isoformat(), **changes}
    event = rule_events.ActionRequested(
        subject=deal.name,
        action=action,
        author=author,
        automation="one",
        text_zh=words[0],
        text_en=words[1],
        parameters=json_format.ParseDict(parameters, struct_pb2.Struct()),
    )
    with desk.runtime.transaction() as tx:
        subscribers.directions(tx, event)


def follow_up(desk: Desk, deal: pb.Opportunity, at: datetime) -> None:
    of = activities_pb2.FollowUp(name=f"followUps/{int(at.timestamp()):032x}", record=deal.name, opportunity=deal.name)
    of.happen_time.FromDatetime(at)
    with desk.runtime.transaction() as tx:
        subscribers.touched(tx, [activity_events.FollowUpLogged(follow_up=of)])


def moment(deal: pb.Opportunity) -> datetime:
    return deal.stage_time.ToDatetime(UTC)


def test_O28_an_opportunity_that_lies_too_long_is_lost_with_the_reason_on_record(desk: Desk) -> None:
    deal = desk.open()
    desk.announced()
    direct(desk, "MARK_LOST", deal)
    lost = desk.get(deal.name)
    assert (lost.status, lost.status_reason) == (pb.Opportunity.LOST, " ".join(LOSE))
    (told,) = desk.announced(events_pb2.OpportunityLost)
    assert told.reason == " ".join(LOSE)
    assert [one.reason for one in desk.history(deal.name)] == ["", " ".join(LOSE)]
    version = lost.etag
    direct(desk, "MARK_LOST", deal)
    assert desk.get(deal.name).etag == version, "once"


def test_O28_nothing_is_lost_that_moved_on_is_on_hold_or_was_touched_meanwhile(desk: Desk) -> None:
    edited, moved, held, followed, gone, won = (desk.open(title=str(n)) for n in range(6))
    desk.change(edited.name, title="改")
    direct(desk, "MARK_LOST", edited)
    desk.move(moved.name, "need-clear")
    direct(desk, "MARK_LOST", moved, version=0)
    desk.act("Hold", held.name)
    direct(desk, "MARK_LOST", held, version=0)
    follow_up(desk, followed, moment(followed) + timedelta(seconds=1))
    direct(desk, "MARK_LOST", followed)
    desk.act("Delete", gone.name)
    direct(desk, "MARK_LOST", gone, version=0)
    for deal in (edited, moved, followed):
        assert desk.get(deal.name).status == pb.Opportunity.OPEN
    assert desk.get(held.name).status == pb.Opportunity.ON_HOLD
    direct(desk, "MARK_LOST", won, last_activity="")
    direct(desk, "MARK_LOST", won, version=99)
    direct(desk, "DANCE", won)
    assert desk.get(won.name).status == pb.Opportunity.OPEN
    # As the rules know it after they have heard of the edit.
    direct(desk, "MARK_LOST", desk.get(edited.name))
    assert desk.get(edited.name).status == pb.Opportunity.LOST


def test_O29_a_warning_stands_on_the_opportunity_in_both_languages_until_something_happens(desk: Desk) -> None:
    deal, other = desk.open(title="停滞"), desk.open(title="推进")
    assert not deal.HasField("warned_time")
    direct(desk, "WARN", deal, days=7)
    warned = desk.get(deal.name)
    assert (warned.warning_zh, warned.warning) == WARN
    assert warned.HasField("warned_time")
    assert desk.announced(events_pb2.OpportunityChanged)[-1].opportunity == warned
    assert desk.listed(filter='warned_time > "2020-01-01T00:00:00Z"') == ["停滞"]
    direct(desk, "WARN", warned, days=14)
    assert desk.get(deal.name) == warned, "since when it is warned stays"
    # A follow-up of long ago answers nothing, one that is news does.
    follow_up(desk, deal, moment(deal) - timedelta(days=9))
    assert desk.get(deal.name).HasField("warned_time")
    follow_up(desk, deal, moment(deal) + timedelta(minutes=1))
    after = desk.get(deal.name)
    assert (after.HasField("warned_time"), after.warning, after.warning_zh) == (False, "", "")
    direct(desk, "WARN", after, days=7)
    assert not desk.get(deal.name).HasField("warned_time"), "what the rules know is older than that"
    direct(desk, "WARN", other, days=7)
    desk.move(other.name, "need-clear")
    assert not desk.get(other.name).HasField("warned_time")


def test_a_follow_up_changes_no_version_where_nothing_is_warned(desk: Desk) -> None:
    deal = desk.open()
    follow_up(desk, deal, moment(deal) + timedelta(days=1))
    assert desk.get(deal.name).etag == deal.etag
    follow_up(desk, pb.Opportunity(name="opportunities/" + "9" * 32), moment(deal))


@pytest.mark.parametrize(
    ("author", "carried_out"), [("people/boss", True), ("people/gone", False), ("people/no", False)]
)
def test_R6_who_has_left_has_no_rights_that_a_rule_of_his_could_use(desk: Desk, author: str, carried_out: bool) -> None:
    desk.hire(("people/gone", "teams/east", "manager"), active=False)
    deal = desk.open()
    direct(desk, "MARK_LOST", deal, author)
    assert (desk.get(deal.name).status == pb.Opportunity.LOST) is carried_out
    log = desk.runtime.service.tables.audit_log
    with desk.runtime.reading() as tx:
        rows = list(tx.execute(sa.select(log.c.detail).where(log.c.action == "opportunity.directed")))
    told = {"action": "MARK_LOST", "automation": "one", "author": author}
    assert [row[0] for row in rows] == ([told] if carried_out else [])
