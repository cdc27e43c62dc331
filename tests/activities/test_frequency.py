"""How often people follow up, and to what end."""

from __future__ import annotations

from typing import Any

from chassis.access import Grant, Scope
from dealwright.activities.v1 import activities_pb2 as pb
from tests.activities.desk import ADMIN, BOSS, LI, WANG, ZHAO, principal, refused
from tests.activities.office import Office, ago, utc

PROGRESS, REFUSED, PAID = pb.FollowUp.PROGRESS, pb.FollowUp.REFUSED, pb.FollowUp.PAID


def often(desk: Office, who: Any = ADMIN, filter: str = "") -> list[tuple[str, int, int]]:
    rows = desk.call("SummarizeFollowUps", pb.SummarizeFollowUpsRequest(filter=filter), who).rows
    return [(row.owner, row.outcome, row.count) for row in rows]


def test_F16_one_call_counts_each_persons_follow_ups_by_outcome_over_a_time(desk: Office) -> None:
    his, theirs = desk.customer(), desk.customer("people/wang")
    for days, outcome in ((40, PROGRESS), (3, PROGRESS), (2, PROGRESS), (1, REFUSED)):
        desk.log(his, happen_time=ago(days=days), outcome=outcome)
    last = desk.log(theirs, WANG, happen_time=ago(days=1), outcome=PAID)
    gone = desk.log(theirs, WANG, outcome=PAID)
    desk.call("DeleteFollowUp", pb.DeleteFollowUpRequest(name=gone.name), WANG)
    of_li = [("people/li", REFUSED, 1), ("people/li", PROGRESS, 2)]
    month = f'happen_time >= "{ago(days=30).isoformat()}"'
    assert often(desk, filter=month) == [*of_li, ("people/wang", PAID, 1)]
    assert often(desk) == [of_li[0], ("people/li", PROGRESS, 3), ("people/wang", PAID, 1)]
    assert often(desk, filter=f"{month} AND outcome = PROGRESS") == [of_li[1]]
    rows = desk.call("SummarizeFollowUps", pb.SummarizeFollowUpsRequest(filter="outcome = PAID"), ADMIN).rows
    assert [utc(row.happen_time) for row in rows] == [utc(last.happen_time)]
    # The manager his team's, everybody his own.
    assert often(desk, BOSS, month) == of_li
    assert often(desk, WANG) == [("people/wang", PAID, 1)]
    assert often(desk, ZHAO) == []
    with refused("INVALID", "filter"):
        often(desk, filter="mood = good")


def test_F16_P7_what_is_hidden_does_not_tell_them_apart(desk: Office) -> None:
    customer = desk.customer()
    for outcome in (PROGRESS, REFUSED):
        desk.log(customer, outcome=outcome)
    narrow = Grant(Scope.OWN, Scope.OWN, hidden=frozenset({"outcome"}))
    blind = principal("people/li", "sales", Scope.OWN, "teams/east", followUps=narrow)
    assert often(desk, blind) == [("people/li", 0, 2)]
    assert len(often(desk, LI)) == 2
    with refused("INVALID", "filter"):
        often(desk, blind, "outcome = REFUSED")
