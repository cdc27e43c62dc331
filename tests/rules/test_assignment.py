"""The steps of a policy, who never receives, and who is served first."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chassis.calendar import from_plain as calendar_of
from rules.domain.assignment import decide_all, next_wake
from rules.domain.entries import CalendarChanged, Decided, LeadWithdrawn, LoadChanged, PresenceChanged, cell
from rules.domain.explanation import explain
from rules.domain.policy import Policy, Rule, Step, default_policy
from rules.domain.replay import fold_all
from rules.domain.state import initial_state, micros
from tests.rules.story import START, Story, credits_of

OFFICE = {
    "timeZone": "Asia/Shanghai",
    "weekly": {day: ["09:00-12:00", "13:00-18:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
    "offDays": [],
    "workDays": ["2026-11-22"],
}
BOOTH = cell(31.1901, 121.3012)


def default_with(**changes: dict[str, object]) -> Policy:
    """The default policy with some steps changed, as its second version."""
    policy = default_policy()
    steps = tuple(replace(step, **changes.get(step.id, {})) for step in policy.steps)  # type: ignore[arg-type]
    return replace(policy, steps=steps, version=2, _hash=[])


def team(story: Story, *keys: str, **facts: object) -> None:
    for key in keys:
        story.person(key, **facts)


def reason_of(story: Story, key: str, **facts: object) -> str:
    """Why this person was passed over by the next decision."""
    before = story.state
    (decided,) = story.decide([story.lead(**facts)])
    found = {c.person: c for c in explain(before, decided).candidates}
    assert found[key].outcome == "PASSED_OVER"
    return found[key].reason


def test_L13_the_default_policy_has_seven_steps_and_works_before_anything_is_configured() -> None:
    assert [step.kind for step in default_policy().steps] == [
        "keep_owner",
        "tag_urgent",
        "specialist",
        "nearest",
        "seniors",
        "roster",
        "fallback",
    ]
    story = Story()
    story.person("only")
    assert story.owners(2, region="西南") == ["only", "only"]


def test_L7_L11_a_region_goes_to_its_people_and_a_region_without_people_to_everyone() -> None:
    story = Story()
    team(story, "e1", "e2", region="华东")
    team(story, "n1", region="华北")
    assert story.owners(3, region="华东") == ["e1", "e2", "e1"]
    assert story.owners(1, region="华北") == ["n1"]
    assert sorted(story.owners(3, region="西北")) == ["e1", "e2", "n1"]
    story.assert_sound()


def test_L17_absent_departed_full_and_off_shift_people_never_receive_and_each_has_the_reason() -> None:
    story = Story()
    story.note(CalendarChanged("office", 1, calendar_of(OFFICE), story.at))
    team(story, "ok")
    team(story, "away", "offline", "left", "manager")
    story.presence("away", "AWAY")
    story.presence("offline", "OFFLINE")
    team(story, "open", open_limit=1)
    team(story, "day", day_limit=1)
    team(story, "shift", calendar="office")
    assert set(story.owners(6)) == {"ok", "left", "manager", "open", "day", "shift"}
    story.person("left", state="LEFT")
    story.person("manager", role="manager")
    story.pass_time(hours=2, minutes=30)  # half past twelve: the lunch break
    before = story.state
    (decided,) = story.decide([story.lead()])
    reasons = {c.person: c.reason for c in explain(before, decided).candidates}
    assert decided.owner == "ok"
    assert reasons == {
        "ok": "",
        "away": "AWAY",
        "offline": "OFFLINE",
        "open": "FULL_OPEN",
        "day": "FULL_DAY",
        "shift": "OFF_SHIFT",
    }
    story.assert_sound()


def test_L17_a_days_limit_ends_at_midnight_of_the_companys_time_zone() -> None:
    story = Story()
    team(story, "a", day_limit=2)
    assert story.owners(3) == ["a", "a", ""]
    assert next_wake(story.state, story.now) == datetime(2026, 11, 20, 16, tzinfo=UTC)
    story.pass_time(hours=13, minutes=59)
    assert story.drain() == []
    story.pass_time(minutes=1)
    assert [decided.owner for decided in story.drain()] == ["a"]
    story.assert_sound()


def test_L17_a_calendar_wakes_the_waiting_at_its_next_opening_make_up_days_included() -> None:
    story = Story()
    story.note(CalendarChanged("office", 1, calendar_of(OFFICE), story.at))
    team(story, "a", calendar="office")
    story.pass_time(days=1)  # Saturday; the Sunday after it is worked
    assert story.owners(1) == [""]
    assert next(iter(story.state.waiting.values())).reason == "OFF_SHIFT"
    assert next_wake(story.state, story.now) == datetime(2026, 11, 22, 1, tzinfo=UTC)
    story.now = datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert [decided.owner for decided in story.drain()] == ["a"]
    assert next_wake(story.state, story.now) is None
    story.assert_sound()


def test_L16_skills_are_checked_whether_the_lead_or_the_policy_asks_for_them() -> None:
    story = Story(replace(default_policy(), version=2, skills=(("轮毂", ("engineering",)),), _hash=[]))
    team(story, "plain")
    team(story, "engineer", skills=("engineering", "german"))
    assert story.owners(3, skills=("german",)) == ["engineer"] * 3
    assert story.owners(3, category="轮毂") == ["engineer"] * 3
    assert reason_of(story, "plain", category="轮毂") == "WRONG_SKILL"
    story.presence("engineer", "AWAY")
    assert story.owners(1, skills=("german",)) == [""]
    story.assert_sound()


def test_L8_high_value_industries_go_to_seniors_first_and_to_the_others_when_no_senior_may() -> None:
    story = Story(default_with(seniors={"industries": ("汽车",)}))
    team(story, "j1", "j2")
    team(story, "s1", "s2", seniority="senior")
    assert story.owners(4, industry="汽车") == ["s1", "s2", "s1", "s2"]
    assert reason_of(story, "j1", industry="汽车") == "NOT_SENIOR"
    story.presence("s1", "AWAY")
    story.presence("s2", "AWAY")
    assert story.owners(2, industry="汽车") == ["j1", "j2"]
    story.assert_sound()


def test_L9_key_phrases_go_to_the_named_specialist_without_a_turn_and_on_when_they_are_away() -> None:
    story = Story(default_with(specialist={"rules": (Rule(("高意向", "采购"), ("s1",)), Rule(("x",), ("s2",)))}))
    team(story, "a", "b", "s1", "s2")
    assert [source.name for source in story.state.policy.conditions()] == [
        "urgent.words",
        "specialist.rules[0]",
        "specialist.rules[1]",
    ]
    first = story.decide([story.lead(conditions=(False, True, True))])[0]
    assert (first.owner, first.step, first.ledger) == ("s1", "specialist", "")
    story.presence("s1", "AWAY")
    assert story.owners(1, conditions=(False, True, True)) == ["s2"]
    assert story.owners(1, conditions=(False, True, False)) == ["a"]
    story.assert_sound()


def test_L9_a_specialist_step_told_to_charge_owes_the_roster_the_lead() -> None:
    story = Story(default_with(specialist={"rules": (Rule(("采购",), ("a",)),), "charges_turn": True}))
    team(story, "a", "b")
    assert story.owners(2) == ["a", "b"]
    assert story.owners(1, conditions=(False, True)) == ["a"]
    assert story.owners(2) == ["b", "a"]
    story.assert_sound()


def test_L10_a_step_with_a_condition_holds_only_when_it_is_true_never_on_an_error() -> None:
    policy = default_with()
    vip = Step("vip", "fallback", when="lead.intent == 'HIGH'", to="boss")
    story = Story(replace(policy, steps=(vip, *policy.steps)))
    team(story, "a", "boss")
    story.person("boss", role="manager")
    assert story.owners(1, conditions=(True, False, False)) == ["boss"]
    assert story.owners(1, conditions=(False, False, False)) == ["a"]
    before = story.state
    (decided,) = story.decide([story.lead(conditions=("NO_FIELD", False, False))])
    assert decided.owner == "a"
    assert explain(before, decided).steps[0].outcome == "CONDITION_ERROR"
    assert story.owners(1, policy_version=1, conditions=(True, False, False)) == ["a"]
    story.assert_sound()


def test_L12_a_step_matches_on_channel_intent_industry_category_or_region() -> None:
    policy = default_with()
    phone = Step("phone", "fallback", match=(("channel", ("PHONE_400",)),), to="b")
    story = Story(replace(policy, steps=(phone, *policy.steps)))
    team(story, "a", "b")
    assert story.owners(2, channel="PHONE_400") == ["b", "b"]
    assert story.owners(1, channel="WECHAT") == ["a"]


def test_L15_R20_a_scan_never_goes_back_to_the_nearest_who_had_the_lead_before() -> None:
    story = Story()
    story.person("here", cell=BOOTH)
    story.person("there", cell=cell(31.1911, 121.3012))
    story.person("twin", cell=BOOTH)
    assert {story.decide([story.lead(cell=BOOTH)])[0].owner for _ in range(2)} == {"here", "twin"}
    (decided,) = story.decide([story.lead(cell=BOOTH, excluded=("here",))])
    assert (decided.owner, decided.step) == ("twin", "nearest")
    (decided,) = story.decide([story.lead(cell=BOOTH, excluded=("here", "twin"))])
    assert (decided.owner, decided.step) == ("there", "nearest")
    before = story.state
    (decided,) = story.decide([story.lead(cell=BOOTH, excluded=("here", "there", "twin"))])
    assert (decided.owner, decided.reason) == ("", "EXCLUDED")
    assert before.waiting != story.state.waiting
    story.assert_sound()


def test_L15_a_scan_goes_to_the_nearest_person_within_3_km_and_past_that_to_the_roster() -> None:
    story = Story()
    team(story, "booth", cell=BOOTH)
    team(story, "hall", cell=cell(31.1930, 121.3012))
    team(story, "town", cell=cell(31.2304, 121.4737))
    assert story.owners(3, cell=cell(31.1903, 121.3012)) == ["booth"] * 3
    edge = cell(31.1930 + 0.0269, 121.3012)  # 2 991 m from the hall
    assert story.decide([story.lead(cell=edge)])[0].step == "nearest"
    outside = cell(31.1930 + 0.0271, 121.3012)  # 3 013 m
    assert story.decide([story.lead(cell=outside)])[0].step == "roster"
    story.presence("booth", "AWAY")
    assert story.owners(1, cell=BOOTH) == ["hall"]
    east = cell(31.1930, 121.3012 + 0.0314)  # 2 987 m; a degree of longitude is shorter up here
    assert story.decide([story.lead(cell=east)])[0].step == "nearest"
    past = cell(31.1930, 121.3012 + 0.0317)  # 3 016 m
    assert story.decide([story.lead(cell=past)])[0].step == "roster"
    story.assert_sound()


def test_L15_colleagues_at_one_booth_take_turns() -> None:
    story = Story()
    team(story, "a", "b", "c", cell=BOOTH)
    assert story.owners(6, cell=BOOTH) == ["a", "b", "c", "a", "b", "c"]
    story.assert_sound()


def test_L13_a_known_owner_keeps_the_lead_unless_they_may_not_receive() -> None:
    story = Story()
    team(story, "a", "b")
    assert story.owners(3, owner="b") == ["b"] * 3
    assert story.state.ledgers == {}
    story.person("b", state="LEFT")
    assert story.owners(1, owner="b") == ["a"]
    story.assert_sound()


def test_L14_R21_urgent_leads_are_decided_first_within_a_batch() -> None:
    story = Story()
    team(story, "a", "b", open_limit=1)
    leads = [story.lead(), story.lead(), story.lead(conditions=(True, False)), story.lead(urgent=True)]
    decided = story.decide(leads)
    assert [d.facts.lead for d in decided] == [leads[i].lead for i in (2, 3, 0, 1)]
    assert [d.owner for d in decided] == ["a", "b", "", ""]
    assert [d.urgent for d in decided] == [True, True, False, False]
    assert decided[2].reason == "FULL_OPEN"


def test_L14_waiting_leads_are_drained_urgent_first_then_oldest() -> None:
    story = Story()
    team(story, "a")
    story.presence("a", "OFFLINE")
    young, urgent, old = story.lead(), story.lead(urgent=True), story.lead()
    for lead, at in ((young, 30), (urgent, 20), (old, 10)):
        story.decide([replace(lead, captured_at=at)])
    story.pass_time(minutes=5)
    story.decide([replace(old, captured_at=10)])  # asked again, it has still waited from the start
    assert {(w.reason, w.since) for w in story.state.waiting.values()} == {("OFFLINE", micros(START))}
    assert story.drain() == []
    story.presence("a", "ONLINE")
    assert [d.facts.lead for d in story.drain()] == [urgent.lead, old.lead, young.lead]
    assert story.state.waiting == {}
    story.assert_sound()


def test_L17_nobody_at_all_is_a_reason_and_a_claimed_or_withdrawn_lead_waits_no_more() -> None:
    story = Story()
    leads = [story.lead(), story.lead()]
    assert {d.reason for d in story.decide(leads)} == {"NO_PEOPLE"}
    team(story, "a")
    story.note(LoadChanged("a", 1, "CLAIMED", story.at, leads[0].lead))
    story.note(LeadWithdrawn(leads[1].lead, "MERGED", story.at))
    assert story.drain() == []
    assert story.state.load["a"][0] == 1


def test_L18_R20_a_timed_out_lead_passes_those_who_had_it_then_goes_to_the_manager() -> None:
    story = Story()
    team(story, "a", "b", manager="boss")
    story.person("boss", role="manager")
    lead = story.lead()
    assert story.decide([lead])[0].owner == "a"
    second = replace(lead, excluded=("a",), attempt=1)
    assert story.decide([second])[0].owner == "b"
    before = story.state
    third = story.decide([replace(lead, excluded=("a", "b"), attempt=2)])[0]
    assert (third.owner, third.step, third.reason) == ("boss", "escalate", "ESCALATED")
    assert explain(before, third).candidates[0].person == "boss"
    story.assert_sound()


def test_L7_manual_moves_charge_a_turn_only_where_the_policy_says_so() -> None:
    for charged in (False, True):
        story = Story(replace(default_policy(), version=2, charge_manual_moves=charged, _hash=[]))
        team(story, "a", "b")
        story.owners(2)
        story.note(LoadChanged("a", 1, "MOVED_IN", story.at, "leads/x", "roster/*"))
        assert story.owners(1) == (["b"] if charged else ["a"])
        story.assert_sound()


@pytest.mark.parametrize("weights", [(1000, 1000, 1000), (1000, 2000, 7000), (333, 999, 1001)])
def test_L7_bulk_spreads_exactly_like_singles(weights: tuple[int, ...]) -> None:
    singles, bulk = Story(), Story()
    for story in (singles, bulk):
        for number, weight in enumerate(weights):
            story.person(f"p{number}", weight=weight, day_limit=40)
        story.presence("p0", "AWAY")
        story.owners(3)
        story.presence("p0", "ONLINE")
    one_by_one = [singles.owners(1)[0] for _ in range(100)]
    assert bulk.owners(100) == one_by_one
    assert credits_of(bulk.state) == credits_of(singles.state)


def test_L7_a_decision_changes_nothing_of_the_state_it_was_given() -> None:
    story = Story()
    team(story, "a", "b", weight=3000)
    story.owners(3)
    state, copy = story.state, fold_all(initial_state(), story.entries)
    decide_all(state, [story.lead() for _ in range(5)], START)
    assert state == copy


def test_L17_facts_that_arrive_late_never_replace_newer_ones() -> None:
    story = Story()
    team(story, "a", calendar="office")
    closed = {**OFFICE, "weekly": {"sunday": ["09:00-10:00"]}}
    person = story.state.people["a"]
    story.note(PresenceChanged("a", 50, "ONLINE", story.at), PresenceChanged("a", 49, "AWAY", story.at))
    story.note(replace(person, version=50), replace(person, version=49, state="LEFT"))
    story.note(CalendarChanged("office", 2, calendar_of(OFFICE), story.at))
    story.note(CalendarChanged("office", 1, calendar_of(closed), story.at))
    assert story.owners(1) == ["a"]
    story.assert_sound()


def test_L17_new_working_hours_hold_from_their_entry_on() -> None:
    story = Story()
    team(story, "a", calendar="office")
    assert story.owners(1) == ["a"]
    story.note(CalendarChanged("office", 1, calendar_of({**OFFICE, "weekly": {"sunday": ["09:00-10:00"]}}), story.at))
    assert story.owners(1) == [""]
    story.note(CalendarChanged("office", 2, calendar_of(OFFICE), story.at))
    assert [decided.owner for decided in story.drain()] == ["a"]
    story.assert_sound()


def test_L17_a_released_or_refused_lead_makes_room_for_the_next() -> None:
    story = Story()
    team(story, "a", open_limit=1)
    assert story.owners(2) == ["a", ""]
    story.note(LoadChanged("a", -1, "QUALIFIED", story.at, "leads/00001"))
    assert [decided.owner for decided in story.drain()] == ["a"]
    story.person("a", open_limit=None, day_limit=3)
    assert story.owners(2) == ["a", ""]
    refused = next(place for place, e in enumerate(story.entries, 1) if isinstance(e, Decided) and e.owner)
    story.give_back(refused)
    assert [decided.owner for decided in story.drain()] == ["a"]
    assert story.owners(1) == [""]
    story.assert_sound()
