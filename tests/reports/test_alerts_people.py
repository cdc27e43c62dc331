"""Whom a rule tells, and of what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Scope
from chassis.errors import Invalid
from chassis.people import Person
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1.events_pb2 import RoleChanged, TeamChanged
from dealwright.reports.v1 import alerts_pb2 as pb
from dealwright.reports.v1 import reports_pb2
from reports.servicer.alerts import AlertServicer
from reports.usecases import alerting, copies
from tests.reports.deals import Deal
from tests.reports.desk import BOSS, Desk, principal
from tests.reports.people import customer
from tests.reports.test_alerts import BEFORE, TODAY, WEEK, look, only

AT = "2026-11-18T10:00"
NAN = principal("people/nan", "manager", Scope.TEAM, "teams/west")
CHIEF = principal("people/chief", "manager", Scope.TEAM, "teams/all")


@pytest.fixture(autouse=True)
def house(desk: Desk) -> Iterator[None]:
    """Li and Zhao are led by Boss, who is led by Chief; Wang by Nan."""
    with time_machine.travel(TODAY, tick=True):
        desk.also(AlertServicer())
        desk.hire(("people/admin", "", "admin"), ("people/chief", "", "manager"), manager="", version=2)
        desk.hire(("people/boss", "teams/east", "manager"), manager="people/chief", version=2)
        desk.hire(("people/nan", "teams/west", "manager"), manager="people/chief", version=2)
        desk.hire(("people/wang", "teams/west", "sales"), manager="people/nan", version=2)
        only(desk, "none")
        yield


def leaves(desk: Desk, person: str, role: str, team: str = "teams/east", manager: str = "people/boss") -> None:
    with desk.runtime.transaction() as tx:
        copies.know_people(tx, [Person(person, person, team, manager, role, False, 9)], [])


def rule(desk: Desk, *notify: str, **more: Any) -> pb.AlertRule:
    of: dict[str, Any] = {
        "display_name": "x",
        "kpi": "kpis/won-amount",
        "group_by": "owner",
        "condition": pb.AlertRule.ABOVE,
        "limit": "1",
        "span": pb.AlertRule.WEEK,
        "enabled": True,
    }
    asked = pb.CreateAlertRuleRequest(alert_rule=pb.AlertRule(**{**of, "notify": notify, **more}))
    made: pb.AlertRule = desk.call("CreateAlertRule", asked)
    return made


def shipped(desk: Desk, kpi: str) -> None:
    """Looks by the rule of it that comes with the product."""
    (of,) = desk.call("ListAlertRules", pb.ListAlertRulesRequest(filter=f'kpi = "{kpi}"')).alert_rules
    of.enabled = True
    desk.call("UpdateAlertRule", pb.UpdateAlertRuleRequest(alert_rule=of, update_mask=FieldMask(paths=["enabled"])))


def told(desk: Desk) -> dict[str, list[str]]:
    """Who is told, by group."""
    return {one.key: list(one.people) for one in look(desk)[0]}


def sold(desk: Desk, *owners: str, **fields: str) -> None:
    for owner in owners:
        desk.hear(*Deal(f"opportunities/{desk.number()}", AT, 1000, owner, {**fields}).win(WEEK).told)


def test_R11_a_rule_by_team_tells_whoever_leads_it_of_his_own(desk: Desk) -> None:
    sold(desk, "people/li", "people/wang")
    rule(desk, "manager", group_by="team")
    raised, notices = look(desk)
    assert {one.key: list(one.people) for one in raised} == {
        "teams/east": ["people/boss"],
        "teams/west": ["people/nan"],
    }
    assert {one.person for one in notices} == {"people/boss", "people/nan"}
    (mine,) = desk.call("ListAlerts", pb.ListAlertsRequest(), BOSS).alerts
    assert (mine.key, mine.value) == ("teams/east", 1000)


def test_R11_a_rule_by_manager_tells_each_of_his_own_people(desk: Desk) -> None:
    sold(desk, "people/li", "people/zhao", "people/wang")
    rule(desk, "manager", group_by="manager")
    raised, _ = look(desk)
    assert {one.key: (one.value, list(one.people)) for one in raised} == {
        "people/boss": (2000, ["people/boss"]),
        "people/nan": (1000, ["people/nan"]),
    }


def test_R11_of_all_together_each_is_told_the_figure_of_his_own(desk: Desk) -> None:
    sold(desk, "people/li", "people/wang")
    rule(desk, "roles/manager", group_by="")
    assert told(desk) == {"": ["people/boss", "people/chief", "people/nan"]}
    (mine,) = desk.call("ListAlerts", pb.ListAlertsRequest(), BOSS).alerts
    (everything,) = desk.call("ListAlerts", pb.ListAlertsRequest()).alerts
    assert (mine.value, everything.value) == (1000, 2000)


def through_the_first_stage(desk: Desk, owner: str, when: str, moved: int) -> None:
    """Of four of his that were opened then so many went on."""
    for place in range(4):
        deal = Deal(f"opportunities/{desk.number()}", when, 100, owner)
        desk.hear(*(deal.move("need", when) if place < moved else deal).told)


def test_R12_the_fall_of_a_team_is_told_its_manager_though_all_together_did_not_fall(desk: Desk) -> None:
    shipped(desk, "kpis/stage-conversion")
    for owner, was, now in (("people/li", 4, 2), ("people/wang", 1, 3)):
        through_the_first_stage(desk, owner, BEFORE, was)
        through_the_first_stage(desk, owner, WEEK, now)
    raised = [one for one in look(desk)[0] if one.key == "first-contact"]
    assert [(one.team, one.value, one.previous, list(one.people)) for one in raised] == [
        ("teams/east", 0.5, 1, ["people/boss"])
    ]
    (mine,) = desk.call("ListAlerts", pb.ListAlertsRequest(filter='key = "first-contact"'), BOSS).alerts
    assert (mine.team, mine.value, mine.previous) == ("teams/east", 0.5, 1)
    assert not desk.call("ListAlerts", pb.ListAlertsRequest(), NAN).alerts


def test_R13_of_all_together_administrators_are_told_and_each_manager_of_his_team_where_that_is_below(
    desk: Desk,
) -> None:
    shipped(desk, "kpis/win-rate")
    for place in range(6):
        deal = Deal(f"opportunities/{desk.number()}", WEEK, 100, "people/li")
        desk.hear(*(deal.win(WEEK) if place == 0 else deal.lose(WEEK)).told)
    desk.hear(*Deal("opportunities/west", WEEK, 100, "people/wang").win(WEEK).told)
    raised, notices = look(desk)
    assert {one.team: (round(one.value, 4), list(one.people)) for one in raised} == {
        "teams/east": (0.1667, ["people/boss"])
    }
    assert [one.person for one in notices] == ["people/boss"]
    for _ in range(6):
        desk.hear(*Deal(f"opportunities/{desk.number()}", WEEK).lose(WEEK).told)
    # What came in since is looked at with the next rule.
    rule(desk, "manager", "roles/admin", kpi="kpis/win-rate", group_by="", condition=pb.AlertRule.BELOW, limit="0.2")
    raised, notices = look(desk)
    assert {one.team: (round(one.value, 4), list(one.people)) for one in raised} == {
        "": (0.1538, ["people/admin"]),
        "teams/east": (0.0833, ["people/boss"]),
    }
    assert {(one.person, one.text_en.partition(" (")[0]) for one in notices} == {
        ("people/admin", "In all"), ("people/boss", "teams/east"),
    }  # fmt: skip


def test_R13_who_leads_teams_above_others_is_told_of_all_that_they_have_together(desk: Desk) -> None:
    desk.hire(("people/chief", "teams/all", "manager"), manager="", version=3)
    for team, parent in (("all", ""), ("east", "teams/all"), ("west", "teams/all")):
        of = directory_pb2.Team(name=f"teams/{team}", display_name=team.title(), parent=parent)
        desk.hear((TeamChanged(team=of, version=2), AT))
    sold(desk, "people/li", "people/wang", "people/wang")
    rule(desk, "manager", group_by="")
    raised, _ = look(desk)
    assert {one.team: (one.value, list(one.people)) for one in raised} == {
        "teams/all": (3000, ["people/chief"]),
        "teams/east": (1000, ["people/boss"]),
        "teams/west": (2000, ["people/nan"]),
    }
    everywhere = replace(CHIEF, teams=("teams/all", "teams/east", "teams/west"))
    (his,) = desk.call("ListAlerts", pb.ListAlertsRequest(), everywhere).alerts
    assert (his.label, his.value) == ("All", 3000)


def test_R11_a_team_that_fell_to_nothing_is_told_so_to_its_manager(desk: Desk) -> None:
    desk.hear(*Deal("opportunities/before", BEFORE, 1000).win(BEFORE).told)
    rule(desk, "manager", group_by="pipeline", condition=pb.AlertRule.FALLS, limit="15")
    look(desk)
    (mine,) = desk.call("ListAlerts", pb.ListAlertsRequest(), BOSS).alerts
    assert (mine.HasField("value"), mine.value, mine.previous) == (True, 0, 1000)


def below(desk: Desk, *notify: str, **more: Any) -> None:
    """A rule about less than two that were won in a week."""
    rule(desk, *notify, kpi="kpis/opportunities-won", condition=pb.AlertRule.BELOW, limit="2", **more)


def test_R13_below_tells_of_who_has_nothing_but_not_of_who_has_left(desk: Desk) -> None:
    sold(desk, "people/li", "people/wang", "people/wang")
    desk.hear(*Deal("opportunities/before", BEFORE, 1000, "people/nan").win(BEFORE).told)
    desk.hire(("people/gone", "teams/east", "sales"), manager="people/boss")
    sold_before = Deal("opportunities/gone", BEFORE, 1000, "people/gone").win(BEFORE)
    desk.hear(*sold_before.told)
    leaves(desk, "people/gone", "sales")
    below(desk, "manager")
    raised, notices = look(desk)
    # Zhao sells, and never sold; Nan did a week before, and leads.
    assert {one.key: (one.value, one.label, list(one.people)) for one in raised} == {
        "people/li": (1, "li", ["people/boss"]),
        "people/nan": (0, "nan", ["people/chief"]),
        "people/zhao": (0, "zhao", ["people/boss"]),
    }
    assert len(notices) == 3
    mine = desk.call("ListAlerts", pb.ListAlertsRequest(filter='key = "people/zhao"'), BOSS).alerts
    assert [(one.HasField("value"), one.value) for one in mine] == [(True, 0)]
    assert look(desk) == ([], [])


def test_R11_below_tells_of_a_region_with_nothing(desk: Desk) -> None:
    desk.settle(("people/south", "teams/west", "sales", "华南"), ("people/boss9", "teams/east", "manager", "西北"))
    for region, when in (("华东", WEEK), ("东北", BEFORE), ("西南", "2026-08-10T10:00")):
        of = f"customers/{desk.number()}"
        deal = Deal(f"opportunities/{desk.number()}", when, 1000, "people/li", {"customer": of}).win(when)
        desk.hear(customer(of, when, region=region), *deal.told)
    below(desk, "roles/admin", group_by="region")
    # Somebody sells in the south; what sold nothing for eight weeks is no market.
    assert {one.key: one.value for one in look(desk)[0]} == {"东北": 0, "华东": 1, "华南": 0}


def test_R13_below_tells_who_leads_a_team_that_it_has_nothing_of_a_group(desk: Desk) -> None:
    sold(desk, "people/li", "people/li")
    desk.hear(*Deal("opportunities/before", BEFORE, 1000, "people/wang").win(BEFORE).told)
    below(desk, "manager", group_by="pipeline")
    assert {one.team: (one.value, list(one.people)) for one in look(desk)[0]} == {"teams/west": (0, ["people/nan"])}


def test_R13_below_tells_of_a_team_without_anything_and_not_of_an_average_without_any(desk: Desk) -> None:
    sold(desk, "people/li", "people/li")
    below(desk, "manager", group_by="team")
    rule(desk, "manager", kpi="kpis/win-rate", group_by="team", condition=pb.AlertRule.BELOW, limit="0.5")
    assert {(one.kpi, one.key): one.value for one in look(desk)[0]} == {("kpis/opportunities-won", "teams/west"): 0}


def test_R13_below_does_not_tell_of_a_team_that_nobody_is_in_any_more(desk: Desk) -> None:
    sold(desk, "people/li", "people/li")
    desk.hire(("people/north", "teams/north", "sales"), manager="people/boss")
    desk.hear(*Deal("opportunities/north", BEFORE, 1000, "people/north").win(BEFORE).told)
    leaves(desk, "people/north", "sales", "teams/north")
    below(desk, "roles/admin", group_by="team")
    assert {one.key for one in look(desk)[0]} == {"teams/west"}


def test_R13_below_looks_at_a_stock_that_is_gone_and_at_nothing_that_its_kpi_leaves_out(desk: Desk) -> None:
    opened = Deal("opportunities/a", BEFORE, 1000, "people/li", {"customer": "customers/a"})
    desk.hear(*opened.win(WEEK).told)
    rule(desk, "roles/admin", kpi="kpis/open-amount", group_by="customer", condition=pb.AlertRule.BELOW, limit="5")
    made = reports_pb2.Kpi(display_name="Li's", unit=reports_pb2.Kpi.COUNT, formula="n", dimensions=["owner"])
    made.measures.add(id="n", fact="deal.lost").where.add(dimension="owner", values=["people/li"])
    desk.call("CreateKpi", reports_pb2.CreateKpiRequest(kpi_id="mine", kpi=made))
    rule(desk, "roles/admin", kpi="kpis/mine", condition=pb.AlertRule.BELOW, limit="5")
    assert {(one.kpi, one.key): one.value for one in look(desk)[0]} == {
        ("kpis/open-amount", "customers/a"): 0,
        ("kpis/mine", "people/li"): 0,
    }


def test_R11_for_a_manager_who_has_left_the_next_one_up_is_told_and_then_administrators(desk: Desk) -> None:
    sold(desk, "people/li")
    leaves(desk, "people/boss", "manager", manager="people/chief")
    rule(desk, "manager")
    assert told(desk) == {"people/li": ["people/chief"]}
    leaves(desk, "people/chief", "manager", "", "")
    rule(desk, "manager")
    assert told(desk) == {"people/li": ["people/admin"]}


def test_R11_for_an_owner_or_somebody_named_who_has_left_his_manager_is_told(desk: Desk) -> None:
    sold(desk, "people/li")
    leaves(desk, "people/li", "sales")
    leaves(desk, "people/zhao", "sales")
    rule(desk, "owner")
    assert told(desk) == {"people/li": ["people/boss"]}
    rule(desk, "people/zhao", group_by="")
    assert told(desk) == {"": ["people/boss"]}


def test_R12_whoever_has_left_is_not_told_by_his_role(desk: Desk) -> None:
    sold(desk, "people/li")
    leaves(desk, "people/boss", "manager")
    rule(desk, "roles/manager", group_by="")
    assert told(desk) == {"": ["people/chief", "people/nan"]}


def test_R11_a_notice_does_not_tell_which_customer_it_is_of(desk: Desk) -> None:
    """Whoever is told may not read that customer."""
    desk.hear(customer("customers/a", "2026-11-01T10:00"))
    sold(desk, "people/li", customer="customers/a")
    rule(desk, "people/zhao", group_by="customer")
    (raised,), (notice,) = look(desk)
    assert (raised.key, raised.label) == ("customers/a", alerting.A_RECORD)
    assert "customers/a" not in f"{notice}"


@pytest.mark.parametrize(
    ("group_by", "who"),
    [
        ("region", "owner"),
        ("", "owner"),
        ("team", "owner"),
        ("owner", "director"),
        ("owner", "roles/mangaer"),
        ("owner", "people/nobody"),
    ],
)
def test_R11_whom_the_groups_do_not_have_and_who_is_none_is_refused(desk: Desk, group_by: str, who: str) -> None:
    with pytest.raises(Invalid) as refused:
        rule(desk, who, group_by=group_by)
    assert [(one.field, who.partition(" ")[0] in one.english) for one in refused.value.violations] == [
        ("alert_rule.notify", True)
    ]
    made = rule(desk, "roles/manager", group_by=group_by)
    made.notify[:] = [who]
    with pytest.raises(Invalid, match="notify"):
        desk.call("UpdateAlertRule", pb.UpdateAlertRuleRequest(alert_rule=made))


def test_R11_a_role_of_the_companys_own_is_known(desk: Desk) -> None:
    with pytest.raises(Invalid, match="roles/hunter"):
        rule(desk, "roles/hunter")
    role = directory_pb2.Role(name="roles/hunter", display_name="Hunter")
    desk.hear((RoleChanged(role=role, version=1), AT))
    assert rule(desk, "roles/hunter").notify == ["roles/hunter"]
