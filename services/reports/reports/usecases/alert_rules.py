"""Rules that look at KPIs: those that come with the product, and people's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis import paging, records
from chassis.access import Scope
from chassis.columns import Column
from chassis.errors import Invalid, NotFound
from chassis.records import Kind
from chassis.transaction import Transaction
from reports.domain import alert
from reports.domain.alert import Alert, AlertRule
from reports.domain.board import Board
from reports.domain.checking import can_group
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi
from reports.domain.periods import Period
from reports.domain.view import DERIVED
from reports.storage import alerts as stored
from reports.storage import definitions
from reports.storage.alerts import alert_rules, alerts
from reports.storage.tables import people as people_table
from reports.usecases import addressees, alerting, kpis, reading, rights
from reports.wire.alert_messages import rule as shown

_c = alert_rules.c
_Figures = dict[tuple[str, int, str, str, Period], Mapping[str, float | None]]
RULES: Kind[AlertRule] = Kind(
    resource="alertRules",
    word="alert_rule",
    table=alert_rules,
    type=AlertRule,
    people=people_table,
    shown=shown,
    owner="",
    named=True,
    announce=lambda tx, before, after: definitions.count(tx),
    spelt={"limit_value": "limit"},
    columns={
        "kpi": Column(_c.kpi, "name"),
        "enabled": Column(_c.enabled, "bool"),
        "create_time": Column(_c.create_time, "time", order=True),
        "update_time": Column(_c.update_time, "time", order=True),
    },
)
# In English and Chinese, of which KPI, by what, when, and who is told: a region's fall of 15 % (R11), a stage's of 5 %
# (R12), a signing rate of a week below 20 % (R13); of these each team's manager of his own, so that none is hidden by
# others, and administrators of all together.
SHIPPED: Mapping[str, Mapping[str, Any]] = {
    "alertRules/region-fell": {
        "display_name": "A region's sales fell by more than 15 %",
        "display_name_zh": "区域业绩周环比下降超过 15%",
        "kpi": "kpis/won-amount",
        "group_by": "region",
        "condition": alert.FALLS,
        "limit_value": "15",
        "notify": ["director"],
    },
    "alertRules/conversion-fell": {
        "display_name": "A stage's conversion fell by more than 5 %",
        "display_name_zh": "漏斗阶段转化率周环比下降超过 5%",
        "kpi": "kpis/stage-conversion",
        "group_by": "stage",
        "condition": alert.FALLS,
        "limit_value": "5",
        "notify": ["manager", "roles/admin"],
    },
    "alertRules/few-won": {
        "display_name": "Less than 20 % of what was closed in a week was won",
        "display_name_zh": "周签约率低于 20%",
        "kpi": "kpis/win-rate",
        "group_by": "",
        "condition": alert.BELOW,
        "limit_value": "0.2",
        "notify": ["manager", "roles/admin"],
    },
}
_NO_KPI = ("alert_rule.kpi", "there is no such KPI", "没有这个指标")
_NEW: Mapping[str, Any] = {"span": alert.WEEK, "enabled": True, "minimum": "", "looked_at": "", "version": 1}


def start(tx: Transaction) -> None:
    """What every house begins with, one of before as well, unless it had it: what somebody deleted stays away."""
    for name in sorted(SHIPPED.keys() - definitions.ever(tx, SHIPPED)):
        put(tx, None, new(tx, name, SHIPPED[name]))


def create(tx: Transaction, values: Mapping[str, Any]) -> AlertRule:
    """Raises Invalid."""
    check(tx, values)
    made = new(tx, RULES.new_name(), values)
    put(tx, None, made)
    return made


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> AlertRule:
    """Raises Invalid, and as records.hold."""
    before = records.hold(tx, RULES, name, etag)
    after = replace(before, **values)
    check(tx, written(after))
    return records.save(tx, RULES, before, after)


def undelete(tx: Transaction, name: str) -> AlertRule:
    """Raises NOT_DELETED, and Invalid where its KPI is gone."""
    try:
        kpis.find(tx, records.find(tx, RULES, name, deleted=True).kpi)
    except NotFound as problem:
        raise Invalid([_NO_KPI]) from problem
    return records.undelete(tx, RULES, name)


def purge(tx: Transaction) -> bool:
    return records.purge(tx, RULES)


def raised(tx: Transaction, request: Any) -> tuple[list[Alert], str]:
    """A page of the alerts that the caller was told of, or with the right to all of all: of those whose KPI he may read
    by what they are grouped by, with their figures where he may of all records, and of which record it is where he may
    read that."""
    scope = tx.principal.require("alerts", "read")
    c = alerts.c
    columns = {
        **{name: Column(c[name], "name") for name in ("rule", "kpi", "key", "team", "begin_date")},
        "raise_time": Column(c.raise_time, "time", order=True),
    }
    query = sa.select(*(c[name] for name in Alert.__slots__))
    if scope is not Scope.ALL:
        query = query.where(sa.cast(c.people, sa.Text).contains(f'"{tx.principal.person}"'))
    page = paging.listing(tx, query, columns, request, "raise_time desc", c.name)
    mine: _Figures = {}
    seen = [_seen(tx, Alert(*row[: len(Alert.__slots__)]), mine) for row in page.rows]
    return [one for one in seen if one is not None], page.next_page_token


def marks(tx: Transaction, of: Collection[str]) -> dict[str, list[Alert]]:
    """By KPI the alerts that hold now: those that the caller was told of, or with the right to all of all, as far as he
    may know of them."""
    scope = tx.principal.scope("alerts", "read")
    found: dict[str, list[Alert]] = {}
    for one in stored.standing(tx, of) if scope is not Scope.NONE else ():
        if scope is Scope.ALL or tx.principal.person in one.people:
            known = _known(tx, one)
            if known is not None and known[0].key == one.key:
                found.setdefault(one.kpi, []).append(known[0])
    return found


def _seen(tx: Transaction, one: Alert, mine: _Figures) -> Alert | None:
    """What the caller may know of it. Whoever may not read it of all records is told the figures of those that he may;
    `mine` are those that were summed for others."""
    known = _known(tx, one)
    if known is None:
        return None
    named, of = known
    if _of_all(tx, of):
        return named
    span, days = _span(one)

    def summed(over: Period) -> float | None:
        asked = (of.name, of.version, one.group_by, one.team, over)
        if asked not in mine:
            mine[asked] = alerting.figures(tx, of, one.group_by, over, one.team)
        return mine[asked].get(one.key, reading.nothing(of).value)

    was = alert.before(alert.span_of(days), span)
    previous = None if one.previous is None else summed(was)
    return replace(named, value=summed(span), previous=previous, corrected_value=None, corrected_previous=None)


def _span(one: Alert) -> tuple[Period, int]:
    """What it is about, and of how many days that is."""
    begin, end = date.fromisoformat(one.begin_date), date.fromisoformat(one.end_date) + timedelta(days=1)
    return Period(begin, end), (end - begin).days


def _known(tx: Transaction, one: Alert) -> tuple[Alert, Kpi] | None:
    """An alert that the caller may know of, naming the record that it is about if he may read that, and its KPI: what
    that counted then decides, whatever it does by now."""
    try:
        of = kpis.find_as_of(tx, one.kpi, int(one.raise_time.timestamp() * 1_000_000))
    except NotFound:  # it was deleted, and may come back
        return None
    view = alerting.view(tx, one.group_by, _span(one)[0], one.team)
    people = replace(view, group=(*view.group, "team")) if one.team else view
    if tx.principal.scope("reports", "read") is Scope.NONE or not rights.may_group(tx, of, people):
        return None
    named = one
    if one.key.startswith(reading.RECORDS):
        record = reading.called(tx, [one.key]).get(one.key, "")
        named = replace(one, label=one.label.replace(alerting.A_RECORD, record)) if record else replace(one, key="")
    return named, of


def every(tx: Transaction, deleted: bool = False) -> list[AlertRule]:
    """All of them, by name."""
    return stored.every(tx, deleted)


def new(tx: Transaction, name: str, values: Mapping[str, Any]) -> AlertRule:
    times = {"create_time": tx.now, "update_time": tx.now, "delete_time": None}
    return AlertRule(**{**_NEW, "name": name, **values, **times})


def put(tx: Transaction, before: Any, after: Any) -> None:
    """Writes one that was checked; `before` is the one that is there, deleted or not. Raises Stale."""
    if before is None:
        records.create(tx, RULES, after)
    else:
        records.save(tx, RULES, before, after, "deleted" if after.delete_time else "changed")


def written(of: Any) -> dict[str, Any]:
    """What is checked of it."""
    return {name: getattr(of, name) for name in ("kpi", "group_by", "notify", "condition", "limit_value")}


def check(tx: Transaction, values: Mapping[str, Any], known: Mapping[str, Kpi | Board] | None = None) -> None:
    """Refuses a rule that makes no sense, by the KPIs that are `known`; None: that are there. Raises Invalid."""
    wrong = []
    of = ({one.name: one for one in kpis.every(tx)} if known is None else known).get(values["kpi"])
    if not isinstance(of, Kpi):
        wrong.append(_NO_KPI)
    else:
        can = (*of.dimensions, *(name for name, base in DERIVED.items() if base in of.dimensions))
        if values["group_by"] and values["group_by"] not in can:
            named = ", ".join(can)
            wrong.append(("alert_rule.group_by", f"there are: {named}", f"可用：{named}"))
        if alert.MANAGER in values["notify"] and "team" not in can_group(of):
            wrong.append(("alert_rule.notify", "manager needs a KPI by owner", "manager 须用可按负责人分组的指标"))
    if values["condition"] == alert.FALLS and not 0 <= Decimal(values["limit_value"]) < 100:
        wrong.append(("alert_rule.limit", "is a percentage from 0 to below 100", "须为 0 到 100（不含）的百分比"))
    for who in values["notify"]:
        groups = alert.TOLD_OF.get(who)
        if groups and values["group_by"] not in groups:
            by = ", ".join(groups)
            wrong.append(("alert_rule.notify", f"{who} needs groups by one of: {by}", f"{who} 须按其一分组：{by}"))
    wrong += addressees.unknown(tx, "alert_rule.notify", values["notify"])
    if wrong:
        raise Invalid(wrong)


def _of_all(tx: Transaction, of: Kpi) -> bool:
    """Whether the caller sees all the records that a KPI counts."""
    facts = [FACTS[one.fact] for one in of.measures]
    return all(tx.principal.scope(fact.resource, fact.verb) is Scope.ALL for fact in facts)
