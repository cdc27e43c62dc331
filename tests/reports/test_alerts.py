"""Rules that look at KPIs when a week is over, and whom they tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, Invalid, Refused
from dealwright.reports.v1 import alerts_pb2 as pb
from dealwright.reports.v1 import reports_pb2
from dealwright.reports.v1.events_pb2 import AlertRaised
from dealwright.rules.v1.events_pb2 import ActionRequested
from reports.domain import alert
from reports.servicer.alerts import AlertServicer
from reports.usecases import alerting
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, Desk, principal
from tests.reports.people import customer

# A Monday: the week from the 16th is over.
TODAY = "2026-11-23T04:00:00+00:00"
BEFORE, WEEK = "2026-11-10T10:00", "2026-11-18T10:00"


@pytest.fixture(autouse=True)
def today(desk: Desk) -> Iterator[None]:
    with time_machine.travel(TODAY, tick=True):
        desk.also(AlertServicer())
        desk.settle(("people/dong", "teams/east", "manager", "华东"), ("people/nan", "teams/west", "manager", "华南"))
        yield


def won(desk: Desk, amount: int, when: str, region: str = "华东", owner: str = "people/li") -> None:
    """A deal with a customer of a region, won."""
    of = f"customers/{desk.number()}"
    deal = Deal(f"opportunities/{desk.number()}", when, amount, owner, {"customer": of}).win(when)
    desk.hear(customer(of, when, owner=owner, region=region), *deal.told)


def look(desk: Desk) -> tuple[list[pb.Alert], list[ActionRequested]]:
    """What the loop tells, of a process that began the day before."""
    with desk.runtime.transaction() as tx:
        alerting.look(tx, tx.now - timedelta(days=1))
    told = desk.announced()
    return (
        [event.alert for event in told if isinstance(event, AlertRaised)],
        [event for event in told if isinstance(event, ActionRequested)],
    )


@pytest.mark.usefixtures("regions")
def test_R11_a_region_that_fell_by_more_than_15_percent_in_a_week_tells_its_director_once(desk: Desk) -> None:
    for region, was, now in (("华东", 1000, 849), ("华南", 1000, 850), ("西北", 0, 500)):
        won(desk, was or 1, BEFORE, region)
        won(desk, now, WEEK, region)
    raised, notices = look(desk)
    assert [(one.key, one.value, one.previous, list(one.people)) for one in raised] == [
        ("华东", 849, 1000, ["people/dong"])
    ]
    assert [(one.begin_date, one.end_date) for one in raised] == [("2026-11-16", "2026-11-22")]
    (notice,) = notices
    assert (notice.action, notice.person) == ("NOTIFY", "people/dong")
    assert notice.text_zh == "华东（2026-11-16 – 2026-11-22），数值见预警列表"
    assert notice.text_en == "华东 (2026-11-16 – 2026-11-22); the figures are in the list of alerts"
    assert look(desk) == ([], [])


@pytest.fixture
def regions(desk: Desk) -> None:
    """Of the rules that come with the product, the one about regions alone."""
    only(desk, "kpis/won-amount")


def only(desk: Desk, kpi: str) -> None:
    for rule in desk.call("ListAlertRules", pb.ListAlertRulesRequest()).alert_rules:
        if rule.kpi != kpi:
            rule.enabled = False
            mask = FieldMask(paths=["enabled"])
            desk.call("UpdateAlertRule", pb.UpdateAlertRuleRequest(alert_rule=rule, update_mask=mask))


@pytest.mark.usefixtures("regions")
def test_R11_a_region_that_sold_nothing_fell_and_one_that_never_sold_did_not(desk: Desk) -> None:
    won(desk, 1000, BEFORE)
    won(desk, 700, WEEK, "华南")
    assert [(one.key, one.value) for one in look(desk)[0]] == [("华东", 0)]


def test_R12_a_stage_whose_conversion_fell_by_more_than_5_percent_tells_its_teams_managers(desk: Desk) -> None:
    only(desk, "kpis/stage-conversion")
    for when, moving in ((BEFORE, 4), (WEEK, 3)):
        for place in range(4):
            deal = Deal(f"opportunities/{desk.number()}", when)
            desk.hear(*(deal.move("need", when) if place < moving else deal).told)
    desk.hire(("people/admin", "", "admin"))
    raised = {one.team: one for one in look(desk)[0] if one.key == "first-contact"}
    assert {team: (one.value, one.previous) for team, one in raised.items()} == dict.fromkeys(
        ("", "teams/east"), (0.75, 1)
    )
    assert list(raised[""].people) == ["people/admin"]
    assert set(raised["teams/east"].people) == {"people/boss", "people/dong"}


def test_R12_a_stage_into_which_nothing_came_alarms_nobody(desk: Desk) -> None:
    only(desk, "kpis/stage-conversion")
    desk.hear(*Deal("opportunities/a", BEFORE).move("need", BEFORE).move("proposal", BEFORE).told)
    assert look(desk)[0] == []


def test_R12_a_house_in_which_nothing_changes_alarms_nobody(desk: Desk) -> None:
    only(desk, "kpis/stage-conversion")
    for day in range(14):
        opened = date(2026, 11, 9) + timedelta(days=day)
        deal = Deal(f"opportunities/{desk.number()}", f"{opened}T10:00")
        on = opened + timedelta(days=5)
        desk.hear(*(deal.move("need", f"{on}T10:00") if on <= date(2026, 11, 22) else deal).told)
    assert look(desk)[0] == []


def test_R12_a_stock_that_fell_is_compared_with_what_there_was(desk: Desk) -> None:
    only(desk, "none")
    rule = pb.AlertRule(
        display_name="Less open", kpi="kpis/open-amount", condition=pb.AlertRule.FALLS, limit="15",
        span=pb.AlertRule.WEEK, notify=["people/boss"], enabled=True,
    )  # fmt: skip
    desk.call("CreateAlertRule", pb.CreateAlertRuleRequest(alert_rule=rule))
    desk.hear(*Deal("opportunities/stays", BEFORE, 600).told, *Deal("opportunities/won", BEFORE, 400).win(WEEK).told)
    assert [(one.value, one.previous) for one in look(desk)[0]] == [(600, 1000)]
    rule.limit = "250"
    with pytest.raises(Invalid, match="limit"):
        desk.call("CreateAlertRule", pb.CreateAlertRuleRequest(alert_rule=rule))


def test_R13_a_week_in_which_less_than_a_fifth_was_won_is_marked(desk: Desk) -> None:
    only(desk, "kpis/win-rate")
    for place in range(6):
        deal = Deal(f"opportunities/{desk.number()}", WEEK)
        desk.hear(*(deal.win(WEEK) if place == 0 else deal.lose(WEEK)).told)
    raised = {one.team: one for one in look(desk)[0]}
    assert {team: one.value for team, one in raised.items()} == dict.fromkeys(("", "teams/east"), pytest.approx(1 / 6))
    mine = desk.call("ListAlerts", pb.ListAlertsRequest(), BOSS).alerts
    assert [(one.name, one.value) for one in mine] == [(raised["teams/east"].name, pytest.approx(1 / 6))]
    assert not desk.call("ListAlerts", pb.ListAlertsRequest(), LI).alerts

    def marks(who: Principal, **asked: Any) -> set[tuple[str, str, str]]:
        found = desk.report("win-rate", who, **asked).marks
        return {(one.alert, one.team, one.begin_date) for one in found}

    of = {team: (one.name, team, "2026-11-16") for team, one in raised.items()}
    assert marks(ADMIN) == {*of.values()}
    assert marks(BOSS) == {of["teams/east"]}
    assert marks(LI) == marks(ADMIN, as_of="2026-11-23T09:00") == set()
    hidden = principal("people/boss", "manager", Scope.TEAM, "teams/east", hidden=("close_time",))
    with pytest.raises(Denied):
        marks(hidden)
    board = desk.call("GetReport", reports_pb2.GetReportRequest(name="reports/team"), BOSS)
    marked = {tile.kpi: [one.alert for one in tile.marks] for tile in board.tiles if tile.marks}
    assert marked == {"kpis/win-rate": [of["teams/east"][0]]}
    assert not marks(ADMIN, filter='owner = "people/li"')
    # At the next look there is nothing to mark, nor of a rule that is not used any more.
    (rule,) = (one for one in desk.call("ListAlertRules", pb.ListAlertRulesRequest()).alert_rules if one.enabled)
    rule.enabled = False
    desk.call("UpdateAlertRule", pb.UpdateAlertRuleRequest(alert_rule=rule, update_mask=FieldMask(paths=["enabled"])))
    assert not marks(ADMIN)


@pytest.mark.usefixtures("regions")
def test_R11_each_is_told_the_figures_of_the_records_that_he_may_read(desk: Desk) -> None:
    won(desk, 1000, BEFORE)
    won(desk, 100, WEEK)
    won(desk, 500, BEFORE, owner="people/wang")
    won(desk, 30, WEEK, owner="people/wang")
    _, (notice,) = look(desk)
    assert notice.person == "people/dong"
    assert "100" not in f"{notice.text_zh}{notice.text_en}{notice.parameters}"

    def told(*hidden: str, scope: Scope = Scope.ALL, none: str = "") -> list[tuple[str, Any, Any]]:
        who = principal("people/dong", "manager", scope, "teams/east", hidden=hidden)
        who = replace(who, grants={**who.grants, none: Grant()})
        found = desk.call("ListAlerts", pb.ListAlertsRequest(), who).alerts
        return [
            (one.label, *(getattr(one, name) if one.HasField(name) else None for name in ("value", "previous")))
            for one in found
        ]

    assert told() == [("华东", 130, 1500)]
    assert told(scope=Scope.TEAM) == [("华东", 100, 1000)]
    for hidden in ("amount", "customer", "close_time"):
        assert told(hidden) == told(hidden, scope=Scope.TEAM) == []
    for right in ("opportunities", "customers", "reports"):
        assert told(none=right) == []


@pytest.mark.parametrize(
    ("condition", "value", "previous", "held"),
    [
        (alert.FALLS, 84.9, 100.0, True),
        (alert.FALLS, 85.0, 100.0, False),
        (alert.FALLS, 0.0, 100.0, True),
        (alert.FALLS, None, 100.0, False),
        (alert.FALLS, 1.0, None, False),
        (alert.FALLS, 1.0, 9.0, False),  # less than the minimum before
        (alert.BELOW, 14.9, None, True),
        (alert.BELOW, None, None, False),
        (alert.ABOVE, 15.1, None, True),
        (alert.ABOVE, 15.0, None, False),
    ],
)
def test_a_rule_holds_beyond_its_limit(condition: int, value: Any, previous: Any, held: bool) -> None:
    moments = [None] * 3
    least = "10" if condition == alert.FALLS else ""
    rule = alert.AlertRule("", "", "", "", "", condition, "15", alert.WEEK, [], True, least, "", 1, *moments)  # type: ignore[arg-type]
    assert alert.holds(rule, value, previous) is held


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("alert_rule.kpi", {"kpi": "kpis/none"}),
        ("alert_rule.group_by", {"group_by": "weather"}),
        ("alert_rule.limit", {"limit": "much"}),
        ("alert_rule.limit", {"limit": "-5"}),
        ("alert_rule.notify", {"notify": []}),
        ("alert_rule.notify", {"notify": ["people/nobody"]}),
        ("alert_rule.condition", {"condition": 0}),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_its_field(desk: Desk, field: str, wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {"display_name": "x", "kpi": "kpis/win-rate", "condition": 1, "limit": "5", "span": 2}
    rule = pb.AlertRule(**{**good, "notify": ["roles/manager"], **wrong})
    with pytest.raises(Invalid) as refused:
        desk.call("CreateAlertRule", pb.CreateAlertRuleRequest(alert_rule=rule))
    assert [one.field for one in refused.value.violations] == [field]


def _by_stage(desk: Desk) -> pb.AlertRule:
    """A KPI of one's own, and a rule that looks at its stages."""
    made = reports_pb2.Kpi(display_name="Entered", unit=reports_pb2.Kpi.COUNT, formula="n", dimensions=["stage"])
    made.measures.add(id="n", fact="deal.entered")
    desk.call("CreateKpi", reports_pb2.CreateKpiRequest(kpi_id="mine", kpi=made))
    rule = pb.AlertRule(
        display_name="Many came in", kpi="kpis/mine", group_by="stage", limit="0", notify=["roles/manager"]
    )
    rule.condition, rule.span, rule.enabled = pb.AlertRule.ABOVE, pb.AlertRule.WEEK, True
    said: pb.AlertRule = desk.call("CreateAlertRule", pb.CreateAlertRuleRequest(alert_rule=rule))
    return said


def test_R12_a_kpi_keeps_its_owner_where_a_rule_looks_at_each_team(desk: Desk) -> None:
    made = reports_pb2.Kpi(display_name="Won", unit=reports_pb2.Kpi.COUNT, formula="n", dimensions=["region"])
    made.measures.add(id="n", fact="deal.won")
    desk.call("CreateKpi", reports_pb2.CreateKpiRequest(kpi_id="mine", kpi=made))
    rule = pb.AlertRule(display_name="Little", kpi="kpis/mine", limit="9", notify=["manager"], enabled=True)
    rule.condition, rule.span = pb.AlertRule.BELOW, pb.AlertRule.WEEK
    desk.call("CreateAlertRule", pb.CreateAlertRuleRequest(alert_rule=rule))
    kpi = desk.call("GetKpi", reports_pb2.GetKpiRequest(name="kpis/mine"))
    kpi.measures[0].fact, kpi.dimensions[:] = "cost.spent", []
    mask = FieldMask(paths=["measures", "dimensions"])
    with pytest.raises(Refused, match="Little"):
        desk.call("UpdateKpi", reports_pb2.UpdateKpiRequest(kpi=kpi, update_mask=mask))
    rule.kpi = "kpis/roi"
    with pytest.raises(Invalid, match="notify"):
        desk.call("CreateAlertRule", pb.CreateAlertRuleRequest(alert_rule=rule))


def _without_stage(desk: Desk, who: Principal = ADMIN) -> None:
    kpi = desk.call("GetKpi", reports_pb2.GetKpiRequest(name="kpis/mine"))
    kpi.measures[0].fact, kpi.dimensions[:] = "deal.opened", ["region"]
    mask = FieldMask(paths=["measures", "dimensions"])
    desk.call("UpdateKpi", reports_pb2.UpdateKpiRequest(kpi=kpi, update_mask=mask), who)


def test_R12_a_kpi_keeps_what_alert_rules_group_it_by_and_says_which_rules_do(desk: Desk) -> None:
    rule = _by_stage(desk)
    with pytest.raises(Refused) as refused:
        _without_stage(desk)
    assert refused.value.reason == "IN_USE"
    assert "Many came in" in refused.value.english
    assert "Many came in" in refused.value.chinese
    # Whoever may not read rules is told no more than that there are such.
    blind = replace(ADMIN, grants={**ADMIN.grants, "alertRules": Grant()})
    with pytest.raises(Refused) as refused:
        _without_stage(desk, blind)
    assert rule.name in refused.value.english
    assert "Many" not in refused.value.english + refused.value.chinese
    desk.call("DeleteAlertRule", pb.DeleteAlertRuleRequest(name=rule.name))
    _without_stage(desk)


def test_R12_a_rule_by_what_its_kpi_has_not_leaves_the_others_to_look(desk: Desk) -> None:
    """Such a rule may come back after a deletion: it waits, and no other does."""
    only(desk, "kpis/won-amount")
    rule = _by_stage(desk)
    desk.call("DeleteAlertRule", pb.DeleteAlertRuleRequest(name=rule.name))
    _without_stage(desk)
    desk.call("UndeleteAlertRule", pb.UndeleteAlertRuleRequest(name=rule.name))
    won(desk, 1000, BEFORE)
    won(desk, 1, WEEK)
    assert [(one.kpi, one.key) for one in look(desk)[0]] == [("kpis/won-amount", "华东")]
