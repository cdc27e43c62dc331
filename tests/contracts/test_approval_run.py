"""How a run goes: who is asked, and what his answer does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chassis.errors import Denied
from contracts.domain import approval_moves, approval_run
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
    run, told = approval_moves.delegate(run, "people/a", "people/b", WORLD)
    assert (names(run), told[0].people, told[0].reason) == ("b d", ("people/b",), "DELEGATED")
    run, _ = approval_moves.delegate(run, "people/b", "people/c", WORLD)
    for back in ("people/a", "people/b"):
        with refused("DELEGATION_LOOP"):
            approval_moves.delegate(run, "people/c", back, WORLD)
    with refused("ALREADY_ASKED"):
        approval_moves.delegate(run, "people/c", "people/d", WORLD)
    with refused("OWN_REQUEST"):
        approval_moves.delegate(run, "people/c", LI, WORLD)
    with pytest.raises(Denied):
        approval_moves.delegate(run, "people/boss", "people/top", WORLD)
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
