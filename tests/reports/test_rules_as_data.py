"""Rules of alerts are part of the blueprint, as KPIs and boards are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis.access import Grant, Scope
from chassis.errors import Denied, Invalid
from chassis.parts import PartServicer
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.reports.v1 import alerts_pb2 as pb
from reports.servicer.alerts import AlertServicer
from reports.servicer.blueprint import ReportPart
from reports.usecases import schedules
from tests.reports.desk import ADMIN, BOSS, Desk

FEW = {
    "displayName": "Few leads", "displayNameZh": "线索太少", "kpi": "kpis/leads-captured", "groupBy": "region",
    "condition": "BELOW", "limit": "2", "span": "WEEK", "notify": ["director"], "enabled": True,
}  # fmt: skip
WINS = {
    "displayName": "Wins", "displayNameZh": "赢单", "unit": "COUNT", "formula": "n", "dimensions": ["owner"],
    "measures": [{"id": "n", "fact": "deal.won"}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def alerts(desk: Desk) -> None:
    desk.also(AlertServicer())


def _asked(desk: Desk, method: str, request: Any, who: Any = ADMIN) -> Any:
    with desk.runtime.transaction(who) as tx:
        return getattr(PartServicer(ReportPart(desk.runtime)), method)(tx, request)


def _read(desk: Desk) -> tuple[dict[str, Any], int]:
    part = _asked(desk, "GetPart", blueprint_pb2.GetPartRequest())
    return json_format.MessageToDict(part.content), part.version


def _struct(content: dict[str, Any]) -> Struct:
    return json_format.ParseDict(content, Struct())


def _apply(desk: Desk, who: Any = ADMIN, **content: Any) -> dict[str, Any]:
    asked = blueprint_pb2.ApplyPartRequest(content=_struct(content), expected_version=_read(desk)[1])
    return json_format.MessageToDict(_asked(desk, "ApplyPart", asked, who).content)


def _planned(desk: Desk, **content: Any) -> list[str]:
    plan = _asked(desk, "PlanPart", blueprint_pb2.PlanPartRequest(content=_struct(content)))
    return [change.path for change in plan.changes]


def test_N13_R11_rules_of_alerts_are_written_down_and_read_back(desk: Desk) -> None:
    whole, _ = _read(desk)
    assert whole["alertRules"].keys() == {"region-fell", "conversion-fell", "few-won"}
    assert whole["alertRules"]["few-won"] == {
        "displayName": "Less than 20 % of what was closed in a week was won", "displayNameZh": "周签约率低于 20%",
        "kpi": "kpis/win-rate", "condition": "BELOW", "limit": "0.2", "span": "WEEK",
        "notify": ["manager", "roles/admin"], "enabled": True,
    }  # fmt: skip
    assert _planned(desk, **whole) == []
    rules = {**whole["alertRules"], "few-leads": FEW}
    rules["few-won"] = {**rules["few-won"], "limit": "0.3"}
    assert _planned(desk, alertRules=rules) == ["alertRules.few-leads", "alertRules.few-won.limit"]
    assert _apply(desk, alertRules=rules)["alertRules"] == rules
    made = desk.call("GetAlertRule", pb.GetAlertRuleRequest(name="alertRules/few-leads"))
    assert (made.kpi, made.limit, made.enabled) == ("kpis/leads-captured", "2", True)
    # What came with the product stays where a document leaves it out; what did not goes, and comes back as it is named.
    assert _apply(desk, alertRules={})["alertRules"].keys() == whole["alertRules"].keys()
    assert _apply(desk, alertRules={"few-leads": FEW})["alertRules"]["few-leads"] == FEW


def test_N13_what_is_done_by_the_rules_own_methods_changes_the_version(desk: Desk) -> None:
    before, version = _read(desk)
    of = desk.call("GetAlertRule", pb.GetAlertRuleRequest(name="alertRules/few-won"))
    of.limit = "0.1"
    desk.call("UpdateAlertRule", pb.UpdateAlertRuleRequest(alert_rule=of))
    after, later = _read(desk)
    assert later > version
    assert after["alertRules"]["few-won"] == {**before["alertRules"]["few-won"], "limit": "0.1"}
    made = desk.call("CreateAlertRule", pb.CreateAlertRuleRequest(alert_rule=of))
    assert made.name.removeprefix("alertRules/") in _read(desk)[0]["alertRules"]
    desk.call("DeleteAlertRule", pb.DeleteAlertRuleRequest(name=made.name))
    assert _read(desk)[0] == after


def test_N13_a_rule_comes_and_goes_with_its_kpi(desk: Desk) -> None:
    before, _ = _read(desk)
    rule = {**FEW, "kpi": "kpis/wins", "groupBy": "owner", "notify": ["owner"]}
    both = {"kpis": {**before["kpis"], "wins": WINS}, "alertRules": {**before["alertRules"], "wins": rule}}
    assert _apply(desk, **both)["alertRules"]["wins"] == rule
    with pytest.raises(Invalid, match="alertRules/wins"):
        _apply(desk, kpis=before["kpis"])
    assert _apply(desk, **before) == before


def test_N13_B41_which_reports_are_mailed_is_written_down_and_comes_and_goes_with_its_board(desk: Desk) -> None:
    before, version = _read(desk)
    assert before["exportSchedules"].keys() == {"weekly-report"}
    weekly = before["exportSchedules"]["weekly-report"]
    assert (weekly["report"], weekly["hour"], weekly["people"]) == ("reports/team", 9, ["roles/manager"])
    board = {"displayName": "Ours", "tiles": [{"kpi": "kpis/wins"}]}
    daily = {**weekly, "report": "reports/ours", "span": "DAY", "enabled": True}
    more = {
        "kpis": {**before["kpis"], "wins": WINS},
        "boards": {**before["boards"], "ours": board},
        "exportSchedules": {"weekly-report": {**weekly, "hour": 8}, "daily": daily},
    }
    after = _apply(desk, **more)
    assert after["exportSchedules"] == more["exportSchedules"]
    assert _planned(desk, **after) == []
    assert _read(desk)[1] > version
    with pytest.raises(Invalid) as refused:
        _apply(desk, exportSchedules={"daily": {**daily, "report": "reports/none"}})
    assert [one.field for one in refused.value.violations] == ["exportSchedules.daily.report"]
    assert _apply(desk, **before) == before


@pytest.mark.parametrize(
    ("said", "begins"), [({"enabled": False}, False), ({}, True), ({"enabled": False, "hour": 8}, False)]
)
def test_N13_B41_a_document_that_says_that_a_report_is_not_mailed_is_heeded_when_mail_is_set_up(
    desk: Desk, said: dict[str, Any], begins: bool
) -> None:
    """What was read back says nothing of what is off: to apply it again leaves the weekly report waiting for mail."""
    weekly = _read(desk)[0]["exportSchedules"]["weekly-report"]
    assert "enabled" not in weekly
    document = {"weekly-report": {**weekly, **said}}
    _apply(desk, exportSchedules=document)
    _, version = _read(desk)
    _apply(desk, exportSchedules=document)
    assert _read(desk)[1] == version, "said again, it is nothing new"
    with desk.runtime.transaction() as tx:
        schedules.go_out(tx)
    assert _read(desk)[0]["exportSchedules"]["weekly-report"].get("enabled", False) is begins


def test_N13_only_who_may_write_schedules_says_that_one_is_not_mailed(desk: Desk) -> None:
    weekly = _read(desk)[0]["exportSchedules"]["weekly-report"]
    reader = replace(ADMIN, grants={**ADMIN.grants, "exportSchedules": Grant(Scope.ALL)})
    with pytest.raises(Denied):
        _apply(desk, reader, exportSchedules={"weekly-report": {**weekly, "enabled": False}})


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("few-leads.kpi", {"few-leads": {**FEW, "kpi": "kpis/none"}}),
        ("few-leads.group_by", {"few-leads": {**FEW, "groupBy": "weather", "notify": ["roles/admin"]}}),
        ("few-leads.notify", {"few-leads": {**FEW, "notify": ["people/nobody"]}}),
        ("few-leads.limit", {"few-leads": {**FEW, "limit": "much"}}),
        ("few-leads.etag", {"few-leads": {**FEW, "etag": "1"}}),
        ("Few", {"Few": FEW}),
    ],
)
def test_N13_a_rule_that_makes_no_sense_is_named_where_it_stands(desk: Desk, path: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        _apply(desk, alertRules=wrong)
    assert [one.field for one in refused.value.violations] == [f"alertRules.{path}"]


def test_N13_rules_are_changed_by_those_alone_who_may_write_them(desk: Desk) -> None:
    reader = replace(BOSS, grants={**BOSS.grants, "alertRules": Grant(Scope.ALL)})
    with pytest.raises(Denied):
        _apply(desk, reader, alertRules={"few-leads": FEW})
