"""What is announced of alerts, and what activities is asked for: a notice for each."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Struct

from dealwright.reports.v1 import events_pb2
from dealwright.rules.v1 import events_pb2 as rule_events_pb2
from reports.domain.alert import Alert
from reports.wire.alert_messages import alert


def raised(of: Alert) -> events_pb2.AlertRaised:
    return events_pb2.AlertRaised(alert=alert(of))


def notice(of: Alert, person: str) -> rule_events_pb2.ActionRequested:
    """Tells a person that the rule held, and no figure: what he may read of those is not known here, and ListAlerts
    says it to whoever may."""
    days = f"{of.begin_date} – {of.end_date}"
    zh = f"{of.label or '整体'}（{days}），数值见预警列表"
    en = f"{of.label or 'In all'} ({days}); the figures are in the list of alerts"
    return _notify(of, person, zh, en, "")


def correction(of: Alert, person: str) -> rule_events_pb2.ActionRequested:
    """Tells him that it has turned out otherwise."""
    days = f"{of.begin_date} – {of.end_date}"
    zh, en = ("已撤回", "withdrawn") if of.withdrawn else ("已更正", "corrected")
    late_zh, late = (
        "因有数据迟到，数值见预警列表",
        "something came in late; the figures are in the list of alerts",
    )
    return _notify(
        of,
        person,
        f"{zh}：{of.label or '整体'}（{days}），{late_zh}",
        f"{en}: {of.label or 'In all'} ({days}); {late}",
        f"/{en}",
    )


def _notify(of: Alert, person: str, zh: str, en: str, origin: str) -> rule_events_pb2.ActionRequested:
    parameters = Struct()
    parameters.update({"subject_zh": of.title_zh, "subject_en": of.title, "text_zh": zh, "text_en": en})
    return rule_events_pb2.ActionRequested(
        subject=of.name,
        action="NOTIFY",
        person=person,
        parameters=parameters,
        text_zh=zh,
        text_en=en,
        origin=f"{of.name}/{person}{origin}",
    )
