"""What customers, and what is done for them, add to the figures."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from chassis import clock
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, LI, WANG, ZHAO, Desk, money
from tests.reports.people import Told, check_in, contract, customer, follow_up, task

NOVEMBER = "2026-11"


def _ago(days: int) -> str:
    return (clock.now() + timedelta(hours=8) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def _filled(found: dict[Any, float | None]) -> dict[Any, float]:
    return {key: value for key, value in found.items() if value}


def test_B21_F16_follow_ups_by_person_method_and_outcome(desk: Desk) -> None:
    desk.hear(
        follow_up("followUps/1", "2026-11-03T10:00", method="CALL", outcome="NOT_REACHED"),
        follow_up("followUps/2", "2026-11-03T11:00", method="CALL", outcome="PROGRESS"),
        follow_up("followUps/3", "2026-11-04T10:00", method="VISIT", owner="people/zhao"),
        follow_up("followUps/4", "2026-11-04T10:00", method="VISIT"),
        follow_up("followUps/4", "2026-11-04T10:00", 2, True, method="VISIT"),
    )
    asked: dict[str, Any] = {"period": NOVEMBER}
    assert _filled(desk.figures("follow-ups", group_by=["owner"], **asked)) == {"people/li": 2, "people/zhao": 1}
    assert _filled(desk.figures("follow-ups", group_by=["channel"], **asked)) == {"CALL": 2, "VISIT": 1}
    assert desk.figure("follow-ups-not-reached", filter="channel = CALL", **asked) == 0.5
    assert desk.figure("follow-ups", LI, **asked) == 2


def test_B21_how_many_customers_were_followed_up_in_a_month(desk: Desk) -> None:
    desk.hear(
        customer("customers/a", "2026-09-01T10:00"),
        customer("customers/b", "2026-09-01T10:00"),
        customer("customers/c", "2026-09-01T10:00", owner="people/wang"),
        customer("customers/d", "2026-09-01T10:00", owner="people/wang"),
        follow_up("followUps/1", "2026-11-03T10:00", customer="customers/a"),
        follow_up("followUps/2", "2026-11-30T23:59", customer="customers/a"),
        follow_up("followUps/3", "2026-11-01T00:01", customer="customers/c"),
        check_in("checkIns/1", "2026-10-31T23:59", customer="customers/d"),
    )
    assert desk.figure("customer-coverage", period=NOVEMBER) == 2 / 4
    assert desk.figure("customer-coverage", period="2026-10") == 1 / 4
    # Whatever the period is, each counts once in it, and in none in which nobody spoke to it.
    for period, share in {"2026-Q4": 3, "2026": 3, "all": 3, "2026-11-03": 1, "2026-11-02..2026-11-30": 1}.items():
        assert desk.figure("customer-coverage", period=period) == share / 4, period
    assert not desk.figure("customer-coverage", period="2026-11-04..2026-11-29")
    by_month = desk.report("customer-coverage", period="2026", group_by=["month"])
    assert {row.keys[0]: row.figure.inputs["covered"] for row in by_month.rows if row.figure.inputs["covered"]} == {
        "2026-10-01": 1,
        "2026-11-01": 2,
    }
    assert by_month.total.figure.value == 3 / 4
    asked = pb.ListRecordsRequest(parent="reports/customer-coverage", period="2026")
    names = [one.name for one in desk.call("ListRecords", asked).records]
    assert sorted(names) == ["customers/a", "customers/c", "customers/d"]
    assert desk.figures("customer-coverage", period=NOVEMBER, group_by=["owner"]) == {
        "people/li": 0.5,
        "people/wang": 0.5,
    }
    assert desk.figure("check-ins", period="2026-10") == 1
    # One of the two of a month is deleted: it is covered still; both are: it is not.
    desk.hear(follow_up("followUps/1", "2026-11-03T10:00", 2, True, customer="customers/a"))
    assert desk.figure("customer-coverage", period=NOVEMBER) == 2 / 4
    desk.hear(follow_up("followUps/2", "2026-11-30T23:59", 2, True, customer="customers/a"))
    assert desk.figure("customer-coverage", period=NOVEMBER) == 1 / 4


def test_B43_tasks_done_in_time_and_overdue(desk: Desk) -> None:
    desk.hear(
        task("tasks/a", due="2026-11-04T10:00", done="2026-11-04T09:00"),
        task("tasks/b", due="2026-11-04T10:00", done="2026-11-05T09:00"),
        task("tasks/c", done="2026-11-05T09:00"),
        task("tasks/d", due=_ago(2)),
        task("tasks/e", due=_ago(-2)),
        task("tasks/f", due=_ago(2), status="CANCELLED"),
    )
    assert desk.figure("tasks-done", period=NOVEMBER) == 3
    assert desk.figure("tasks-in-time", period=NOVEMBER) == 0.5
    # One that nobody needed by a day was neither in time nor late.
    assert desk.figures("tasks-done", period=NOVEMBER, group_by=["detail"]) == {"": 1, "LATE": 1, "ON_TIME": 1}
    assert desk.figure("tasks-overdue") == 1
    desk.hear(task("tasks/d", due=_ago(2), done=_ago(0), version=2))
    assert not desk.figure("tasks-overdue")


def test_B22_B24_B27_B30_customers_by_tier_industry_region_source_and_month(desk: Desk) -> None:
    desk.hear(
        customer("customers/a", "2026-10-02T10:00", tier="A", industry="教育", region="华北", channel="WECHAT"),
        customer("customers/b", "2026-11-02T10:00", tier="B", industry="金融", region="华北", stage="WON"),
        customer("customers/c", "2026-11-03T10:00", tier="A", industry="教育", region="华东", stage="WON"),
        customer("customers/d", "2026-11-03T10:00", tier="C", industry="教育", region="华东"),
        customer("customers/d", "2026-11-03T10:00", 2, deleted=True),
    )
    assert _filled(desk.figures("customers", group_by=["detail"])) == {"A": 2, "B": 1}
    assert _filled(desk.figures("customers-won", group_by=["industry"])) == {"金融": 1, "教育": 1}
    assert desk.counted("customers-created", period="2026", group_by=["month"]) == {"2026-10-01": 1, "2026-11-01": 2}
    assert _filled(desk.figures("customers", group_by=["region", "industry"])) == {
        ("华北", "教育"): 1,
        ("华北", "金融"): 1,
        ("华东", "教育"): 1,
    }
    # What it is told anew counts instead.
    desk.hear(customer("customers/a", "2026-10-02T10:00", 2, tier="B", industry="教育"))
    assert _filled(desk.figures("customers", group_by=["detail"])) == {"A": 1, "B": 2}


def test_B31_deals_are_grouped_by_their_customers_region_and_industry(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-11-05T10:00", fields={"customer": "customers/a"}).win("2026-11-12T10:00")
    desk.hear(*deal.told)
    desk.hear(customer("customers/a", "2026-11-01T10:00", region="北京", industry="教育"))
    assert _filled(desk.figures("won-amount", period=NOVEMBER, group_by=["region"])) == {"北京": 1000}
    desk.hear(customer("customers/a", "2026-11-01T10:00", 2, region="上海", industry="教育"))
    assert _filled(desk.figures("won-amount", period=NOVEMBER, group_by=["region", "industry"])) == {
        ("上海", "教育"): 1000
    }
    row = desk.report("won-amount", period=NOVEMBER, group_by=["customer"]).rows[0]
    assert list(row.labels) == ["customers/a号"]


def _bought() -> list[Told]:
    """a: three purchases, the last yesterday; b: one deal with its contract, long ago; c: nothing yet."""
    deals = [
        Deal("opportunities/a1", _ago(99), 20_000, fields={"customer": "customers/a"}).win(_ago(50)),
        Deal("opportunities/a2", _ago(99), 20_000, fields={"customer": "customers/a"}).win(_ago(1)),
        Deal("opportunities/b", _ago(500), 300_000, fields={"customer": "customers/b"}).win(_ago(400)),
        Deal("opportunities/c", _ago(20), 300_000, fields={"customer": "customers/c"}),
    ]
    return [
        *(customer(f"customers/{id}", _ago(600)) for id in "abc"),
        *(told for deal in deals for told in deal.told),
        contract("contracts/a", "customers/a", _ago(60)[:10], 15_000),
        contract("contracts/b", "customers/b", _ago(200)[:10], 310_000, opportunity="opportunities/b"),
        contract("contracts/c", "customers/c", _ago(9)[:10], 310_000, status="DRAFT"),
    ]


def test_C14_B29_customers_by_when_how_often_and_for_how_much_they_bought(desk: Desk) -> None:
    told = _bought()
    chance = random.Random(7)
    desk.hear(*chance.sample(told, len(told)))
    desk.hear(*told[3:6])
    assert _filled(desk.figures("rfm", group_by=["detail"])) == {"F3M3": 1, "F1M4": 1}
    recent = {step: desk.figure(f"rfm-r{step}") or 0 for step in range(1, 6)}
    assert recent == {5: 1, 4: 0, 3: 0, 2: 1, 1: 0}
    assert _filled(desk.figures("rfm-r2", group_by=["detail"])) == {"F1M4": 1}


def test_C14_B29_what_its_service_says_was_signed_counts_where_it_is_more_than_what_was_told(desk: Desk) -> None:
    deal = Deal("opportunities/a", _ago(99), 20_000, fields={"customer": "customers/a"}).win(_ago(50))
    desk.hear(customer("customers/a", _ago(600), signed_amount=money(250_000)), *deal.told)
    assert _filled(desk.figures("rfm", group_by=["detail"])) == {"F1M4": 1}
    desk.hear(customer("customers/a", _ago(600), 2, signed_amount=money(9_000)))
    assert _filled(desk.figures("rfm", group_by=["detail"])) == {"F1M2": 1}


def test_C14_a_purchase_counts_for_the_customer_whose_it_is_now(desk: Desk) -> None:
    desk.hear(*_bought())
    deal = Deal("opportunities/b", _ago(500), 300_000, fields={"customer": "customers/b"})
    deal.win(_ago(400)).fields["customer"] = "customers/c"
    desk.hear(deal.give("people/zhao", _ago(0)).told[-1])
    assert _filled(desk.figures("rfm", group_by=["detail"])) == {"F3M3": 1, "F1M4": 2}
    # The contract that was made of it is void: with it goes the purchase.
    desk.hear(
        contract("contracts/b", "customers/b", _ago(200)[:10], 310_000, 2, opportunity="opportunities/b", status="VOID")
    )
    assert _filled(desk.figures("rfm", group_by=["detail"])) == {"F3M3": 1, "F1M4": 1}


def test_everybody_counts_the_customers_that_he_may_see(desk: Desk) -> None:
    desk.hear(
        customer("customers/a", "2026-11-02T10:00"),
        customer("customers/b", "2026-11-02T10:00", owner="people/wang"),
        task("tasks/a", due=_ago(2)),
    )
    assert [desk.figure("customers", who) or 0 for who in (ADMIN, LI, WANG, ZHAO)] == [2, 1, 1, 0]
    assert [desk.figure("tasks-overdue", who) or 0 for who in (ADMIN, LI, WANG)] == [1, 1, 0]


def test_F17_customers_that_nobody_followed_up_for_days(desk: Desk) -> None:
    desk.hear(
        customer("customers/a", _ago(90)),
        customer("customers/b", _ago(90)),
        follow_up("followUps/1", _ago(3), customer="customers/b"),
    )
    assert desk.figure("customers-untouched-30d") == 1
