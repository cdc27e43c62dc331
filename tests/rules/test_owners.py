"""Leads in, owners out: through the subscribers, on both databases."""

from __future__ import annotations

from datetime import timedelta

from chassis.database import Database
from dealwright.directory.v1 import directory_pb2
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.rules.v1 import events_pb2
from rules.domain.entries import CalendarChanged, TurnReturned
from rules.domain.policy import default_policy, to_plain
from tests.rules.house import House, bare, lead


def decided_of(house: House) -> list[events_pb2.LeadAssignmentDecided]:
    return house.announced(events_pb2.LeadAssignmentDecided)


def refused(house: House, decision: int, number: int, owner: str) -> None:
    house.tell(
        lead_events.AssignmentRefused(
            lead=lead(number), owner=f"people/{owner}", decision=decision, reason="OWNER_CHANGED"
        )
    )


def test_L7_L11_a_batch_spreads_like_singles_and_every_decision_says_until_when_to_respond(house: House) -> None:
    house.hire("a", "b", "c", region="华东")
    house.hire("d", region="华南")
    assert house.capture(1, 2, 3, region="华东") == ["a", "b", "c"]
    assert [house.capture(n, region="华东")[0] for n in (4, 5, 6)] == ["a", "b", "c"]
    house.tell(house.captured(7, region="华南"))
    (event,) = decided_of(house)
    assert (bare(event.owner), event.owner_version, event.step, event.decision) == ("d", 0, "roster", 12)
    assert event.respond_by.seconds == (house.now + timedelta(minutes=120)).timestamp()
    ownership = house.ownership(7)
    assert ownership is not None
    assert (ownership.owner, ownership.version, ownership.decision) == ("d", 1, 12)
    assert ownership.running() == [
        ("FIRST_RESPONSE", house.now + timedelta(minutes=120)),
        ("RECLAIM", house.now + timedelta(days=14)),
    ]
    assert house.assert_sound().decisions == 7


def test_L14_R21_an_urgent_lead_is_decided_first_in_its_batch_and_says_so(house: House) -> None:
    house.hire("a", "b")
    house.tell(house.captured(1), house.captured(2, text="马上要", channel="DOUYIN"), house.captured(3))
    events = decided_of(house)
    assert [(e.lead, e.urgent, list(e.add_tags)) for e in events] == [
        (lead(2), True, ["urgent"]),
        (lead(1), False, []),
        (lead(3), False, []),
    ]


def test_L9_L13_a_key_phrase_goes_to_the_specialist_whom_the_policy_names(house: House) -> None:
    house.hire("a", "b", "expert")
    steps = to_plain(default_policy())["steps"]
    steps[2]["rules"] = [{"phrases": ["采购"], "people": ["people/expert"]}]
    published = house.publish(steps=steps)
    assert published.content["steps"][2]["rules"][0]["people"][0] == "people/expert"  # type: ignore[index]
    assert house.capture(1, text="想了解采购流程") == ["expert"]
    house.presence("expert", "AWAY")
    assert house.capture(2, text="想了解采购流程") != ["expert"]


def test_a_capture_that_is_announced_again_is_answered_as_the_first_time_and_not_decided_twice(house: House) -> None:
    house.hire("a", "b")
    house.capture(1)
    entries, (first,) = len(house.entries()), [e for e in [house.ownership(1)] if e]
    house.tell(house.captured(1), house.captured(1))
    (again,) = decided_of(house)
    assert (bare(again.owner), again.decision) == (first.owner, first.decision)
    assert again.respond_by.ToMicroseconds() == first.response.due.timestamp() * 1_000_000  # type: ignore[union-attr]
    assert len(house.entries()) == entries
    # Once `leads` is further, the old announcement is passed over altogether.
    house.tell(house.released(1, first.owner, 2))
    house.announced()
    house.tell(house.captured(1))
    assert decided_of(house) == []
    assert house.open_leads == {}


def test_a_lead_that_waits_and_is_announced_again_with_other_facts_is_decided_anew(house: House) -> None:
    house.hire("a", region="华东", skills=["german"])
    assert house.capture(1, region="华东", skills=["french"]) == [""]
    entries = len(house.entries())
    house.tell(house.captured(1, region="华东", skills=["french"]))
    (again,) = decided_of(house)
    assert (again.owner, again.reason, len(house.entries())) == ("", "WRONG_SKILL", entries)
    assert house.capture(1, region="华东", skills=["german"]) == ["a"]
    assert house.waiting == {}
    house.assert_sound()


def test_a_refused_owner_gets_his_turn_back_once_and_the_clocks_stop(house: House) -> None:
    house.hire("a", "b")
    assert house.capture(1) == ["a"]
    decision = house.ownership(1).decision  # type: ignore[union-attr]
    refused(house, decision, 1, "a")
    refused(house, decision, 1, "a")
    assert house.open_leads == {}
    assert house.ownership(1).running() == []  # type: ignore[union-attr]
    assert house.capture(2) == ["a"]
    assert sum(isinstance(e, TurnReturned) for e in house.entries()) == 1
    # The same capture is decided anew: `leads` may want an owner for it again at the same version.
    assert house.capture(1) == ["b"]
    house.assert_sound()


def test_a_refusal_of_a_decision_that_somebody_overtook_leaves_his_clocks_and_counts_right(house: House) -> None:
    for moved_first in (True, False):
        house.hire("a", "b")
        number = 10 + moved_first
        (owner,) = house.capture(number)
        other = "b" if owner == "a" else "a"
        decision = house.ownership(number).decision  # type: ignore[union-attr]
        before = house.open_leads.get(other, 0)
        if moved_first:
            house.tell(house.moved(number, other, 1))
            refused(house, decision, number, owner)
        else:
            refused(house, decision, number, owner)
            house.tell(house.moved(number, other, 1))
        ownership = house.ownership(number)
        assert ownership is not None
        assert (ownership.owner, ownership.version) == (other, 1)
        assert [kind for kind, _ in ownership.running()] == ["FIRST_RESPONSE", "RECLAIM"]
        assert house.open_leads.get(other, 0) == before + 1
    house.assert_sound()


# --- waiting ---


def test_L17_nobody_may_take_it_so_it_waits_with_a_reason_until_somebody_comes_online(house: House) -> None:
    house.hire("a", presence="OFFLINE")
    assert house.capture(1, 2) == ["", ""]
    house.tell(house.captured(3, text="急"))
    assert set(house.waiting.values()) == {"OFFLINE"}
    house.announced()
    house.presence("a", "ONLINE")
    assert [e.lead for e in decided_of(house)] == [lead(3), lead(1), lead(2)]
    assert house.waiting == {}
    assert house.ownership(3).owner == "a"  # type: ignore[union-attr]
    house.assert_sound()


def test_L16_leads_that_need_different_things_stand_in_different_lines(house: House) -> None:
    house.hire("a", skills=["french"], presence="OFFLINE")
    assert house.capture(1, skills=["german"]) == [""]
    house.pass_time(seconds=1)
    assert house.capture(2, skills=["french"]) == [""]
    house.presence("a", "ONLINE")
    assert set(house.waiting) == {lead(1)}
    house.assert_sound()


def test_a_lead_waits_for_a_new_colleague_and_for_freed_capacity(house: House) -> None:
    assert house.capture(1) == [""]
    assert house.waiting == {lead(1): "NO_PEOPLE"}
    house.hire("a", capacity={"open": 1})
    assert house.open_leads == {"a": 1}
    assert house.capture(2) == [""]
    assert house.waiting == {lead(2): "FULL_OPEN"}
    house.tell(house.qualified(1, "a", 1))
    assert house.open_leads == {"a": 1}
    assert house.ownership(2).owner == "a"  # type: ignore[union-attr]
    house.assert_sound()


def test_waiting_leads_are_served_when_a_shift_begins_and_when_a_day_turns(house: House) -> None:
    house.calendar("company", [(d, "09:00", "18:00") for d in range(1, 6)])
    house.hire("a", capacity={"per_day": 1})
    assert house.capture(1) == ["a"]
    assert house.capture(2) == [""]
    assert house.wait_loop() is False
    house.pass_time(hours=14)  # midnight in Shanghai: a new day, but off shift
    house.wait_loop()
    assert house.waiting == {lead(2): "FULL_DAY"}
    assert house.wait_loop() is False
    house.pass_time(hours=8, minutes=59, seconds=59)
    house.wait_loop()
    assert house.ownership(2) is None
    house.pass_time(seconds=1)
    house.wait_loop()
    assert house.ownership(2).owner == "a"  # type: ignore[union-attr]
    house.assert_sound()


def test_the_companys_calendar_reaches_everybody_without_one_of_his_own(house: House) -> None:
    house.hire("a")
    house.hire("b", calendar="calendars/night")
    house.calendar("night", [(d, "00:00", "24:00") for d in range(1, 8)])
    house.calendar("company", [(2, "09:00", "18:00")])
    assert house.capture(1, 2) == ["b", "b"]
    # An older word on the same calendar, that arrives late, changes nothing.
    late = directory_pb2.Calendar(name="calendars/company")
    from dealwright.directory.v1 import events_pb2 as directory_events

    house.tell(directory_events.CalendarChanged(calendar=late, version=1))
    assert house.capture(3) == ["b"]
    assert sum(isinstance(e, CalendarChanged) for e in house.entries()) == 2
    house.calendar("company", [(1, "09:00", "18:00")], work_days=["2026-11-28"])
    assert house.capture(4) == ["a"]
    house.assert_sound()


def test_presence_follows_the_newest_version_in_whatever_order_it_arrives(house: House) -> None:
    from dealwright.directory.v1 import events_pb2 as directory_events

    house.hire("a")
    for version, presence in ((50, "ONLINE"), (90, "ONLINE"), (70, "AWAY")):
        house.tell(directory_events.PresenceChanged(person="people/a", presence=presence, version=version))  # type: ignore[arg-type]
    assert house.capture(1) == ["a"]
    # A person's whole state outdates an older word on his presence, too.
    house.versions = 200
    house.hire("a", region="华东")
    house.tell(directory_events.PresenceChanged(person="people/a", presence="AWAY", version=150))  # type: ignore[arg-type]
    assert house.capture(2) == ["a"]
    house.hire("a", state="LEFT")
    assert house.capture(3) == [""]
    house.assert_sound()


# --- the cache ---


def test_what_is_rolled_back_was_never_so(house: House) -> None:
    house.hire("a", "b")
    try:
        with house.transaction() as tx:
            from rules import usecases

            usecases.decide_owners(tx, [house.captured(1)])
            raise RuntimeError
    except RuntimeError:
        pass
    assert house.capture(2) == ["a"]
    house.assert_sound()


def test_two_processes_and_a_restored_database_agree_with_the_journal(house: House) -> None:
    house.hire("a", "b", "c")
    other = House(type(house.runtime)(**{**house.runtime.__dict__, "database": Database(house.runtime.database.url)}))
    other.now, other.versions = house.now, house.versions
    owners = [h.capture(n)[0] for n, h in enumerate((house, other, house, other, other, house), 1)]
    assert owners == ["a", "b", "c", "a", "b", "c"]
    # Back to an older state, then on another way: neither process may go on with what it kept.
    import sqlalchemy as sa

    from rules.storage import journal, journal_head, ownerships

    with house.runtime.database.write() as connection:
        row = connection.execute(sa.select(journal).where(journal.c.seq == 5)).one()
        connection.execute(sa.delete(journal).where(journal.c.seq > 5))
        connection.execute(sa.delete(ownerships))
        connection.execute(sa.update(journal_head).values(seq=5, hash=row.hash))
    assert [house.capture(n)[0] for n in (7, 8, 9, 10, 11, 12)] == ["b", "c", "a", "b", "c", "a"]
    assert other.capture(13) == ["b"]
    house.assert_sound()
    other.runtime.database.dispose()
