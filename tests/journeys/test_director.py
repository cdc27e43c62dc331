"""What a director sees: he manages a team that has teams below it, and his figures are theirs, side by side."""

from __future__ import annotations

from typing import Any

from chassis import clock
from tests.journeys.api import Api, until
from tests.journeys.desk import Desk, phone
from tests.journeys.signing import cny
from tests.journeys.test_opportunities import dragged, opened

_WAY = {"pipeline": "pipelines/four-stage"}


class _Department:
    """A team with two below it. One sells for 9 000 and has 100 open, the other for 4 000."""

    def __init__(self, desk: Desk, region: str) -> None:
        self.desk, self.region = desk, region
        self.above = self._team("事业部", "")
        self.teams = {name: self._team(name, self.above) for name in ("一组", "二组")}
        self.director = self._hire("总监", self.above, "manager")
        self.leaders = {name: self._hire(f"{name}长", team, "manager") for name, team in self.teams.items()}
        self.outside = self._hire("别处", self._team("别的部门", ""), "manager")
        for (name, team), units in zip(self.teams.items(), (9_000, 4_000), strict=True):
            seller = self._hire(f"{name}员", team, "sales")
            customer = seller.post("/v1/customers", {"displayName": f"客户 {phone()}", "region": region})["name"]
            won = opened(seller, **_WAY, customer=customer, amount=cny(units))
            dragged(seller, won, "intent", "quote")
            seller.post(f"/v1/{won['name']}:win")
            if name == "一组":
                opened(seller, **_WAY, customer=customer, amount=cny(100))
        desk.settle()

    def _team(self, name: str, parent: str) -> str:
        self.names = getattr(self, "names", {})
        made = self.desk.api.post("/v1/teams", {"displayName": f"{name} {phone()}", "parent": parent})
        self.names[made["name"]] = made["displayName"]
        return str(made["name"])

    def _hire(self, name: str, team: str, role: str) -> Api:
        return self.desk.sign_in(self.desk.hire(name, role=role, team=team))


def _tiles(board: Any) -> dict[tuple[str, ...], Any]:
    tiles = board["tiles"]
    assert not [tile["kpi"] for tile in tiles if tile.get("denied")]
    return {(tile["kpi"].removeprefix("kpis/"), *tile.get("groupBy", [])): tile for tile in tiles}


def _director(api: Api) -> dict[tuple[str, ...], Any]:
    return _tiles(api.get("/v1/reports/director"))


def _rows(tile: Any) -> dict[str, float]:
    rows = {row["labels"][0]: row["figure"].get("value") for row in tile["rows"]}
    return {name: value for name, value in rows.items() if value}


def _total(tile: Any) -> float:
    return float(tile["total"]["figure"].get("value", 0))


def test_B39_P2_a_director_sees_all_teams_below_him_side_by_side_and_none_beside(desk: Desk, region: str) -> None:
    house = _Department(desk, region)
    first, second = (house.names[team] for team in house.teams.values())
    until(lambda: _total(_director(house.director)["won-amount",]) == 13_000)
    tiles = _director(house.director)
    assert _rows(tiles["won-amount", "team"]) == {first: 9_000, second: 4_000}
    assert _rows(tiles["won-amount", "region"]) == {region: 13_000}
    assert 0 < _total(tiles["data-completeness",]) < 1
    beside = _tiles(house.director.get("/v1/reports/teams"))
    assert _rows(beside["open-amount", "team"]) == {first: 100}
    # And what nobody has yet, as everybody sees it who leads a team.
    assert _rows(beside["data-completeness", "team"]).keys() - {""} == {first, second}
    won = {row["labels"][0]: row["overlay"]["value"] for row in beside["won-amount", "team"]["rows"]}
    assert won == {first: 0.5, second: 1}  # their conversion
    records = house.director.get("/v1/reports/won-amount/records", period="this_quarter")["records"]
    assert sorted(one["amount"]["units"] for one in records) == ["4000", "9000"]
    # Who leads one of them sees that one on the same board, and whoever leads another department nothing of it.
    mine = _director(house.leaders["一组"])
    assert (_total(mine["won-amount",]), _rows(mine["won-amount", "team"])) == (9_000, {first: 9_000})
    other = _director(house.outside)
    assert (_total(other["won-amount",]), _rows(other["won-amount", "team"])) == (0, {})
    assert _total(_director(desk.api)["won-amount",]) >= 13_000


def test_B16_a_target_of_the_directors_team_is_of_the_teams_below_it(desk: Desk, region: str) -> None:
    house = _Department(desk, region)
    month = f"{clock.now().astimezone(clock.company_zone()):%Y-%m}"
    target = {"kpi": "kpis/won-amount", "period": month, "team": house.above, "value": "26000"}
    desk.api.post("/v1/targets", target)
    asked: dict[str, Any] = {"period": month, "groupBy": ["team"]}

    def rows(api: Api) -> dict[str, Any]:
        (tile,) = api.get("/v1/reports/won-amount", **asked)["tiles"]
        return {row["keys"][0]: row for row in tile["rows"]}

    first, second = house.teams.values()
    until(lambda: rows(house.director).get(house.above, {}).get("figure", {}).get("value") == 13_000)
    said = rows(house.director)
    assert (said[house.above]["attainment"], said[house.above]["teamsBelow"]) == (0.5, True)
    assert {team: said[team]["figure"]["value"] for team in (first, second)} == {first: 9_000, second: 4_000}
    behind = house.director.get("/v1/reports/won-amount/records", **asked, keys=[house.above])["records"]
    assert sorted(one["amount"]["units"] for one in behind) == ["4000", "9000"]
    explained = house.director.get("/v1/reports/won-amount:explain", **asked, keys=[house.above])
    assert explained["figure"]["value"] == 13_000
    assert rows(house.leaders["一组"]).keys() == {first}
