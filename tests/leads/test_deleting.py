"""Whoever may deletes a lead; for 30 days it comes back as it was, and nothing that goes on meanwhile is in its way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, NotFound, Refused, Stale
from dealwright.leads.v1 import events_pb2, leads_pb2
from leads.domain.ownership import Decided
from leads.storage.tables import leads as table
from leads.usecases.deleting import purge
from leads.usecases.directed import Clock, act, set_clocks
from leads.usecases.waiting import announce_again
from tests.leads.desk import ADMIN, LI, MANAGER, WANG, Desk

Status = leads_pb2.Lead
Kind = leads_pb2.Touchpoint
PHONE, EMAIL = "+8613812345678", "a@example.cn"

pytestmark = pytest.mark.usefixtures("staff")


def delete(desk: Desk, name: str, who: Any = ADMIN, etag: str = "") -> leads_pb2.Lead:
    made: leads_pb2.Lead = desk.call("DeleteLead", leads_pb2.DeleteLeadRequest(name=name, etag=etag), who)
    return made


def undelete(desk: Desk, name: str, who: Any = ADMIN) -> leads_pb2.Lead:
    made: leads_pb2.Lead = desk.call("UndeleteLead", leads_pb2.UndeleteLeadRequest(name=name), who)
    return made


def listed(desk: Desk, who: Any = ADMIN, **fields: Any) -> list[str]:
    with desk.runtime.reading(who) as tx:
        answer = desk.servicer.ListLeads(tx, leads_pb2.ListLeadsRequest(**fields))
    return [lead.name for lead in answer.leads]


def shown(desk: Desk, name: str, who: Any = ADMIN) -> leads_pb2.Lead:
    with desk.runtime.reading(who) as tx:
        found: leads_pb2.Lead = desk.servicer.GetLead(tx, leads_pb2.GetLeadRequest(name=name, show_deleted=True))
    return found


def chain(desk: Desk, name: str) -> list[tuple[int, str]]:
    with desk.runtime.reading(ADMIN) as tx:
        answer = desk.servicer.ListTouchpoints(tx, leads_pb2.ListTouchpointsRequest(parent=name))
    return [(point.kind, point.actor) for point in answer.touchpoints]


def said(desk: Desk) -> list[Any]:
    return desk.announced()


def kinds(events: Sequence[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


def owned(desk: Desk, phone: str = PHONE, owner: str = "people/li", **fields: Any) -> str:
    name: str = desk.capture(phone=phone, **fields).lead.name
    desk.assign(name, owner)
    return name


def refusal(desk: Desk, method: str, request: Any, who: Any = ADMIN) -> Refused:
    with pytest.raises(Refused) as problem:
        desk.call(method, request, who)
    return problem.value


def test_L1_a_deleted_lead_is_in_no_list_unless_it_is_asked_for(desk: Desk) -> None:
    gone, there = owned(desk, company="甲"), owned(desk, "13812345670")
    answer = delete(desk, gone, MANAGER)
    assert (answer.status, answer.owner, answer.delete_time.seconds > 0) == (Status.DELETED, "people/li", True)
    assert listed(desk) == [there]
    assert listed(desk, filter=f'phone = "{PHONE}"') == []
    assert sorted(listed(desk, show_deleted=True)) == sorted([gone, there])
    assert listed(desk, show_deleted=True, filter="status = DELETED") == [gone]
    assert listed(desk, show_deleted=True, filter=f'phone = "{PHONE}"') == [gone]
    with pytest.raises(NotFound):
        desk.get(gone)
    assert shown(desk, gone).company == "甲"
    # Whose it was sees that it was deleted; others see as little of it as before.
    assert listed(desk, LI, show_deleted=True, filter="status = DELETED") == [gone]
    assert listed(desk, WANG, show_deleted=True, filter="status = DELETED") == []
    with desk.runtime.reading(ADMIN) as tx:
        rows = desk.servicer.SummarizeLeads(tx, leads_pb2.SummarizeLeadsRequest(group_by=["status"])).rows
    assert [(list(row.keys), row.leads) for row in rows] == [(["ASSIGNED"], 1)]
    assert chain(desk, gone)[-1] == (Kind.DELETED, "people/boss")


def test_P2_who_may_not_delete_changes_nothing_and_an_old_etag_is_stale(desk: Desk) -> None:
    lead = desk.capture(phone=PHONE).lead
    desk.assign(lead.name, "people/li")
    may_not = Principal("people/li", "sales", "", (), {"leads": Grant(Scope.OWN, Scope.OWN)})
    for method, request in (
        ("DeleteLead", leads_pb2.DeleteLeadRequest(name=lead.name)),
        ("UndeleteLead", leads_pb2.UndeleteLeadRequest(name=lead.name)),
    ):
        with pytest.raises(Denied):
            desk.call(method, request, may_not)
        with pytest.raises(NotFound):
            desk.call(method, request, WANG)
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=lead.name), LI)
    with pytest.raises(Stale):
        delete(desk, lead.name, etag=lead.etag)
    gone = delete(desk, lead.name, LI, desk.get(lead.name).etag)
    # Twice is not found, whatever the etag; what lives cannot be brought back.
    for etag in ("", gone.etag, lead.etag):
        with pytest.raises(NotFound):
            delete(desk, lead.name, etag=etag)
    back = undelete(desk, lead.name, LI)
    assert int(back.etag) == int(gone.etag) + 1
    problem = refusal(desk, "UndeleteLead", leads_pb2.UndeleteLeadRequest(name=lead.name))
    assert (problem.reason, bool(problem.chinese)) == ("NOT_DELETED", True)


COMMANDS = (
    ("UpdateLead", lambda name: leads_pb2.UpdateLeadRequest(lead=leads_pb2.Lead(name=name, company="乙", etag="1"))),
    ("ContactLead", lambda name: leads_pb2.ContactLeadRequest(name=name)),
    ("ClaimLead", lambda name: leads_pb2.ClaimLeadRequest(name=name)),
    ("QualifyLead", lambda name: leads_pb2.QualifyLeadRequest(name=name)),
    ("DisqualifyLead", lambda name: leads_pb2.DisqualifyLeadRequest(name=name, reason="x")),
    ("ReleaseLead", lambda name: leads_pb2.ReleaseLeadRequest(name=name)),
    ("ReassignLead", lambda name: leads_pb2.ReassignLeadRequest(name=name, owner="people/wang")),
)


@pytest.mark.parametrize(("method", "request_of"), COMMANDS, ids=[method for method, _ in COMMANDS])
def test_L1_whatever_is_to_be_done_with_a_deleted_lead_is_told_how_it_comes_back(
    desk: Desk, method: str, request_of: Any
) -> None:
    name = owned(desk)
    before = delete(desk, name)
    said(desk)
    problem = refusal(desk, method, request_of(name))
    assert problem.reason == "DELETED"
    assert all(f"/v1/{name}:undelete" in text for text in (problem.english, problem.chinese))
    assert (shown(desk, name), said(desk)) == (before, [])


def test_L20_a_lead_at_work_comes_back_to_its_owner_with_an_ownership_and_clocks_of_its_own(desk: Desk) -> None:
    name = owned(desk)
    before = desk.get(name)
    with desk.runtime.transaction() as tx:
        set_clocks(tx, [Clock(name, 1, tx.now + timedelta(hours=2))])
    said(desk)
    delete(desk, name)
    assert said(desk) == [events_pb2.LeadDeleted(lead=name, owner="people/li", owner_version=2)]
    # What the rules asked for, or set, about the ownership that is over finds nothing to do.
    with desk.runtime.transaction() as tx:
        for action in ("RECLAIM", "REASSIGN", "ESCALATE"):
            for version in (1, 2):
                act(tx, action, name, version, "people/boss")
        set_clocks(tx, [Clock(name, 1, tx.now)])
    assert said(desk) == []
    back = undelete(desk, name)
    (told,) = said(desk)
    assert isinstance(told, events_pb2.LeadUndeleted)
    assert (told.owner, told.owner_version, told.status, told.contacted) == ("people/li", 3, Status.ASSIGNED, False)
    assert (back.owner, back.status, back.owner_version) == ("people/li", Status.ASSIGNED, 3)
    assert not back.HasField("respond_by")  # until the rules say
    assert back.assign_time == before.assign_time
    assert not back.HasField("delete_time")
    assert chain(desk, name)[-2:] == [(Kind.DELETED, "people/admin"), (Kind.UNDELETED, "people/admin")]
    with desk.runtime.transaction() as tx:
        set_clocks(tx, [Clock(name, 3, tx.now)])
    assert desk.get(name).HasField("respond_by")


@pytest.mark.parametrize("how", ["CONTACTED", "QUALIFIED", "DISQUALIFIED", "POOLED"])
def test_L21_whatever_it_was_it_is_again(desk: Desk, how: str) -> None:
    name = owned(desk)
    with desk.runtime.transaction() as tx:
        set_clocks(tx, [Clock(name, 1, tx.now + timedelta(hours=2))])
    match how:
        case "CONTACTED":
            desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
        case "QUALIFIED":
            desk.call("QualifyLead", leads_pb2.QualifyLeadRequest(name=name), LI)
        case "DISQUALIFIED":
            desk.call("DisqualifyLead", leads_pb2.DisqualifyLeadRequest(name=name, reason="空号"), LI)
        case "POOLED":
            desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name, reason="忙"), LI)
    before = desk.get(name)
    delete(desk, name)
    said(desk)
    back = undelete(desk, name)
    (told,) = said(desk)
    assert isinstance(told, events_pb2.LeadUndeleted)
    assert (told.status, told.status_reason) == (before.status, before.status_reason)
    assert told.status_time.ToDatetime() < told.undelete_time.ToDatetime()
    assert back.owner_version == before.owner_version + 2
    for other in (before, back):
        other.ClearField("owner_version")
        other.ClearField("etag")
    assert back == before
    if how == "POOLED":  # and the cool-down goes on from when it was given back
        assert refusal(desk, "ClaimLead", leads_pb2.ClaimLeadRequest(name=name), LI).reason == "COOL_DOWN"
        assert desk.call("ClaimLead", leads_pb2.ClaimLeadRequest(name=name), WANG).owner == "people/wang"


def test_L31_what_nobody_had_waits_for_a_decision_and_an_old_one_is_refused(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    delete(desk, name)
    said(desk)
    desk.decide(Decided(name, "people/wang", 0, 1))
    assert said(desk) == [events_pb2.AssignmentRefused(lead=name, owner="people/wang", decision=1, reason="CLOSED")]
    with desk.runtime.transaction() as tx:
        tx.execute(sa.update(table).values(status_time=tx.now - timedelta(days=1)))
        assert not announce_again(tx)
    assert said(desk) == []  # nor is it announced again
    back = undelete(desk, name)
    told = said(desk)
    assert kinds(told) == ["LeadUndeleted", "LeadCaptured"]
    assert (back.status, told[1].owner_version) == (Status.WAITING, 2)
    # The decision about what was before comes once more.
    desk.decide(Decided(name, "people/wang", 0, 1))
    assert [e.reason for e in said(desk)] == ["OWNER_CHANGED"]
    desk.decide(Decided(name, "people/li", 2, 5))
    assert (desk.get(name).owner, kinds(said(desk))) == ("people/li", ["LeadAssigned", "LeadMoved"])


def test_C16_what_a_leaver_had_is_nobodys_to_hand_over_while_deleted_and_waits_when_it_comes_back(desk: Desk) -> None:
    desk.hire(("people/zhao", "teams/west", "sales"))
    early, late = owned(desk, PHONE, "people/zhao"), owned(desk, "13812345670", "people/zhao")
    delete(desk, early)
    said(desk)
    desk.hire(("people/zhao", "teams/west", "sales"), active=False, version=2)
    assert [e.lead for e in said(desk)] == [late]
    delete(desk, late)
    (settled,) = [e for e in said(desk) if isinstance(e, events_pb2.LeadLeftBehind)]
    assert (settled.lead, settled.settled, settled.owner, settled.owner_version) == (late, True, "", 2)
    for name in (early, late):
        back = undelete(desk, name)
        assert (back.owner, back.status, back.status_reason) == ("", Status.WAITING, "OWNER_LEFT")
        told, wanted = said(desk)
        assert (told.status, wanted.cause, wanted.previous_owner) == (Status.WAITING, "RETURNED", "people/zhao")


def test_L26_after_30_days_it_is_gone_for_good_and_nothing_else(desk: Desk) -> None:
    old, fresh, there = owned(desk), owned(desk, "13812345670"), owned(desk, "13812345671")
    for name in (old, fresh):
        delete(desk, name)
    with desk.runtime.transaction() as tx:
        long_ago = tx.now - timedelta(days=30, seconds=1)
        tx.execute(sa.update(table).where(table.c.name == old).values(delete_time=long_ago))
    said(desk)
    with desk.runtime.transaction() as tx:
        assert not purge(tx)
    assert said(desk) == [events_pb2.LeadRemoved(lead=old, owner="people/li", owner_version=2, reason="DELETED")]
    assert listed(desk, show_deleted=True) == [there, fresh]
    assert set(desk.keyed().values()) == {fresh, there}
    assert desk.count("touchpoints") == 5
    with pytest.raises(NotFound):
        undelete(desk, old)
    assert undelete(desk, fresh).status == Status.ASSIGNED
