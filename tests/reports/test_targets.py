"""What is to be reached, and how much of it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, Invalid, NotFound, Problem
from dealwright.directory.v1.directory_pb2 import Team
from dealwright.directory.v1.events_pb2 import TeamChanged
from dealwright.reports.v1 import reports_pb2
from dealwright.reports.v1 import targets_pb2 as pb
from reports.servicer.targets import TargetServicer
from reports.usecases import exporting
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, ZHAO, Desk, principal
from tests.reports.exported import FORMATS, everything, export

_BOARD = reports_pb2.Board


@pytest.fixture(autouse=True)
def servicer(desk: Desk) -> None:
    """Two deals won, and the targets at hand."""
    desk.also(TargetServicer())
    a = Deal("opportunities/a", "2026-11-02T10:00", 600).win("2026-11-12T10:00")
    b = Deal("opportunities/b", "2026-11-02T10:00", 200, "people/zhao").win("2026-11-12T10:00")
    desk.hear(*a.told, *b.told)


def aim(desk: Desk, value: str, who: Any = ADMIN, period: str = "2026-11", **of: Any) -> pb.Target:
    target = pb.Target(kpi="kpis/won-amount", period=period, value=value, **of)
    made: pb.Target = desk.call("CreateTarget", pb.CreateTargetRequest(target=target), who)
    return made


def test_B16_a_figure_tells_how_much_of_the_target_was_reached_by_person_team_and_company(desk: Desk) -> None:
    aim(desk, "1000", person="people/li")
    aim(desk, "400", team="teams/east")
    aim(desk, "3200")
    rows = desk.report("won-amount", period="2026-11", group_by=["owner"]).rows
    assert {row.keys[0]: (row.target.value, row.attainment) for row in rows if row.HasField("attainment")} == {
        "people/li": (1000, 0.6)
    }
    (team,) = desk.report("won-amount", period="2026-11", group_by=["team"]).rows
    assert (team.target.amount.units, team.attainment) == (400, 2)
    assert desk.report("won-amount", period="2026-11").total.attainment == 0.25
    # Who sees a part is told how much of that part was to be reached.
    assert desk.report("won-amount", LI, period="2026-11").total.attainment == 0.6
    assert desk.report("won-amount", BOSS, period="2026-11").total.attainment == 2
    assert not desk.report("won-amount", ZHAO, period="2026-11").total.HasField("target")
    (part,) = desk.report("won-amount", LI, period="2026-11", group_by=["team"]).rows
    assert not part.HasField("target")
    # Another period, or a part of what counts, has no target.
    assert not desk.report("won-amount", period="2026-12").total.HasField("target")
    assert not desk.report("won-amount", period="2026-11", filter='channel = "WEB"').total.HasField("target")


def test_P3_a_target_is_shown_beside_a_figure_to_whoever_may_read_it_and_taken_along_by_whoever_may_export_it(
    desk: Desk,
) -> None:
    for of in ({"person": "people/li"}, {"person": "people/wang"}, {"team": "teams/east"}, {}):
        aim(desk, "1000", **of)
    desk.hear(*Deal("opportunities/c", "2026-11-02T10:00", 100, "people/wang").win("2026-11-12T10:00").told)

    def shown(grant: Grant, exported: bool = False) -> set[str]:
        who = replace(ADMIN, person="people/boss", team="teams/east", teams=("teams/east",))
        who = replace(who, grants={**ADMIN.grants, "targets": grant})
        who = exporting.exporter(who) if exported else who
        total = desk.report("won-amount", who, period="2026-11").total
        found = {"all"} if total.HasField("target") or total.HasField("attainment") else set()
        for group in ("owner", "team"):
            rows = desk.report("won-amount", who, period="2026-11", group_by=[group]).rows
            found |= {row.keys[0] for row in rows if row.HasField("target") or row.HasField("attainment")}
        return found

    everything = {"all", "people/li", "people/wang", "teams/east"}
    assert shown(Grant(Scope.ALL)) == everything
    assert shown(Grant(Scope.TEAM)) == {"people/li", "teams/east"}
    assert shown(Grant(Scope.OWN)) == shown(Grant()) == set()
    for field in ("value", "person", "team"):
        assert shown(Grant(Scope.ALL, hidden=frozenset({field}))) == set()
    assert shown(Grant(Scope.ALL), exported=True) == set()
    assert shown(Grant(Scope.ALL, export=Scope.ALL), exported=True) == everything


def test_B16_who_has_a_target_and_reached_nothing_stands_there_with_nothing(desk: Desk) -> None:
    aim(desk, "1000", person="people/wang")
    aim(desk, "1000", team="teams/west")
    asked: dict[str, Any] = {"period": "2026-11", "group_by": ["owner"]}
    said = desk.report("won-amount", **asked)
    rows = {row.keys[0]: row for row in said.rows}
    assert [*rows] == ["people/li", "people/wang", "people/zhao"]
    wang = rows["people/wang"]
    assert (wang.figure.value, wang.target.value, wang.HasField("attainment"), wang.attainment) == (0, 1000, True, 0)
    assert said.total.figure.value == 800
    teams = desk.report("won-amount", period="2026-11", group_by=["team"]).rows
    assert [(row.keys[0], row.attainment) for row in teams] == [("teams/east", 0), ("teams/west", 0)]
    # A manager sees none of another team's.
    assert "people/wang" not in desk.figures("won-amount", BOSS, **asked)
    # Nor does who may read all targets, but of the records his own alone.
    grants = {**LI.grants, "targets": ADMIN.grants["targets"]}
    assert [*desk.figures("won-amount", replace(LI, grants=grants), **asked)] == ["people/li"]
    tiles = [_BOARD.Tile(kpi="kpis/won-amount", group_by=["owner"], chart=c) for c in (_BOARD.BAR, _BOARD.RANKING)]
    board = _BOARD(display_name="Aims", period="2026-11", tiles=tiles)
    desk.call("CreateBoard", reports_pb2.CreateBoardRequest(board_id="aims", board=board))
    bars, ranking = desk.call("GetReport", reports_pb2.GetReportRequest(name="reports/aims")).tiles
    assert [row.keys[0] for row in bars.rows] == [*rows]
    assert [row.keys[0] for row in ranking.rows] == ["people/li", "people/zhao", "people/wang"]


NOVEMBER: dict[str, Any] = {"period": "2026-11", "group_by": ["team"]}
TOP = principal("people/top", "manager", Scope.TEAM, "teams/all", "teams/coast", "teams/east", "teams/west")


def _put(desk: Desk, *teams: tuple[str, str], version: int = 1) -> None:
    """Teams below others."""
    told = [Team(name=name, display_name=name, parent=parent) for name, parent in teams]
    desk.hear(*((TeamChanged(team=team, version=version), "2026-11-01T10:00") for team in told))


@pytest.fixture
def tree(desk: Desk) -> Desk:
    """Above the east, with 800 won, is the coast, above that and the west, with 100, all, whose director won 50."""
    _put(
        desk,
        ("teams/west", "teams/all"),
        ("teams/east", "teams/coast"),
        ("teams/coast", "teams/all"),
        ("teams/all", ""),
    )
    desk.hire(("people/top", "teams/all", "manager"))
    for id, amount, owner in (("c", 100, "people/wang"), ("d", 50, "people/top")):
        desk.hear(*Deal(f"opportunities/{id}", "2026-11-02T10:00", amount, owner).win("2026-11-12T10:00").told)
    return desk


def _rows(desk: Desk, who: Principal = ADMIN) -> dict[str, tuple[float, float, bool]]:
    """The figure of each team, how much of its target that is, and whether teams below it are in it."""
    rows = desk.report("won-amount", who, **NOVEMBER).rows
    return {row.keys[0]: (row.figure.value, row.attainment, row.teams_below) for row in rows}


def _behind(desk: Desk, team: str, who: Principal = ADMIN) -> tuple[float, set[str]]:
    """What a team's row is explained to be, and the records behind it."""
    explain = reports_pb2.ExplainFigureRequest(name="reports/won-amount", keys=[team], **NOVEMBER)
    listing = reports_pb2.ListRecordsRequest(parent="reports/won-amount", keys=[team], **NOVEMBER)
    found = desk.call("ListRecords", listing, who).records
    figure: reports_pb2.Report.Figure = desk.call("ExplainFigure", explain, who).figure
    return figure.value, {one.name.partition("/")[2] for one in found}


def test_B16_a_target_of_a_team_is_of_all_teams_below_it(tree: Desk) -> None:
    aim(tree, "1000", team="teams/all")
    assert _rows(tree) == {"teams/all": (950, 0.95, True), "teams/east": (800, 0, False), "teams/west": (100, 0, False)}
    assert tree.report("won-amount", **NOVEMBER).total.figure.value == 950
    aim(tree, "1600", team="teams/coast")
    assert _rows(tree)["teams/coast"] == (800, 0.5, True)
    aim(tree, "800", team="teams/east")
    assert _rows(tree)["teams/east"] == (800, 1, False)


def test_B16_without_a_target_a_team_is_its_own_people(tree: Desk) -> None:
    expected = {"teams/all": (50, 0, False), "teams/east": (800, 0, False), "teams/west": (100, 0, False)}
    assert _rows(tree) == expected
    assert _behind(tree, "teams/all") == (50, {"d"})
    aim(tree, "1000", period="2026-Q4", team="teams/all")  # of another period
    assert _rows(tree) == expected


def test_B16_B33_behind_a_teams_target_are_the_records_of_the_teams_below(tree: Desk) -> None:
    aim(tree, "1000", team="teams/all")
    assert _behind(tree, "teams/all") == (950, {"a", "b", "c", "d"})
    assert _behind(tree, "teams/east") == (800, {"a", "b"})
    assert _behind(tree, "teams/all", TOP) == (950, {"a", "b", "c", "d"})
    # The manager of one of them may not read the target: he sees what he saw before.
    assert _rows(tree, BOSS) == {"teams/east": (800, 0, False)}
    assert _behind(tree, "teams/all", BOSS) == (0, set())
    grants = {**ADMIN.grants, "people": Grant(Scope.ALL, hidden=frozenset({"team"}))}
    with pytest.raises(Denied, match=r"people\.team"):
        _behind(tree, "teams/all", replace(ADMIN, grants=grants))


def test_B16_ratios_and_further_columns_are_of_the_teams_below_too(tree: Desk) -> None:
    aim(tree, "1000", team="teams/all")
    tree.hear(*Deal("opportunities/e", "2026-11-02T10:00", 1, "people/wang").told)
    tile = _BOARD.Tile(
        kpi="kpis/won-amount", group_by=["team"], chart=_BOARD.RANKING, overlay_kpi="kpis/conversion",
        more_kpis=["kpis/average-deal"],
    )  # fmt: skip
    board = _BOARD(display_name="Teams", period="2026-11", tiles=[tile])
    tree.call("CreateBoard", reports_pb2.CreateBoardRequest(board_id="aims", board=board))
    (shown,) = tree.call("GetReport", reports_pb2.GetReportRequest(name="reports/aims")).tiles
    assert [(row.keys[0], row.figure.value, row.overlay.value, row.more[0].value) for row in shown.rows] == [
        ("teams/all", 950, 4 / 5, 950 / 4),
        ("teams/east", 800, 1, 400),
        ("teams/west", 100, 1 / 2, 100),
    ]


def test_B16_what_is_told_of_teams_late_or_in_a_circle_changes_nothing(tree: Desk) -> None:
    aim(tree, "1000", team="teams/coast")
    _put(tree, ("teams/west", "teams/coast"), version=3)
    _put(tree, ("teams/west", "teams/all"), version=2)
    assert _rows(tree)["teams/coast"] == (900, 0.9, True)
    _put(tree, ("teams/all", "teams/east"), version=4)
    assert _rows(tree)["teams/coast"] == (950, 0.95, True)


@pytest.mark.parametrize(("tongue", "words"), [("zh", "（含下级团队）"), ("en", "(with the teams below)")])
@pytest.mark.parametrize("format", FORMATS)
def test_B16_B33_a_file_says_which_row_is_of_the_teams_below_too(
    tree: Desk, format: int, tongue: str, words: str
) -> None:
    aim(tree, "1000", team="teams/all")
    text = everything(export(tree, "won-amount", format, language=tongue, **NOVEMBER)).replace(" ", "")
    assert text.count(f"teams/all{words}".replace(" ", "")) >= 1
    assert f"teams/east{words}".replace(" ", "") not in text


def test_B16_a_managers_own_target_is_none_of_his_peoples(desk: Desk) -> None:
    aim(desk, "50", person="people/boss")
    rows = desk.report("won-amount", period="2026-11", group_by=["manager"]).rows
    assert rows
    assert [row for row in rows if row.HasField("target")] == []


def test_B16_where_less_is_better_half_of_the_target_is_twice_as_good(desk: Desk) -> None:
    target = pb.Target(kpi="kpis/average-cycle", period="2026-11", value="20")
    desk.call("CreateTarget", pb.CreateTargetRequest(target=target))
    total = desk.report("average-cycle", period="2026-11").total
    assert total.attainment == pytest.approx(20 / total.figure.value)


def test_B16_a_quarters_and_a_years_targets_count_for_their_periods(desk: Desk) -> None:
    aim(desk, "800", period="2026-Q4")
    aim(desk, "1600", period="2026")
    assert desk.report("won-amount", period="2026-Q4").total.attainment == 1
    assert desk.report("won-amount", period="2026").total.attainment == 0.5


def test_B16_a_quarter_without_a_target_of_its_own_has_those_of_its_months(desk: Desk) -> None:
    for month in (10, 11, 12):
        aim(desk, "400", period=f"2026-{month}", person="people/li")
        aim(desk, "1000", period=f"2026-{month}")
    aim(desk, "50", period="2026-11", person="people/zhao")  # and none of the other months
    said = desk.report("won-amount", period="2026-Q4", group_by=["owner"])
    assert {row.keys[0]: row.target.value for row in said.rows if row.HasField("target")} == {"people/li": 1200}
    assert said.total.target.value == 3000
    assert said.total.attainment == pytest.approx(800 / 3000)
    assert desk.report("won-amount", period="2026-10-01..2026-11-30").total.target.value == 2000
    assert not desk.report("won-amount", period="2026").total.HasField("target")
    assert not desk.report("won-amount", period="2026-10-02..2026-11-30").total.HasField("target")
    aim(desk, "900", period="2026-Q4")  # what is said of the quarter goes before
    assert desk.report("won-amount", period="2026-Q4").total.target.value == 900


def test_B16_what_does_not_add_up_has_no_target_but_its_own(desk: Desk) -> None:
    for month in (10, 11, 12):
        target = pb.Target(kpi="kpis/win-rate", period=f"2026-{month}", value="0.5")
        desk.call("CreateTarget", pb.CreateTargetRequest(target=target), ADMIN)
    assert desk.report("win-rate", period="2026-11").total.HasField("target")
    assert not desk.report("win-rate", period="2026-Q4").total.HasField("target")


@pytest.mark.parametrize(
    ("field", "of"),
    [
        ("target.kpi", {"kpi": "kpis/none"}),
        ("target.period", {"period": "2026-13"}),
        ("target.value", {"value": "-1"}),
        ("target.value", {"value": "1.23456"}),
        ("target.team", {"person": "people/li", "team": "teams/east"}),
        ("target.person", {"person": "people/nobody"}),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_by_its_field(desk: Desk, field: str, of: dict[str, Any]) -> None:
    target = pb.Target(**{"kpi": "kpis/won-amount", "period": "2026-11", "value": "1", **of})
    with pytest.raises(Invalid) as refused:
        desk.call("CreateTarget", pb.CreateTargetRequest(target=target))
    assert [one.field for one in refused.value.violations] == [field]


def test_a_target_is_there_once_is_changed_deleted_and_comes_back(desk: Desk) -> None:
    made = aim(desk, "1000", person="people/li")
    with pytest.raises(Problem, match="is the target of that period"):
        aim(desk, "2000", person="people/li")
    made.value = "1200"
    changed = desk.call("UpdateTarget", pb.UpdateTargetRequest(target=made, update_mask=FieldMask(paths=["value"])))
    assert (changed.value, changed.etag) == ("1200", "2")
    desk.call("DeleteTarget", pb.DeleteTargetRequest(name=made.name))
    assert not desk.report("won-amount", LI, period="2026-11").total.HasField("target")
    assert desk.call("UndeleteTarget", pb.UndeleteTargetRequest(name=made.name)).value == "1200"
    other = desk.call("ListTargets", pb.ListTargetsRequest(filter='person = "people/li"'))
    assert [one.name for one in other.targets] == [made.name]


def test_P_a_manager_sets_targets_for_his_own_people_and_others_do_not_see_them(desk: Desk) -> None:
    made = aim(desk, "100", BOSS, person="people/zhao")
    aim(desk, "100", BOSS, team="teams/east")
    wrong: tuple[dict[str, Any], ...] = ({"person": "people/wang"}, {"team": "teams/west"}, {})
    for of in wrong:
        with pytest.raises(Denied):
            aim(desk, "100", BOSS, **of)
    assert desk.call("GetTarget", pb.GetTargetRequest(name=made.name), ZHAO).value == "100"
    with pytest.raises(NotFound):
        desk.call("GetTarget", pb.GetTargetRequest(name=made.name), LI)
