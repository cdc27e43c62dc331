"""What holds for every flow and whatever people do: a run ends once, by those who were asked, if people answer."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import Problem
from contracts.domain import approval_moves, approval_plain, approval_run
from contracts.domain.approval import Outcome, Run, Status
from contracts.domain.approval_flow import Flow
from contracts.domain.approval_run import World
from tests.contracts.approving import flow, node, world
from tests.contracts.test_approval_run import APPROVE, LI, PEOPLE, REJECT, RETURN, STAFF, WORLD, begun, lines, said

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
STRICT = st.builds(
    lambda nodes: flow(*(node(f"n{i}", **one) for i, one in enumerate(nodes)), distinctPeople=True),
    st.lists(NODES, min_size=1, max_size=4),
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
        return approval_moves.delegate(run, who, more, at)[0]
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


@settings(max_examples=300, deadline=None)
@given(STRICT, MOVES, st.sampled_from(["people/li", "people/boss", "people/top"]))
def test_Q3_where_people_are_to_be_different_nobody_agrees_twice_and_nobody_to_his_managers_request(
    made: Flow, moves: list[tuple[Any, ...]], asker: str
) -> None:
    left: set[str] = set()
    run, _ = approval_run.begin(made, asker, {"fields": {}}, WORLD)
    named = {line for one in made.nodes for line in one.approvers}
    for move in moves:
        if move[0] == "leave":
            left.add(move[1])
        at = world(*(replace(one, active=one.name not in left) for one in STAFF))
        with contextlib.suppress(Problem):
            run = moved(run, move, at)
        said_yes = [seat.person for step in run.steps for seat in step.seats if seat.verdict is APPROVE]
        assert len(said_yes) == len(set(said_yes)), "each has one word in the whole run"
        for person in run.waiting | set(said_yes):
            assert person in named or not at.house.reports_to(person, asker)


@settings(max_examples=100, deadline=None)
@given(FLOWS, st.sampled_from([None, 50.0, 100.0]))
def test_Q13_a_rehearsal_takes_the_path_of_a_run_in_which_everybody_agrees(made: Flow, amount: float | None) -> None:
    facts: dict[str, Any] = {"amount": amount, "fields": {}}
    rehearsed, vacant = approval_run.rehearse(made, LI, facts, WORLD)
    run = begun(made, **facts)
    while run.status is Status.PENDING:
        run = said(run, (min(run.waiting).removeprefix("people/"), APPROVE))
    assert vacant == ()
    assert [(s.node, s.outcome) for s in rehearsed.steps] == [(s.node, s.outcome) for s in run.steps]
