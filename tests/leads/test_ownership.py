"""Changes of owner: one compare-and-set, whoever wants what."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import leads
from chassis import clock
from chassis.errors import Denied, NotFound, Refused, Stale
from chassis.transaction import Origin
from dealwright.leads.v1 import events_pb2, leads_pb2
from leads.domain.lead import Status as Standing
from leads.domain.ownership import Change, Decided
from leads.domain.settings import LeadSettings
from leads.storage import leads as stored
from leads.storage import settings
from leads.storage.tables import leads as leads_table
from leads.usecases import directed, ownership
from leads.usecases.capture import announce_again
from tests.leads.desk import ADMIN, CLERK, LI, MANAGER, WANG, Desk

Status = leads_pb2.Lead
PHONE = "13812345678"


@pytest.fixture(autouse=True)
def staff(desk: Desk) -> None:
    desk.hire(
        ("people/li", "teams/east", "sales"),
        ("people/wang", "teams/west", "sales"),
        ("people/boss", "teams/east", "manager"),
    )


def refused(desk: Desk, method: str, request: object, who: object = ADMIN) -> str:
    with pytest.raises(Refused) as problem:
        desk.call(method, request, who)  # type: ignore[arg-type]
    assert problem.value.english
    assert problem.value.chinese
    return problem.value.reason


def act(desk: Desk, action: str, name: str, version: int, person: str = "") -> None:
    with desk.runtime.transaction(origin=Origin("services/rules")) as tx:
        directed.act(tx, action, name, version, person)


def pooled(desk: Desk, owner: str = "people/li") -> str:
    name: str = desk.capture(phone=PHONE).lead.name
    desk.assign(name, owner)
    desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name, reason="busy"))
    return name


# --- recording decisions ---


def test_L19_a_recorded_decision_makes_the_owner_and_is_announced_once(desk: Desk) -> None:
    lead = desk.capture(phone=PHONE, region="上海", tags=["vip"]).lead
    desk.announced()
    desk.decide(Decided(lead.name, "people/li", 0, 7, urgent=True, tags=["urgent", "vip"]))
    now = desk.get(lead.name)
    assert (now.owner, now.status, now.owner_version, list(now.tags)) == (
        "people/li",
        Status.ASSIGNED,
        1,
        ["vip", "urgent"],
    )
    (event,) = desk.announced()
    assert isinstance(event, events_pb2.LeadAssigned)
    assert (event.owner, event.owner_version, event.how, event.decision, event.urgent, list(event.owners)) == (
        "people/li",
        1,
        "RULES",
        7,
        True,
        ["people/li"],
    )
    # The same decision once more, as a new event: nothing happens, and its turn does not return.
    desk.decide(Decided(lead.name, "people/li", 0, 7))
    assert desk.announced() == []
    # The etag that a person read is still good: the rules alone did something.
    assert now.etag == lead.etag


def test_L31_of_two_decisions_one_wins_and_the_other_is_refused(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.announced()
    desk.decide(Decided(name, "people/wang", 0, 8), Decided(name, "people/li", 0, 7))
    assert desk.get(name).owner == "people/li"
    assigned, lost = desk.announced()
    assert isinstance(assigned, events_pb2.LeadAssigned)
    assert lost == events_pb2.AssignmentRefused(lead=name, owner="people/wang", decision=8, reason="OWNER_CHANGED")


def test_L31_a_decision_for_a_closed_or_unknown_lead_is_refused(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.call("DisqualifyLead", leads_pb2.DisqualifyLeadRequest(name=name, reason="test"))
    desk.announced()
    gone = "leads/" + "0" * 32
    desk.decide(Decided(name, "people/li", 0, 7), Decided(gone, "people/li", 0, 8))
    assert [(e.lead, e.reason) for e in desk.announced()] == [(name, "CLOSED"), (gone, "GONE")]


def test_L17_nobody_may_take_it_so_it_is_unassigned_with_the_reason_until_somebody_may(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.announced()
    desk.decide(Decided(name, "", 0, 7, reason="ALL_AWAY"))
    desk.decide(Decided(name, "", 0, 8, reason="ALL_AWAY"))
    lead = desk.get(name)
    assert (lead.status, lead.status_reason, lead.owner_version) == (Status.UNASSIGNED, "ALL_AWAY", 0)
    assert desk.announced() == [events_pb2.LeadUnassigned(lead=name, reason="ALL_AWAY", decision=7)]
    desk.decide(Decided(name, "people/li", 0, 9))
    assert desk.get(name).owner == "people/li"


def test_L18_a_missed_first_response_goes_to_somebody_who_has_not_had_it(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.announced()
    act(desk, "REASSIGN", name, 1)
    (event,) = desk.announced()
    assert (event.cause, event.owner_version, list(event.excluded)) == ("FIRST_RESPONSE_MISSED", 1, ["people/li"])
    # The owner stays until the decision is recorded, and when nobody is left.
    desk.decide(Decided(name, "", 1, 8, reason="NOBODY"))
    assert desk.get(name).owner == "people/li"
    assert desk.announced() == []
    desk.decide(Decided(name, "people/wang", 1, 9))
    assigned, moved = desk.announced()
    assert (moved.how, moved.previous_owner, moved.owner, moved.decision) == ("RULES", "people/li", "people/wang", 9)
    assert moved.assign_time == assigned.assign_time
    assert (assigned.previous_owner, assigned.owner_version, list(assigned.owners)) == (
        "people/li",
        2,
        ["people/li", "people/wang"],
    )


def test_L18_L30_a_response_in_the_meantime_keeps_the_owner(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    act(desk, "REASSIGN", name, 1)
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    desk.announced()
    desk.decide(Decided(name, "people/wang", 1, 9))
    assert desk.get(name).owner == "people/li"
    assert [e.reason for e in desk.announced()] == ["OWNER_CHANGED"]
    act(desk, "REASSIGN", name, 1)
    act(desk, "ESCALATE", name, 1, "people/boss")
    assert desk.announced() == []


def test_R20_a_decision_for_the_supervisor_shows_that_the_lead_was_escalated(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    due = clock.now() + timedelta(hours=2)
    desk.decide(Decided(name, "people/li", 0, 7, respond_by=due))
    assert desk.get(name).respond_by.ToDatetime(due.tzinfo) == due
    act(desk, "REASSIGN", name, 1)
    desk.announced()
    desk.decide(Decided(name, "people/boss", 1, 8, reason="ESCALATED"))
    lead = desk.get(name)
    assert (lead.owner, lead.escalated_to, lead.HasField("respond_by")) == ("people/boss", "people/boss", False)
    assert [type(e).__name__ for e in desk.announced()] == ["LeadAssigned", "LeadMoved", "LeadEscalated"]


def test_R20_an_escalation_is_shown_and_announced_once(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.announced()
    act(desk, "ESCALATE", name, 0, "people/boss")
    assert desk.announced() == []
    for _ in range(2):
        act(desk, "ESCALATE", name, 1, "people/boss")
    assert desk.announced() == [
        events_pb2.LeadEscalated(lead=name, owner="people/li", manager="people/boss", owner_version=1)
    ]
    assert desk.get(name).escalated_to == "people/boss"


def test_L21_a_reclaimed_lead_lies_in_the_pool(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.announced()
    act(desk, "RECLAIM", name, 1)
    act(desk, "RECLAIM", name, 1)
    lead = desk.get(name)
    assert (lead.status, lead.owner, lead.status_reason) == (Status.POOLED, "", "INACTIVE")
    (event,) = desk.announced()
    assert (event.previous_owner, event.owner_version, event.reason) == ("people/li", 2, "INACTIVE")


def test_L20_the_owner_sees_until_when_to_respond(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    due = clock.now() + timedelta(hours=2)
    with desk.runtime.transaction() as tx:
        directed.set_clocks(tx, [directed.Clock(name, 1, due), directed.Clock(name, 0, due + timedelta(1))])
    assert desk.get(name).respond_by.ToDatetime(due.tzinfo) == due
    desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/wang"))
    assert not desk.get(name).HasField("respond_by")


# --- people ---


def test_L30_the_first_contact_stops_the_clock_and_later_ones_are_follow_ups(desk: Desk) -> None:
    name = desk.capture(phone=PHONE, channel="DOUYIN").lead.name
    assert refused(desk, "ContactLead", leads_pb2.ContactLeadRequest(name=name)) == "NOT_OWNED"
    desk.assign(name, "people/li")
    desk.announced()
    first = desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name, note="called"), LI)
    assert first.status == Status.CONTACTED
    again = desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    assert again.first_response_time == first.first_response_time
    assert again.last_activity_time.ToNanoseconds() > first.last_activity_time.ToNanoseconds()
    assert [(e.first, e.owner, e.channel) for e in desk.announced()] == [
        (True, "people/li", leads_pb2.DOUYIN),
        (False, "people/li", leads_pb2.DOUYIN),
    ]


def test_L21_a_pooled_lead_is_claimed_by_whoever_comes_first(desk: Desk) -> None:
    name = pooled(desk)
    desk.announced()
    request = leads_pb2.ClaimLeadRequest(name=name)
    assert refused(desk, "ClaimLead", request, LI) == "COOL_DOWN"
    assert refused(desk, "ClaimLead", request, CLERK) == "CANNOT_RECEIVE"
    lead = desk.call("ClaimLead", request, WANG)
    assert (lead.owner, lead.status, lead.owner_version) == ("people/wang", Status.ASSIGNED, 3)
    event, moved = desk.announced()
    assert (moved.how, moved.previous_owner, moved.owner_version) == ("CLAIM", "", 3)
    assert (event.how, event.previous_owner, list(event.owners)) == ("CLAIM", "people/li", ["people/li", "people/wang"])
    assert refused(desk, "ClaimLead", request, ADMIN) == "NOT_POOLED"


def test_L22_the_cool_down_ends_and_is_a_setting(desk: Desk) -> None:
    name = pooled(desk)
    with desk.runtime.transaction() as tx:
        settings.save(tx, LeadSettings(cool_down_hours=0))
    assert desk.call("ClaimLead", leads_pb2.ClaimLeadRequest(name=name), LI).owner == "people/li"


def test_L22_nobody_picks_more_than_the_days_limit_and_a_refused_pick_does_not_count(desk: Desk) -> None:
    with desk.runtime.transaction() as tx:
        settings.save(tx, LeadSettings(pick_limit_per_day=2))
    names = [desk.capture(phone=f"1381234560{n}").lead.name for n in range(3)]
    for name in names:
        desk.assign(name, "people/li")
        desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name))
    for name in names[:2]:
        desk.call("ClaimLead", leads_pb2.ClaimLeadRequest(name=name), WANG)
    request = leads_pb2.ClaimLeadRequest(name=names[2])
    assert [refused(desk, "ClaimLead", request, WANG) for _ in range(2)] == ["PICK_LIMIT"] * 2
    with desk.runtime.transaction() as tx:
        settings.save(tx, LeadSettings(pick_limit_per_day=3))
    assert desk.call("ClaimLead", request, WANG).owner == "people/wang"


def test_P5_a_manager_moves_a_lead_by_hand_and_others_do_not(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.announced()
    request = leads_pb2.ReassignLeadRequest(name=name, owner="people/wang", reason="holiday")
    for who in (LI, CLERK):
        with pytest.raises(Denied):
            desk.call("ReassignLead", request, who)
    assert refused(desk, "ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/boss")) == (
        "CANNOT_RECEIVE"
    )
    desk.hire(("people/gone", "teams/east", "sales"), active=False)
    assert refused(desk, "ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/gone")) == (
        "CANNOT_RECEIVE"
    )
    assert desk.call("ReassignLead", request, MANAGER).owner == "people/wang"
    event, moved = desk.announced()
    assert (moved.how, moved.previous_owner, moved.contacted) == ("MANUAL", "people/li", False)
    assert (event.how, event.owner, event.previous_owner) == ("MANUAL", "people/wang", "people/li")


def test_L13_without_a_name_the_rules_choose_somebody_who_has_not_had_it(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    desk.announced()
    lead = desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name), MANAGER)
    assert lead.owner == "people/li"
    (event,) = desk.announced()
    assert (event.cause, list(event.excluded), event.owner_version) == ("REASSIGNED", ["people/li"], 1)
    # A contact in between does not undo what the manager wanted.
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    desk.decide(Decided(name, "people/wang", 1, 9))
    now = desk.get(name)
    assert (now.owner, now.status) == ("people/wang", Status.ASSIGNED)


def test_L24_a_lead_is_qualified_once_and_by_an_owner(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    request = leads_pb2.QualifyLeadRequest(name=name)
    assert refused(desk, "QualifyLead", request) == "NOT_OWNED"
    desk.assign(name, "people/li")
    desk.announced()
    assert desk.call("QualifyLead", request, LI).status == Status.QUALIFIED
    assert desk.announced() == [events_pb2.LeadQualified(lead=name, owner="people/li", owner_version=1)]
    assert refused(desk, "QualifyLead", request) == "ALREADY_QUALIFIED"
    for method, late in (
        ("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name)),
        ("ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/wang")),
        ("DisqualifyLead", leads_pb2.DisqualifyLeadRequest(name=name, reason="x")),
    ):
        assert refused(desk, method, late) == "CLOSED"


def test_an_old_etag_changes_nothing(desk: Desk) -> None:
    lead = desk.capture(phone=PHONE).lead
    desk.assign(lead.name, "people/li")
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=lead.name, etag=lead.etag))
    for method in ("ContactLead", "ReleaseLead", "QualifyLead", "ReassignLead"):
        request = getattr(leads_pb2, method + "Request")(name=lead.name, etag=lead.etag)
        with pytest.raises(Stale):
            desk.call(method, request)
    assert desk.get(lead.name).owner == "people/li"


def test_L31_two_people_claim_at_once_and_one_gets_it(desk: Desk) -> None:
    name = pooled(desk)
    desk.hire(("people/zhao", "teams/east", "sales"))
    together = threading.Barrier(2)

    def claim(person: str) -> str:
        who = type(WANG)(person, "sales", "", (), WANG.grants)
        together.wait()
        try:
            owner: str = desk.call("ClaimLead", leads_pb2.ClaimLeadRequest(name=name), who).owner
            return owner
        except NotFound as problem:  # It is out of the pool, and so out of sight.
            return problem.reason

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(claim, ["people/wang", "people/zhao"]))
    assert sorted(results)[0] == "NOT_FOUND"
    assert desk.get(name).owner == sorted(results)[1]
    assert len(desk.announced(events_pb2.LeadAssigned)) == 2


def test_L6_a_lead_that_waits_long_is_announced_again_so_that_a_lost_broker_loses_none(desk: Desk) -> None:
    old, new, done = (desk.capture(phone=f"1381234567{n}").lead.name for n in range(3))
    desk.assign(done, "people/li")
    desk.announced()

    def rounds() -> list[str]:
        with desk.runtime.transaction() as tx:
            tx.execute(
                sa.update(leads_table)
                .where(leads_table.c.name.in_([old, done]))
                .values(status_time=tx.now - timedelta(seconds=31))
            )
        with desk.runtime.transaction() as tx:
            announce_again(tx)
        with desk.runtime.transaction() as tx:
            announce_again(tx)
        return [event.lead for event in desk.announced()]

    assert rounds() == [old]
    desk.assign(old, "people/li", 2)
    desk.announced()
    assert rounds() == []
    assert new


def test_L31_the_write_itself_compares_what_was_read(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    with desk.runtime.transaction() as tx:
        read = stored.by_name(tx, [name])[name]
        wanted = [Change(read, owner, Standing.ASSIGNED) for owner in ("people/li", "people/wang")]
        results = [ownership.change(tx, [one]) for one in wanted]
        # Nor does an old status pass, whatever the number of the ownership.
        closed = replace(stored.by_name(tx, [name])[name], status=Standing.POOLED)
        results.append(ownership.change(tx, [Change(closed, "people/wang", Standing.ASSIGNED)]))
        with pytest.raises(Stale):
            ownership.change_one(tx, wanted[1])
    assert [list(found) for found in results] == [[name], [], []]
    assert desk.get(name).owner == "people/li"


def test_L31_nobody_writes_an_owner_but_the_one_compare_and_set() -> None:
    """The statement stands in storage/ownership.py, its one caller is usecases/ownership.py."""
    package = Path(leads.__file__).parent
    sources = {str(p.relative_to(package)): p.read_text() for p in package.rglob("*.py") if "migrations" not in p.parts}
    calls = {name for name, text in sources.items() if re.search(r"\bcompare_and_set\(", text)}
    assert calls == {"storage/ownership.py", "usecases/ownership.py"}
    # Statements that write leads, and whether "owner" is among what they set.
    writes = re.compile(r"(?:sa\.)?(?:update|insert)\((?:leads|tables\.leads)\b|\"UPDATE |\bUPDATE leads")
    assert {name for name, text in sources.items() if writes.search(text)} == set()
    setting = re.compile(r"(?:update_rows|insert_rows)\(\s*tx\.connection,\s*leads,")
    assert {n for n, t in sources.items() if setting.search(t)} == {"storage/leads.py", "storage/ownership.py"}
    facts = re.findall(r"\n_(?:FACTS|STANDING) = \((.*?)\n\)", sources["storage/leads.py"], re.DOTALL)
    assert len(facts) == 2
    assert all('"owner' not in columns for columns in facts)
    # A lead in memory gets its owner in one place alone.
    assert {n for n, t in sources.items() if re.search(r"replace\([^()]*\bowner=", t)} == {"domain/ownership.py"}
