"""What a colleague had still to do for a deal that he sees no more comes back to its owner."""

from __future__ import annotations

from typing import Any

import pytest

from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.activities.v1.notices_pb2 import ListNotificationsRequest
from dealwright.opportunities.v1.events_pb2 import CollaboratorAdded, OpportunityShared, ShareEnded
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity
from tests.activities.desk import LI, WANG, ZHAO
from tests.activities.office import FANG, Office, ago, at

OPEN, STARTED, DONE = pb.Task.OPEN, pb.Task.IN_PROGRESS, pb.Task.DONE
Collaborator = Opportunity.Collaborator


def asked(desk: Office, deal: str, part: str, **who: Any) -> pb.Task:
    """A colleague, or a team, is asked for a part; the task that comes of it."""
    desk.tell(CollaboratorAdded(opportunity=deal, part=part, owner="people/li", title="仓储系统", **who))
    (task,) = (one for one in desk.tasks(f"opportunity = {deal}") if one.part == part)
    return task


def whose(desk: Office, deal: str) -> dict[str, tuple[str, str, Any]]:
    """(owner, team, status) by part."""
    return {one.part: (one.owner, one.team, one.status) for one in desk.tasks(f"opportunity = {deal}")}


def told(desk: Office, who: Any = LI) -> list[str]:
    found = desk.call("ListNotifications", ListNotificationsRequest(filter="kind = TASK_ASSIGNED"), who)
    return [one.text_zh for one in found.notifications if one.title_zh == "协作人已退出，任务退回给您"]


def works(desk: Office, deal: str, version: int, *who: Collaborator) -> None:
    desk.opportunity("people/li", of=deal, version=version, collaborators=who)


WANGS, FANGS = Collaborator(person="people/wang", part="报价"), Collaborator(person="people/fang", part="法务")


def test_O33_O34_what_is_still_to_be_done_comes_back_to_the_owner_who_is_told(desk: Office) -> None:
    deal = desk.opportunity("people/li", collaborators=[WANGS, FANGS])
    quote, _, survey = (
        asked(desk, deal, "报价", person="people/wang"),
        asked(desk, deal, "法务", person="people/fang"),
        (asked(desk, deal, "勘测", person="people/wang")),
    )
    done = asked(desk, deal, "方案", person="people/wang")
    desk.act("Complete", done.name, WANG)
    desk.act("Start", survey.name, WANG)
    own = desk.task(WANG, title="我的备忘", record=deal)
    works(desk, deal, 2, FANGS)
    assert whose(desk, deal) == {
        "报价": ("people/li", "teams/east", OPEN),
        "勘测": ("people/li", "teams/east", STARTED),
        "方案": ("people/wang", "teams/west", DONE),
        "法务": ("people/fang", "teams/finance", OPEN),
        "": ("people/wang", "teams/west", OPEN),
    }
    assert own.part == ""
    assert sorted(told(desk)) == ["勘测：仓储系统", "报价：仓储系统"]
    assert {one.name for one in desk.tasks(who=WANG)} == {done.name, own.name}
    # Told once more, or late, nothing happens; asked again, it is his again.
    works(desk, deal, 2, FANGS)
    works(desk, deal, 1, WANGS, FANGS)
    assert len(told(desk)) == 2
    works(desk, deal, 3, WANGS, FANGS)
    assert asked(desk, deal, "报价", person="people/wang").owner == "people/wang"
    assert asked(desk, deal, "方案", person="people/wang").status == DONE
    assert quote.name in {one.name for one in desk.tasks(who=WANG)}


@pytest.mark.parametrize("first", ["share", "part"])
def test_O34_who_sees_the_deal_in_another_way_goes_on_until_that_ends_too(first: str, desk: Office) -> None:
    deal = desk.opportunity("people/li", collaborators=[WANGS])
    desk.tell(OpportunityShared(opportunity=deal, person="people/wang", end_time=at(ago(days=-7))), time=ago(hours=1))
    asked(desk, deal, "报价", person="people/wang")

    def end(what: str) -> None:
        if what == "share":
            desk.tell(ShareEnded(opportunity=deal, person="people/wang", expired=True))
        else:
            works(desk, deal, 2)

    end(first)
    assert whose(desk, deal)["报价"][0] == "people/wang"
    end("part" if first == "share" else "share")
    assert whose(desk, deal)["报价"][0] == "people/li"
    assert told(desk) == ["报价：仓储系统"]


def test_O36_the_part_of_a_team_comes_back_and_what_was_handed_on_to_others_stays(desk: Office) -> None:
    west = Collaborator(team="teams/west", part="勘测")
    deal = desk.opportunity("people/li", collaborators=[WANGS, west])
    asked(desk, deal, "勘测", team="teams/west")
    taken = asked(desk, deal, "信用", team="teams/west")
    desk.act("Claim", taken.name, WANG)
    quote = asked(desk, deal, "报价", person="people/wang")
    desk.act("Assign", quote.name, WANG, owner="people/zhao")
    works(desk, deal, 2, WANGS)
    assert {part: owner for part, (owner, _, _) in whose(desk, deal).items()} == {
        "勘测": "people/li",
        "信用": "people/wang",
        "报价": "people/zhao",
    }
    works(desk, deal, 3)
    assert {part: owner for part, (owner, _, _) in whose(desk, deal).items()} == {
        "勘测": "people/li",
        "信用": "people/li",
        "报价": "people/zhao",
    }
    assert len(desk.tasks(who=ZHAO)) >= 1
    assert desk.tasks(who=FANG) == []
