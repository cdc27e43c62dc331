"""First responses that were missed leave a trace, and a lead that nobody else may take says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chassis import clock
from dealwright.leads.v1 import events_pb2, leads_pb2
from dealwright.rules.v1.events_pb2 import ActionRequested
from leads.domain import lead as domain
from leads.domain.lead import Capture, Lead
from leads.domain.lead import Status as Standing
from leads.domain.ownership import Decided, Verdict, judge
from leads.storage import leads as stored
from leads.subscribers import actions
from leads.wire.times import stamp
from tests.leads.desk import ADMIN, LI, MANAGER, Desk

Status = leads_pb2.Lead
PHONE = "13812345678"

pytestmark = pytest.mark.usefixtures("staff")


def act(desk: Desk, action: str, name: str, version: int, person: str = "", timer: str = "FIRST_RESPONSE") -> None:
    event = ActionRequested(subject=name, action=action, person=person, owner_version=version)
    event.parameters["timer"] = timer
    with desk.runtime.transaction() as tx:
        actions(tx, event)


def overdue(desk: Desk) -> int:
    with desk.runtime.reading(ADMIN) as tx:
        request = leads_pb2.SummarizeLeadsRequest(group_by=["channel"])
        (row,) = desk.servicer.SummarizeLeads(tx, request).rows
    return row.overdue


def chain(desk: Desk, name: str) -> list[tuple[str, str, str]]:
    with desk.runtime.reading(ADMIN) as tx:
        points = desk.servicer.ListTouchpoints(tx, leads_pb2.ListTouchpointsRequest(parent=name)).touchpoints
    return [(leads_pb2.Touchpoint.Kind.Name(p.kind), p.owner.removeprefix("people/"), p.reason) for p in points]


def assigned(desk: Desk, due: timedelta | None = None) -> str:
    """A lead of Li's whose first response is due then."""
    name: str = desk.capture(phone=PHONE).lead.name
    respond_by = clock.now() + due if due is not None else None
    desk.decide(Decided(name, "people/li", 0, 1, respond_by=respond_by))
    return name


# --- missed responses ---


@pytest.mark.parametrize("reason", ["", "NO_RESPONSE"])
def test_L18_L30_a_missed_response_is_remembered_when_the_lead_goes_to_another(desk: Desk, reason: str) -> None:
    name = assigned(desk, timedelta(hours=-1))
    act(desk, "REASSIGN", name, 1)
    assert desk.get(name).missed_responses == 1
    desk.decide(Decided(name, "people/wang", 1, 2, reason=reason, respond_by=clock.now() + timedelta(hours=2)))
    lead = desk.get(name)
    assert (lead.owner, lead.missed_responses) == ("people/wang", 1)
    assert overdue(desk) == 1
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name))
    assert (desk.get(name).missed_responses, overdue(desk)) == (1, 1)
    assert chain(desk, name)[1:3] == [("ASSIGNED", "li", ""), ("ASSIGNED", "wang", "NO_RESPONSE")]


@pytest.mark.parametrize(("step", "reason"), [("", "ESCALATED"), ("escalate", ""), ("escalate", "NO_RESPONSE")])
def test_L18_R20_the_supervisors_clock_starts_and_his_miss_counts_too(desk: Desk, step: str, reason: str) -> None:
    name = assigned(desk)
    act(desk, "REASSIGN", name, 1)
    due = clock.now() + timedelta(hours=2)
    desk.decide(Decided(name, "people/boss", 1, 2, reason=reason, step=step, respond_by=due))
    lead = desk.get(name)
    assert (lead.escalated_to, lead.respond_by, lead.missed_responses) == ("people/boss", stamp(due), 1)
    assert chain(desk, name)[-1] == ("ESCALATED", "boss", "NO_RESPONSE")
    # He has nobody above him: he is told, and that is all.
    act(desk, "NOTIFY", name, 1)
    act(desk, "NOTIFY", name, 2, timer="NURTURE")
    assert desk.get(name).missed_responses == 1
    act(desk, "NOTIFY", name, 2)
    assert (desk.get(name).missed_responses, desk.get(name).owner) == (2, "people/boss")
    assert overdue(desk) == 1, "leads are counted, not misses"


def test_L30_one_miss_is_counted_once_whatever_the_rules_ask_for(desk: Desk) -> None:
    name = assigned(desk, timedelta(hours=-1))
    for action, who in (("REASSIGN", ""), ("REASSIGN", ""), ("ESCALATE", "people/boss"), ("ESCALATE", "people/boss")):
        act(desk, action, name, 1, who)
    assert desk.get(name).missed_responses == 1
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    assert desk.get(name).missed_responses == 1


def test_L30_a_miss_of_an_ownership_that_is_over_does_not_count(desk: Desk) -> None:
    name = assigned(desk)
    act(desk, "REASSIGN", name, 0)
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    act(desk, "REASSIGN", name, 1)
    assert (desk.get(name).missed_responses, overdue(desk)) == (0, 0)


@pytest.mark.parametrize("method", ["ContactLead", "QualifyLead", "DisqualifyLead"])
def test_L30_a_response_that_came_late_stays_late_when_the_lead_changes_hands(desk: Desk, method: str) -> None:
    name = assigned(desk, timedelta(hours=-1))
    request = getattr(leads_pb2, f"{method}Request")(name=name)
    if method == "DisqualifyLead":
        request.reason = "no budget"
    assert desk.call(method, request, LI).missed_responses == 1
    assert overdue(desk) == 1
    if method == "ContactLead":
        desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/wang"))
        assert overdue(desk) == 1


def test_L24_L30_who_qualifies_a_lead_has_responded(desk: Desk) -> None:
    name = assigned(desk, timedelta(hours=1))
    lead = desk.call("QualifyLead", leads_pb2.QualifyLeadRequest(name=name), LI)
    assert lead.first_response_time == lead.last_activity_time
    assert lead.missed_responses == 0
    with desk.runtime.reading(ADMIN) as tx:
        (row,) = desk.servicer.SummarizeLeads(tx, leads_pb2.SummarizeLeadsRequest(group_by=["channel"])).rows
    assert (row.responded, row.overdue, row.HasField("mean_response")) == (1, 0, True)


def test_L24_L30_a_contact_before_stays_the_first_response(desk: Desk) -> None:
    name = assigned(desk)
    first = desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI).first_response_time
    assert desk.call("QualifyLead", leads_pb2.QualifyLeadRequest(name=name), LI).first_response_time == first


def test_L30_what_was_closed_in_time_does_not_become_overdue_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    name = assigned(desk, timedelta(hours=1))
    desk.call("DisqualifyLead", leads_pb2.DisqualifyLeadRequest(name=name, reason="spam"), LI)
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=1))
    assert overdue(desk) == 0


def test_L1_L30_a_list_finds_leads_whose_response_was_missed(desk: Desk) -> None:
    name = assigned(desk)
    desk.capture(phone="13812345679")
    act(desk, "REASSIGN", name, 1)
    with desk.runtime.reading(ADMIN) as tx:
        request = leads_pb2.ListLeadsRequest(filter="missedResponses > 0")
        assert [lead.name for lead in desk.servicer.ListLeads(tx, request).leads] == [name]


# --- nobody else may have it ---


def test_L13_a_lead_that_nobody_else_may_take_stays_and_shows_why(desk: Desk) -> None:
    name = assigned(desk)
    desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name, reason="holiday"), MANAGER)
    desk.announced()
    for decision in (2, 2, 3):
        desk.decide(Decided(name, "", 1, decision, reason="NOBODY_AVAILABLE"))
    lead = desk.get(name)
    assert (lead.owner, lead.status, lead.status_reason) == ("people/li", Status.ASSIGNED, "NOBODY_AVAILABLE")
    assert chain(desk, name)[2:] == [("CHANGED", "li", "holiday"), ("KEPT", "li", "NOBODY_AVAILABLE")]
    (event,) = desk.announced()
    assert event == events_pb2.LeadKept(
        lead=name, owner="people/li", owner_version=1, reason="NOBODY_AVAILABLE", decision=2
    )
    # Somebody may take it later: the wish still stands, and the reason goes with the owner.
    desk.decide(Decided(name, "people/wang", 1, 4))
    lead = desk.get(name)
    assert (lead.owner, lead.status_reason) == ("people/wang", "")


def test_L13_asking_again_shows_the_answer_again(desk: Desk) -> None:
    name = assigned(desk)
    for _ in range(2):
        answer = desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name), MANAGER)
        assert answer.status_reason == ""
        desk.decide(Decided(name, "", 1, 2, reason="NOBODY_AVAILABLE"))
    assert [kind for kind, _, _ in chain(desk, name)][2:] == ["CHANGED", "KEPT"] * 2


def test_L18_a_contact_ends_the_search_for_another_owner_and_its_reason(desk: Desk) -> None:
    name = assigned(desk)
    act(desk, "REASSIGN", name, 1)
    desk.decide(Decided(name, "", 1, 2, reason="NO_PEOPLE"))
    assert desk.get(name).status_reason == "NO_PEOPLE"
    assert desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI).status_reason == ""
    desk.decide(Decided(name, "", 1, 3, reason="NO_PEOPLE"))
    assert desk.get(name).status_reason == ""


# --- which ownership a word is about ---


def standing(status: Standing, owner: str, version: int, deciding: str = "") -> Lead:
    base = domain.start(Capture(phone="p"), "leads/x", datetime(2026, 10, 1, tzinfo=UTC))
    return replace(base, status=status, owner=owner, owner_version=version, deciding=deciding)


@pytest.mark.parametrize(
    ("lead", "owner", "fits"),
    [
        (standing(Standing.WAITING, "", 2), "people/li", Verdict.TAKE),
        (standing(Standing.UNASSIGNED, "", 2), "people/li", Verdict.TAKE),
        (standing(Standing.ASSIGNED, "people/wang", 2, "REASSIGNED"), "people/li", Verdict.TAKE),
        (standing(Standing.WAITING, "", 2), "", Verdict.NOBODY),
        (standing(Standing.ASSIGNED, "people/wang", 2, "REASSIGNED"), "", Verdict.KEPT),
    ],
    ids=["waiting", "unassigned", "reassigned", "nobody", "kept"],
)
def test_L31_a_decision_of_another_ownership_never_fits(lead: Lead, owner: str, fits: Verdict) -> None:
    lost = Verdict.OWNER_CHANGED if owner else Verdict.NOTHING
    assert [judge(lead, Decided("leads/x", owner, version, 1, "WHY")) for version in (1, 2, 3)] == [lost, fits, lost]


def test_L31_standing_is_written_within_one_ownership_alone(desk: Desk) -> None:
    name = assigned(desk)
    with desk.runtime.transaction() as tx:
        old = stored.by_name(tx, [name])[name]
    desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/wang"))
    before = desk.get(name)
    late = replace(old, status=Standing.CONTACTED, respond_by=clock.now(), version=99)
    with desk.runtime.transaction() as tx:
        stored.save_standing(tx, [late])
    assert desk.get(name) == before
    with desk.runtime.transaction() as tx:
        stored.save_standing(tx, [replace(late, owner_version=2)])
    assert desk.get(name).status == Status.CONTACTED
