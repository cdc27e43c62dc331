"""What is to be reached, and how much of it was (B16)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from chassis import people, records
from chassis.access import Scope, visible
from chassis.columns import Column
from chassis.errors import Denied, Invalid, NotFound, Refused
from chassis.records import Kind
from chassis.transaction import Transaction
from reports.domain import kpi, periods
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi
from reports.domain.target import Target
from reports.domain.view import Figure, Row, Table, View
from reports.storage import names
from reports.storage import targets as stored
from reports.storage.tables import people as people_table
from reports.storage.targets import targets
from reports.usecases import kpis, reading, rights
from reports.wire.target_messages import target as shown

_c = targets.c
# What a figure beside its target tells of that.
_TOLD = frozenset(("kpi", "period", "person", "team", "value"))
TARGETS: Kind[Target] = Kind(
    resource="targets",
    word="target",
    table=targets,
    type=Target,
    people=people_table,
    shown=shown,
    owner="person",
    team="team",
    order="period desc",
    columns={
        "kpi": Column(_c.kpi, "name"),
        "period": Column(_c.period, "name", order=True),
        "person": Column(_c.person, "name"),
        "team": Column(_c.team, "name"),
        "create_time": Column(_c.create_time, "time", order=True),
        "update_time": Column(_c.update_time, "time", order=True),
    },
)


def create(tx: Transaction, values: Mapping[str, Any]) -> Target:
    """Raises Invalid, and TARGET_TAKEN where the same has one of that period."""
    _check(tx, values)
    made = Target(TARGETS.new_name(), **values, version=1, create_time=tx.now, update_time=tx.now, delete_time=None)
    _refuse_second(tx, made)
    return records.create(tx, TARGETS, made)


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Target:
    """Raises as records.hold."""
    before = records.hold(tx, TARGETS, name, etag)
    return records.save(tx, TARGETS, before, replace(before, **values))


def undelete(tx: Transaction, name: str) -> Target:
    """Raises NOT_DELETED, TARGET_TAKEN."""
    before = records.find(tx, TARGETS, name, deleted=True)
    _refuse_second(tx, before)
    return records.undelete(tx, TARGETS, name)


def purge(tx: Transaction) -> bool:
    return records.purge(tx, TARGETS)


def reached(tx: Transaction, of: Kpi, view: View) -> dict[str, float]:
    """What is to be reached in the period of a view, by the person or the team that a row is of; "" is what the caller
    sees altogether: the company's, his team's or his own. Of targets that he may read, and that were set as they are
    by the moment as of which is asked; empty where the view narrows what counts, or has no such period."""
    may = tx.principal.scope("targets", "read")
    if view.where or may is Scope.NONE or tx.principal.grant("targets").hidden & _TOLD:
        return {}
    scope = min(tx.principal.scope(fact.resource, fact.verb) for fact in (FACTS[one.fact] for one in of.measures))
    # Of nobody whose figures he does not see: they would stand there with nothing.
    shown = _covered(tx, min(may, scope), _c.person, _c.team)
    if view.as_of is not None:  # what one was before it was changed is not kept
        shown = sa.and_(shown, _c.update_time <= datetime.fromtimestamp(0, UTC) + timedelta(microseconds=view.as_of))
    goals = _goals(tx, of, view, shown)
    mine = {Scope.ALL: "", Scope.TEAM: tx.principal.team, Scope.OWN: tx.principal.person}.get(scope, "")
    if scope is Scope.OWN:  # of his team he sees a part
        goals = {key: goal for key, goal in goals.items() if not key.startswith("teams/")}
    goal = goals.get(mine)
    # A manager's own target is no measure of what his people reached.
    rows = {"owner": "people/", "team": "teams/"}.get(view.group[0], "-") if view.group else "-"
    of_rows = {key: value for key, value in goals.items() if key.startswith(rows)}
    return of_rows | ({} if goal is None else {"": goal})


def _goals(tx: Transaction, of: Kpi, view: View, shown: sa.ColumnElement[bool]) -> dict[str, float]:
    """By whose they are: of the period, or where that has none, of all its months together."""
    whole, months = periods.names(view.period), periods.months(view.period) if _adds_up(of) else []
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for one in stored.of(tx, of.name, [*whole, *months], shown):
        found[one.person or one.team][one.period] = one.value
    return {
        who: next((each[name] for name in whole if name in each), sum(each.values())) / 10_000
        for who, each in found.items()
        if {*whole} & {*each} or {*months} <= {*each}
    }


def _adds_up(of: Kpi) -> bool:
    return kpi.adds_up(of) and not any(FACTS[one.fact].once for one in of.measures)


def trees(tx: Transaction, view: View, goals: Mapping[str, float]) -> dict[str, View]:
    """Of the teams that have a target and teams below them, what the target is of: all that their people have and those
    of the teams below. Raises Denied for a caller who may not know that of people."""
    teams = [key for key in goals if key.startswith("teams/")] if view.group == ("team",) else []
    if not teams:
        return {}
    rights.refuse_people(tx, view.group)
    below = names.below(tx, teams)
    return {
        team: replace(view, group=(), keys=(), where={**view.where, "owner": tuple(names.owners(tx, {"team": of}))})
        for team, of in below.items()
        if len(of) > 1
    }


def wholes(tx: Transaction, of: Kpi, trees: Mapping[str, View]) -> dict[tuple[str, ...], Figure]:
    """The figures of `trees`, by the keys of their rows."""
    return {(team,): reading.table(tx, of, view).total for team, view in trees.items()}


def beside(
    of: Kpi, view: View, table: Table, goals: Mapping[str, float], whole: Mapping[tuple[str, ...], Figure]
) -> Table:
    """The table with a row for each who has a target and reached nothing, and the `whole` of teams with teams below."""
    if len(view.group) != 1:
        return table
    rows: dict[tuple[str, ...], Row] = {(key,): Row((key,), reading.nothing(of)) for key in goals if key}
    rows |= {row.keys: row for row in table.rows}
    rows |= {keys: Row(keys, figure, teams_below=True) for keys, figure in whole.items()}
    return replace(table, rows=[rows[keys] for keys in sorted(rows)]) if goals else table


def _check(tx: Transaction, values: Mapping[str, Any]) -> None:
    wrong = []
    try:
        kpis.find(tx, values["kpi"])
    except NotFound:
        wrong.append(("target.kpi", "there is no such KPI", "没有这个指标"))
    if values["person"] and values["team"]:
        wrong.append(("target.team", "a person's or a team's, not both", "个人与团队只能填一项"))
    if values["person"] and people.find(tx, people_table, values["person"]) is None:
        wrong.append(("target.person", f"{values['person']} is not known", f"{values['person']} 不存在"))
    if wrong:
        raise Invalid(wrong)
    # Whoever may write only his own, or his team's, sets no target for others.
    hers = sa.select(sa.literal(values["person"], sa.Text).label("person"), sa.literal(values["team"]).label("team"))
    if not _may(tx, hers.subquery()):
        raise Denied("targets.write")


def _may(tx: Transaction, of: sa.Subquery) -> bool:
    scope = tx.principal.require("targets", "write")
    if scope is Scope.ALL:
        return True
    covered = _covered(tx, scope, of.c.person, of.c.team)
    return tx.execute(sa.select(sa.literal(1)).select_from(of).where(covered)).first() is not None


def _covered(
    tx: Transaction, scope: Scope, person: sa.ColumnElement[str], team: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Which targets a scope covers: of his people, and of his teams."""
    covered = visible(tx.principal, scope, person, people_table)
    if scope is Scope.TEAM:
        covered = sa.or_(covered, sa.and_(person == "", team.in_(tx.principal.teams or ("",))))
    return covered


def _refuse_second(tx: Transaction, of: Target) -> None:
    same = sa.select(_c.name).where(
        _c.kpi == of.kpi, _c.period == of.period, _c.person == of.person, _c.team == of.team, _c.delete_time.is_(None)
    )
    other = tx.execute(same.where(_c.name != of.name)).scalar()
    if other:
        raise Refused(
            "TARGET_TAKEN",
            f"{other} is the target of that period: change it.",
            f"该期间已有目标 {other}，请直接修改。",
            code="ALREADY_EXISTS",
        )
