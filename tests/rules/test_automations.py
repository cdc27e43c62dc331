"""Automations: clocks on silence that start, stop, stand still and ask once; events that ask at once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from dealwright.activities.v1 import activities_pb2
from dealwright.customers.v1 import customers_pb2
from rules.domain.automation_defaults import DEFAULTS
from tests.rules.deals import IMPORTANT, LOST, WON, Deals, brief, customer
from tests.rules.house import House

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def deals(house: House) -> Deals:
    made = Deals(house)
    made.staff()
    house.pass_time(hours=-10)  # midnight in Shanghai: the daily look is hours away
    house.now = house.now.replace(hour=16)
    made.fire()
    return made


def only(deals: Deals, *ids: str, **changes: Any) -> None:
    """Of the shipped automations these alone, with these settings changed."""
    deals.apply([{**one, **changes} for one in DEFAULTS if one["id"] in ids])
    deals.fire()


def test_F8_O37_an_important_opportunity_without_follow_up_for_7_days_gives_its_owner_a_task_and_never_early(
    deals: Deals,
) -> None:
    only(deals, "important-reminder")
    deals.open(1, importance=IMPORTANT)
    deals.open(2)
    deals.house.now += 7 * DAY - timedelta(microseconds=1)
    assert deals.fire() == []
    deals.house.now += timedelta(microseconds=1)
    (task,) = deals.fire()
    assert (task.action, task.person, task.subject) == ("CREATE_TASK", "people/li", "opportunities/" + f"{1:032x}")
    assert task.parameters["title_zh"] == "重要商机 仓储系统1 已7天未跟进，请尽快跟进"
    assert task.parameters["kind"] == "TODO"
    assert task.parameters["opportunity"] == task.subject
    assert task.parameters["due_time"] == (deals.house.now + DAY).isoformat()
    assert deals.fire() == [], "once"
    assert deals.pass_days(6.99) == []
    (again,) = (deals.pass_days(0.01),)
    assert again == ["important-reminder:CREATE_TASK:li"], "and once more in a week"


def test_F9_R4_a_daily_look_mails_owner_and_manager_of_important_opportunities_that_lie_for_more_than_7_days(
    deals: Deals,
) -> None:
    only(deals, "important-daily")
    deals.customer(1)
    silent = deals.open(1, importance=IMPORTANT, customer=customer(1))
    deals.open(2)
    followed = deals.open(3, importance=IMPORTANT)
    held = deals.open(4, importance=IMPORTANT)
    held.hold()
    deals.house.now += 6 * DAY
    deals.follow_up(followed.name)
    assert deals.pass_days(1) == [], "midnight: its hour comes at nine"
    deals.house.now += timedelta(hours=9) - SECOND
    assert deals.fire() == []
    deals.house.now += SECOND
    mails = deals.fire()
    assert [(m.action, m.person, m.subject) for m in mails] == [
        ("MAIL", "people/li", silent.name),
        ("MAIL", "people/boss", silent.name),
    ]
    assert mails[0].parameters["subject_zh"] == "【高优商机跟进预警】仓储系统1项目已超过7天未跟进"
    assert "华东物流1" in mails[0].text_zh
    assert len({m.origin for m in mails}) == 2
    assert deals.fire() == [], "once a day"
    assert deals.pass_days(0.9) == []
    assert len(deals.pass_days(0.1)) == 2, "every day"
    deals.follow_up(silent.name)
    assert deals.pass_days(1) == []


def test_O29_O30_O28_one_ladder_on_one_silence_warns_tells_and_in_the_end_loses(deals: Deals) -> None:
    only(deals, "stalled-warning", "untouched-notice", "lost-after-silence")
    deal = deals.open(1)
    assert deals.pass_days(7) == ["stalled-warning:WARN"]
    assert deals.pass_days(7) == [
        *("stalled-warning:WARN", "untouched-notice:NOTIFY:li", "untouched-notice:NOTIFY:boss")
    ]
    assert "lost-after-silence:MARK_LOST" not in deals.pass_days(75.99)
    deals.house.now += DAY / 100
    (lost,) = [e for e in deals.fire() if e.action == "MARK_LOST"]
    assert (lost.text_zh, lost.parameters["version"]) == ("连续90天无进展，系统自动关闭", deal.version)
    assert lost.author == ""
    # What is refused, because something was edited meanwhile, is asked for again the day after.
    deal.change(title="新名")
    deals.house.now += DAY
    (again,) = [e for e in deals.fire() if e.action == "MARK_LOST"]
    assert again.parameters["version"] == deal.version
    assert again.origin != lost.origin
    deal.move("lost", LOST)
    assert deals.pass_days(400) == []


def test_V1_on_hold_every_clock_stands_still_and_goes_on_with_the_time_that_was_left(deals: Deals) -> None:
    only(deals, "stalled-warning", "stuck-notice")
    deal = deals.open(1)
    assert deals.pass_days(5) == []
    deal.hold()
    assert deals.pass_days(60) == []
    deal.resume()
    assert deals.fire() == []
    assert deals.pass_days(1.99) == []
    assert deals.pass_days(0.01) == ["stalled-warning:WARN"]
    deal.hold()
    deals.house.now += 10 * DAY
    deal.resume()
    fired = deals.pass_days(7)
    assert fired == ["stalled-warning:WARN"], "14 of its days have passed, not 84"
    assert deals.pass_days(16) == [
        *("stalled-warning:WARN", "stuck-notice:NOTIFY:li", "stuck-notice:NOTIFY:boss"),
    ]


def test_V2_every_follow_up_and_move_begins_the_silence_anew_and_a_late_one_from_when_it_was(deals: Deals) -> None:
    only(deals, "stalled-warning")
    deal = deals.open(1)
    deals.house.now += 6 * DAY
    deals.follow_up(deal.name)
    assert deals.pass_days(6) == []
    deal.move("need-clear")
    assert deals.pass_days(6) == []
    # Learnt now, from four days ago: three are left of its week. An older one changes nothing.
    deals.follow_up(deal.name, deals.house.now - 4 * DAY)
    deals.follow_up(deal.name, deals.house.now - 30 * DAY)
    assert deals.pass_days(2.99) == []
    assert deals.pass_days(0.01) == ["stalled-warning:WARN"]
    # What is said to come is not yet.
    deals.follow_up(deal.name, deals.house.now + 30 * DAY)
    assert deals.pass_days(7) == ["stalled-warning:WARN"]


def test_won_lost_and_deleted_ones_are_left_alone_and_who_comes_back_begins_anew(deals: Deals) -> None:
    only(deals, "stalled-warning")
    won, lost, gone = deals.open(1), deals.open(2), deals.open(3)
    won.move("won", WON)
    lost.move("lost", LOST)
    gone.change(deleted=True)
    assert deals.pass_days(100) == []
    lost.move("first-visit")
    gone.change()
    assert deals.pass_days(6.9) == []
    assert deals.pass_days(0.1) == ["stalled-warning:WARN"] * 2


def test_O25_R3_in_the_quote_stage_the_quoter_or_else_the_owner_gets_a_task_and_a_reminder_at_once(
    deals: Deals,
) -> None:
    deal = deals.open(1)
    deals.asked()
    deal.move("need-clear")
    assert deals.asked() == []
    deal.move("quote")
    task, notice = deals.asked()
    assert brief([task, notice]) == ["quote-task:CREATE_TASK:li", "quote-task:NOTIFY:li"]
    assert task.parameters["title_zh"] == "为商机 CRM-20261123-0001 仓储系统1 准备报价"
    assert notice.parameters["subject_zh"] == "商机 CRM-20261123-0001 待报价"
    other = deals.open(2, collaborators=[{"person": "people/wu", "part": "quote"}])
    other.move("quote")
    assert brief(deals.asked()) == ["quote-task:CREATE_TASK:wu", "quote-task:NOTIFY:wu"]
    # A hold within the stage is no move into it.
    other.hold()
    other.resume()
    assert deals.asked() == []


def test_O26_O27_from_needs_analysis_to_solution_a_task_with_a_due_date_and_the_template_by_mail(
    deals: Deals,
) -> None:
    deal = deals.open(1, pipeline="pipelines/seven-stage", stage="needs-analysis")
    other = deals.open(2, pipeline="pipelines/seven-stage", stage="first-contact")
    deals.asked()
    other.move("solution")
    assert deals.asked() == [], "it came from somewhere else"
    deal.move("solution")
    task, mail = deals.asked()
    assert task.parameters["title_zh"] == "提交解决方案"
    assert task.parameters["due_time"] == (deals.house.now + 3 * DAY).isoformat()
    assert (mail.action, mail.person, mail.parameters["template"]) == ("MAIL", "people/li", "标准解决方案")


def test_F7_R5_a_revisit_reminds_when_it_is_due_and_not_once_somebody_was_there(deals: Deals) -> None:
    only(deals, "revisit-reminder")
    deal, now = deals.open(1), deals.house.now
    revisit = activities_pb2.FollowUp.REVISIT
    deals.follow_up(deal.name, next_time=now + 3 * DAY, outcome=revisit, next_owner="people/wu")
    lead = f"leads/{7:032x}"
    deals.follow_up(lead, next_time=now + 5 * DAY, outcome=revisit)
    seen = deals.follow_up(customer(4), next_time=now + 3 * DAY, outcome=revisit)
    deals.customer(4)
    deals.house.now += DAY
    deals.follow_up(customer(4))
    assert deals.pass_days(1.99) == []
    assert deals.pass_days(0.01) == ["revisit-reminder:NOTIFY:wu"]
    assert deals.pass_days(2) == ["revisit-reminder:NOTIFY:li"]
    assert deals.pass_days(9) == []
    assert seen.follow_up.name


def test_K4_K6_a_contract_that_expires_and_a_payment_that_is_late_are_told_to_who_is_concerned(deals: Deals) -> None:
    deals.customer(1)
    deals.asked()
    deals.expiring(30)
    told = deals.asked()
    assert brief(told) == [f"contract-expiring:NOTIFY:{who}" for who in ("li", "boss", "wu")], "each once"
    assert told[0].parameters["on"] == "CONTRACT_EXPIRING"
    assert told[0].parameters["subject_zh"] == "合同 C-20261123-0001 将在30天后到期"
    assert "华东物流1" in told[0].text_zh
    deals.overdue()
    told = deals.asked()
    assert brief(told) == [f"payment-overdue:NOTIFY:{who}" for who in ("li", "boss", "fin")]
    assert re.fullmatch("客户华东物流1的回款 首付款 已逾期[0-9]+天，请跟进。", told[0].text_zh)
    said = told[0].parameters
    assert (said["on"], said["contract"]) == ("INSTALMENT_DUE", f"contracts/{1:032x}")


def test_C13_customers_are_remembered_by_their_tier(deals: Deals) -> None:
    only(deals, "tier-a-untouched", "tier-b-untouched", "tier-c-untouched")
    tiers = customers_pb2.Customer
    for number, tier in enumerate((tiers.A, tiers.B, tiers.C), 1):
        deals.customer(number, tier=tier)
    assert deals.pass_days(13.99) == []
    assert deals.pass_days(0.01) == ["tier-a-untouched:CREATE_TASK:li"]
    deals.follow_up(customer(1))
    assert deals.pass_days(13.9) == []
    # A higher tier wants more: its days have passed already.
    deals.customer(3, version=2, tier=tiers.A)
    deals.house.now += SECOND
    (task,) = deals.fire()
    assert task.parameters["title_zh"] == "华东物流3已27天未联系，请安排跟进"
    found = deals.pass_days(2.2)
    assert found == [*("tier-a-untouched:CREATE_TASK:li",) * 2, "tier-b-untouched:CREATE_TASK:li"], "1 and 3, then 2"


def test_R10_the_days_are_settings_and_hold_for_what_is_silent_already(deals: Deals) -> None:
    only(deals, "stalled-warning")
    deals.open(1)
    assert deals.pass_days(4) == []
    only(deals, "stalled-warning", after={"days": 3})
    deals.open(2)
    assert deals.pass_days(0) == ["stalled-warning:WARN"]
    only(deals, "stalled-warning", after={"days": 3}, enabled=False)
    assert deals.pass_days(30) == []


def test_who_has_left_is_asked_no_more_but_his_manager_is(deals: Deals) -> None:
    only(deals, "important-reminder")
    deals.open(1, importance=IMPORTANT)
    deals.house.hire("li", state="LEFT", manager="people/boss", team="teams/east")
    assert deals.pass_days(7) == ["important-reminder:CREATE_TASK:boss"]


def test_V13_what_was_opened_and_moved_before_it_was_entered_starts_no_clock_from_then_and_asks_nothing(
    deals: Deals,
) -> None:
    clocks = [one for one in DEFAULTS if one["id"] in ("stalled-warning", "untouched-notice", "lost-after-silence")]
    told = [{"kind": "NOTIFY", "to": ["owner"], "titleZh": "好", "titleEn": "Good"}]
    asked = {"on-opened": "OPPORTUNITY_OPENED", "on-moved": "STAGE_CHANGED"}
    stuck = {"id": "stuck", "on": "STAGE_CHANGED", "after": {"days": 3}, "actions": told}
    deals.apply([*clocks, stuck, *({"id": id, "on": on, "actions": told} for id, on in asked.items())])
    deals.fire()
    years = 2000 * DAY
    deal = deals.entered(1, opened=years, moved=years - DAY, stage="quote")
    assert deals.asked() == []
    assert deals.fire() == []
    assert deals.pass_days(2.99) == []
    assert deals.pass_days(4) == ["stuck:NOTIFY:li"], "from when it was entered"
    assert deals.pass_days(0.01) == ["stalled-warning:WARN"]
    deal.move("negotiation")
    assert brief(deals.asked()) == ["on-moved:NOTIFY:li"], "and then as any other"
