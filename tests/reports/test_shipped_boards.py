"""Whoever a board that comes with the product is for sees all of it, and takes all of it along where he may export: by
the rights of the roles that come with the product."""

from __future__ import annotations

import pytest

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied
from directory.domain.rights import Role, default_roles
from reports.domain.board import Board
from reports.domain.shipped import BY_NAME
from reports.domain.shipped.boards import BOARDS
from reports.usecases import exporting
from tests.reports.desk import Desk
from tests.reports.people import contract, customer

_FOR = [(board, role) for board in BOARDS for role in default_roles() if role.name in board.roles]


def _who(role: Role) -> Principal:
    grants = {
        of.resource: Grant(
            Scope(of.read), Scope(of.write), Scope(of.delete), Scope(of.export), hidden=frozenset(of.hidden)
        )
        for of in role.grants
    }
    return Principal("people/somebody", role.id, "teams/east", ("teams/east",), grants)


def _denied(desk: Desk, board: Board, who: Principal) -> list[str]:
    """The tiles, and what is laid over them, that he may not see, each with the right that he lacks."""
    found = []
    for tile in board.tiles:
        for name in filter(None, (tile.kpi, tile.overlay_kpi)):
            try:
                period = tile.period or board.period or "this_month"
                desk.report(name.partition("/")[2], who, period=period, group_by=tile.group_by)
            except Denied as problem:
                found.append(f"{name} by {tile.group_by}: {problem.right}")
    return found


@pytest.mark.parametrize(("board", "role"), _FOR, ids=lambda one: str(one.name))
def test_B42_N13_who_a_board_is_for_sees_all_its_tiles_and_may_take_them_along(
    desk: Desk, board: Board, role: Role
) -> None:
    who = _who(role)
    assert _denied(desk, board, who) == []
    if who.scope("reports", "export") > Scope.NONE:
        assert _denied(desk, board, exporting.exporter(who)) == []


def test_B33_who_takes_money_along_has_the_names_of_those_whose_it_is(desk: Desk) -> None:
    desk.hear(customer("customers/1", "2026-11-02T10:00"), contract("contracts/1", "customers/1", "2026-11-10", 500))
    (finance,) = (role for role in default_roles() if role.id == "finance")
    who = exporting.exporter(_who(finance))
    (row,) = desk.report("signed-amount", who, period="2026-11", group_by=["customer"]).rows
    assert [*row.labels] == ["customers/1号"]


def test_B19_costs_of_the_whole_company_are_compared_by_those_who_see_all_that_came_of_them() -> None:
    for board, role in _FOR:
        who = _who(role)
        for tile in board.tiles:
            for name in filter(None, (tile.kpi, tile.overlay_kpi)):
                facts = {measure.fact for measure in BY_NAME[name].measures}
                if "cost.spent" in facts and "deal.won_of_lead" in facts:
                    assert who.scope("opportunities", "read") is Scope.ALL, f"{board.name} {role.name} {name}"
