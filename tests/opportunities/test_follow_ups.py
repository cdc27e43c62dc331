"""A follow-up that moves the stage, under its author's rights and through the gates."""

from __future__ import annotations

from typing import Any

from dealwright.opportunities.v1 import opportunities_pb2 as pb
from dealwright.rules.v1 import events_pb2 as rule_events_pb2
from tests.opportunities.desk import ADMIN, BOSS, WANG, ZHAO, Desk
from tests.opportunities.test_evidence import gates


def test_F6_a_follow_up_moves_the_stage_under_its_authors_rights(desk: Desk) -> None:
    made = desk.open()
    desk.log(made.name, to_stage="need-clear")
    assert desk.get(made.name).stage == "need-clear"
    last = desk.history(made.name)[-1]
    assert (last.actor, last.forced) == ("people/li", False)
    for author, moved in ((ZHAO, False), (WANG, False), (BOSS, True), (ADMIN, True)):
        made = desk.open()
        desk.log(made.name, author=author.person, to_stage="need-clear")
        now = desk.get(made.name)
        assert (now.stage == "need-clear") == moved, author.person
        assert [one.kind for one in now.warnings] == ([] if moved else ["STAGE_REFUSED"])


def test_F6_O16_a_move_that_a_gate_refuses_is_kept_as_a_warning_and_its_author_told(desk: Desk) -> None:
    made = desk.open()
    desk.move(made.name, "need-clear")
    desk.announced()
    desk.log(made.name, to_stage="quote")
    now = desk.get(made.name)
    (warning,) = now.warnings
    assert (now.stage, warning.kind, warning.stage) == ("need-clear", "STAGE_REFUSED", "quote")
    assert "quotation" in warning.message
    assert "报价单" in warning.message_zh
    assert desk.call("ListOpportunities", pb.ListOpportunitiesRequest()).opportunities[0].warnings == now.warnings
    (notice,) = desk.announced(rule_events_pb2.ActionRequested)
    assert (notice.action, notice.person) == ("NOTIFY", "people/li")
    assert "报价单" in notice.text_zh
    # The follow-up itself counted as one all the same, and the warning goes with the next move.
    assert gates(desk, made.name)["negotiation"].requirements[0].have == 1
    desk.upload(made.name, "quote")
    assert not desk.move(made.name, "quote").warnings


def test_F6_O17_the_follow_up_that_makes_two_moves_to_negotiation_itself(desk: Desk) -> None:
    made = desk.open()
    desk.upload(made.name, "quote")
    desk.move(made.name, "need-clear", "quote")
    desk.log(made.name)
    desk.hear("moves", logged(made.name, "negotiation"))
    assert desk.get(made.name).stage == "negotiation"


def test_F6_a_call_that_would_jump_waits_a_moment_for_the_follow_up_that_moves_the_stage(desk: Desk) -> None:
    made = desk.open()
    desk.upload(made.name, "quote")
    desk.move(made.name, "need-clear", "quote")
    desk.log(made.name)
    with desk.runtime.reading(ADMIN) as tx:
        assert desk.servicer.lacks(tx, made.name, "")
    desk.hear("moves", logged(made.name, "negotiation"))
    with desk.runtime.reading(ADMIN) as tx:
        assert not desk.servicer.lacks(tx, made.name, "")


def logged(name: str, to_stage: str) -> Any:
    from dealwright.activities.v1 import activities_pb2
    from dealwright.activities.v1 import events_pb2 as activity_events_pb2

    follow_up = activities_pb2.FollowUp(name="followUps/z", record=name, opportunity=name, owner="people/li", etag="1")
    return activity_events_pb2.FollowUpLogged(follow_up=follow_up, to_stage=to_stage)


def test_F6_a_stage_that_there_is_not_or_a_deal_that_is_closed_is_a_warning_too(desk: Desk) -> None:
    for stage in ("nowhere", "quote", "lost"):
        made = desk.open()
        desk.log(made.name, to_stage=stage)
        now = desk.get(made.name)
        assert (now.stage, [one.stage for one in now.warnings]) == ("first-visit", [stage])
