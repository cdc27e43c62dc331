"""What boards say of opportunities, of targets, of what is to come, and whom alerts tell."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.journeys.selling import Tale, comes, company_day, first_of, month, span


def _long(tale: Tale) -> str:
    """From the deals of before until now."""
    return span(tale.first - timedelta(days=61), tale.last)


def _won(tale: Tale) -> list[tuple[str, int, datetime]]:
    """Whose, for how much, when; of before, the first act and the second."""
    mine, other = (api.me["name"] for api in (tale.mine, tale.other))
    before = [(mine, 30_000, tale.first - timedelta(days=35)), (other, 5_000, tale.first - timedelta(days=50))]
    return [*before, (mine, 9_000, tale.first), (other, 4_000, tale.second)]


def test_B12_B13_B14_who_sold_what_and_how_long_it_took(tale: Tale) -> None:
    mine, other = (api.me["name"] for api in (tale.mine, tale.other))
    asked = {"period": _long(tale)}
    comes(lambda: tale.rows("won-amount", "owner", **asked), {mine: 39_000, other: 9_000})
    assert tale.rows("opportunities-opened", "owner", **asked) == {mine: 3, other: 5}
    assert tale.rows("payments-received", "owner", **asked) == {mine: 2_000}
    created = tale.rows("customers-created", "owner", **asked)
    assert {who: created[who] for who in created if who} == {mine: 1, other: 1}, "and those that others left to nobody"
    day = {"period": company_day(tale.first - timedelta(days=35))}
    assert tale.rows("average-cycle", "owner", **day) == pytest.approx({mine: 25})
    with_limit = {"displayName": "排行", "tiles": [
        {"kpi": "kpis/won-amount", "chart": "RANKING", "groupBy": ["owner"], "limit": 1, "period": _long(tale)}
    ]}  # fmt: skip
    board = tale.boss.post("/v1/boards?boardId=ranking", with_limit)
    (tile,) = tale.boss.get("/v1/reports/ranking")["tiles"]
    assert [row["labels"] for row in tile["rows"]] == [["甲"]]
    tale.boss.delete(f"/v1/{board['name']}")


def test_B16_how_much_of_a_target_a_person_and_a_team_reached(tale: Tale) -> None:
    then = month(tale.first)
    wanted = {"person": (tale.mine.me["name"], 18_000), "team": (tale.team, 26_000)}
    for whose, (name, units) in wanted.items():
        target = {"kpi": "kpis/won-amount", "period": then, whose: name, "value": str(units)}
        tale.desk.api.post("/v1/targets", target)
    by_team = sum(amount for _, amount, when in _won(tale) if month(when) == then)
    reached = {"owner": (wanted["person"][0], 9_000 / 18_000), "team": (tale.team, by_team / 26_000)}
    for group, (name, share) in reached.items():
        (tile,) = tale.boss.get("/v1/reports/won-amount", period=then, groupBy=[group])["tiles"]
        (row,) = (row for row in tile["rows"] if row["keys"] == [name])
        assert row["attainment"] == pytest.approx(share)


def test_B5_B6_of_each_stage_and_channel_how_many_were_followed_up_in_a_week(tale: Tale) -> None:
    see, talk, _ = tale.stages
    asked = {"period": company_day(tale.first), "filter": tale.ours}
    said = tale.rows("follow-up-rate", "stage", "channel", **asked)
    # When it came to the offer the call had been before.
    assert said == {(see, "TRADE_SHOW"): 1 / 2, (talk, "TRADE_SHOW"): 1 / 2}
    cell = {"groupBy": ["stage", "channel"], "keys": [see, "TRADE_SHOW"], "measure": "followed"}
    (record,) = tale.boss.get("/v1/reports/follow-up-rate/records", **asked, **cell)["records"]
    assert record["name"] == tale.won["name"]


def test_B18_opportunities_and_their_conversion_by_channel(tale: Tale) -> None:
    first = {"period": company_day(tale.first), "filter": tale.ours}
    assert tale.rows("opportunities-opened", "channel", **first) == {"TRADE_SHOW": 2}
    assert tale.rows("conversion", "channel", **first) == {"TRADE_SHOW": 1 / 2}
    second = {"period": company_day(tale.second), "filter": tale.ours}
    assert tale.rows("opportunities-opened", "channel", **second) == {"DOUYIN": 3}
    assert tale.rows("conversion", "channel", **second) == {"DOUYIN": 1 / 3}


def test_B20_why_deals_are_lost_and_what_that_costs(tale: Tale) -> None:
    asked = {"period": span(tale.first, tale.last), "filter": tale.ours}
    assert tale.rows("opportunities-lost", "reason", **asked) == {"PRICE": 1}
    assert tale.rows("lost-amount", "reason", **asked) == {"PRICE": 2_000}


def test_O40_where_deals_departed_from_the_process(tale: Tale) -> None:
    asked = {"period": company_day(tale.second), "filter": tale.ours}
    see, _, offer = tale.stages
    departed = [("FORCED", see), ("SKIPPED", see), ("BACK", offer)]
    assert tale.rows("deviations", "detail", "stage", **asked) == dict.fromkeys(departed, 1)
    listed = tale.boss.get("/v1/reports/deviations/records", **asked)["records"]
    assert {one["name"] for one in listed} == {tale.astray["name"]}


def test_B31_B10_deals_with_schools_take_fifteen_days_longer_than_with_banks(tale: Tale) -> None:
    period = span(tale.first - timedelta(days=61), tale.first - timedelta(days=1))
    said = tale.rows("average-cycle", "region", "industry", period=period)
    assert said == pytest.approx({(tale.region, "教育"): 25, (tale.region, "金融"): 10})


def test_B25_what_is_open_by_how_much_of_its_stage_is_won_is_the_forecast(tale: Tale) -> None:
    see, talk, _ = tale.stages
    asked = {"filter": tale.ours, "asOfTime": tale.last.isoformat()}
    # Of six that were seen and are decided four were won, of three that were talked to two.
    said = {see: 6_000 * 4 / 6, talk: 2_000 * 2 / 3}
    assert tale.rows("forecast", "stage", **asked) == pytest.approx(said, abs=0.01)
    assert tale.total("forecast", **asked) == pytest.approx(sum(said.values()), abs=0.01)


def test_B25_a_forecast_is_laid_beside_what_was_won_of_what_was_open_then(tale: Tale) -> None:
    months = tale.boss.get("/v1/reports/forecast:backtest", months=3)["months"]
    assert months
    # Opened and closed while everybody looked: what was brought in as history was known when it was.
    whole = [(tale.first, tale.second), (tale.second, None), (tale.second, None)]
    for said in months:
        begun = datetime.fromisoformat(f"{said['date']}T00:00:00+08:00")
        still = [end for begin, end in whole if begin < begun and (end is None or end >= begun)]
        assert int(said["open"]) == len(still), said
        assert int(said["undecided"]) == sum(end is None for end in still), said
        assert int(said["won"]["units"]) == 0


def test_B26_what_came_in_what_is_overdue_and_what_is_to_come(tale: Tale) -> None:
    mine, due = tale.mine.me["name"], tale.due
    assert tale.total("payments-received", period=company_day(tale.first)) == 2_000
    then = {"asOfTime": tale.last.isoformat()}
    assert tale.rows("overdue-amount", "owner", **then) == {mine: 1_000}
    assert tale.total("outstanding-amount", **then) == 7_000
    assert tale.rows("payments-expected", "month", period=f"{due[1]}..{due[1]}") == {f"{due[1][:7]}-01": 6_000}


def test_R11_a_region_that_sold_less_than_the_week_before_tells_its_director(tale: Tale) -> None:
    alert = _alert(tale, "won-amount", tale.region)
    assert (alert["value"], alert["previous"]) == (4_000, 9_000)
    told = tale.boss.get("/v1/notifications", pageSize=1000)["notifications"]
    assert any(tale.region in one.get("textZh", "") for one in told)


def test_R12_a_stage_through_which_less_goes_on_than_the_week_before_tells_its_teams_manager(tale: Tale) -> None:
    alert = _alert(tale, "stage-conversion", tale.stages[0], tale.team)
    assert (alert["value"], alert["previous"]) == (pytest.approx(2 / 3), 1)


def test_R13_who_signed_less_than_a_fifth_in_a_week_is_told_to_his_manager_by_a_rule_of_theirs(tale: Tale) -> None:
    listed = tale.desk.api.get("/v1/alerts", filter=f'rule = "{tale.rule}"', pageSize=100)["alerts"]
    (alert,) = (one for one in listed if one["key"] in tale.names)
    assert (alert["key"], alert["value"]) == (tale.mine.me["name"], 0)
    assert alert["people"] == [tale.boss.me["name"]]
    rules = tale.desk.api.get("/v1/alertRules", pageSize=100)["alertRules"]
    shipped = {(one["kpi"], one.get("groupBy", ""), one["condition"], one["limit"], *one["notify"]) for one in rules}
    assert {
        ("kpis/won-amount", "region", "FALLS", "15", "director"),
        ("kpis/stage-conversion", "stage", "FALLS", "5", "manager", "roles/admin"),
        ("kpis/win-rate", "", "BELOW", "0.2", "manager", "roles/admin"),
    } <= shipped


def _alert(tale: Tale, kpi: str, key: str, team: str = "") -> dict[str, Any]:
    """The one of the second act's week, as whoever was told reads it among the company's."""
    asked = f'kpi = "kpis/{kpi}" AND key = "{key}" AND team = "{team}"'
    found = tale.desk.api.get("/v1/alerts", filter=asked)["alerts"]
    (alert,) = (one for one in found if one["beginDate"] <= company_day(tale.second) <= one["endDate"])
    assert tale.boss.me["name"] in alert["people"]
    return dict(alert)


def test_B41_the_week_is_reported_to_managers_as_it_was(tale: Tale) -> None:
    asked = {"name": "reports/won-amount", "period": company_day(tale.first), "groupBy": ["owner"], "format": "CSV"}
    answer = tale.boss.raw("POST", "/v1/reports:export", json=asked)
    assert "甲,9000" in answer.content.decode("utf-8-sig")
    weekly = tale.boss.raw("POST", "/v1/reports:export", json={"name": "reports/team", "period": "last_week"})
    assert weekly.status_code == 400, "of which format has to be said"
    pages = tale.boss.raw("POST", "/v1/reports:export", json={"name": "reports/team", "format": "PDF"})
    assert pages.content.startswith(b"%PDF-")
    schedules = tale.desk.api.get("/v1/exportSchedules")["exportSchedules"]
    assert [one for one in schedules if (one["report"], one["span"]) == ("reports/team", "WEEK")]


def test_B27_new_customers_by_month_with_the_length_of_the_cycle_over_them(tale: Tale) -> None:
    tile = {"kpi": "kpis/customers-created", "chart": "LINE", "groupBy": ["month"], "overlayKpi": "kpis/average-cycle"}
    tile["filter"] = tale.here
    tale.boss.post("/v1/boards?boardId=by-month", {"displayName": "月", "period": _long(tale), "tiles": [tile]})
    (shown,) = tale.boss.get("/v1/reports/by-month")["tiles"]
    rows = {row["keys"][0]: row for row in shown["rows"]}
    assert rows[first_of(tale.first)]["figure"]["value"] == 2
    lengths: dict[str, list[int]] = {}
    for days, length in ((35, 25), (50, 10)):
        lengths.setdefault(first_of(tale.first - timedelta(days=days)), []).append(length)
    for then, each in lengths.items():
        if then not in (first_of(tale.first), first_of(tale.second)):
            assert rows[then]["overlay"]["value"] == pytest.approx(sum(each) / len(each))
    tale.boss.delete("/v1/boards/by-month")
