"""The journal: bytes, chain, replay, verification, explanation."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.calendar import from_plain as calendar_of
from rules.domain.assignment import decide_all
from rules.domain.chain import GENESIS, seal, verify
from rules.domain.codec import Unreadable, decode, encode
from rules.domain.entries import (
    CalendarChanged,
    Decided,
    Entry,
    LeadFacts,
    LeadWithdrawn,
    LoadChanged,
    PolicyPublished,
    PresenceChanged,
    TurnReturned,
)
from rules.domain.explanation import explain
from rules.domain.fairness import LEAD
from rules.domain.policy import Rule
from rules.domain.replay import Diverged, fold_all
from rules.domain.snapshot import restore, snapshot
from rules.domain.state import initial_state
from tests.rules.checker import check
from tests.rules.story import Story
from tests.rules.test_assignment import BOOTH, OFFICE, default_with

PEOPLE = [f"people/{number}" for number in range(7)]
REGIONS = ["", "华东", "华北"]
OPS = st.one_of(
    st.tuples(st.just("leads"), st.integers(1, 9), st.sampled_from(REGIONS)),
    st.tuples(st.just("skilled"), st.integers(1, 4), st.sampled_from(REGIONS)),
    st.tuples(st.just("presence"), st.sampled_from(PEOPLE), st.sampled_from(["ONLINE", "AWAY", "OFFLINE"])),
    st.tuples(st.just("weight"), st.sampled_from(PEOPLE), st.integers(1, 5000)),
    st.tuples(st.just("limit"), st.sampled_from(PEOPLE), st.integers(0, 6)),
    st.tuples(st.just("leave"), st.sampled_from(PEOPLE), st.sampled_from(["LEFT", "ACTIVE"])),
    st.tuples(st.just("refuse"), st.integers(0, 200), st.none()),
    st.tuples(st.just("move"), st.sampled_from(PEOPLE), st.sampled_from([-1, 1])),
    st.tuples(st.just("hours"), st.integers(1, 20), st.none()),
    st.tuples(st.just("timeout"), st.integers(0, 200), st.none()),
    st.tuples(st.just("place"), st.integers(1, 3), st.none()),
    st.tuples(st.just("policy"), st.booleans(), st.none()),
)


def play(ops: list[tuple[str, object, object]]) -> Story:
    """A journal in which everything that can change a decision happens."""
    story = Story(default_with(seniors={"industries": ("汽车",)}))
    story.note(CalendarChanged("office", 1, calendar_of(OFFICE), story.at))
    for number, key in enumerate(PEOPLE[:5]):
        story.person(
            key,
            region=REGIONS[number % 3],
            weight=1000 + 500 * (number % 2),
            calendar="office" if number == 3 else "",
            skills=("german",) if number % 2 else (),
            seniority="senior" if number == 4 else "junior",
            cell=BOOTH if number < 2 else None,
        )
    returned: set[int] = set()
    for kind, one, two in ops:
        match kind, one, two:
            case "leads", int(count), str(region):
                story.owners(count, region=region, industry="汽车" if count % 2 else "")
            case "skilled", int(count), str(region):
                story.owners(count, region=region, skills=("german",))
            case "place", int(count), _:
                story.owners(count, cell=BOOTH)
            case "presence", str(key), str(presence):
                story.presence(key, presence)
            case "weight", str(key), int(weight):
                story.person(key, weight=weight)
            case "limit", str(key), int(limit):
                story.person(key, open_limit=limit, day_limit=limit + 1)
            case "leave", str(key), str(state):
                story.person(key, state=state)
            case "move", str(key), int(delta):
                story.note(LoadChanged(key, delta, "MOVED", story.at, "", "roster/*"))
            case "hours", int(hours), _:
                story.pass_time(hours=hours)
            case "policy", bool(charged), _:
                version = story.state.policy.version + 1
                policy = replace(story.state.policy, version=version, charge_manual_moves=charged, _hash=[])
                story.note(PolicyPublished(policy, story.at))
            case (("refuse" | "timeout"), int(number), _):
                places = [
                    place
                    for place, entry in enumerate(story.entries, 1)
                    if isinstance(entry, Decided) and entry.owner and place not in returned
                ]
                if places:
                    place = places[number % len(places)]
                    entry = story.entries[place - 1]
                    assert isinstance(entry, Decided)
                    if kind == "refuse":
                        returned.add(place)
                        story.give_back(place)
                    else:
                        had = tuple(dict.fromkeys((*entry.facts.excluded, *PEOPLE)))[:7]
                        story.decide([replace(entry.facts, excluded=had[: 1 + number % 7], owner="")])
        story.drain()
    return story


@settings(max_examples=150)
@given(st.lists(OPS, min_size=1, max_size=40))
def test_L13_whatever_happens_the_fold_is_the_state_and_an_independent_reading_finds_nothing_wrong(
    ops: list[tuple[str, object, object]],
) -> None:
    story = play(ops)
    assert fold_all(initial_state(), story.entries) == story.state
    report = verify(story.records())
    assert (report.wrong, report.reason, report.entries) == (0, "", len(story.entries))
    wrong = [text for text in story.findings().wrong if "two owners" not in text]  # timeouts here are invented
    assert wrong == []
    for entry in story.entries:
        assert decode(encode(entry)) == entry
    assert restore(snapshot(story.state)) == story.state


def test_L13_a_process_that_starts_from_a_snapshot_decides_as_one_that_never_stopped() -> None:
    story = Story()
    for number, weight in enumerate((1000, 2500, 4000)):
        story.person(f"p{number}", weight=weight)
    for turn in range(60):
        if turn == 7:
            story.presence("p0", "AWAY")
            story.owners(1)
            story.presence("p0", "ONLINE")
        fresh = restore(snapshot(story.state))
        lead = story.lead()
        assert decide_all(fresh, [lead], story.now)[0] == story.decide([lead])
        assert snapshot(restore(snapshot(story.state))) == snapshot(story.state)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'["state9",0,"",{},{},{},{},{},{}]', b'["state1",0,"x",{},{},{},{},{},{}]']
)
def test_L13_what_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        restore(data)


def rich() -> Story:
    story = play(
        [
            ("leads", 5, "华东"),
            ("presence", PEOPLE[0], "AWAY"),
            ("skilled", 3, ""),
            ("refuse", 2, None),
            ("place", 2, 0),
        ]
    )
    story.note(LeadWithdrawn("leads/none", "MERGED", story.at))
    return story


def test_L13_any_byte_of_any_entry_changed_is_named_by_verify() -> None:
    records = rich().records()
    for record in records:
        for position in range(0, len(record.data), 3):
            data = bytearray(record.data)
            data[position] ^= 1
            forged = [*records]
            forged[record.seq - 1] = replace(record, data=bytes(data))
            assert verify(forged).wrong == record.seq


def test_L13_a_journal_forged_with_a_fitting_chain_is_still_found_by_deriving_again() -> None:
    story = rich()
    place = next(p for p, e in enumerate(story.entries, 1) if isinstance(e, Decided) and e.position == 2)
    for field, value in (("owner", PEOPLE[6]), ("position", 9), ("policy_hash", "0" * 64), ("step", "nearest")):
        forged = [*story.entries]
        forged[place - 1] = replace(story.entries[place - 1], **{field: value})  # type: ignore[arg-type]
        records = seal(GENESIS, 1, [encode(entry) for entry in forged])
        report = verify(records)
        assert (report.wrong, report.reason.split(":")[0]) == (place, "DECISION")


def test_L13_an_entry_missing_swapped_returned_twice_or_not_canonical_is_named() -> None:
    story = rich()
    records = story.records()
    assert verify([*records[:3], *records[4:]]).wrong == 4
    assert verify([*records[:2], records[3], records[2], *records[4:]]).wrong == 3
    returned = next(e for e in story.entries if isinstance(e, TurnReturned))
    story.note(returned)
    assert verify(story.records()).reason.startswith("TURN")
    spaced = records[0].data.replace(b'"policy1",', b'"policy1", ')
    assert verify(seal(GENESIS, 1, [spaced])).reason == "BYTES: not canonical"


def test_L13_verification_may_start_from_a_trusted_snapshot() -> None:
    story = rich()
    records = story.records()
    half = len(records) // 2
    first = verify(records[:half])
    second = verify(records[half:], first.state, first.head)
    assert (second.wrong, second.state) == (0, story.state)
    assert verify(records[half:], first.state, GENESIS).wrong == half + 1


def test_L13_a_certificate_is_small_and_holds_no_name_phone_or_text() -> None:
    story = Story()
    story.person("people/01939c2e-7d1a-7c3b-9f10-0123456789ab", region="华东")
    key = "leads/01939c2e-7d1a-7c3b-9f10-0123456789ab"
    facts = replace(story.lead(region="华东", industry="汽车后市场", channel="TRADE_SHOW", intent="HIGH"), lead=key)
    (decided,) = story.decide([facts])
    assert len(encode(decided)) <= 300
    assert json.loads(encode(decided))[0] == "d1"


def test_L13_an_explanation_shows_every_candidate_and_the_credits_before_and_after() -> None:
    story = Story()
    for key in "abc":
        story.person(key)
    story.presence("c", "AWAY")
    story.owners(1)
    before = story.state
    (decided,) = story.decide([story.lead()])
    told = explain(before, decided)
    half = LEAD // 2
    assert [(c.person, c.outcome, c.reason, c.credit) for c in told.candidates] == [
        ("a", "PASSED_OVER", "NOT_THEIR_TURN", -half),
        ("b", "CHOSEN", "", half),
        ("c", "PASSED_OVER", "AWAY", 0),
    ]
    assert (told.ledger_before, told.ledger_after) == ({"a": -half, "b": half}, {"a": 0, "b": 0})
    assert [trace.outcome for trace in told.steps] == ["NOT_APPLICABLE"] * 5 + ["CHOSE"]
    with pytest.raises(Diverged):
        explain(before, replace(decided, owner="a"))


@pytest.mark.parametrize(
    ("defect", "words"),
    [
        ("presence", "is absent"),
        ("limit", "as many open leads"),
        ("left", "has left"),
        ("weight", "leads from their share"),
        ("owner", "two owners"),
        ("idle", "waits although"),
        ("byte", "hash chain"),
    ],
)
def test_L13_the_checker_turns_red_for_each_planted_defect(defect: str, words: str) -> None:
    """An event is slipped in before, or a decision altered, that the domain never saw."""
    story = Story()
    for key in ("a", "b", "c"):
        story.person(key)
    story.owners(12)
    entries = [*story.entries]
    last = entries[-1]
    assert isinstance(last, Decided)
    person = story.state.people[last.owner]
    others = [replace(last.facts, lead=f"x{number}") for number in range(9)]
    slipped: dict[str, list[Entry]] = {
        "presence": [PresenceChanged(last.owner, 99, "AWAY", last.at), last],
        "limit": [replace(person, version=99, open_limit=3), last],
        "left": [replace(person, version=99, state="LEFT"), last],
        "weight": [replace(last, owner="a", facts=f, position=12 + n) for n, f in enumerate(others)],
        "owner": [last, replace(last, owner="a", position=13)],
        "idle": [replace(last, owner="", ledger="", position=0, reason="OFFLINE")],
        "byte": [last],
    }
    forged = seal(GENESIS, 1, map(encode, [*entries[:-1], *slipped[defect]]))
    stored = [(record.data, record.hash) for record in forged]
    if defect == "byte":
        stored[-1] = (stored[-1][0].replace(b'"c"', b'"b"'), stored[-1][1])
    assert any(words in text for text in check(stored).wrong)


def test_L9_rules_and_conditions_survive_the_journal() -> None:
    policy = default_with(specialist={"rules": (Rule(("采购",), ("people/1", "people/2")),)})
    published = PolicyPublished(policy, 5)
    assert decode(encode(published)) == published
    facts = LeadFacts("leads/1", 2, (True, "NO_FIELD"), cell=BOOTH, excluded=("a",), owner_version=4)
    decided = Decided(facts, policy.hash(), "", "fallback", "NO_PEOPLE", "", 0, True, 77)
    assert decode(encode(decided)) == decided
