"""Whoever decides about an opportunity reads what there is about it, and adds nothing."""

from __future__ import annotations

from dealwright.contracts.v1 import approvals_pb2
from dealwright.contracts.v1.events_pb2 import ApprovalChanged
from tests.activities.desk import WANG, ZHAO, refused
from tests.activities.office import Office
from tests.activities.test_timeline import requirement


def told(desk: Office, record: str, version: int, reads: bool) -> None:
    approval = approvals_pb2.Approval(name=f"approvals/{1:032x}", record=record, opportunity=record)
    desk.tell(ApprovalChanged(approval=approval, version=version, reads={"people/wang": reads}))


def test_O19_whoever_decides_about_a_deal_reads_its_history_and_adds_nothing(desk: Office) -> None:
    deal = desk.opportunity("people/zhao")
    desk.log(deal, ZHAO)
    task = desk.task(ZHAO, record=deal, title="准备演示")
    assert desk.follow_ups(who=WANG) == []
    told(desk, deal, 2, True)
    assert len(desk.follow_ups(who=WANG)) == len(desk.timeline(deal, WANG)) == 1
    assert [one.name for one in desk.tasks(who=WANG)] == [task.name]
    with refused("NOT_FOUND"):
        desk.log(deal, WANG)
    with refused("NOT_FOUND"):
        desk.task(WANG, record=deal, title="插手")
    with refused("NOT_FOUND"):
        requirement(desk, deal, WANG)
    told(desk, deal, 1, False)
    assert len(desk.follow_ups(who=WANG)) == 1, "older news that comes late"
    told(desk, deal, 3, False)
    assert desk.follow_ups(who=WANG) == []
    with refused("NOT_FOUND"):
        desk.timeline(deal, WANG)


def test_O19_whoever_decides_about_a_quote_does_not_read_the_history_of_the_deal(desk: Office) -> None:
    deal = desk.opportunity("people/zhao")
    desk.log(deal, ZHAO)
    told(desk, f"quotes/{1:032x}", 1, True)
    assert desk.follow_ups(who=WANG) == []
