"""Teams: a tree with managers, whom reminders escalate to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis import ids
from chassis.access import Scope, refuse_read_only
from chassis.errors import Denied, Invalid, NotFound, Refused, Stale, already_exists, not_deleted
from chassis.records import KEPT_DELETED
from chassis.transaction import Transaction
from directory import wire
from directory.domain.people import changed
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
    mine = [t for t in covered if t] or [""]
    # One that was deleted is among nobody's teams: it counts as covered when its parent is.
    return sa.or_(teams.c.name.in_(mine), sa.and_(teams.c.delete_time.is_not(None), teams.c.parent.in_(mine)))


def get(tx: Transaction, name: str, deleted: bool = False) -> Team:
    """`deleted`: one that was deleted will do, too."""
    found = tx.execute(sa.select(teams).where(teams.c.name == name, visible(tx))).first()
    if found is None or (found.delete_time is not None and not deleted):
        raise NotFound(name)
    return storage.team_of(found)


def listing(tx: Transaction, after: str, size: int, deleted: bool = False) -> Sequence[Team]:
    """In order of creation (names rise), those after `after`; `deleted`: those that were, too."""
    query = sa.select(teams).where(visible(tx), teams.c.name > after).order_by(teams.c.name).limit(size)
    rows = tx.execute(query if deleted else query.where(teams.c.delete_time.is_(None)))
    return [storage.team_of(row) for row in rows]


def _title(team: Team) -> str:
    return team.display_name.casefold() if team.delete_time is None else team.name


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
    # A new team, or one that was deleted, counts as covered when its parent is.
    if scope is not Scope.ALL and team.name not in covered and (not team.parent or team.parent not in covered):
        raise Denied(f"teams.{verb}")


def create(tx: Transaction, values: Mapping[str, str]) -> Team:
    """`values`: display_name, parent, manager. Raises already_exists for a taken name."""
    team = Team(f"teams/{ids.new_id()}", values["display_name"], values["parent"], values["manager"])
    _require(tx, team, "write")
    refuse_read_only(tx.principal, "teams", [f for f, v in values.items() if v])
    every = storage.every_team(tx, lock=True)
    _check(tx, team, ("parent", "manager"), every)
    if not storage.add_team(tx, team, _title(team)):
        raise already_exists("display_name", team.display_name)
    tx.emit(wire.team_changed(team))
    tx.audit("team.created", team.name)
    return team


def update(tx: Transaction, name: str, values: Mapping[str, Any], etag: str) -> Team:
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
    _save(tx, after)
    _announce_managed(tx, every, [after if t.name == name else t for t in every], name)
    tx.audit("team.changed", name, {"fields": sorted(fields)})
    return after


def _save(tx: Transaction, team: Team) -> None:
    """Raises already_exists when another has its name."""
    title = _title(team)
    if storage.title_taken(tx, title, but=team.name):
        raise already_exists("display_name", team.display_name)
    storage.save_team(tx, team, title)
    tx.emit(wire.team_changed(team))


def _announce_managed(tx: Transaction, before: Sequence[Team], now: Sequence[Team], changed_team: str) -> None:
    """Others know of each person who his manager is: those who have another one by this change are announced anew."""
    affected = sa.and_(people.c.team.in_(below([changed_team], now)), people.c.manager == "")
    for person in people_storage.people_where(tx, affected, lock=True):
        manager = manager_of(person.team, person.name, now)
        if manager != manager_of(person.team, person.name, before):
            after = replace(person, version=person.version + 1, updated_at=tx.now)
            people_storage.save_person(tx, after)
            tx.emit(wire.person_changed(after, manager))


def delete(tx: Transaction, name: str, etag: str) -> Team:
    """For 30 days it can be brought back. Raises TEAM_NOT_EMPTY while it has people or child teams; who has left does
    not count, and stays in it."""
    every = storage.every_team(tx, lock=True)
    before = get(tx, name)
    _require(tx, before, "delete")
    if etag and etag != before.etag:
        raise Stale(name)
    if any(t.parent == name for t in every) or storage.team_has_people(tx, name):
        raise Refused("TEAM_NOT_EMPTY", "The team still has people or teams in it.", "该团队下仍有人员或子团队。")
    after = replace(before, delete_time=tx.now, version=before.version + 1)
    _save(tx, after)
    tx.audit("team.deleted", name)
    return after


def undelete(tx: Transaction, name: str) -> Team:
    """Raises NotFound after 30 days, NOT_DELETED for one that is there, PARENT_DELETED, already_exists when another has
    its name by now."""
    every = storage.every_team(tx, lock=True)
    before = get(tx, name, deleted=True)
    _require(tx, before, "delete")
    if before.delete_time is None:
        raise not_deleted(name)
    if before.parent and before.parent not in {t.name for t in every}:
        raise Refused(
            "PARENT_DELETED",
            f"The team above it, {before.parent}, was deleted; bring that back first.",
            f"其上级团队 {before.parent} 已删除，请先恢复上级团队。",
        )
    after = replace(before, delete_time=None, version=before.version + 1)
    _save(tx, after)
    tx.audit("team.undeleted", name)
    return after


def purge(tx: Transaction) -> bool:
    """Ends what was deleted 30 days ago for good; there is no more of it then. Who left while he was in it is in no
    team any more."""
    for name in storage.end_teams(tx, tx.now - KEPT_DELETED):
        for person in people_storage.people_where(tx, people.c.team == name, lock=True):
            after = changed(person, {"team": ""}, tx.now)
            people_storage.save_person(tx, after)
            tx.emit(wire.person_changed(after))
        tx.audit("team.purged", name)
    return False
