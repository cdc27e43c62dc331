"""What boards say of customers, of what people do, and of how they use what they have."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.journeys.selling import Tale, comes, company_day


def test_B22_B24_B30_customers_by_tier_industry_region_and_source(tale: Tale) -> None:
    assert tale.rows("customers", "detail", filter=tale.here) == {"A": 1, "B": 1}
    assert tale.rows("customers", "region", "industry", filter=tale.here) == {
        (tale.region, "教育"): 1,
        (tale.region, "金融"): 1,
    }
    assert tale.rows("customers-won", "industry", filter=tale.here) == {"教育": 1, "金融": 1}
    assert tale.rows("customers-won", "channel", filter=tale.here) == {"REFERRAL": 1, "WEB_FORM": 1}
    assert tale.rows("customers-created", "region", "month", period="all", filter=tale.here) == {
        (tale.region, f"{company_day(tale.first)[:7]}-01"): 2
    }


def test_C14_B29_customers_by_when_how_often_and_for_how_much_they_bought(tale: Tale) -> None:
    # Two purchases each: the school's for 39 000, the last 35 days ago; the bank's for 9 000, the last 28 days ago.
    asked = {"filter": tale.here, "asOfTime": tale.last.isoformat()}
    assert tale.rows("rfm", "detail", **asked) == {"F2M2": 1, "F2M1": 1}
    assert tale.rows("rfm-r5", "detail", **asked) == {"F2M1": 1}
    assert tale.rows("rfm-r4", "detail", **asked) == {"F2M2": 1}
    assert tale.rows("rfm-r3", "detail", **asked) == {}


def test_B21_F16_who_followed_up_how_often_and_how_many_customers_that_reached(tale: Tale) -> None:
    mine, boss = tale.mine.me["name"], tale.boss.me["name"]
    asked = {"period": company_day(tale.first)}
    assert tale.rows("follow-ups", "owner", **asked) == {mine: 1, boss: 1}
    assert tale.rows("follow-ups", "channel", "detail", **asked) == {("CALL", "PROGRESS"): 1, ("VISIT", "PROGRESS"): 1}
    asked["asOfTime"] = tale.second.isoformat()
    assert tale.rows("customer-coverage", "region", **asked) == {tale.region: 1 / 2}


def test_X20_how_late_follow_ups_are_entered(tale: Tale) -> None:
    asked = {"period": company_day(tale.first)}
    assert tale.rows("entry-delay", "owner", **asked)[tale.boss.me["name"]] == pytest.approx(2, abs=0.02)


def test_B43_behaviour_process_and_result_stand_on_one_page(tale: Tale) -> None:
    tiles = [
        {"kpi": f"kpis/{kpi}", "filter": narrowed}
        for kpi, narrowed in (
            ("follow-ups", ""),
            ("tasks-in-time", f'customer = "{tale.school}"'),
            ("stage-conversion", f"{tale.ours} AND stage = {tale.stages[0]}"),
            ("won-amount", tale.ours),
        )
    ]
    period = company_day(tale.first)
    board = tale.boss.post("/v1/boards?boardId=one-page", {"displayName": "一页", "period": period, "tiles": tiles})
    shown = tale.boss.get("/v1/reports/one-page")["tiles"]
    # Of the two that came into the first stage both went on.
    assert [tile["total"]["figure"]["value"] for tile in shown] == [2, 1, 1, 9_000]
    tale.boss.delete(f"/v1/{board['name']}")
    later = {"filter": f'customer = "{tale.school}"'}
    assert tale.total("tasks-in-time", period=company_day(tale.second), **later) == 0
    assert tale.total("tasks-overdue", asOfTime=tale.third.isoformat(), **later) == 1


def test_B44_B23_what_a_figure_lists_becomes_tasks_of_whoever_has_it_in_one_call(tale: Tale) -> None:
    asked = {"filter": tale.ours}
    assert tale.rows("opportunities-untouched-7d", "stage", **asked) == {tale.stages[0]: 1, tale.stages[1]: 1}
    title = f"回访{tale.region}"
    made = tale.boss.post("/v1/reports/opportunities-untouched-7d:createTasks", {"title": title, **asked})
    assert made["tasks"] == 2

    def mine() -> set[str]:
        tasks = tale.other.get("/v1/tasks", pageSize=1000)["tasks"]
        return {task["opportunity"] for task in tasks if task["title"] == title}

    comes(mine, {tale.left["name"], tale.astray["name"]})


def test_X13_X14_an_administrator_sees_who_uses_what_how_fast_it_is_and_what_it_brings_on_one_board(tale: Tale) -> None:
    day, who = company_day(tale.first), tale.other.me["name"]
    asked = {"by": tale.desk.api, "period": day, "filter": f'owner = "{who}"'}
    comes(lambda: tale.total("active-people", **asked), 1)
    # A sign-in, a customer; and leads that were answered.
    used = tale.rows("feature-use", "detail", **asked)
    assert used["customers"] == 1
    answered = [lead for lead in tale.answered if lead["owner"] == who]
    assert used["leads"] == len(answered)
    speed = tale.rows("response-time", "detail", **asked)
    assert 0 < speed["leads"] < 15
    shown = tale.desk.api.get("/v1/reports/adoption", period=day, filter="")["tiles"]
    kpis = {tile["kpi"] for tile in shown if not tile["denied"]}
    assert {
        "kpis/active-people",
        "kpis/feature-use",
        "kpis/feature-time",
        "kpis/response-time",
        "kpis/conversion",
    } <= kpis
    quiet = company_day(tale.first + timedelta(days=3))
    assert not tale.total("active-people", **{**asked, "period": quiet})
