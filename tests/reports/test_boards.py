"""Boards: pages of tiles as data, the company's, those of roles, and everybody's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, Invalid, NotFound, Refused, Stale
from chassis.fields import FieldCheck
from chassis.parts import PartServicer
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.shipped import BY_NAME, SHIPPED
from reports.domain.shipped.boards import BOARDS
from reports.servicer.blueprint import ReportPart
from reports.usecases import boards
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, ZHAO, Desk, principal

NOVEMBER = "2026-11"
Tile = pb.Board.Tile


def _own(who: Principal) -> Principal:
    """With rights on his own boards alone, as roles have them by default."""
    return replace(who, grants={**who.grants, "boards": Grant(Scope.OWN, Scope.OWN, Scope.OWN)})


LI_OWN, ZHAO_OWN, BOSS_OWN = _own(LI), _own(ZHAO), _own(BOSS)


def _board(desk: Desk, *tiles: Tile, id: str = "mine", who: Principal = ADMIN, **values: Any) -> pb.Board:
    of = pb.Board(**{"display_name": "Mine", "period": NOVEMBER, "tiles": tiles, **values})
    made: pb.Board = desk.call("CreateBoard", pb.CreateBoardRequest(board_id=id, board=of), who)
    return made


def _drawn(desk: Desk, who: Principal = ADMIN, id: str = "mine", **asked: Any) -> list[pb.Report.Tile]:
    found = desk.call("GetReport", pb.GetReportRequest(name=f"reports/{id}", **asked), who)
    return list(found.tiles)


def _rows(tile: pb.Report.Tile) -> dict[str, float | None]:
    return {row.keys[0]: row.figure.value if row.figure.HasField("value") else None for row in tile.rows}


def _house(desk: Desk) -> None:
    deals = [
        Deal("opportunities/a", "2026-11-02T10:00", 1000, fields={"source": "WEB"}).win("2026-11-03T10:00"),
        Deal("opportunities/b", "2026-11-02T10:00", 3000, "people/zhao").win("2026-11-02T22:00"),
        Deal("opportunities/c", "2026-11-05T10:00", 2000, "people/wang").win("2026-11-06T10:00"),
        Deal("opportunities/d", "2026-11-05T10:00", 500, "people/wang").lose("2026-11-06T10:00"),
    ]
    desk.hear(*(told for deal in deals for told in deal.told))


def test_B39_a_board_answers_with_all_its_tiles_at_once(desk: Desk) -> None:
    _house(desk)
    _board(
        desk,
        Tile(kpi="kpis/won-amount", title="Won"),
        Tile(kpi="kpis/conversion", group_by=["owner"], period="2026-10", chart=pb.Board.BAR),
        Tile(kpi="kpis/opportunities-won", filter='owner = "people/li"'),
    )
    first, second, third = _drawn(desk)
    assert (first.title, first.title_zh, first.chart, first.total.figure.amount.units) == ("Won", "Won", 1, 6000)
    assert (second.period, second.chart, list(second.rows)) == ("2026-10", pb.Board.BAR, [])
    assert (second.title, second.title_zh) == ("Conversion of opportunities", "商机转化率")
    assert (third.total.figure.value, third.filter) == (1, 'owner = "people/li"')
    assert [tile.period for tile in _drawn(desk, period="2026")] == ["2026", "2026-10", "2026"]


def test_B32_what_a_board_is_asked_narrows_every_tile_that_has_it(desk: Desk) -> None:
    _house(desk)
    _board(
        desk,
        Tile(kpi="kpis/won-amount"),
        Tile(kpi="kpis/won-amount", group_by=["owner"], filter="owner = people/li"),
        Tile(kpi="kpis/ctre"),
        Tile(kpi="kpis/won-amount", chart=pb.Board.TABLE),
    )
    first, second, third, fourth = _drawn(
        desk, filter='owner = "people/zhao" AND pipeline = "pipelines/six-stage"', group_by=["owner", "month"]
    )
    assert first.total.figure.value == 3000
    assert _rows(second) == {"people/li": 1000}
    assert third.filter == 'owner = "people/zhao"'  # it has no pipelines
    assert [tuple(row.keys) for row in fourth.rows] == [("people/zhao", "2026-11-01")]
    for asked in ({"filter": "weather = x"}, {"group_by": ["weather"]}, {"period": "soon"}, {"filter": "owner ="}):
        with pytest.raises(Invalid):
            _drawn(desk, **asked)


def test_B13_a_ranking_and_what_has_a_limit_show_the_largest_first(desk: Desk) -> None:
    _house(desk)
    ranking = Tile(kpi="kpis/won-amount", group_by=["owner"], chart=pb.Board.RANKING)
    _board(desk, ranking, Tile(kpi="kpis/won-amount", group_by=["owner"], limit=2, chart=pb.Board.BAR))
    first, second = _drawn(desk)
    assert [row.keys[0] for row in first.rows] == ["people/zhao", "people/wang", "people/li"]
    assert [row.keys[0] for row in second.rows] == ["people/zhao", "people/wang"]
    assert second.total.figure.value == 6000


def test_B13_a_ranking_of_what_is_better_when_less_has_the_least_first_and_a_limit_elsewhere_the_most(
    desk: Desk,
) -> None:
    deals = [("li", 1, "20"), ("wang", 2, "08"), ("zhao", 3, "12")]
    for owner, n, day in deals:
        deal = Deal(f"opportunities/{n}", "2026-11-01T10:00", 1000, f"people/{owner}")
        desk.hear(*deal.win(f"2026-11-{day}T10:00").told)
    of: dict[str, Any] = {"kpi": "kpis/average-cycle", "group_by": ["owner"]}
    shortest = Tile(**of, chart=pb.Board.RANKING, overlay_kpi="kpis/opportunities-lost", limit=2)
    _board(desk, shortest, Tile(**of, limit=2, chart=pb.Board.BAR))
    first, second = _drawn(desk)
    assert [row.keys[0] for row in first.rows] == ["people/wang", "people/zhao"]
    assert [row.keys[0] for row in second.rows] == ["people/li", "people/zhao"]
    # Whoever has no figure is the last, not the best.
    lost = Deal("opportunities/4", "2026-11-01T10:00", 1000, "people/new").lose("2026-11-05T10:00")
    desk.hear(*lost.told)
    assert [row.keys[0] for row in _drawn(desk)[0].rows] == ["people/wang", "people/zhao"]


def test_B27_a_second_kpi_is_laid_over_the_same_groups(desk: Desk) -> None:
    _house(desk)
    _board(
        desk,
        Tile(kpi="kpis/opportunities-lost", group_by=["owner"], overlay_kpi="kpis/won-amount", chart=pb.Board.LINE),
    )
    (tile,) = _drawn(desk)
    found = {row.keys[0]: (row.figure.value, row.overlay.amount.units) for row in tile.rows}
    assert tile.total.overlay.value == desk.figure("won-amount")
    assert found == {"people/li": (0, 1000), "people/wang": (1, 2000), "people/zhao": (0, 3000)}


def test_B32_figures_are_narrowed_by_what_owners_are_now(desk: Desk) -> None:
    _house(desk)
    asked: dict[str, Any] = {"period": NOVEMBER, "filter": "team = teams/east"}
    assert desk.figure("won-amount", **asked) == 4000
    assert desk.figure("won-amount", period=NOVEMBER, filter="team = teams/east AND owner = people/li") == 1000
    assert desk.figure("won-amount", period=NOVEMBER, filter="team = teams/none") in (0, None)
    assert desk.figure("won-amount", period=NOVEMBER, filter="manager = people/boss") == 6000
    listed = desk.call("ListRecords", pb.ListRecordsRequest(parent="reports/won-amount", **asked))
    assert {one.name for one in listed.records} == {"opportunities/a", "opportunities/b"}
    said = desk.call("ExplainFigure", pb.ExplainFigureRequest(name="reports/won-amount", **asked))
    assert {one.record for one in said.postings} == {"opportunities/a", "opportunities/b"}


def test_B39_P3_a_tile_that_the_caller_may_not_see_is_denied_and_the_rest_answers(desk: Desk) -> None:
    _house(desk)
    _board(
        desk,
        Tile(kpi="kpis/won-amount", group_by=["owner"]),
        Tile(kpi="kpis/opportunities-won"),
        Tile(kpi="kpis/opportunities-won", group_by=["owner"], overlay_kpi="kpis/won-amount"),
        Tile(kpi="kpis/won-amount", chart=pb.Board.RANKING, group_by=["owner"], limit=1),
        Tile(kpi="kpis/payments-received"),
    )
    blind = principal("people/li", "sales", Scope.ALL, "teams/east", hidden=("amount",))
    first, second, third, fourth, fifth = _drawn(desk, blind)
    for tile in (first, fourth, fifth):
        assert tile.denied
        assert not tile.rows
        assert not tile.HasField("total")
    assert (second.denied, second.total.figure.value) == (False, 3)
    assert len(third.rows) == 3
    assert not any(row.HasField("overlay") for row in third.rows)
    without = replace(LI, grants={**LI.grants, "opportunities": Grant()})
    assert all(tile.denied for tile in _drawn(desk, without)[:4])


def test_B42_everybody_sees_on_a_board_what_he_may_see(desk: Desk) -> None:
    _house(desk)
    _board(desk, Tile(kpi="kpis/won-amount"))
    assert [_drawn(desk, who)[0].total.figure.value for who in (ADMIN, BOSS, LI, ZHAO)] == [6000, 4000, 1000, 3000]


def test_B40_own_boards_are_their_owners_alone(desk: Desk) -> None:
    tile = Tile(kpi="kpis/won-amount")
    mine = _board(desk, tile, who=LI_OWN)
    assert mine.owner == "people/li"
    for method, request in (
        ("GetBoard", pb.GetBoardRequest(name="boards/mine")),
        ("GetReport", pb.GetReportRequest(name="reports/mine")),
        ("DeleteBoard", pb.DeleteBoardRequest(name="boards/mine")),
        ("UpdateBoard", pb.UpdateBoardRequest(board=pb.Board(name="boards/mine", display_name="x"))),
    ):
        with pytest.raises(NotFound):
            desk.call(method, request, ZHAO_OWN)
    for values in ({"owner": "people/zhao"}, {"roles": ["roles/sales"]}):
        with pytest.raises(Denied):
            _board(desk, tile, id="other", who=LI_OWN, **values)
    changed = pb.UpdateBoardRequest(board=pb.Board(name="boards/my-sales", display_name="x"))
    with pytest.raises(Denied):
        desk.call("UpdateBoard", changed, LI_OWN)
    names = {one.name for one in desk.call("ListBoards", pb.ListBoardsRequest(), LI_OWN).boards}
    assert names == {"boards/mine", "boards/my-sales", "boards/customer-base", "boards/behaviour"}


def test_B40_boards_of_roles_are_for_whoever_has_the_role(desk: Desk) -> None:
    _board(desk, Tile(kpi="kpis/won-amount"), roles=["roles/manager"])
    assert desk.call("GetBoard", pb.GetBoardRequest(name="boards/mine"), BOSS_OWN).name == "boards/mine"
    with pytest.raises(NotFound):
        desk.call("GetBoard", pb.GetBoardRequest(name="boards/mine"), LI_OWN)
    _board(desk, Tile(kpi="kpis/won-amount"), id="all")
    assert desk.call("GetBoard", pb.GetBoardRequest(name="boards/all"), LI_OWN).name == "boards/all"


def test_B40_a_board_is_changed_deleted_and_brought_back(desk: Desk) -> None:
    made = _board(desk, Tile(kpi="kpis/won-amount"))
    asked = pb.UpdateBoardRequest(
        board=pb.Board(name=made.name, etag=made.etag, display_name="Ours"),
        update_mask=FieldMask(paths=["display_name"]),
    )
    changed = desk.call("UpdateBoard", asked)
    assert (changed.display_name, changed.etag, len(changed.tiles)) == ("Ours", "2", 1)
    with pytest.raises(Stale):
        desk.call("UpdateBoard", asked)
    desk.call("DeleteBoard", pb.DeleteBoardRequest(name=made.name))
    with pytest.raises(NotFound):
        _drawn(desk)
    with pytest.raises(Refused):
        _board(desk, Tile(kpi="kpis/won-amount"))
    desk.call("UndeleteBoard", pb.UndeleteBoardRequest(name=made.name))
    assert len(_drawn(desk)) == 1
    shipped = desk.call("DeleteBoard", pb.DeleteBoardRequest(name="boards/finance"))
    assert shipped.HasField("delete_time")
    assert "boards/finance" not in {one.name for one in desk.call("ListBoards", pb.ListBoardsRequest()).boards}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("board.tiles", {"tiles": []}),
        ("board.display_name", {"display_name": ""}),
        ("board.period", {"period": "soon"}),
        ("board.tiles[0].kpi", {"tiles": [Tile(kpi="kpis/none")]}),
        ("board.tiles[0].kpi", {"tiles": [Tile()]}),
        ("board.tiles[0].overlay_kpi", {"tiles": [Tile(kpi="kpis/won-amount", overlay_kpi="kpis/none")]}),
        ("board.tiles[0].group_by", {"tiles": [Tile(kpi="kpis/won-amount", group_by=["weather"])]}),
        ("board.tiles[0].group_by", {"tiles": [Tile(kpi="kpis/won-amount", group_by=["month", "year"])]}),
        ("board.tiles[0].filter", {"tiles": [Tile(kpi="kpis/won-amount", filter="weather = x")]}),
        ("board.tiles[0].filter", {"tiles": [Tile(kpi="kpis/won-amount", filter="owner")]}),
        ("board.tiles[0].period", {"tiles": [Tile(kpi="kpis/won-amount", period="soon")]}),
        ("board.tiles[0].chart", {"tiles": [Tile(kpi="kpis/won-amount", chart=99)]}),  # type: ignore[arg-type]
        ("board.tiles[0].width", {"tiles": [Tile(kpi="kpis/won-amount", width=13)]}),
        ("board.tiles[0].limit", {"tiles": [Tile(kpi="kpis/won-amount", limit=-1)]}),
        ("board.roles", {"roles": ["sales"]}),
        ("board.owner", {"owner": "li"}),
    ],
)
def test_N13_each_wrong_field_of_a_board_is_named(desk: Desk, field: str, values: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as said:
        _board(desk, **{"tiles": [Tile(kpi="kpis/won-amount")], **values})
    found = {one.field: one for one in said.value.violations}
    assert found[field].english
    assert found[field].chinese


def test_B1_the_boards_that_come_with_the_product_name_kpis_that_there_are() -> None:
    for board in BOARDS:
        check = FieldCheck()
        boards.note(board, check, date(2026, 11, 22), BY_NAME)
        assert not check.violations, board.name
        assert "kpis/" + board.name.partition("/")[2] not in BY_NAME
    assert {role for board in BOARDS for role in board.roles} == {
        f"roles/{id}" for id in ("admin", "manager", "sales", "finance", "backoffice")
    }


@pytest.mark.parametrize("board", BOARDS, ids=lambda one: str(one.name))
def test_B1_B2_every_board_that_comes_with_the_product_answers(desk: Desk, board: Any) -> None:
    _house(desk)
    director = replace(ADMIN, grants={**ADMIN.grants, "people": Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)})
    tiles = _drawn(desk, director, board.name.partition("/")[2])
    assert [tile.kpi for tile in tiles] == [tile.kpi for tile in board.tiles]
    assert not any(tile.denied for tile in tiles)


def _part(desk: Desk, method: str, request: Any, who: Principal = ADMIN) -> Any:
    with desk.runtime.transaction(who) as tx:
        return getattr(PartServicer(ReportPart(desk.runtime)), method)(tx, request)


def _content(plain: dict[str, Any]) -> Struct:
    return json_format.ParseDict(plain, Struct())


def test_N13_boards_and_kpis_are_parts_of_the_blueprint(desk: Desk) -> None:
    part = _part(desk, "GetPart", blueprint_pb2.GetPartRequest())
    whole = json_format.MessageToDict(part.content)
    assert whole["kpis"].keys() == {name.removeprefix("kpis/") for name in BY_NAME}
    assert whole["boards"].keys() == {board.name.removeprefix("boards/") for board in BOARDS}
    again = _part(desk, "PlanPart", blueprint_pb2.PlanPartRequest(content=part.content))
    assert list(again.changes) == []

    made = {
        "kpis": {"wins": {**whole["kpis"]["opportunities-won"], "displayName": "Wins"}},
        "boards": {"ours": {"displayName": "Ours", "tiles": [{"kpi": "kpis/wins", "width": 4}]}},
    }
    plan = _part(desk, "PlanPart", blueprint_pb2.PlanPartRequest(content=_content(made)))
    assert {change.path for change in plan.changes} == {"kpis.wins", "boards.ours"}
    apply = blueprint_pb2.ApplyPartRequest(content=_content(made), expected_version=part.version)
    after = _part(desk, "ApplyPart", apply)
    assert after.version > part.version
    assert [tile.title for tile in _drawn(desk, id="ours")] == ["Wins"]
    with pytest.raises(Stale):
        _part(desk, "ApplyPart", apply)

    changed = {"boards": {"my-sales": {"displayName": "Sales", "tiles": [{"kpi": "kpis/won-amount"}]}}}
    request = blueprint_pb2.ApplyPartRequest(content=_content(changed), expected_version=after.version)
    now = json_format.MessageToDict(_part(desk, "ApplyPart", request).content)
    assert now["boards"]["my-sales"]["displayName"] == "Sales"
    assert "ours" not in now["boards"]
    assert "team" in now["boards"]
    assert "wins" in now["kpis"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("kpi", {"kpi": {}}),
        ("kpis", {"kpis": []}),
        ("kpis.X", {"kpis": {"X": {}}}),
        ("kpis.ab", {"kpis": {"ab": 1}}),
        ("kpis.ab", {"kpis": {"ab": {"colour": 1}}}),
        ("kpis.ab.owner", {"kpis": {"ab": {"owner": "people/li"}}}),
        ("kpis.ab.measures", {"kpis": {"ab": {"displayName": "x", "unit": "COUNT"}}}),
        ("boards.ab.tiles", {"boards": {"ab": {"displayName": "x"}}}),
        ("boards.ab.tiles[0].kpi", {"boards": {"ab": {"displayName": "x", "tiles": [{"kpi": "kpis/none"}]}}}),
        ("boards.ab.roles", {"boards": {"ab": {"displayName": "x", "roles": ["x"]}}}),
        ("boards.win-rate", {"boards": {"win-rate": {"displayName": "x", "tiles": [{"kpi": "kpis/win-rate"}]}}}),
    ],
)
def test_N13_what_is_wrong_in_the_blueprint_is_named_where_it_stands(
    desk: Desk, path: str, content: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as said:
        _part(desk, "PlanPart", blueprint_pb2.PlanPartRequest(content=_content(content)))
    assert path in {one.field for one in said.value.violations}


def test_B39_every_figure_that_comes_with_the_product_is_on_a_board_that_does() -> None:
    shown = {name for of in BOARDS for name in of.kpis}
    assert {of.name for of in SHIPPED} - shown == set()
