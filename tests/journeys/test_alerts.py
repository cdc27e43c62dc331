"""When a week went wrong, whoever it concerns is told, once, and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from reports.settings import company_zone
from tests.journeys.api import Api, Refused, until
from tests.journeys.desk import Desk, phone
from tests.journeys.looking import look
from tests.journeys.running import RunningHouse
from tests.journeys.signing import cny
from tests.journeys.test_opportunities import dragged, opened

_WAY = {"pipeline": "pipelines/four-stage"}
_WEEK = timedelta(days=7)


class _Region:
    """A region with a team: a seller, and who leads it, who is the region's director where it has one."""

    def __init__(self, desk: Desk, region: str, directed: bool = True) -> None:
        self.name = region
        self.team = desk.api.post("/v1/teams", {"displayName": f"{region}组"})["name"]
        where = {"region": region} if directed else {}
        self.boss = desk.sign_in(desk.hire("大区总监", role="manager", team=self.team, **where))
        self.seller = desk.sign_in(desk.hire("区域销售", region=region, team=self.team))
        self.customer = self.seller.post("/v1/customers", {"displayName": f"客户 {phone()}", "region": region})["name"]

    def deal(self, units: int = 1) -> str:
        return str(opened(self.seller, **_WAY, customer=self.customer, amount=cny(units))["name"])

    def win(self, units: int) -> None:
        won = self.deal(units)
        dragged(self.seller, {"name": won}, "intent", "quote")
        self.seller.post(f"/v1/{won}:win")

    def lose(self) -> None:
        self.seller.post(f"/v1/{self.deal()}:lose", {"reason": "PRICE"})


def _to_monday(house: RunningHouse) -> None:
    """On to noon of the company's next Monday: a week of which there is nothing yet."""
    now = clock.now().astimezone(company_zone())
    noon = now.replace(hour=12, minute=0) + timedelta(days=7 - now.weekday())
    house.later(noon - now)
    house.settle()


def _alerts(api: Api, kpi: str, key: str = "", team: str = "") -> list[Any]:
    found = api.get("/v1/alerts", filter=f'kpi = "kpis/{kpi}"', pageSize=1000).get("alerts", [])
    return [one for one in found if (one.get("key", ""), one.get("team", "")) == (key, team)]


def _notices(api: Api) -> list[str]:
    found = api.get("/v1/notifications", pageSize=1000).get("notifications", [])
    return [f"{one['titleZh']} {one['textZh']}" for one in found if one["kind"] == "NOTIFY"]


@pytest.fixture
def bad_week(desk: Desk, house: RunningHouse, region: str) -> tuple[_Region, _Region, _Region]:
    """The week before everything went well. In the week that is over the first region sold 30 % less, the second 10 %
    less, the third, which has no director, nothing; two of six that were opened went on, and two of eleven were won."""
    first, second, third = (_Region(desk, f"{region}{n}", n != "丙") for n in "甲乙丙")
    _to_monday(house)
    for of in (first, second, third):
        of.win(1000)
    house.settle()
    _to_monday(house)
    first.win(700)
    second.win(900)
    for _ in range(9):
        third.lose()
    house.settle()
    _to_monday(house)
    look(house.runtimes["reports"], house.settle, house.later)
    return first, second, third


def test_R11_R12_R13_whoever_a_bad_week_concerns_is_told_of_it(
    desk: Desk, bad_week: tuple[_Region, _Region, _Region], house: RunningHouse
) -> None:
    first, second, third = bad_week
    admin, mine, other, thirds = desk.api, first.boss, second.boss, third.boss
    rules = {one["kpi"]: one for one in admin.get("/v1/alertRules")["alertRules"]}
    shipped = {"kpis/won-amount": "15", "kpis/stage-conversion": "5", "kpis/win-rate": "0.2"}
    assert {kpi: rules[kpi]["limit"] for kpi in shipped} == shipped
    assert all(rules[kpi]["enabled"] and rules[kpi]["span"] == "WEEK" for kpi in shipped)

    # 30 % is more than 15: the region's own director. 10 % is not.
    (fell,) = _alerts(admin, "won-amount", first.name)
    assert (fell["value"], fell["previous"], fell["people"]) == (700, 1000, [mine.me["name"]])
    assert _alerts(admin, "won-amount", second.name) == []
    (told,) = _alerts(mine, "won-amount", first.name)
    # He is told the figures of the records that he may read: here his seller's, who are all of the region's.
    asked = {"period": f"{told['beginDate']}..{told['endDate']}", "filter": f'region = "{first.name}"'}
    (tile,) = mine.get("/v1/reports/won-amount", **asked)["tiles"]
    assert (told["value"], told["previous"]) == (tile["total"]["figure"]["value"], 1000) == (700, 1000)
    assert _alerts(other, "won-amount", first.name) == []
    assert any("区域业绩" in one and first.name in one for one in until(lambda: _notices(mine)))
    assert not any(first.name in one for one in _notices(other))
    # Where there is no director, those who run the house.
    (nobodys,) = _alerts(admin, "won-amount", third.name)
    assert admin.me["name"] in nobodys["people"]

    # Of those that came into the first stage all went on, then two of eleven; and two of eleven were won: whoever runs
    # the house is told.
    (stage,) = _alerts(admin, "stage-conversion", "lead")
    assert (stage["value"], stage["previous"]) == (pytest.approx(2 / 11), 1)
    (rate,) = (one for one in _alerts(admin, "win-rate") if one["beginDate"] == stage["beginDate"])
    assert rate["value"] == pytest.approx(2 / 11)
    leading = {api.me["name"] for api in (mine, other, thirds)}
    for alert in (stage, rate):
        assert admin.me["name"] in alert["people"]
        assert not leading & set(alert["people"])
    # Two teams did well. Of the third nothing went on, and nothing was won: who leads it is told that of his own.
    (stage,) = _alerts(thirds, "stage-conversion", "lead", third.team)
    (rate,) = _alerts(thirds, "win-rate", team=third.team)
    assert (stage["value"], stage["previous"], rate["value"]) == (0, 1, 0)
    assert stage["people"] == rate["people"] == [thirds.me["name"]]
    for words in ("漏斗阶段", "周签约率"):
        assert sum(words in one for one in until(lambda: _notices(thirds))) == 1
        assert not any(words in one for api in (mine, other) for one in _notices(api))
    assert not any("签约率" in one for one in _notices(first.seller))
    assert _alerts(first.seller, "win-rate") == []
    # It is told once, however often it is looked at.
    before = len(_notices(mine))
    look(house.runtimes["reports"], house.settle, house.later)
    assert len(_notices(mine)) == before


def test_R11_a_rule_of_ones_own_tells_whom_it_names(desk: Desk, house: RunningHouse, region: str) -> None:
    of = _Region(desk, region)
    other = desk.sign_in(desk.hire("别人", role="manager", region=region))
    rule = desk.api.post(
        "/v1/alertRules",
        {"displayName": "Leads", "displayNameZh": "新线索太少", "kpi": "kpis/leads-captured", "groupBy": "region",
         "condition": "BELOW", "limit": "2", "span": "WEEK", "notify": [of.seller.me["name"]], "enabled": True},
    )  # fmt: skip
    try:
        _to_monday(house)
        desk.capture(region=region)
        _to_monday(house)
        look(house.runtimes["reports"], house.settle, house.later)
        (mine,) = _alerts(of.seller, "leads-captured", region)
        assert (mine["rule"], mine["people"]) == (rule["name"], [of.seller.me["name"]])
        assert any("新线索太少" in one for one in until(lambda: _notices(of.seller)))
        assert _alerts(other, "leads-captured", region) == []
    finally:
        desk.api.delete(f"/v1/{rule['name']}")
    with pytest.raises(Refused):
        of.seller.post("/v1/alertRules", {"displayName": "x", "kpi": "kpis/win-rate"})
