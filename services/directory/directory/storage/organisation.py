"""Rows of teams, roles and calendars, and the version of our part of the blueprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from directory.domain.hours import Calendar, Span
from directory.domain.people import ACTIVE
from directory.domain.rights import ROLE_IDS, Grant, Role
from directory.domain.teams import Team
from directory.storage.tables import blueprint, calendars, people, roles, teams

# --- teams ---


def team_of(row: Any) -> Team:
    return Team(row.name, row.display_name, row.parent, row.manager, row.version, row.delete_time)


def team(tx: Transaction, name: str, share: bool = False) -> Team | None:
    """One that is there. `share`: it stays until the transaction ends (whoever would delete it waits)."""
    statement = sa.select(teams).where(teams.c.name == name, teams.c.delete_time.is_(None))
    row = tx.execute(statement.with_for_update(read=True) if share else statement).first()
    return team_of(row) if row else None


def every_team(tx: Transaction, lock: bool = False) -> list[Team]:
    """Those that are there; `lock` holds the deleted ones, too."""
    statement = sa.select(teams).order_by(teams.c.name)
    rows = tx.execute(statement.with_for_update() if lock else statement)
    return [team_of(row) for row in rows if row.delete_time is None]


def title_taken(tx: Transaction, title: str, but: str = "") -> bool:
    found = tx.execute(sa.select(teams.c.name).where(teams.c.title == title, teams.c.name != but))
    return found.first() is not None


def add_team(tx: Transaction, team: Team, title: str) -> bool:
    """Whether it was added; not so when the title is taken."""
    return bool(
        insert_rows(
            tx.connection,
            teams,
            ("name", "display_name", "title", "parent", "manager", "version"),
            [(team.name, team.display_name, title, team.parent, team.manager, team.version)],
            conflict='("title") DO NOTHING',
            returning=("name",),
        )
    )


def save_team(tx: Transaction, team: Team, title: str) -> None:
    tx.execute(
        sa.update(teams)
        .where(teams.c.name == team.name)
        .values(
            display_name=team.display_name,
            title=title,
            parent=team.parent,
            manager=team.manager,
            version=team.version,
            delete_time=team.delete_time,
        )
    )


def end_teams(tx: Transaction, deleted_before: datetime) -> list[str]:
    """The names of those that are gone for good now."""
    old = sa.delete(teams).where(teams.c.delete_time < deleted_before)
    return [row.name for row in tx.execute(old.returning(teams.c.name))]


def team_has_people(tx: Transaction, name: str) -> bool:
    found = tx.execute(sa.select(people.c.name).where(people.c.team == name, people.c.state == ACTIVE).limit(1))
    return found.first() is not None


# --- roles ---


def _role_of(row: Any) -> Role:
    grants = tuple(Grant(**{**g, "hidden": tuple(g["hidden"]), "read_only": tuple(g["read_only"])}) for g in row.grants)
    return Role(row.id, row.display_name, grants, row.version)


def _grants(role: Role) -> list[dict[str, Any]]:
    return [asdict(g) for g in role.grants]


def role(tx: Transaction, id: str) -> Role | None:
    row = tx.execute(sa.select(roles).where(roles.c.id == id)).first()
    return _role_of(row) if row else None


def every_role(tx: Transaction, lock: bool = False) -> list[Role]:
    statement = sa.select(roles).order_by(roles.c.position)
    return [_role_of(row) for row in tx.execute(statement.with_for_update() if lock else statement)]


def add_roles(tx: Transaction, added: Sequence[Role]) -> set[str]:
    """The ids that were not there yet."""
    taken = insert_rows(
        tx.connection,
        roles,
        ("id", "position", "display_name", "grants", "version"),
        [(r.id, ROLE_IDS.index(r.id), r.display_name, _grants(r), r.version) for r in added],
        conflict="DO NOTHING",
        returning=("id",),
    )
    return {row[0] for row in taken}


def save_role(tx: Transaction, role: Role) -> None:
    tx.execute(
        sa.update(roles)
        .where(roles.c.id == role.id)
        .values(display_name=role.display_name, grants=_grants(role), version=role.version)
    )


# --- calendars ---


def _calendar_of(row: Any) -> Calendar:
    spans = tuple(Span(*span) for span in row.spans)
    days = tuple(row.off_days), tuple(row.work_days)
    return Calendar(row.name, row.display_name, row.time_zone, spans, *days, row.version, row.delete_time)


def _calendar_values(calendar: Calendar) -> dict[str, Any]:
    return {
        "display_name": calendar.display_name,
        "time_zone": calendar.time_zone,
        "spans": [[s.weekday, s.start, s.end] for s in calendar.spans],
        "off_days": list(calendar.off_days),
        "work_days": list(calendar.work_days),
        "version": calendar.version,
        "delete_time": calendar.delete_time,
    }


def calendar(
    tx: Transaction, name: str, lock: bool = False, share: bool = False, deleted: bool = False
) -> Calendar | None:
    """`deleted`: one that was deleted will do, too."""
    statement = sa.select(calendars).where(calendars.c.name == name)
    if not deleted:
        statement = statement.where(calendars.c.delete_time.is_(None))
    if lock or share:
        statement = statement.with_for_update(read=share)
    row = tx.execute(statement).first()
    return _calendar_of(row) if row else None


def every_calendar(tx: Transaction, lock: bool = False, deleted: bool = False) -> list[Calendar]:
    """`deleted`: those that were deleted, too."""
    statement = sa.select(calendars).order_by(calendars.c.name)
    if not deleted:
        statement = statement.where(calendars.c.delete_time.is_(None))
    return [_calendar_of(row) for row in tx.execute(statement.with_for_update() if lock else statement)]


def add_calendar(tx: Transaction, calendar: Calendar) -> bool:
    """Whether it was added; not so when the name is taken."""
    values = {"name": calendar.name, **_calendar_values(calendar)}
    return bool(
        insert_rows(tx.connection, calendars, list(values), [list(values.values())], "DO NOTHING", returning=("name",))
    )


def save_calendar(tx: Transaction, calendar: Calendar) -> None:
    tx.execute(sa.update(calendars).where(calendars.c.name == calendar.name).values(**_calendar_values(calendar)))


def end_calendars(tx: Transaction, deleted_before: datetime) -> list[str]:
    """The names of those that are gone for good now."""
    old = sa.delete(calendars).where(calendars.c.delete_time < deleted_before)
    return [row.name for row in tx.execute(old.returning(calendars.c.name))]


def calendar_in_use(tx: Transaction, name: str) -> bool:
    found = tx.execute(sa.select(people.c.name).where(people.c.calendar == name).limit(1))
    return found.first() is not None


# --- the part of the blueprint ---


def settings_version(tx: Transaction) -> int:
    return int(tx.execute(sa.select(blueprint.c.version)).scalar() or 0)


def next_settings_version(tx: Transaction) -> int:
    """Counts one change of roles or calendars; holds its row, so that such changes stand in a line."""
    insert_rows(tx.connection, blueprint, ("id", "version"), [(1, 0)], conflict="DO NOTHING")
    changed = tx.execute(sa.update(blueprint).values(version=blueprint.c.version + 1).returning(blueprint.c.version))
    return int(changed.scalar_one())
