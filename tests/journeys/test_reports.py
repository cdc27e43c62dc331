"""Figures, KPIs and boards through the public API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.api import Api, Refused, until
from tests.journeys.desk import Desk

_OPENED = {"id": "opened", "fact": "deal.opened"}


def _figure(of: Any) -> float | None:
    value: float | None = of["total"]["figure"].get("value")
    return value


def _seller(desk: Desk, region: str) -> tuple[Api, str]:
    """A salesperson, signed in, with two opportunities."""
    person = desk.hire("reckoned", region=region)
    mine = desk.sign_in(person)
    for units in ("3000", "5000"):
        mine.post("/v1/opportunities", {"title": "采购", "amount": {"currencyCode": "CNY", "units": units}})
    until(lambda: _figure(mine.get("/v1/reports/open-amount")["tiles"][0]) == 8000)
    return mine, str(person["name"])


def test_B1_B2_B42_everybody_opens_the_board_of_his_role_and_sees_what_is_his(desk: Desk, region: str) -> None:
    mine, _ = _seller(desk, region)
    assert {one["name"] for one in mine.get("/v1/boards")["boards"]} >= {"boards/my-sales"}
    tiles = {tile["kpi"]: tile for tile in mine.get("/v1/reports/my-sales")["tiles"]}
    assert _figure(tiles["kpis/open-amount"]) == 8000
    assert (tiles["kpis/opportunities-won"]["period"], _figure(tiles["kpis/opportunities-won"])) == ("this_week", 0)
    with pytest.raises(Refused) as refused:
        mine.get("/v1/reports/director")
    assert refused.value.status == 404


def test_B6_a_figure_leads_to_its_records_and_says_how_it_comes_about(desk: Desk, region: str) -> None:
    mine, person = _seller(desk, region)
    found = mine.get("/v1/reports/opportunities-opened/records", period="today")["records"]
    assert sorted(one["amount"]["units"] for one in found) == ["3000", "5000"]
    said = mine.get("/v1/reports/opportunities-opened:explain", period="today")
    assert (said["kpi"]["formula"], said["figure"]["value"]) == ("opened", 2)
    assert {one["record"] for one in said["postings"]} == {one["name"] for one in found}
    rows = desk.api.get("/v1/reports/open-amount", groupBy="owner", filter=f'owner = "{person}"')["tiles"][0]["rows"]
    assert [(row["labels"], row["figure"]["value"]) for row in rows] == [(["reckoned"], 8000)]


def test_B11_a_kpi_is_made_without_code_and_answers_at_once(desk: Desk, region: str) -> None:
    mine, person = _seller(desk, region)
    kpi = {"displayName": "每日新增", "unit": "NUMBER", "measures": [_OPENED], "formula": "opened / 2"}
    made = desk.api.post("/v1/kpis?kpiId=half-opened", {**kpi, "dimensions": ["owner"]})
    assert (made["name"], made["version"]) == ("kpis/half-opened", 1)
    report = desk.api.get("/v1/reports/half-opened", filter=f'owner = "{person}"')["tiles"][0]
    assert _figure(report) == 1
    for wrong, field in (
        ({"formula": "open"}, "formula"),
        ({"measures": [{"id": "x", "fact": "y"}]}, "measures[0].fact"),
    ):
        with pytest.raises(Refused) as refused:
            desk.api.patch("/v1/kpis/half-opened", wrong)
        assert field in refused.value.fields
    changed = desk.api.patch("/v1/kpis/half-opened", {"formula": "opened / 4"})
    assert changed["version"] == 2
    assert _figure(mine.get("/v1/reports/half-opened")["tiles"][0]) == 0.5
    with pytest.raises(Refused):
        mine.post("/v1/kpis?kpiId=mine", kpi)
    desk.api.delete("/v1/kpis/half-opened")
    assert "deal.won" in {one["id"] for one in mine.get("/v1/facts", pageSize=1000)["facts"]}


def test_B32_B39_B40_people_lay_out_boards_of_their_own(desk: Desk, region: str) -> None:
    mine, person = _seller(desk, region)
    tiles = [
        {"kpi": "kpis/open-amount", "chart": "RANKING", "groupBy": ["owner"]},
        {"kpi": "kpis/opportunities-opened", "period": "2020"},
        {"kpi": "kpis/overdue-amount"},
    ]
    made = mine.post("/v1/boards?boardId=my-page", {"displayName": "我的看板", "tiles": tiles})
    assert made["owner"] == person
    first, second, third = mine.get("/v1/reports/my-page")["tiles"]
    assert [row["keys"] for row in first["rows"]] == [[person]]
    assert (second["beginDate"], _figure(second)) == ("2020-01-01", 0)
    assert not third["denied"]
    narrowed = mine.get("/v1/reports/my-page", filter="stage = won")["tiles"][0]
    assert narrowed["rows"] == []
    other = desk.sign_in(desk.hire("another", region=region))
    with pytest.raises(Refused) as refused:
        other.get("/v1/reports/my-page")
    assert refused.value.status == 404
    mine.delete("/v1/boards/my-page")


def test_N13_boards_and_kpis_are_parts_of_the_blueprint(desk: Desk) -> None:
    ours = {"displayName": "Ours", "tiles": [{"kpi": "kpis/per-deal"}]}
    kpi = {"displayName": "Per deal", "unit": "COUNT", "measures": [_OPENED], "formula": "opened"}
    desk.api.post("/v1/blueprint:apply", {"content": {"kpis": {"per-deal": kpi}, "boards": {"ours": ours}}})
    content = desk.api.get("/v1/blueprint")["content"]
    assert content["boards"]["ours"]["tiles"][0]["kpi"] == "kpis/per-deal"
    assert {"director", "finance", "my-sales", "process", "team"} <= content["boards"].keys()
    assert len(desk.api.get("/v1/reports/ours")["tiles"]) == 1
    desk.api.post("/v1/blueprint:apply", {"content": {"kpis": {"per-deal": None}, "boards": {"ours": None}}})
    after = desk.api.get("/v1/blueprint")["content"]
    assert "ours" not in after["boards"]
    assert after["boards"]["team"] == content["boards"]["team"]
