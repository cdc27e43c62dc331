"""Rules that look at KPIs, and what they told."""

from __future__ import annotations

from chassis.nouns import Noun
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.reports.v1 import alerts_pb2 as pb
from reports.usecases import alert_rules
from reports.usecases.alert_rules import RULES
from reports.wire import alert_messages as wire

_RULES = Noun(RULES, "alert_rule", alert_rules, wire.read, wire.rule, wire.GIVEN)


class AlertServicer:
    """The standard methods, and the alerts."""

    descriptor = pb.DESCRIPTOR.services_by_name["AlertService"]

    @command
    def CreateAlertRule(self, tx: Transaction, request: pb.CreateAlertRuleRequest) -> pb.AlertRule:
        return _RULES.create(tx, request)

    @query
    def GetAlertRule(self, tx: Transaction, request: pb.GetAlertRuleRequest) -> pb.AlertRule:
        return _RULES.get(tx, request)

    @query
    def ListAlertRules(self, tx: Transaction, request: pb.ListAlertRulesRequest) -> pb.ListAlertRulesResponse:
        return _RULES.list(tx, request, pb.ListAlertRulesResponse)

    @command
    def UpdateAlertRule(self, tx: Transaction, request: pb.UpdateAlertRuleRequest) -> pb.AlertRule:
        return _RULES.update(tx, request)

    @command
    def DeleteAlertRule(self, tx: Transaction, request: pb.DeleteAlertRuleRequest) -> pb.AlertRule:
        return _RULES.delete(tx, request)

    @command
    def UndeleteAlertRule(self, tx: Transaction, request: pb.UndeleteAlertRuleRequest) -> pb.AlertRule:
        return _RULES.undelete(tx, request)

    @query
    def ListAlerts(self, tx: Transaction, request: pb.ListAlertsRequest) -> pb.ListAlertsResponse:
        found, token = alert_rules.raised(tx, request)
        return pb.ListAlertsResponse(alerts=map(wire.alert, found), next_page_token=token)
