"""Who sees an opportunity besides its owner, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from opportunities.usecases.sharing import end_shares
from tests.opportunities.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk, later, refused


def shares(desk: Desk, name: str) -> list[str]:
    answer = desk.call("ListShares", pb.ListSharesRequest(parent=name))
    return [share.person for share in answer.shares]


def test_O34_a_share_lets_a_colleague_read_for_7_days_and_ends_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.open(title="共享")
    with refused("NOT_FOUND"):
        desk.get(made.name, WANG)
    share = desk.act("Share", made.name, person="people/wang")
    assert share.end_time.seconds - share.share_time.seconds == 7 * 86400
    assert (share.person, share.shared_by, shares(desk, made.name)) == ("people/wang", "people/li", ["people/wang"])
    assert desk.get(made.name, WANG).title == "共享"
    assert desk.listed(WANG) == ["共享"]
    assert len(desk.history(made.name, WANG)) == 1
    # To read, no more.
    with refused("DENIED"):
        desk.change(made.name, who=WANG, title="改")
    with refused("DENIED"):
        desk.act("Share", made.name, WANG, person="people/zhao")
    with later(timedelta(days=6, hours=23), monkeypatch):
        assert desk.listed(WANG) == ["共享"]
        with desk.runtime.transaction() as tx:
            assert end_shares(tx) is False
    assert desk.announced(events_pb2.ShareEnded) == []
    with later(timedelta(days=7), monkeypatch):
        # To the second, before the loop came by.
        assert desk.listed(WANG) == []
        with refused("NOT_FOUND"):
            desk.get(made.name, WANG)
        assert shares(desk, made.name) == []
        for _ in range(2):
            with desk.runtime.transaction() as tx:
                end_shares(tx)
    (ended,) = desk.announced(events_pb2.ShareEnded)
    assert (ended.opportunity, ended.person, ended.expired) == (made.name, "people/wang", True)
    assert desk.get(made.name, LI).owner == "people/li"


def test_O34_a_share_ends_at_once_when_the_owner_says_so(desk: Desk) -> None:
    made = desk.open()
    desk.act("Share", made.name, person="people/wang", days=30)
    desk.act("Unshare", made.name, person="people/wang")
    with refused("NOT_FOUND"):
        desk.get(made.name, WANG)
    with refused("NOT_SHARED"):
        desk.act("Unshare", made.name, person="people/wang")
    kinds = [type(event).__name__ for event in desk.announced() if "Share" in type(event).__name__]
    assert kinds == ["OpportunityShared", "ShareEnded"]


def test_O34_sharing_again_begins_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = desk.open()
    desk.act("Share", made.name, person="people/wang")
    with later(timedelta(days=5), monkeypatch):
        desk.act("Share", made.name, person="people/wang")
    with later(timedelta(days=8), monkeypatch):
        assert desk.get(made.name, WANG).name == made.name
    assert shares(desk, made.name) == ["people/wang"]


def test_O34_nobody_shares_with_the_owner_with_strangers_or_for_ever(desk: Desk) -> None:
    made = desk.open()
    for person in ("people/li", "people/nobody", "wang"):
        with refused("INVALID", "person"):
            desk.act("Share", made.name, person=person)
    for days in (-1, 91):
        with refused("INVALID", "days"):
            desk.act("Share", made.name, person="people/wang", days=days)
    with refused("NOT_FOUND"):
        desk.act("Share", made.name, ZHAO, person="people/zhao")
    assert desk.act("Share", made.name, BOSS, person="people/wang").shared_by == "people/boss"


def test_O33_a_collaborator_sees_the_deal_as_long_as_he_is_one(desk: Desk) -> None:
    made = desk.open(title="大单")
    quote, legal = (
        pb.Opportunity.Collaborator(person=person, part=part)
        for person, part in (("people/wang", "报价"), ("people/zhao", "法务"))
    )
    desk.change(made.name, collaborators=[quote])
    assert desk.listed(WANG) == ["大单"]
    with refused("DENIED"):
        desk.change(made.name, who=WANG, title="改")
    desk.change(made.name, collaborators=[quote, legal])
    assert desk.listed(ZHAO) == ["大单"]
    assert desk.listed(WANG) == ["大单"], "he still is one"
    desk.change(made.name, collaborators=[legal])
    assert desk.listed(WANG) == []
    added = [(event.person, event.part, event.owner) for event in desk.announced(events_pb2.CollaboratorAdded)]
    assert added == [("people/wang", "报价", "people/li"), ("people/zhao", "法务", "people/li")]
    with refused("INVALID", "opportunity.collaborators"):
        desk.change(made.name, collaborators=[legal, legal])
    with refused("INVALID", "opportunity.collaborators"):
        desk.change(made.name, collaborators=[pb.Opportunity.Collaborator(person="people/nobody")])
    assert [one.part for one in desk.get(made.name, ADMIN).collaborators] == ["法务"]
