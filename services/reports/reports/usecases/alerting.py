"""What rules look at when a day, a week or a month is over, and whom they tell (R11, R12, R13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chassis import ids
from chassis.access import peer
from chassis.errors import NotFound
from chassis.transaction import Transaction, alone
from reports.domain import alert
from reports.domain.alert import Alert, AlertRule
from reports.domain.checking import can_group
from reports.domain.kpi import Kpi
from reports.domain.periods import Period
from reports.domain.view import View
from reports.settings import company_zone
from reports.storage import alerts as stored
from reports.storage import names
from reports.usecases import kpis, reading
from reports.wire import alert_events

MANAGER, ADMIN = "manager", "admin"
# After its end a span waits so long, and so long nothing of before may have come in.
_SETTLING, _QUIET = timedelta(hours=1), timedelta(minutes=10)


def look(tx: Transaction, began: datetime) -> bool:
    """Looks by every rule at the last span that is over, when what was learnt until its end has come in; and again when
    something that was told of before has come in since; by one that fails, at the next turn again. `began` is when this
    process did: what waits for it shows by then. Never asks to be called again at once."""
    today = tx.now.astimezone(company_zone()).date()
    for rule in stored.enabled(tx):
        span = alert.over(rule.span, today)
        assert span.begin is not None
        assert span.end is not None
        begin, end = span.begin.isoformat(), reading.start(span.end)
        if not _settled(tx, end, began):
            continue
        # What came in while it looked had begun before.
        since = rule.look_time - _QUIET if rule.look_time else end
        if rule.looked_at < begin or stored.came(tx, end, since):
            with alone(tx.service, "alert rule", rule.name), tx.apart():
                _look(tx, rule, span)
                stored.looked(tx, rule.name, begin)
    return False


def _settled(tx: Transaction, end: datetime, began: datetime) -> bool:
    """Whether what was learnt until a moment may be taken to have come in: it was an hour ago, and since this process
    began, and for a while, nothing of before has come."""
    return tx.now >= max(end + _SETTLING, began + _QUIET) and not stored.came(tx, end, tx.now - _QUIET)


def _look(tx: Transaction, rule: AlertRule, span: Period) -> None:
    try:
        of = kpis.find(tx, rule.kpi)
    except NotFound:
        return  # the blueprint may bring it back
    if rule.group_by and rule.group_by not in can_group(of):
        return  # as it came from elsewhere: whoever changes a KPI is told of the rules that group it so
    assert span.begin is not None
    told = stored.of_span(tx, rule.name, span.begin.isoformat())
    now = _at_its_end(tx, of, rule, span)
    was = _at_its_end(tx, of, rule, alert.before(rule.span, span)) if rule.condition == alert.FALLS else {}
    # What a record is called is told nobody who may not read it.
    called = names.called(tx, sorted(key for key in now | was if key and not key.startswith(reading.RECORDS)))
    for key in sorted(now.keys() | was.keys() | told.keys()):
        value, previous = now.get(key), was.get(key)
        holds = alert.holds(rule, value, previous)
        before = told.get(key)
        if before is None:
            if holds:
                _tell(tx, rule, of, span, key, called.get(key, key), value or 0.0, previous)
        elif before.latest != (value or 0.0, previous):
            _correct(tx, before, value or 0.0, previous, holds)


def _at_its_end(tx: Transaction, of: Kpi, rule: AlertRule, span: Period) -> dict[str, float | None]:
    """Of everybody's records, as it was known when the span was over. What is compared has had the same time: a stage
    of last week has had a week less to go on from than one of the week before, and of a stock there is only what there
    was."""
    return figures(replace(tx, principal=peer("reports")), of, rule.group_by, span)


def figures(tx: Transaction, of: Kpi, group_by: str, span: Period) -> dict[str, float | None]:
    """A KPI's figures by group ("" is all together), of what the caller sees, as it was known when the span was over.
    Raises Denied."""
    assert span.end is not None
    group = (group_by,) if group_by else ()
    table = reading.table(tx, of, View(span, span.end, group, as_of=reading.eve(span.end)))
    return {row.keys[0]: row.figure.value for row in table.rows} if group else {"": table.total.value}


def _correct(tx: Transaction, of: Alert, value: float, previous: float | None, holds: bool) -> None:
    """Keeps what is known now beside what was known then. Whoever was told of the one is told once of the other, and
    once that nothing is the matter."""
    now = replace(of, corrected_value=value, corrected_previous=previous, correct_time=tx.now, withdrawn=not holds)
    stored.correct(tx, now)
    if of.correct_time is None or (now.withdrawn and not of.withdrawn):
        tx.emit_all(alert_events.correction(now, person) for person in now.people)


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
            found.append(key)
        elif who == "manager":
            found += _leaders(tx, rule.group_by, key)
        elif who.startswith("roles/"):
            found += stored.of_role(tx, who.removeprefix("roles/"))
        else:
            found.append(who)
    return stored.there(tx, found) or stored.of_role(tx, ADMIN)


def _leaders(tx: Transaction, group_by: str, key: str) -> list[str]:
    """Who leads a group: an owner's manager, a team's, or who it is himself."""
    if group_by == "team":
        return stored.leaders(tx, key, MANAGER) if key else []
    return [key] if group_by == "manager" else stored.managers(tx, [key])
