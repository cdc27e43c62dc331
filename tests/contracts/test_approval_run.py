"""How a run goes: who is asked, what his answer does, and that every run ends once."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import Denied, Problem
from contracts.domain import approval_moves, approval_plain, approval_run
from contracts.domain.approval import Outcome, Run, Status, Verdict, Why
from contracts.domain.approval_flow import Flow
from contracts.domain.approval_run import World
from contracts.domain.approvers import Colleague
from tests.contracts.approving import NOW, flow, node, world
from tests.contracts.desk import refused

PEOPLE = ("a", "b", "c", "d")
STAFF = [
    Colleague("people/li", "sales", "", "people/boss"),
    Colleague("people/boss", "manager", "", "people/top"),
    Colleague("people/top", "manager"),
    Colleague("people/root", "admin"),
    *(Colleague(f"people/{one}", "finance", "", "people/boss") for one in PEOPLE),
]
WORLD = world(*STAFF)
LI = "people/li"
APPROVE, REJECT, RETURN = Verdict.APPROVE, Verdict.REJECT, Verdict.RETURN


def lines(*names: str) -> list[str]:
    return [f"people/{name}" for name in names]


def begun(made: Flow, at: World = WORLD, **facts: Any) -> Run:
    return approval_run.begin(made, LI, {"fields": {}, **facts}, at)[0]


def said(run: Run, *answers: tuple[str, Verdict], at: World = WORLD) -> Run:
    for name, verdict in answers:
        run, _ = approval_run.decide(run, f"people/{name}", verdict, "", {}, at)
    return run


def names(run: Run) -> str:
    return " ".join(sorted(one.removeprefix("people/") for one in run.waiting))


def test_Q11_levels_are_asked_one_after_the_other_and_nobody_out_of_turn() -> None:
    run = begun(flow(node("one", "manager"), node("two", "people/a")))
    assert names(run) == "boss"
    with pytest.raises(Denied):
        said(run, ("a", APPROVE))
    run = said(run, ("boss", APPROVE))
    assert names(run) == "a"
    assert said(run, ("a", APPROVE)).status is Status.APPROVED
    assert said(run, ("a", REJECT)).status is Status.REJECTED


@pytest.mark.parametrize(
    ("mode", "answers", "status"),
    [
        ({"mode": "ALL"}, "a+ b+", Status.PENDING),
        ({"mode": "ALL"}, "a+ b+ c+", Status.APPROVED),
        ({"mode": "ALL"}, "a+ b-", Status.REJECTED),
        ({"mode": "ANY"}, "b+", Status.APPROVED),
        ({"mode": "ANY"}, "a- b-", Status.PENDING),
        ({"mode": "ANY"}, "a- b- c-", Status.REJECTED),
        ({"mode": "N_OF_M", "n": 2}, "a+", Status.PENDING),
        ({"mode": "N_OF_M", "n": 2}, "a+ b- c+", Status.APPROVED),
        ({"mode": "N_OF_M", "n": 2}, "a- b-", Status.REJECTED),
        ({"mode": "N_OF_M", "n": 2}, "a- b+", Status.PENDING),
    ],
)
def test_Q7_all_any_or_n_of_m_sign(mode: dict[str, Any], answers: str, status: Status) -> None:
    run = begun(flow(node("sign", *lines("a", "b", "c"), **mode)))
    run = said(run, *((one[0], APPROVE if one[1] == "+" else REJECT) for one in answers.split()))
    assert run.status is status


def test_Q8_a_countersign_is_by_as_many_people_as_there_are() -> None:
    """Whoever could sign for two signs for one, as long as another can sign for the other."""
    run = begun(flow(node("sign", "role:finance", "people/a", "manager", "role:manager")))
    run = said(run, ("a", APPROVE), ("boss", APPROVE))
    assert names(run) == "b c d top"
    run = said(run, ("top", APPROVE), ("c", APPROVE))
    assert run.status is Status.APPROVED
    assert run.answered == {f"people/{one}" for one in ("a", "boss", "top", "c")}
    # Alone he signs for both.
    run = begun(flow(node("sign", "people/a", "people/b", "role:admin", "people/root")))
    assert said(run, ("root", APPROVE), ("a", APPROVE), ("b", APPROVE)).status is Status.APPROVED


def test_Q11_who_has_agreed_is_not_asked_again_unless_the_company_wants_it() -> None:
    steps = [node("one", "people/a"), node("two", "people/b"), node("three", "role:finance")]
    run = said(begun(flow(*steps)), ("a", APPROVE), ("b", APPROVE))
    assert run.status is Status.APPROVED
    assert run.steps[-1].seats[0].automatic
    again = said(begun(flow(*steps, askOnce=False)), ("a", APPROVE), ("b", APPROVE))
    assert again.status is Status.PENDING
    assert said(again, ("a", APPROVE)).status is Status.APPROVED


def test_Q10_branches_fill_in_and_copies_lead_the_way() -> None:
    made = flow(
        {
            "id": "form",
            "displayName": "form",
            "kind": "FILL_IN",
            "approvers": ["asker"],
            "fields": [{"id": "margin", "displayName": "毛利", "required": True}],
        },
        {
            "id": "turn",
            "displayName": "turn",
            "kind": "BRANCH",
            "next": "small",
            "branches": [{"when": "fields.margin < 10.0", "next": "large"}],
        },
        node("large", "people/a", next="tell"),
        node("small", "people/b"),
        {"id": "tell", "displayName": "tell", "kind": "COPY", "approvers": ["people/c"]},
    )
    run = begun(made)
    assert names(run) == "li", "he fills in his own request"
    thin, told = approval_run.decide(run, LI, APPROVE, "", {"margin": 9.5}, WORLD)
    assert (names(thin), [asked.people for asked in told]) == ("a", [("people/a",)])
    fat, _ = approval_run.decide(run, LI, APPROVE, "", {"margin": 10.0}, WORLD)
    assert names(fat) == "b"
    done, told = approval_run.decide(thin, "people/a", APPROVE, "", {}, WORLD)
    assert (done.status, [asked.copied for asked in told]) == (Status.APPROVED, [("people/c",)])
    assert [(step.node, step.outcome, step.reason) for step in done.steps][1] == (
        *("turn", Outcome.BRANCHED),
        "fields.margin < 10.0",
    )


def test_Q10_a_condition_without_an_answer_asks_rather_than_passes_over() -> None:
    run = begun(flow(node("one", "people/a", when="amount > 500.0")), amount=None)
    assert names(run) == "a"
    assert run.steps[0].reason.startswith("amount > 500.0: ")


def test_Q9_nobody_decides_on_his_own_request_or_twice() -> None:
    run = begun(flow(node("one", "people/a", "people/b"), node("two", "people/c")))
    with refused("OWN_REQUEST"):
        said(run, ("li", APPROVE))
    run = said(run, ("a", APPROVE))
    with refused("ALREADY_DECIDED"):
        said(run, ("a", REJECT))
    run = said(run, ("b", RETURN))
    assert run.status is Status.RETURNED
    with refused("ALREADY_DECIDED"):
        said(run, ("b", APPROVE))
    with refused("NOT_PENDING"):
        said(run, ("c", APPROVE))


def test_Q9_a_seat_is_handed_on_and_never_back() -> None:
    run = begun(flow(node("one", "people/a", "people/d")))
    run, told = approval_moves.delegate(run, "people/a", "people/b", NOW)
    assert (names(run), told[0].people, told[0].reason) == ("b d", ("people/b",), "DELEGATED")
    run, _ = approval_moves.delegate(run, "people/b", "people/c", NOW)
    for back in ("people/a", "people/b"):
        with refused("DELEGATION_LOOP"):
            approval_moves.delegate(run, "people/c", back, NOW)
    with refused("ALREADY_ASKED"):
        approval_moves.delegate(run, "people/c", "people/d", NOW)
    with refused("OWN_REQUEST"):
        approval_moves.delegate(run, "people/c", LI, NOW)
    with pytest.raises(Denied):
        approval_moves.delegate(run, "people/boss", "people/top", NOW)
    assert said(run, ("d", APPROVE), ("c", APPROVE)).status is Status.APPROVED
    assert [(one.giver, one.to) for one in run.steps[0].seats[0].passes] == [
        ("people/a", "people/b"),
        ("people/b", "people/c"),
    ]


def test_Q12_a_clock_reminds_then_asks_managers_as_well() -> None:
    run = begun(flow(node("one", "people/a", timeoutHours=2, onTimeout="REMIND_THEN_ESCALATE")))
    assert run.due == NOW + timedelta(hours=2)
    later = replace(WORLD, now=NOW + timedelta(hours=2))
    run, told = approval_moves.ring(run, later)
    assert (told[0].reason, told[0].people, run.due) == ("REMINDER", ("people/a",), NOW + timedelta(hours=4))
    run, told = approval_moves.ring(run, later)
    assert (told[0].reason, told[0].people, names(run)) == ("ESCALATED", ("people/boss",), "a boss")
    run, told = approval_moves.ring(run, later)
    assert (told[0].people, names(run)) == (("people/top",), "a boss top")
    run, told = approval_moves.ring(run, later)
    assert (told[0].reason, names(run)) == ("REMINDER", "a boss top"), "nobody is above"
    assert [one.why for one in run.steps[0].seats[0].passes] == [Why.ESCALATED, Why.ESCALATED]
    assert said(run, ("top", APPROVE)).status is Status.APPROVED


def test_Q11_what_waited_for_a_leaver_goes_to_his_manager() -> None:
    without = world(*(replace(one, active=one.name != "people/a") for one in STAFF))
    run, told = approval_moves.leave(begun(flow(node("one", "people/a", "role:finance"))), "people/a", without)
    assert (run.steps[0].seats[0].people, told[0].people) == (("people/boss",), ("people/boss",))
    assert run.steps[0].seats[1].people == tuple(lines("b", "c", "d")), "others can take the other seat"
    assert said(run, ("boss", APPROVE), ("b", APPROVE), at=without).status is Status.APPROVED


def test_Q11_a_seat_that_nobody_can_take_is_filled_as_soon_as_somebody_can() -> None:
    alone = world(*STAFF[:1])
    run = begun(flow(node("one", "role:finance", "manager")), alone)
    assert (names(run), run.due) == ("", NOW + approval_run.VACANT)
    run, told = approval_moves.ring(run, alone)
    assert (names(run), told) == ("", [])
    run, told = approval_moves.ring(run, WORLD)
    assert names(run) == "a b boss c d"
    assert len(told[0].people) == 5


# --- properties ---

LINES = st.sampled_from(["manager", "manager:2", "role:finance", "role:admin", *lines(*PEOPLE)])
NODES = st.builds(
    lambda people, mode, n, when, hours, escalate: {
        "approvers": people,
        "mode": mode,
        "when": when,
        "timeoutHours": hours,
        "onTimeout": "ESCALATE" if escalate else "REMIND",
        **({"n": 1 + n % len(people)} if mode == "N_OF_M" else {}),
    },
    st.lists(LINES, min_size=1, max_size=4, unique=True),
    st.sampled_from(["ALL", "ANY", "N_OF_M"]),
    st.integers(0, 9),
    st.sampled_from(["", "amount > 100.0", "amount <= 100.0", "discount > 1.0"]),
    st.sampled_from([0, 4]),
    st.booleans(),
)
FLOWS = st.builds(
    lambda nodes, once: flow(*(node(f"n{i}", **one) for i, one in enumerate(nodes)), askOnce=once),
    st.lists(NODES, min_size=1, max_size=4),
    st.booleans(),
)
WHO = st.sampled_from([one.name for one in STAFF])
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("say"), WHO, st.sampled_from([APPROVE, APPROVE, APPROVE, REJECT, RETURN])),
        st.tuples(st.just("delegate"), WHO, WHO),
        st.tuples(st.just("ring"), st.none(), st.none()),
        st.tuples(st.just("leave"), WHO, st.none()),
        st.tuples(st.just("withdraw"), st.none(), st.none()),
    ),
    max_size=30,
)


def moved(run: Run, move: tuple[Any, ...], at: World) -> Run:
    kind, who, more = move
    if kind == "say":
        return approval_run.decide(run, who, more, "", {}, at)[0]
    if kind == "delegate":
        return approval_moves.delegate(run, who, more, at.now)[0]
    if kind == "ring":
        return approval_moves.ring(run, at)[0]
    if kind == "leave":
        return approval_moves.leave(run, who, at)[0]
    return approval_run.withdraw(run, at.now)


@settings(max_examples=300, deadline=None)
@given(FLOWS, MOVES, st.sampled_from([None, 50.0, 100.0, 100.0001]))
def test_Q9_a_run_is_decided_once_never_by_its_asker_and_ends_if_people_answer(
    made: Flow, moves: list[tuple[Any, ...]], amount: float | None
) -> None:
    left: set[str] = set()
    run = begun(made, amount=amount, discount=None)
    for move in moves:
        if move[0] == "leave":
            left.add(move[1])
        at = world(*(replace(one, active=one.name not in left) for one in STAFF))
        before = run
        with contextlib.suppress(Problem):
            run = moved(run, move, at)
        assert LI not in run.waiting | run.answered
        if before.status is not Status.PENDING:
            assert run == before, "what has ended stays as it is"
        # Nobody's word is lost or changed: what was said at a step is still said there.
        for was, now in zip(before.steps, run.steps, strict=False):
            for old, new in zip(was.seats, now.seats, strict=True):
                assert old.verdict is None or (old.person, old.verdict, old.at) == (new.person, new.verdict, new.at)
        assert (run.status is Status.PENDING) == (run.current is not None)
        assert approval_plain.steps_from_plain(approval_plain.steps_to_plain(run.steps)) == run.steps
    everybody = world(*STAFF)
    for _ in range(100):
        if run.status is not Status.PENDING:
            break
        if not run.waiting:
            run, _ = approval_moves.ring(run, everybody)
        run = said(run, (min(run.waiting).removeprefix("people/"), APPROVE), at=everybody)
    assert run.status is not Status.PENDING, "every run ends if people answer"
    for step in run.steps:
        assert not (step.outcome is Outcome.PASSED and sum(s.verdict is APPROVE for s in step.seats) < step.needed)
    if run.status is Status.APPROVED:
        assert all(step.outcome in (Outcome.PASSED, Outcome.SKIPPED) for step in run.steps)
        assert len(run.steps) == len(made.nodes)


@settings(max_examples=100, deadline=None)
@given(FLOWS, st.sampled_from([None, 50.0, 100.0]))
def test_Q13_a_rehearsal_takes_the_path_of_a_run_in_which_everybody_agrees(made: Flow, amount: float | None) -> None:
    facts = {"amount": amount, "fields": {}}
    rehearsed, vacant = approval_run.rehearse(made, LI, facts, WORLD)
    run = begun(made, **facts)
    while run.status is Status.PENDING:
        run = said(run, (min(run.waiting).removeprefix("people/"), APPROVE))
    assert vacant == ()
    assert [(s.node, s.outcome) for s in rehearsed.steps] == [(s.node, s.outcome) for s in run.steps]
