"""What rules look at when a day, a week or a month is over, and whom they tell (R11, R12, R13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from chassis import ids
from chassis.access import peer
from chassis.errors import NotFound
from chassis.transaction import Transaction
from reports.domain import alert
from reports.domain.alert import Alert, AlertRule
from reports.domain.kpi import Kpi
from reports.domain.periods import Period
from reports.domain.view import View
from reports.settings import company_zone
from reports.storage import alerts as stored
from reports.storage import names
from reports.usecases import kpis, reading
from reports.wire import alert_events

MANAGER, ADMIN = "manager", "admin"


def look(tx: Transaction) -> bool:
    """Looks by every rule whose last span is over and was not looked at yet. Never asks to be called again at once."""
    today = tx.now.astimezone(company_zone()).date()
    for rule in stored.enabled(tx):
        span = alert.over(rule.span, today)
        assert span.begin is not None
        begin = span.begin.isoformat()
        if rule.looked_at < begin:
            _look(tx, rule, span, today)
            stored.looked(tx, rule.name, begin)
    return False


def _look(tx: Transaction, rule: AlertRule, span: Period, today: date) -> None:
    try:
        of = kpis.find(tx, rule.kpi)
    except NotFound:
        return  # it was deleted, and may come back
    if rule.condition == alert.FALLS:
        was, now = (_at_its_end(tx, of, rule, one) for one in (alert.before(rule.span, span), span))
    else:
        was, now = {}, _figures(tx, of, rule, View(span, today))
    # What a record is called is told nobody who may not read it.
    called = names.called(tx, sorted(key for key in now | was if key and not key.startswith(reading.RECORDS)))
    for key in sorted(now.keys() | was.keys()):
        value, previous = now.get(key), was.get(key)
        if alert.holds(rule, value, previous):
            _tell(tx, rule, of, span, key, called.get(key, key), value or 0.0, previous)


def _at_its_end(tx: Transaction, of: Kpi, rule: AlertRule, span: Period) -> dict[str, float | None]:
    """As it was known when the span was over. What is compared has had the same time: a stage of last week has had a
    week less to go on from than one of the week before, and of a stock there is only what there was."""
    assert span.end is not None
    return _figures(tx, of, rule, View(span, span.end, as_of=reading.eve(span.end)))


def _figures(tx: Transaction, of: Kpi, rule: AlertRule, view: View) -> dict[str, float | None]:
    """Of everybody's records: who is told is told that the rule held, and the figure where he may know it."""
    group = (rule.group_by,) if rule.group_by else ()
    table = reading.table(replace(tx, principal=peer("reports")), of, replace(view, group=group))
    if not group:
        return {"": table.total.value}
    return {row.keys[0]: row.figure.value for row in table.rows}


def _tell(
    tx: Transaction,
    rule: AlertRule,
    of: Kpi,
    span: Period,
    key: str,
    label: str,
    value: float,
    previous: float | None,
) -> None:
    assert span.begin is not None
    assert span.end is not None
    last = span.end - timedelta(days=1)
    raised = Alert(
        f"alerts/{ids.new_id()}",
        rule.name,
        of.name,
        rule.display_name,
        rule.display_name_zh,
        key,
        label,
        span.begin.isoformat(),
        last.isoformat(),
        value,
        previous,
        _people(tx, rule, key),
        tx.now,
        rule.group_by,
    )
    if stored.add(tx, raised):
        tx.emit(alert_events.raised(raised))
        tx.emit_all(alert_events.notice(raised, person) for person in raised.people)


def _people(tx: Transaction, rule: AlertRule, key: str) -> list[str]:
    """Whom it concerns; administrators where there is nobody else."""
    found: list[str] = []
    for who in rule.notify:
        if who == "director":
            found += stored.of_role(tx, MANAGER, key) if key else []
        elif who == "owner":
            found += [key] if key.startswith("people/") else []
        elif who == "manager":
            found += stored.managers(tx, [key])
        elif who.startswith("roles/"):
            found += stored.of_role(tx, who.removeprefix("roles/"))
        else:
            found.append(who)
    return list(dict.fromkeys(found or stored.of_role(tx, ADMIN)))
