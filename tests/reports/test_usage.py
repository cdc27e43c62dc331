"""How Dealwright is used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied
from dealwright.gateway.v1.events_pb2 import UsageCounted
from dealwright.reports.v1 import reports_pb2 as pb
from reports.servicer.rebuilder import Rebuilder
from reports.storage import ledger
from reports.usecases import rebuilding
from tests.reports.desk import LI, Desk, moment, principal
from tests.reports.people import follow_up
from tests.reports.test_rebuilding import History


def minute(name: str, when: str, *rows: tuple[str, str, int, float]) -> tuple[UsageCounted, str]:
    """(person, feature, calls, seconds) of the minute from then on."""
    event = UsageCounted(name=f"usage/{name}")
    event.begin_time.FromDatetime(moment(when))
    for person, feature, calls, seconds in rows:
        event.rows.add(person=person, feature=feature, calls=calls, seconds=seconds)
    return event, when


def allowed(scope: Scope, *teams: str) -> Principal:
    grants = {"reports": Grant(read=Scope.ALL), "people": Grant(read=Scope.ALL, write=scope)}
    return Principal("people/boss", "manager", teams[0] if teams else "", teams, grants)


HOUSE = (
    minute("a", "2026-11-22T10:00", ("people/li", "leads", 8, 0.4), ("people/wang", "leads", 2, 0.2)),
    minute("b", "2026-11-22T10:01", ("people/li", "leads", 1, 0.1), ("people/li", "reports", 1, 1.3)),
    minute("c", "2026-11-23T00:30", ("people/li", "leads", 4, 0.2), ("", "sessions", 3, 0.6)),
)


def test_X13_active_people_use_of_features_and_response_times(desk: Desk) -> None:
    desk.hear(*HOUSE)
    everybody = allowed(Scope.ALL)
    days = desk.counted("active-people", everybody, period="2026-11", group_by=["day"])
    assert days == {"2026-11-22": 2, "2026-11-23": 1}
    assert desk.figures("feature-use", everybody, period="2026-11", group_by=["detail"]) == {
        "leads": 15,
        "reports": 1,
        "sessions": 3,
    }
    assert desk.figure("response-time", everybody, period="2026-11") == pytest.approx(2.8 / 19)
    spent = desk.figures("feature-time", everybody, period="2026-11", group_by=["detail"])
    assert spent == pytest.approx({"leads": 4 / 60, "reports": 1 / 60, "sessions": 0}), "each minute of each person"
    slowest = desk.figures("response-time", everybody, period="2026-11", group_by=["detail"])
    assert slowest["reports"] == pytest.approx(1.3)


def test_X13_whoever_leads_people_sees_theirs_and_nobody_else_does(desk: Desk) -> None:
    desk.hear(*HOUSE)
    mine = allowed(Scope.TEAM, "teams/west")
    assert desk.figures("feature-use", mine, period="2026-11", group_by=["owner"])["people/wang"] == 2
    assert "people/li" not in desk.figures("feature-use", mine, period="2026-11", group_by=["owner"])
    with pytest.raises(Denied, match=r"people\.write"):
        desk.figure("feature-use", LI, period="2026-11")


def test_a_minute_that_is_told_twice_counts_once(desk: Desk) -> None:
    desk.hear(*HOUSE, *HOUSE[::-1])
    assert desk.figure("feature-use", allowed(Scope.ALL), period="2026-11") == 19


def test_X13_what_no_service_keeps_goes_along_when_the_read_model_is_made_anew(desk: Desk) -> None:
    desk.hear(*HOUSE)
    with desk.runtime.transaction() as tx:
        copy = rebuilding.begin(tx)
    rebuilder = Rebuilder(desk.runtime, History().page)
    for _ in range(500):
        rebuilder.step()
        desk.roll()
        desk.hear(HOUSE[0])
        with desk.runtime.reading() as tx:
            if rebuilding.progress(tx) is None:
                break
    with desk.runtime.reading() as tx:
        assert ledger.live(tx) == copy
    everybody = allowed(Scope.ALL)
    assert desk.figure("feature-use", everybody, period="2026-11") == 19
    assert desk.figures("active-people", everybody, period="2026-11", group_by=["day"])["2026-11-22"] == 2


def test_X20_how_late_follow_ups_are_entered(desk: Desk) -> None:
    told = [follow_up("followUps/1", "2026-11-03T10:00"), follow_up("followUps/2", "2026-11-03T10:00")]
    for (event, _), entered in zip(told, ("2026-11-03T10:00", "2026-11-03T16:00"), strict=True):
        event.follow_up.create_time.FromDatetime(moment(entered))  # type: ignore[attr-defined]
    desk.hear(*told)
    assert desk.figure("entry-delay", period="2026-11") == 3


def test_X14_an_administrators_board_shows_use_speed_and_value_on_one_page(desk: Desk) -> None:
    desk.hear(*HOUSE)
    everybody = principal("people/admin", "admin", Scope.ALL)
    everybody = replace(everybody, grants={**everybody.grants, "people": Grant(Scope.ALL, Scope.ALL)})
    board = desk.call("GetReport", pb.GetReportRequest(name="reports/adoption", period="2026-11"), everybody)
    shown = {tile.kpi: tile for tile in board.tiles if not tile.group_by}
    assert shown["kpis/active-people"].total.figure.value == 3
    assert shown["kpis/response-time"].total.figure.value == pytest.approx(2.8 / 19)
    assert {"kpis/conversion", "kpis/feature-use", "kpis/entry-delay"} <= {tile.kpi for tile in board.tiles}
    assert not any(tile.denied for tile in board.tiles)
