"""How each RPC of targets, of alerts and of how right a forecast was is asked."""

from __future__ import annotations

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from dealwright.reports.v1 import alerts_pb2, reports_pb2
from dealwright.reports.v1 import targets_pb2 as pb
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import asks, numbers

_T, _A = "reports.TargetService.", "reports.AlertService."


def _request(h: House, who: str, row: str) -> pb.CreateTargetRequest:
    number = next(numbers)
    period = f"{2030 + number // 12 % 900}-{number % 12 + 1:02}"
    of = pb.Target(kpi="kpis/won-amount", period=period, person=h.person(who, row), value="1000")
    return pb.CreateTargetRequest(target=of)


def _target(h: House, who: str, row: str) -> str:
    return str(h.do(_T + "CreateTarget", _request(h, who, row)).name)


def _gone(h: House, who: str, row: str) -> str:
    name = _target(h, who, row)
    h.do(_T + "DeleteTarget", pb.DeleteTargetRequest(name=name))
    return name


asks(_T + "CreateTarget", PEOPLE)(_request)
asks(_T + "GetTarget", PEOPLE)(lambda h, who, row: pb.GetTargetRequest(name=_target(h, who, row)))


@asks(_T + "ListTargets", PEOPLE, lambda h, who, row, answer: "S" if answer.targets else "U")
def _(h: House, who: str, row: str) -> Message:
    made = h.do(_T + "CreateTarget", _request(h, who, row))
    return pb.ListTargetsRequest(filter=f'person = "{made.person}" AND period = "{made.period}"')


@asks(_T + "UpdateTarget", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    changed = pb.Target(name=_target(h, who, row), value="2000")
    return pb.UpdateTargetRequest(target=changed, update_mask=FieldMask(paths=["value"]))


asks(_T + "DeleteTarget", PEOPLE)(lambda h, who, row: pb.DeleteTargetRequest(name=_target(h, who, row)))
asks(_T + "UndeleteTarget", PEOPLE)(lambda h, who, row: pb.UndeleteTargetRequest(name=_gone(h, who, row)))

# --- alerts ---


def _rule_request(h: House, who: str, row: str) -> alerts_pb2.CreateAlertRuleRequest:
    of = alerts_pb2.AlertRule(
        display_name=f"下滑 {next(numbers)}",
        kpi="kpis/won-amount",
        condition=alerts_pb2.AlertRule.FALLS,
        limit="15",
        span=alerts_pb2.AlertRule.WEEK,
        notify=["roles/manager"],
    )
    return alerts_pb2.CreateAlertRuleRequest(alert_rule=of)


def _rule(h: House) -> str:
    return str(h.do(_A + "CreateAlertRule", _rule_request(h, "", "")).name)


def _ended(h: House) -> str:
    name = _rule(h)
    h.do(_A + "DeleteAlertRule", alerts_pb2.DeleteAlertRuleRequest(name=name))
    return name


asks(_A + "CreateAlertRule")(_rule_request)
asks(_A + "GetAlertRule")(lambda h, who, row: alerts_pb2.GetAlertRuleRequest(name=_rule(h)))
asks(_A + "ListAlertRules")(lambda h, who, row: alerts_pb2.ListAlertRulesRequest())


@asks(_A + "UpdateAlertRule")
def _(h: House, who: str, row: str) -> Message:
    changed = alerts_pb2.AlertRule(name=_rule(h), limit="20")
    return alerts_pb2.UpdateAlertRuleRequest(alert_rule=changed, update_mask=FieldMask(paths=["limit"]))


asks(_A + "DeleteAlertRule")(lambda h, who, row: alerts_pb2.DeleteAlertRuleRequest(name=_rule(h)))
asks(_A + "UndeleteAlertRule")(lambda h, who, row: alerts_pb2.UndeleteAlertRuleRequest(name=_ended(h)))
asks(_A + "ListAlerts")(lambda h, who, row: alerts_pb2.ListAlertsRequest())

asks("reports.ReportService.BacktestReport")(
    lambda h, who, row: reports_pb2.BacktestReportRequest(name="reports/forecast", months=1)
)
