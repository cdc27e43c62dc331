"""The pool: who may take a lead, how many, and what those hear who came too late."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis import clock
from chassis.access import Principal, Scope
from chassis.errors import Invalid, NotFound, Refused
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events
from dealwright.leads.v1 import leads_pb2
from leads.domain.ownership import Decided
from leads.subscribers import people as people_changed
from leads.subscribers import presences as presence_changed
from tests.leads.desk import ADMIN, LI, MANAGER, WANG, Desk, principal

Person = directory_pb2.Person

pytestmark = pytest.mark.usefixtures("staff")


def pooled(desk: Desk, *phones: str) -> list[str]:
    names: list[str] = [desk.capture(phone=phone).lead.name for phone in phones or ("13812345678",)]
    for name in names:
        desk.assign(name, "people/li")
        desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name))
    return names


def claim(desk: Desk, name: str, who: Principal = WANG) -> str:
    """The owner it got, or why not."""
    try:
        owner: str = desk.call("ClaimLead", leads_pb2.ClaimLeadRequest(name=name), who).owner
    except Refused as problem:
        return problem.reason if problem.english and problem.chinese else "without a word"
    return owner


def tell(desk: Desk, version: int, **fields: object) -> None:
    """The directory's word on Wang."""
    person = Person(name="people/wang", team="teams/west", role="sales", **fields)  # type: ignore[arg-type]
    with desk.runtime.transaction() as tx:
        people_changed(tx, [directory_events.PersonChanged(person=person, version=version)])


def say(desk: Desk, version: int, presence: Person.Presence.ValueType) -> None:
    with desk.runtime.transaction() as tx:
        event = directory_events.PresenceChanged(person="people/wang", presence=presence, version=version)
        presence_changed(tx, [event])


@pytest.mark.parametrize("reason", ["OFFLINE", "AWAY"])
def test_L17_L21_who_is_not_there_takes_nothing_from_the_pool(desk: Desk, reason: str) -> None:
    (name,) = pooled(desk)
    say(desk, 5, Person.Presence.Value(reason))
    assert claim(desk, name) == reason
    assert desk.get(name).status == leads_pb2.Lead.POOLED
    say(desk, 6, Person.ONLINE)
    assert claim(desk, name) == "people/wang"


def test_U2_the_newest_word_on_presence_counts_whichever_event_brings_it(desk: Desk) -> None:
    one, two, three = pooled(desk, "13812345671", "13812345672", "13812345673")
    say(desk, 5, Person.OFFLINE)
    tell(desk, 4, presence=Person.ONLINE)
    assert claim(desk, one) == "OFFLINE"
    tell(desk, 6, presence=Person.ONLINE)
    assert claim(desk, one) == "people/wang"
    tell(desk, 8, presence=Person.AWAY)
    say(desk, 7, Person.ONLINE)
    assert claim(desk, two) == "AWAY"
    tell(desk, 9)  # It says nothing of it.
    assert claim(desk, two) == "AWAY"
    say(desk, 10, Person.ONLINE)
    assert (claim(desk, two), claim(desk, three)) == ("people/wang",) * 2


def test_L17_L21_who_holds_as_many_open_leads_as_he_may_takes_no_more(desk: Desk) -> None:
    one, two, three = pooled(desk, "13812345671", "13812345672", "13812345673")
    tell(desk, 5, capacity=directory_pb2.Capacity(open=2))
    assert [claim(desk, name) for name in (one, two, three)] == ["people/wang", "people/wang", "FULL_OPEN"]
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=one), WANG)
    assert claim(desk, three) == "FULL_OPEN", "a contacted lead is open"
    desk.call("QualifyLead", leads_pb2.QualifyLeadRequest(name=one), WANG)
    assert claim(desk, three) == "people/wang"


def test_L17_L21_who_had_the_days_number_takes_no_more_until_the_next_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = pooled(desk)
    tell(desk, 5, capacity=directory_pb2.Capacity(per_day=1))
    given = desk.capture(phone="13812345679").lead.name
    desk.decide(Decided(given, "people/wang", 0, 9))
    desk.call("QualifyLead", leads_pb2.QualifyLeadRequest(name=given), WANG)
    assert claim(desk, name) == "FULL_DAY"
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=1))
    assert claim(desk, name) == "people/wang"


def test_L21_no_room_at_all_is_said_and_a_lifted_limit_is_heard(desk: Desk) -> None:
    (name,) = pooled(desk)
    tell(desk, 5, capacity=directory_pb2.Capacity(open=0))
    assert claim(desk, name) == "FULL_OPEN"
    tell(desk, 6)
    assert claim(desk, name) == "people/wang"


def test_L21_L31_two_claims_of_one_person_at_once_do_not_exceed_his_room(desk: Desk) -> None:
    names = pooled(desk, "13812345671", "13812345672", "13812345673", "13812345674")
    tell(desk, 5, capacity=directory_pb2.Capacity(open=1))
    together = threading.Barrier(len(names))

    def take(name: str) -> str:
        together.wait()
        return claim(desk, name)

    with ThreadPoolExecutor(len(names)) as pool:
        assert sorted(pool.map(take, names)) == ["FULL_OPEN"] * 3 + ["people/wang"]


def test_L31_who_comes_too_late_hears_that_it_left_the_pool_and_others_hear_nothing(desk: Desk) -> None:
    (name,) = pooled(desk)
    assert claim(desk, name, WANG) == "people/wang"
    zhao = principal("people/zhao", "sales", Scope.OWN, "teams/east")
    assert [claim(desk, name, who) for who in (zhao, LI, WANG, ADMIN)] == ["NOT_POOLED"] * 4
    never = desk.capture(phone="13812345670").lead.name
    desk.assign(never, "people/wang", 5)
    for unseen in (never, "leads/" + "0" * 32, "leads/\x00", "banana"):
        with pytest.raises(NotFound):
            claim(desk, unseen, LI)


@pytest.mark.parametrize("owner", ["banana", "people/", "teams/east", "people/a b", "people/\u202e"])
def test_P5_to_reassign_to_what_is_no_person_names_the_field(desk: Desk, owner: str) -> None:
    name = desk.capture(phone="13812345678").lead.name
    with pytest.raises(Invalid) as problem:
        desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner=owner), MANAGER)
    assert [violation.field for violation in problem.value.violations] == ["owner"]
    unknown = leads_pb2.ReassignLeadRequest(name=name, owner="people/nobody")
    with pytest.raises(Refused) as refusal:
        desk.call("ReassignLead", unknown, MANAGER)
    assert refusal.value.reason == "CANNOT_RECEIVE"
