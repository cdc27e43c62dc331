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

_Group = tuple[str, str]  # a key of what the rule is grouped by, and a team; "": all
MANAGER, ADMIN = "manager", "admin"
_STAFF = ("owner", "team", "manager", "owner_region", "region")
A_RECORD = "一条记录 A record"
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
    if not alert.groups(rule) <= set(can_group(of)):
        return  # as it came from elsewhere: whoever changes a KPI is told of the rules that group it so
    assert span.begin is not None
    told = stored.of_span(tx, rule.name, span.begin.isoformat())
    now = _at_its_end(tx, of, rule, span)
    was = _at_its_end(tx, of, rule, alert.before(rule.span, span)) if rule.condition == alert.FALLS else {}
    nothing = reading.nothing(of).value  # of a group that there is not
    every = now.keys() | was.keys() | told.keys()
    if rule.condition == alert.BELOW and rule.group_by and nothing is not None:
        every |= _with_nothing(tx, of, rule, span)
    called = names.called(tx, sorted({name for group in every for name in group if name}))
    # Which record it is, and what it is called, is told nobody who may not read it.
    called |= {key: A_RECORD for key, _ in every if key.startswith(reading.RECORDS)}
    for group in sorted(every):
        value, previous = now.get(group, nothing), was.get(group)
        holds = alert.holds(rule, value, previous)
        before = told.get(group)
        if before is None:
            if holds:
                label = " · ".join(called.get(name, name) for name in group if name)
                _tell(tx, rule, of, span, group, label, value or 0.0, previous)
        elif before.latest != (value or 0.0, previous):
            _correct(tx, before, value or 0.0, previous, holds)


def _at_its_end(tx: Transaction, of: Kpi, rule: AlertRule, span: Period) -> dict[_Group, float | None]:
    """Of everybody's records, as it was known when the span was over. What is compared has had the same time: a stage
    of last week has had a week less to go on from than one of the week before, and of a stock there is only what there
    was."""
    ours, by = replace(tx, principal=peer("reports")), rule.group_by
    return {(key, team): value for team in _teams(tx, rule) for key, value in figures(ours, of, by, span, team).items()}


def _teams(tx: Transaction, rule: AlertRule) -> list[str]:
    return ([""] if alert.in_all(rule) else []) + (stored.teams(tx) if alert.by_team(rule) else [])


def _with_nothing(tx: Transaction, of: Kpi, rule: AlertRule, span: Period) -> set[_Group]:
    """The groups that may have nothing, which is least of all: those that had something in one of the spans before, and
    those of the people who sell. Not people and teams that are gone, nor what the KPI itself leaves out."""
    by, teams = rule.group_by, _teams(tx, rule)
    found = set(_at_its_end(tx, of, rule, alert.back(rule.span, span)))
    if by in _STAFF:
        trees = names.below(tx, teams)
        sellers = stored.selling(tx, by)
        found |= {(key, team) for team in teams for key, its in sellers if not team or its in trees[team]}
    keys = {key for key, _ in found if key}
    if by in ("owner", "manager"):
        keys = stored.active(tx, sorted(keys))
    elif by == "team":
        keys &= set(stored.teams(tx))
    counted = [values for one in of.measures for name, values in one.where if name == by]
    return {group for group in found if group[0] in keys and all(group[0] in values for values in counted)}


def view(tx: Transaction, group_by: str, span: Period, team: str = "") -> View:
    """What a rule asks of a KPI for a span: as it was known when that was over; of a team what its people have, and
    those of the teams below it."""
    assert span.end is not None
    where = {"owner": tuple(names.owners(tx, {"team": names.below(tx, [team])[team]}))} if team else {}
    return View(span, span.end, (group_by,) if group_by else (), where, reading.eve(span.end))


def figures(tx: Transaction, of: Kpi, group_by: str, span: Period, team: str = "") -> dict[str, float | None]:
    """A KPI's figures by group ("" is all together), of what the caller sees, as `view` has it. Raises Denied."""
    asked = view(tx, group_by, span, team)
    table = reading.table(tx, of, asked)
    return {row.keys[0]: row.figure.value for row in table.rows} if asked.group else {"": table.total.value}


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
    group: _Group,
    label: str,
    value: float,
    previous: float | None,
) -> None:
    assert span.begin is not None
    assert span.end is not None
    (key, team), last = group, span.end - timedelta(days=1)
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
        _people(tx, rule, key, team),
        tx.now,
        rule.group_by,
        team=team,
    )
    if stored.add(tx, raised):
        tx.emit(alert_events.raised(raised))
        tx.emit_all(alert_events.notice(raised, person) for person in raised.people)


def _people(tx: Transaction, rule: AlertRule, key: str, team: str) -> list[str]:
    """Whom it concerns, of a team who leads that; administrators where there is nobody else."""
    found: list[str] = stored.leaders(tx, team, MANAGER) if team else []
    for who in () if team else rule.notify:
        if who == "director":
            found += stored.of_role(tx, MANAGER, key) if key else []
        elif who == "owner":
            found.append(key)
        elif who == alert.MANAGER:
            found += _leaders(tx, rule.group_by, key) if rule.group_by in alert.LED else []
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
