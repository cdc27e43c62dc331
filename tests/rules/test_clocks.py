"""Clocks: started with an ownership, stopped by a response, fired once, never early, and what they ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules.domain.entries import Decided
from rules.domain.policy import default_policy, to_plain
from tests.rules.house import House, bare, furnish, lead, open_runtime

WEEK = [(d, "09:00", "18:00") for d in range(1, 6)]


def asked(house: House) -> list[tuple[str, str]]:
    return [(e.action, bare(e.person)) for e in house.fire()]


def fire_times(house: House) -> list[events_pb2.TimerFired]:
    house.fire()
    return house.announced(events_pb2.TimerFired)


def test_L18_L20_a_first_response_that_is_not_made_asks_for_another_owner_once_and_never_early(house: House) -> None:
    house.hire("a", "b")
    assert house.capture(1) == ["a"]
    house.pass_time(minutes=120, microseconds=-1)
    assert asked(house) == []
    house.pass_time(microseconds=1)
    (request,) = house.fire()
    assert (request.action, request.subject, request.person, request.owner_version) == (
        "REASSIGN",
        lead(1),
        "people/a",
        1,
    )
    assert request.text_zh
    assert request.text_en
    assert asked(house) == []
    # The reclaim clock goes on.
    house.pass_time(days=14)
    assert asked(house) == [("RECLAIM", "a"), ("NOTIFY", "a")]
    assert asked(house) == []


def test_L30_a_response_stops_the_first_clock_and_starts_the_reclaim_clock_anew(house: House) -> None:
    house.hire("a")
    house.capture(1)
    house.pass_time(minutes=60)
    house.tell(house.contacted(1, "a", 1))
    house.pass_time(days=14, microseconds=-1)
    assert asked(house) == []
    house.pass_time(microseconds=1)
    assert asked(house) == [("RECLAIM", "a"), ("NOTIFY", "a")]


def test_L21_L22_a_lead_untouched_for_the_policys_days_is_reclaimed_with_a_notice_to_the_manager(house: House) -> None:
    clocks = to_plain(default_policy())["clocks"]
    house.publish(clocks={**clocks, "reclaimDays": 7})
    house.hire("boss", role="manager")
    house.hire("a", manager="people/boss")
    house.capture(1)
    house.tell(house.contacted(1, "a", 1))
    house.pass_time(days=7)
    assert asked(house) == [("RECLAIM", "a"), ("NOTIFY", "boss")]
    house.tell(house.released(1, "a", 2))
    assert house.open_leads == {}
    assert house.ownership(1).running() == []  # type: ignore[union-attr]


def test_L23_a_lead_of_low_intent_reminds_its_owner_until_it_is_closed(house: House) -> None:
    house.hire("a")
    house.capture(1, 2, intent="LOW")
    house.capture(3, intent="HIGH")
    house.tell(*(house.contacted(n, "a", 1) for n in (2, 3)))
    house.pass_time(days=3)
    requests = house.fire()
    assert sorted((e.action, e.subject) for e in requests) == [
        ("NOTIFY", lead(1)),
        ("NOTIFY", lead(2)),
        ("REASSIGN", lead(1)),
    ]
    assert next(e for e in requests if e.action == "NOTIFY").text_zh == "低意向线索需要培育，请安排下一步"


def test_L18_R20_the_ladder_is_a_colleague_then_the_manager_of_who_let_it_lie(house: House) -> None:
    house.hire("z-boss", "a-boss", role="manager")
    house.hire("m", manager="people/z-boss")
    house.hire("b", manager="people/a-boss")
    assert house.capture(1) == ["b"]
    house.pass_time(minutes=120)
    assert asked(house) == [("REASSIGN", "b")]
    house.announced()
    house.missed(1, 1, "b")
    (second,) = house.announced(events_pb2.LeadAssignmentDecided)
    assert (bare(second.owner), second.owner_version, second.HasField("respond_by")) == ("m", 1, True)
    assert second.reason == "NO_RESPONSE"
    # Its owner has it until `leads` says so.
    assert house.ownership(1).owner == "b"  # type: ignore[union-attr]
    house.tell(house.moved(1, "m", 2, "RULES", "b", decision=second.decision, respond_by=second.respond_by))
    assert house.open_leads == {"m": 1}
    house.pass_time(minutes=120)
    assert asked(house) == [("REASSIGN", "m")]
    house.announced()
    house.missed(1, 2, "b", "m")
    (third,) = house.announced(events_pb2.LeadAssignmentDecided)
    assert (bare(third.owner), third.reason, third.HasField("respond_by")) == ("z-boss", "ESCALATED", True)
    house.tell(house.moved(1, "z-boss", 3, "RULES", "m", decision=third.decision, respond_by=third.respond_by))
    assert house.open_leads == {"z-boss": 1}
    assert [kind for kind, _ in house.ownership(1).running()] == [  # type: ignore[union-attr]
        *("FIRST_RESPONSE", "RECLAIM")
    ]
    # There is nobody above him: he is reminded and keeps it, until the reclaim clock has run.
    house.pass_time(minutes=120)
    assert asked(house) == [("NOTIFY", "z-boss")]
    house.pass_time(days=14)
    assert asked(house) == [("RECLAIM", "z-boss"), ("NOTIFY", "z-boss")]
    house.assert_sound()


def test_R20_owners_by_hand_are_no_timeouts_and_do_not_shorten_the_ladder(house: House) -> None:
    house.hire("boss", role="manager")
    house.hire("a", "b", "c", manager="people/boss")
    house.capture(1)
    house.pass_time(minutes=120)
    assert asked(house) == [("REASSIGN", "a")]
    house.tell(house.moved(1, "b", 2, "MANUAL", "a"))
    house.pass_time(minutes=120)
    assert asked(house) == [("REASSIGN", "b")]
    house.announced()
    house.missed(1, 2, "a", "b")
    (decided,) = house.announced(events_pb2.LeadAssignmentDecided)
    assert (bare(decided.owner), decided.reason) == ("c", "NO_RESPONSE")


def test_R20_where_nobody_else_may_take_it_the_manager_gets_it_at_once_and_once(house: House) -> None:
    house.hire("boss", role="manager")
    house.hire("a", manager="people/boss", skills=["german"])
    house.capture(1, skills=["german"])
    house.pass_time(minutes=120)
    house.fire()
    for _ in range(3):
        house.announced()
        house.missed(1, 1, "a", skills=["german"])  # a manager need not have it
        (decided,) = house.announced(events_pb2.LeadAssignmentDecided)
        assert (bare(decided.owner), decided.reason, decided.owner_version) == ("boss", "ESCALATED", 1)
    assert [e.owner for e in house.entries() if isinstance(e, Decided)] == ["a", "", "boss"]
    house.assert_sound()


def test_R20_without_a_manager_it_stays_with_its_owner_and_waits_until_he_responds_or_somebody_comes(
    house: House,
) -> None:
    house.hire("a")
    house.capture(1)
    house.pass_time(minutes=120)
    assert asked(house) == [("REASSIGN", "a")]
    house.missed(1, 1, "a")
    assert house.waiting == {lead(1): "EXCLUDED"}
    assert house.open_leads == {"a": 1}
    house.tell(house.contacted(1, "a", 1))
    assert house.waiting == {}
    # What comes late about a response that was made after all asks for nobody.
    house.announced()
    house.missed(1, 1, "a")
    assert house.announced(events_pb2.LeadAssignmentDecided) == []
    # Without a response, whoever is hired next gets it; the owner keeps it until `leads` recorded that.
    house.capture(2)
    house.pass_time(minutes=120)
    house.fire()
    house.missed(2, 1, "a")
    house.announced()
    house.hire("boss", role="manager")
    house.hire("b", manager="people/boss")
    (decided,) = house.announced(events_pb2.LeadAssignmentDecided)
    assert (bare(decided.owner), decided.owner_version) == ("b", 1)
    assert house.ownership(2).owner == "a"  # type: ignore[union-attr]
    house.assert_sound()


def test_clocks_of_a_claim_or_a_move_are_announced_and_an_older_ownership_never_touches_them(house: House) -> None:
    house.hire("a", "b")
    house.capture(1)
    house.announced()
    house.tell(house.moved(1, "b", 3, "CLAIM"))
    (clock,) = house.announced(events_pb2.TimerSet)
    assert (clock.subject, clock.owner_version, clock.kind) == (lead(1), 3, rules_pb2.Timer.FIRST_RESPONSE)
    before = house.ownership(1)
    house.tell(house.contacted(1, "a", 1), house.released(1, "a", 2), house.qualified(1, "a", 1))
    assert house.ownership(1) == before
    assert house.open_leads == {"b": 1}
    house.tell(house.qualified(1, "b", 3))
    # Late facts do not revive what is closed.
    house.tell(house.contacted(1, "b", 3), house.moved(1, "b", 3, "CLAIM"))
    assert house.ownership(1).running() == []  # type: ignore[union-attr]
    assert house.open_leads == {}
    house.assert_sound()


def test_a_response_that_overtakes_its_ownership_is_not_forgotten(house: House) -> None:
    house.hire("a", "b")
    house.capture(1)
    house.tell(house.contacted(1, "b", 2))
    assert house.open_leads == {"b": 1}
    house.tell(house.moved(1, "b", 2, "MANUAL", "a"))
    assert house.open_leads == {"b": 1}
    assert [kind for kind, _ in house.ownership(1).running()] == ["RECLAIM"]  # type: ignore[union-attr]


def test_the_clock_counts_the_owners_working_time_over_holidays_and_chinas_make_up_days(house: House) -> None:
    # Friday 30 January to Saturday 14 February 2026, which is worked because of the Spring Festival.
    house.now = datetime(2026, 2, 12, 9, 0, tzinfo=UTC)
    house.calendar("company", WEEK, off_days=["2026-02-16", "2026-02-17"], work_days=["2026-02-14"])
    house.calendar("early", [(d, "06:00", "12:00") for d in range(1, 8)])
    house.hire("a", region="华东")
    house.hire("b", region="华南", calendar="calendars/early")
    house.now = datetime(2026, 2, 13, 9, 0, tzinfo=UTC)  # Friday, 17:00 in Shanghai
    house.capture(1, region="华东")
    assert house.ownership(1).response.due == datetime(2026, 2, 14, 2, 0, tzinfo=UTC)  # type: ignore[union-attr]
    house.now = datetime(2026, 2, 14, 3, 0, tzinfo=UTC)
    house.capture(3, region="华南")
    assert house.ownership(3).response.due == datetime(2026, 2, 14, 23, 0, tzinfo=UTC)  # type: ignore[union-attr]
    house.now = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)  # the make-up Saturday, 17:00
    house.capture(2, region="华东")
    assert house.ownership(2).response.due == datetime(2026, 2, 18, 2, 0, tzinfo=UTC)  # type: ignore[union-attr]
    house.now = datetime(2026, 2, 15, 3, 0, tzinfo=UTC)
    clocks = to_plain(default_policy())["clocks"]
    house.publish(clocks={**clocks, "responseWorking": False, "responseMinutes": 30})
    house.capture(4, region="华南")
    assert house.ownership(4).response.due == house.now + timedelta(minutes=30)  # type: ignore[union-attr]


def test_a_calendar_that_never_opens_again_does_not_stop_anything(house: House) -> None:
    house.hire("a", calendar="calendars/gone")
    steps = to_plain(default_policy())["steps"]
    house.publish(steps=[{**s, "checks": ["presence", "capacity", "skill"]} for s in steps])
    house.calendar("gone", [(1, "09:00", "10:00")], off_days=[
        f"{MON:%Y-%m-%d}" for MON in (datetime(2026, 11, 23, tzinfo=UTC) + timedelta(weeks=w) for w in range(70))
    ])  # fmt: skip
    assert house.capture(1) == ["a"]
    assert house.ownership(1).response.due == house.now + timedelta(minutes=120)  # type: ignore[union-attr]


def test_many_clocks_fire_in_pieces_and_each_once_though_two_processes_look(house: House, tmp_path: Path) -> None:
    house.hire("a")
    for start in range(0, 1200, 200):
        house.tell(*(house.captured(n) for n in range(start, start + 200)))
    house.pass_time(minutes=121)
    other = House(open_runtime(house.runtime.database.url.render_as_string(hide_password=False), tmp_path))
    furnish(other.runtime)
    other.now = house.now
    from rules.usecases import clocks

    if house.runtime.database.is_sqlite:
        with house.transaction() as tx:
            assert clocks.fire_due(tx) is True
    else:
        # The second looks while the first holds what it claimed.
        with house.transaction() as tx:
            assert clocks.fire_due(tx) is True
            with other.transaction() as theirs:
                assert clocks.fire_due(theirs) is True
    events = [*house.announced(events_pb2.TimerFired)]
    house.fire()
    with house.reading():
        pass
    house._seen = 0
    events = house.announced(events_pb2.TimerFired)
    assert sorted(e.subject for e in events) == [lead(n) for n in range(1200)]
    other.runtime.database.dispose()


def test_a_disqualified_lead_without_an_owner_waits_no_more(house: House) -> None:
    house.capture(1)
    assert house.waiting == {lead(1): "NO_PEOPLE"}
    house.tell(lead_events.LeadDisqualified(lead=lead(1), owner_version=0))
    assert house.waiting == {}
    # Touched again, it comes back at the same version and is decided.
    house.hire("a")
    assert house.capture(1, cause="RETURNED") == ["a"]
    house.assert_sound()
