"""What a flow may be: the form, circles, dead ends, and whom its lines name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chassis.fields import FieldCheck
from contracts.domain import approval_form, approval_written, approvers
from contracts.domain.approval_flow import Words
from contracts.domain.approval_templates import FLOWS, GROUPS
from contracts.domain.approvers import Colleague, Group, House, Team
from tests.contracts.approving import node, wrong

BOSS = ("people/boss",)


def branch(id: str, *ways: tuple[str, str], **more: Any) -> dict[str, Any]:
    ways_out = [{"when": when, "next": following} for when, following in ways]
    return {"id": id, "displayName": id, "kind": "BRANCH", "branches": ways_out, **more}


def test_Q19_the_flows_that_every_system_begins_with_are_sound_and_stay_as_they_are_when_saved_again() -> None:
    check = FieldCheck()
    first = approval_written.flows(approval_form.flows(FLOWS, check, "approvalFlows").values())
    # As protobuf's Struct brings it back: every number a float.
    again = json.loads(json.dumps(first), parse_int=float)
    assert approval_written.flows(approval_form.flows(again, check, "approvalFlows").values()) == first
    groups = approval_written.groups(approval_form.groups(GROUPS, check, "approverGroups").values())
    assert approval_written.groups(approval_form.groups(groups, check, "approverGroups").values()) == groups
    assert check.violations == []


def test_R16_a_circle_is_refused_with_its_path() -> None:
    assert wrong(node("a", *BOSS), node("b", *BOSS, next="a")) == [
        ("flow.nodes[1].next", "goes in a circle: a > b > a")
    ]
    assert wrong(node("a", *BOSS, next="a")) == [("flow.nodes[0].next", "goes in a circle: a > a")]
    turn = branch("turn", ("amount > 5.0", "a"), next="end")
    assert wrong(node("a", *BOSS), node("b", *BOSS), turn) == [
        ("flow.nodes[2].branches[0].next", "goes in a circle: a > b > turn > a")
    ]
    # Two ways that meet again are none.
    assert wrong(branch("turn", ("amount > 5.0", "b")), node("a", *BOSS), node("b", *BOSS)) == []


def test_R16_a_node_that_no_way_leads_to_and_a_way_that_leads_nowhere_are_refused() -> None:
    assert wrong(node("a", *BOSS, next="end"), node("b", *BOSS)) == [("flow.nodes[1]", "no way leads to b")]
    assert wrong(node("a", *BOSS, next="c"), node("b", *BOSS)) == [("flow.nodes[0].next", "there is no node c")]
    assert wrong(branch("turn", ("amount > 5.0", "x")), node("a", *BOSS)) == [
        ("flow.nodes[0].branches[0].next", "there is no node x")
    ]


def test_R16_a_flow_in_which_nobody_approves_is_refused() -> None:
    assert wrong() == [("flow.nodes", "nobody is asked")]
    told = {"id": "a", "displayName": "a", "kind": "COPY", "approvers": ["manager"]}
    assert wrong(told) == [("flow.nodes", "nobody approves")]
    assert wrong(node("a")) == [("flow.nodes[0].approvers", "names nobody")]
    assert wrong(node("a", "asker")) == [("flow.nodes[0].approvers", "nobody approves his own request")]


@pytest.mark.parametrize(
    ("made", "path"),
    [
        (node("a", "role:wizard"), "approvers[0]"),
        (node("a", "the boss"), "approvers[0]"),
        (node("a", "manager:0"), "approvers[0]"),
        (node("a", "each:manager"), "approvers[0]"),
        (node("a", "manager", "manager"), "approvers"),
        (node("a", "manager", when="amount > 'x'"), "when"),
        (node("a", "manager", when="amount"), "when"),
        (node("a", "manager", mode="MOST"), "mode"),
        (node("a", "manager", mode="N_OF_M", n=2), "n"),
        (node("a", "manager", mode="N_OF_M"), "n"),
        (node("a", "manager", timeoutHours=-1), "timeoutHours"),
        (node("a", "manager", onTimeout="SHOUT"), "onTimeout"),
        (node("A b", "manager"), "id"),
        (node("end", "manager"), "id"),
        ({"id": "a", "displayName": "a", "kind": "FILL_IN", "approvers": ["asker"]}, "fields"),
        ({"id": "a", "displayName": "a", "kind": "BRANCH"}, "branches"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_Q9_what_a_node_cannot_be_is_refused_by_its_path(made: dict[str, Any], path: str) -> None:
    assert [where for where, _ in wrong(made, node("z", "manager"))] == [f"flow.nodes[0].{path}"]


@pytest.mark.parametrize("when", ["amount > 500000", "amount > 500000.0", "home_amount >= 0.01 && discount > 15"])
def test_Q9_amounts_are_compared_with_numbers_as_people_write_them(when: str) -> None:
    assert wrong(node("a", "manager", when=when)) == []


@pytest.mark.parametrize("when", ["amount * 2.0 > 5.0", "amount > fields.limit", "discount > 0.00001"])
def test_Q9_what_is_not_exact_is_refused_when_it_is_saved(when: str) -> None:
    ((path, _),) = wrong(node("a", "manager", when=when))
    assert path == "flow.nodes[0].when"


def test_Q18_no_flow_can_ask_for_a_comment_of_so_many_words() -> None:
    for key in ("minimumCommentLength", "commentRequired"):
        assert wrong(node("a", "manager", **{key: 500})) == [(f"flow.nodes[0].{key}", "there is no such setting")]


# --- whom a line names ---

STAFF = (
    Colleague("people/li", "sales", "teams/shanghai", "people/wu"),
    Colleague("people/wu", "manager", "teams/shanghai", "people/gone"),
    Colleague("people/gone", "manager", "teams/east", "people/top", active=False),
    Colleague("people/top", "manager", "teams/east", ""),
    Colleague("people/fin", "finance"),
    Colleague("people/root", "admin"),
)
WORDS = Words("Legal", "法务")
HOUSE = House(
    {one.name: one for one in STAFF},
    {
        "legal": Group("legal", WORDS, ("people/wu", "people/fin"), ("role:admin",)),
        "nobody": Group("nobody", WORDS, ("people/gone",), ("role:backoffice", "manager:top")),
    },
    {
        "teams/shanghai": Team("teams/shanghai", "people/wu", "teams/east"),
        "teams/east": Team("teams/east", "people/top", ""),
    },
)


@pytest.mark.parametrize(
    ("line", "asker", "people"),
    [
        ("manager", "li", "wu"),
        ("manager:2", "li", "top"),  # over who has left
        ("manager:9", "li", "top"),
        ("manager:top", "li", "top"),
        ("team-lead", "li", "wu"),
        ("team-lead", "wu", "top"),  # his own team's lead asks the one above
        ("teams/east", "li", "top"),
        ("role:finance", "li", "fin"),
        ("group:legal", "li", "fin wu"),
        ("group:legal", "wu", "fin"),  # another of the group
        ("group:nobody", "li", "top"),  # the first line otherwise that names somebody
        ("people/fin", "fin", "root"),  # nobody is above him
        ("people/wu", "wu", "top"),  # his manager
        ("manager", "top", "root"),
        ("people/gone", "li", "root"),
        ("role:backoffice", "li", "root"),
        ("role:admin", "root", ""),  # nobody is left
    ],
)
def test_Q5_a_line_names_whom_it_says_and_never_who_asks(line: str, asker: str, people: str) -> None:
    assert HOUSE.seat(line, f"people/{asker}") == tuple(f"people/{one}" for one in people.split())


def test_Q7_each_makes_a_seat_for_everybody() -> None:
    assert HOUSE.seats(["each:group:legal", "manager"], "people/li") == [
        ("group:legal", ("people/fin",)),
        ("group:legal", ("people/wu",)),
        ("manager", ("people/wu",)),
    ]


def test_Q11_managers_who_manage_one_another_are_no_endless_chain() -> None:
    two = House({n: Colleague(n, "manager", "", m) for n, m in (("people/a", "people/b"), ("people/b", "people/a"))})
    assert two.chain("people/a") == ["people/b"]
    assert two.people_of("manager:top", "people/a") == ("people/b",)


def test_Q9_only_who_may_be_meant_is_looked_up() -> None:
    people, roles, teams = approvers.meant(["group:legal", "each:role:sales", "teams/east", "manager"], HOUSE.groups)
    assert (people, roles, teams) == ({"people/wu", "people/fin"}, {"admin", "sales"}, {"teams/east"})
