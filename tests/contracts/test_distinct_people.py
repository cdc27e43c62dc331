"""A countersign by different people (Q8): nobody takes two seats, and nothing is asked that too few people can sign."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import Refused
from contracts.domain import approval_moves, approval_run, approval_seats
from contracts.domain.approval import Run, Status
from contracts.domain.approval_flow import Words
from contracts.domain.approvers import Colleague, Group
from dealwright.contracts.v1 import approvals_pb2 as pb
from tests.contracts.approving import applied, asked, cny, flow, got, node, people, say, staffed, world
from tests.contracts.desk import Desk
from tests.contracts.test_approval_run import APPROVE, LI, STAFF, WORLD, begun, names, said

SEATS = st.lists(st.sets(st.sampled_from("abcde"), min_size=1), min_size=1, max_size=5)


@pytest.fixture
def company(desk: Desk) -> Desk:
    """As a new company is: a manager, finance, one administrator, and no group is named."""
    staffed(
        desk,
        *(("li", "sales", "boss"), ("boss", "manager", ""), ("money", "finance", ""), ("admin", "admin", "")),
        *(("law", "backoffice", ""),),
    )
    return desk


def test_Q8_a_change_is_refused_where_fewer_than_four_people_could_sign_it(company: Desk) -> None:
    with pytest.raises(Refused) as problem:
        asked(company, "contractChange", "contractChanges/1", amount=cny("1"))
    assert problem.value.reason == "NO_APPROVER"
    for word in ("Legal (group:legal)", "General manager (group:general-manager)", "approverGroups", "distinctPeople"):
        assert word in problem.value.english
    assert "法务（group:legal）、总经理（group:general-manager）" in problem.value.chinese
    assert "group:manager" not in problem.value.english, "the others have somebody of their own"
    applied(company, approverGroups={"legal": ["people/law", "people/money"]})
    made = asked(company, "contractChange", "contractChanges/1", amount=cny("1"))
    # Whoever could sign for two takes the seat that leaves enough people for the rest.
    assert say(company, made.name, "money").status == pb.Approval.PENDING
    assert people(got(company, made.name)) == "admin boss law"
    for who in ("admin", "boss", "law"):
        done = say(company, made.name, who)
    assert done.status == pb.Approval.APPROVED
    assert len({seat.person for seat in done.steps[0].seats}) == 4


def test_Q8_other_flows_are_signed_by_whoever_there_is(company: Desk) -> None:
    both = node("sign", "group:legal", "group:general-manager")
    kept = {"displayName": "试行", "nodes": [both]}
    applied(
        company,
        approvalFlows={"trial": {**kept, "for": "trial"}, "strict": {**kept, "for": "strict", "distinctPeople": True}},
    )
    made = asked(company, "trial")
    assert say(company, made.name, "admin").status == pb.Approval.APPROVED
    with pytest.raises(Refused, match="there are 1 for 2 seats"):
        asked(company, "strict", "quotes/2")


@settings(max_examples=200, deadline=None)
@given(SEATS)
def test_Q8_as_many_seats_are_filled_as_can_be_and_the_rest_is_explained(seats: list[set[str]]) -> None:
    there = dict(enumerate(sorted(one) for one in seats))
    found, short = approval_seats.assigned(there)
    assert len(set(found.values())) == len(found)
    assert all(person in there[place] for place, person in found.items())
    most = max(sum(who in there[place] for place, who in enumerate(way)) for way in permutations("abcde", len(seats)))
    assert len(found) == most
    assert bool(short) == (len(found) < len(seats))
    if short:
        assert len({person for place in short for person in there[place]}) < len(short)


@settings(max_examples=200, deadline=None)
@given(SEATS, st.randoms(use_true_random=False))
def test_Q8_what_is_not_refused_is_signed_in_whatever_order_people_come(
    seats: list[set[str]], chance: random.Random
) -> None:
    crowd = world(*(Colleague(f"people/{one}", "finance") for one in "abcde"), Colleague(LI, "sales"))
    groups = {f"people/{one}" for seat in seats for one in seat}
    lines = [f"group:g{number}" for number in range(len(seats))]
    named = {
        f"g{number}": Group(f"g{number}", Words("", ""), tuple(f"people/{one}" for one in sorted(seat)))
        for number, seat in enumerate(seats)
    }
    at = replace(crowd, house=replace(crowd.house, groups=named))
    made = flow(node("sign", *lines), distinctPeople=True)
    _, vacant = approval_run.rehearse(made, LI, {"fields": {}}, at)
    run = begun(made, at)
    while run.status is Status.PENDING and run.waiting:
        who = chance.choice(sorted(run.waiting))
        run = said(run, (who.removeprefix("people/"), APPROVE), at=at)
        seated = [seat.person for seat in run.steps[0].seats if seat.person]
        assert len(set(seated)) == len(seated)
    assert (run.status is Status.APPROVED) == (vacant == ())
    assert run.answered <= groups


def test_Q8_an_heir_has_no_second_say() -> None:
    """Who left is followed by somebody who has not signed yet, however long that takes."""
    made = flow(node("sign", "people/a", "manager"), distinctPeople=True)
    run = said(begun(made), ("boss", APPROVE))
    gone = world(*(one for one in STAFF if one.name != "people/a"))
    run, _ = approval_moves.leave(run, "people/a", gone)
    assert names(run) == "root", "not the manager, who has signed already"
    assert _closed(said(run, ("root", APPROVE))) == ["people/boss", "people/root"]


def _closed(run: Run) -> list[str]:
    assert run.status is Status.APPROVED
    return sorted(run.answered)


def test_Q8_a_seat_that_lost_its_only_one_is_looked_at_again() -> None:
    made = flow(node("sign", "people/a", "people/b"), distinctPeople=True)
    run = begun(made)
    both = tuple(replace(seat, people=("people/a",)) for seat in run.steps[0].seats)
    run = said(replace(run, steps=(replace(run.steps[0], seats=both),)), ("a", APPROVE))
    assert (run.status, names(run)) == (Status.PENDING, "")
    assert run.due == WORLD.now + approval_run.VACANT
    run, _ = approval_moves.ring(run, WORLD)
    assert names(run) == "b"
