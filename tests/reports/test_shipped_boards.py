"""Whoever a board that comes with the product is for sees all of it, and takes all of it along where he may export: by
the rights of the roles that come with the product."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, NotFound
from chassis.people import Person
from chassis.transaction import Transaction
from dealwright.leads.v1.leads_pb2 import Channel
from dealwright.reports.v1 import costs_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from directory.domain.rights import Role, default_roles
from reports.domain.board import Board
from reports.domain.shipped import BY_NAME, SHIPPED
from reports.domain.shipped.boards import BOARDS
from reports.servicer.costs import CostServicer
from reports.storage import sums
from reports.storage.sums import Question
from reports.usecases import copies, exporting
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, Desk, money
from tests.reports.leads import Lead
from tests.reports.people import contract, customer, task

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
        for name in tile.kpis:
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


@pytest.fixture
def unready(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """What was asked of the ledger that no sums were kept for; what counts once has none."""
    found: list[Question] = []
    parts = sums.parts

    def spy(tx: Transaction, copy: int, asked: Question, wide: bool = True) -> list[sums.Part]:
        read = parts(tx, copy, asked, wide)
        if not read:
            found.append(asked)
        return read

    monkeypatch.setattr(sums, "parts", spy)
    return found


@pytest.mark.parametrize("board", BOARDS, ids=lambda one: one.name)
def test_B1_B39_sums_are_kept_for_every_tile_that_comes_with_the_product(
    desk: Desk, board: Board, unready: list[Question]
) -> None:
    desk.report(board.name.partition("/")[2])
    assert unready == []


def test_B40_sums_are_kept_for_what_a_board_of_the_company_shows_and_for_none_of_ones_own(
    desk: Desk, unready: list[Question]
) -> None:
    opened = Deal("opportunities/1", "2026-11-02T10:00", 500, fields={"source": "WEB"})
    desk.hear(*opened.told)
    of = pb.Board(display_name="Stages", period="2026-11")
    of.tiles.add(kpi="kpis/open-amount", chart=pb.Board.TABLE, group_by=["owner", "stage"], filter="channel = WEB")
    for id, owner, scanned in (("own", ADMIN.person, True), ("all", "", False)):
        of.owner = owner
        desk.call("CreateBoard", pb.CreateBoardRequest(board_id=id, board=of))
        unready.clear()
        desk.report(id)
        assert bool(unready) is scanned


def test_B33_who_takes_money_along_has_the_names_of_those_whose_it_is(desk: Desk) -> None:
    desk.hear(customer("customers/1", "2026-11-02T10:00"), contract("contracts/1", "customers/1", "2026-11-10", 500))
    (finance,) = (role for role in default_roles() if role.id == "finance")
    who = exporting.exporter(_who(finance))
    (row,) = desk.report("signed-amount", who, period="2026-11", group_by=["customer"]).rows
    assert [*row.labels] == ["customers/1号"]


def test_B19_management_sees_the_return_of_each_channel_by_the_hour_and_no_salesperson_what_channels_cost(
    priced: Desk,
) -> None:
    hours: dict[str, Any] = {"period": "2026-11-02", "group_by": ["channel", "hour"]}
    roles = {role.id: role for role in default_roles()}
    (returns,) = (board for board in BOARDS if board.name == "boards/source-returns")
    assert {"roles/admin", "roles/manager", "roles/backoffice"} == set(returns.roles)
    assert any(tile.kpi == "kpis/roi" and tile.group_by == ("channel", "hour") for tile in returns.tiles)
    # 1 440 of November's cost by the hour is 2; 100 were won of what came at ten.
    whole = replace(_who(roles["manager"]), teams=("teams/east", "teams/west"))
    assert priced.figures("roi", whole, **hours)["TRADE_SHOW", "2026-11-02T10"] == 50
    costly = [of.name for of in SHIPPED if any(one.fact == "cost.spent" for one in of.measures)]
    assert len(costly) == 3
    for name in costly:
        with pytest.raises(Denied, match=r"channelCosts\.read"):
            priced.figure(name.partition("/")[2], _who(roles["sales"]))
    with pytest.raises(NotFound):
        priced.report("source-returns", _who(roles["sales"]))
    # The cost is the company's: no part of it is one team's, and what came to that is no return on it.
    for name in ("cost-per-lead", "roi"):
        month: dict[str, Any] = {"period": "2026-11"}
        assert priced.figure(name, whole, **month) == priced.figure(name, **month) is not None
        east = _who(roles["manager"])
        of = priced.report(name, east, **month, group_by=["channel"])
        assert not any(one.figure.HasField("value") for one in (*of.rows, of.total))
        asked = {"name": f"reports/{name}", "keys": ["TRADE_SHOW"], "group_by": ["channel"], **month}
        said = priced.call("ExplainFigure", pb.ExplainFigureRequest(**asked), east)
        assert (said.figure.HasField("value"), said.figure.inputs["cost"]) == (False, 1_440)
    assert priced.figure("source-won-amount", east, **month) == 100
    assert priced.figure("channel-cost", east, **month) == 1_440
    for name in ("cost-per-lead", "roi"):
        assert "of the whole company" in BY_NAME[f"kpis/{name}"].description
        assert "全公司" in BY_NAME[f"kpis/{name}"].description_zh


def test_B17_who_has_left_and_who_has_nothing_leave_the_return_to_whoever_leads_all_teams(priced: Desk) -> None:
    roles = {role.name: role for role in default_roles()}
    whole = replace(_who(roles["roles/manager"]), teams=("teams/east", "teams/west"))
    asked: dict[str, Any] = {"period": "2026-11"}
    with priced.runtime.transaction() as tx:
        others = [("gone", "teams/north", False), ("alone", "", True)]
        copies.know_people(tx, [Person(f"people/{n}", n, t, "", "sales", active, 1) for n, t, active in others], [])
    assert priced.figure("roi", whole, **asked) == priced.figure("roi", **asked) is not None
    priced.hear(task("tasks/todo", owner="people/alone"))
    assert priced.figure("roi", whole, **asked) is not None, "a task is no part of a return"
    priced.hear(*Lead("leads/alone", "2026-11-02T10:00").assign("people/alone", "2026-11-02T10:05").told)
    assert priced.figure("roi", whole, **asked) is None, "that lead is not among his"
    assert priced.figure("roi", **asked) is not None


@pytest.fixture
def priced(desk: Desk) -> Desk:
    """A trade show cost 1 440 in November; of the lead that it brought to the east at ten, 100 were won."""
    desk.also(CostServicer())
    cost = costs_pb2.ChannelCost(channel=Channel.Value("TRADE_SHOW"), month="2026-11", amount=money(1440))
    desk.call("CreateChannelCost", costs_pb2.CreateChannelCostRequest(channel_cost=cost))
    desk.hire(("people/somebody", "teams/east", "manager"), ("people/li", "teams/east", "sales"))
    lead = Lead("leads/1", "2026-11-02T10:10", "TRADE_SHOW").assign("people/li", "2026-11-02T10:20")
    deal = Deal("opportunities/1", "2026-11-03T10:00", 100, fields={"lead": "leads/1"}).win("2026-11-04T10:00")
    desk.hear(*lead.told, *deal.told)
    return desk
