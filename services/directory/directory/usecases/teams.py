"""Teams: a tree with managers, whom reminders escalate to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from chassis import ids
from chassis.access import Scope, refuse_read_only
from chassis.errors import Denied, Invalid, NotFound, Refused, Stale, already_exists
from chassis.transaction import Transaction
from directory import wire
from directory.domain.people import LEFT, changed
from directory.domain.teams import Team, below, makes_circle, manager_of
from directory.storage import organisation as storage
from directory.storage import people as people_storage
from directory.storage.tables import people, teams


def visible(tx: Transaction, verb: str = "read") -> sa.ColumnElement[bool]:
    """Criteria for the teams that the caller's right covers."""
    scope = tx.principal.scope("teams", verb)
    if scope is Scope.ALL:
        return sa.true()
    covered = tx.principal.teams if scope is Scope.TEAM else (tx.principal.team,) if scope is Scope.OWN else ()
    return teams.c.name.in_([t for t in covered if t] or [""])


def get(tx: Transaction, name: str) -> Team:
    found = tx.execute(sa.select(teams).where(teams.c.name == name, visible(tx))).first()
    if found is None:
        raise NotFound(name)
    return storage.team_of(found)


def listing(tx: Transaction, after: str, size: int) -> Sequence[Team]:
    """In order of creation (names rise), those after `after`."""
    rows = tx.execute(sa.select(teams).where(visible(tx), teams.c.name > after).order_by(teams.c.name).limit(size))
    return [storage.team_of(row) for row in rows]


def _title(display_name: str) -> str:
    return display_name.casefold()


def _check(tx: Transaction, team: Team, fields: Sequence[str], every: Sequence[Team]) -> None:
    wrong: list[tuple[str, str, str]] = []
    if "parent" in fields and team.parent:
        if team.parent not in {t.name for t in every}:
            wrong.append(("team.parent", f"{team.parent} was not found", f"找不到 {team.parent}"))
        elif makes_circle(team.name, team.parent, every):
            wrong.append(("team.parent", "would put the team under itself", "团队不能隶属于自身"))
    if "manager" in fields and team.manager:
        manager = people_storage.person(tx, team.manager)
        if manager is None:
            wrong.append(("team.manager", f"{team.manager} was not found", f"找不到 {team.manager}"))
        elif not manager.active:
            wrong.append(("team.manager", "has left", "已离职"))
    if wrong:
        raise Invalid(wrong)


def _require(tx: Transaction, team: Team, verb: str) -> None:
    scope = tx.principal.require("teams", verb)
    covered = {Scope.TEAM: tx.principal.teams, Scope.OWN: (tx.principal.team,)}.get(scope, ())
    # A new team counts as covered when its parent is.
    if scope is not Scope.ALL and team.name not in covered and (not team.parent or team.parent not in covered):
        raise Denied(f"teams.{verb}")


def create(tx: Transaction, values: Mapping[str, str]) -> Team:
    """`values`: display_name, parent, manager. Raises already_exists for a taken name."""
    team = Team(f"teams/{ids.new_id()}", values["display_name"], values["parent"], values["manager"])
    _require(tx, team, "write")
    refuse_read_only(tx.principal, "teams", [f for f, v in values.items() if v])
    every = storage.every_team(tx, lock=True)
    _check(tx, team, ("parent", "manager"), every)
    if not storage.add_team(tx, team, _title(team.display_name)):
        raise already_exists("display_name", team.display_name)
    tx.emit(wire.team_changed(team))
    tx.audit("team.created", team.name)
    return team


def update(tx: Transaction, name: str, values: Mapping[str, str], etag: str) -> Team:
    # All teams are held: two moves at once could close a circle that neither sees.
    every = storage.every_team(tx, lock=True)
    before = get(tx, name)
    _require(tx, before, "write")
    if etag and etag != before.etag:
        raise Stale(name)
    refuse_read_only(tx.principal, "teams", list(values))
    fields = [f for f, v in values.items() if getattr(before, f) != v]
    if not fields:
        return before
    after = replace(before, **values, version=before.version + 1)
    _require(tx, after, "write")
    _check(tx, after, fields, every)
    if storage.title_taken(tx, _title(after.display_name), but=name):
        raise already_exists("display_name", after.display_name)
    storage.save_team(tx, after, _title(after.display_name))
    tx.emit(wire.team_changed(after))
    _announce_managed(tx, every, [after if t.name == name else t for t in every], name)
    tx.audit("team.changed", name, {"fields": sorted(fields)})
    return after


def _announce_managed(tx: Transaction, before: Sequence[Team], now: Sequence[Team], changed_team: str) -> None:
    """Others know of each person who his manager is: those who have another one by this change are announced anew."""
    affected = sa.and_(people.c.team.in_(below([changed_team], now)), people.c.manager == "")
    for person in people_storage.people_where(tx, affected, lock=True):
        manager = manager_of(person.team, person.name, now)
        if manager != manager_of(person.team, person.name, before):
            after = replace(person, version=person.version + 1, updated_at=tx.now)
            people_storage.save_person(tx, after)
            tx.emit(wire.person_changed(after, manager))


def delete(tx: Transaction, name: str, etag: str) -> None:
    """Raises TEAM_NOT_EMPTY while it has people or child teams. Who has left is taken out of it."""
    every = storage.every_team(tx, lock=True)
    before = get(tx, name)
    _require(tx, before, "delete")
    if etag and etag != before.etag:
        raise Stale(name)
    if any(t.parent == name for t in every) or storage.team_has_people(tx, name):
        raise Refused("TEAM_NOT_EMPTY", "The team still has people or teams in it.", "该团队下仍有人员或子团队。")
    for person in people_storage.people_where(tx, sa.and_(people.c.team == name, people.c.state == LEFT), lock=True):
        after = changed(person, {"team": ""}, tx.now)
        people_storage.save_person(tx, after)
        tx.emit(wire.person_changed(after))
    storage.delete_team(tx, name)
    tx.emit(wire.team_changed(replace(before, version=before.version + 1), deleted=True))
    tx.audit("team.deleted", name)
