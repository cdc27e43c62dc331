"""What things are called, and who people are: for the keys of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from reports.domain.known import Label
from reports.storage.tables import labels, people, regions, teams

_NEWER = (
    "(name) DO UPDATE SET display_name = excluded.display_name, version = excluded.version, place = excluded.place "
    "WHERE labels.version < excluded.version"
)


def know(tx: Transaction, told: Sequence[Label]) -> None:
    newest = {one.name: one for one in sorted(told, key=lambda one: one.version) if one.display_name}
    rows = [astuple(newest[name]) for name in sorted(newest)]
    insert_rows(tx.connection, labels, ("name", "display_name", "version", "place"), rows, conflict=_NEWER)


def called(tx: Transaction, names: Sequence[str]) -> dict[str, str]:
    """What these are called, of those that are known."""
    found: dict[str, str] = {}
    for table in (labels, people):
        query = sa.select(table.c.name, table.c.display_name)
        found.update(tx.execute(query.where(in_values(table.c.name, names, tx.dialect))).all() if names else ())
    return found


def stages(
    tx: Transaction, ids: Sequence[str], pipelines: Sequence[str] = (), together: bool = False
) -> dict[str, str]:
    """What stages with these ids are called, in these pipelines, or in all: all that they are, where they are called
    differently. `together`: what is said is of all those pipelines, so where several have such a stage they are
    named."""
    if not ids:
        return {}
    ways = [one.removeprefix("pipelines/") for one in pipelines] or [""]
    query = sa.select(labels.c.name, labels.c.display_name).where(
        sa.or_(
            *(labels.c.name.startswith(f"pipelines/{way}#" if way else "pipelines/", autoescape=True) for way in ways)
        )
    )
    found: dict[str, dict[str, set[str]]] = {}
    for name, called in tx.execute(query):
        way, _, id = name.removeprefix("pipelines/").partition("#")
        found.setdefault(id, {}).setdefault(called, set()).add(way)
    return {id: _called(found[id], together) for id in ids if id in found}


def _called(ways: Mapping[str, set[str]], together: bool) -> str:
    if not together or len(set().union(*ways.values())) < 2:
        return " / ".join(sorted(ways))
    return " / ".join(f"{called} ({', '.join(sorted(of))})" for called, of in sorted(ways.items()))


def places(tx: Transaction) -> dict[tuple[str, str], int]:
    """Which of its way each stage is, by pipeline and id."""
    rows = tx.execute(sa.select(labels.c.name, labels.c.place).where(labels.c.place > 0))
    return {(way, id): place for name, place in rows for way, _, id in [name.partition("#")]}


def roles(tx: Transaction) -> set[str]:
    """The names of the roles that we heard of, or that somebody has: "roles/finance"."""
    told = sa.select(labels.c.name).where(labels.c.name.startswith("roles/"))
    held = sa.select("roles/" + people.c.role).where(people.c.role != "").distinct()
    return {row[0] for query in (told, held) for row in tx.execute(query)}


def know_regions(tx: Transaction, told: Sequence[tuple[str, str, int]]) -> None:
    """People's regions: (name, region, version)."""
    _know(tx, regions, "region", told)


def know_parents(tx: Transaction, told: Sequence[tuple[str, str, int]]) -> None:
    """The teams above teams: (name, parent, version)."""
    _know(tx, teams, "parent", told)


def _know(tx: Transaction, table: sa.Table, what: str, told: Sequence[tuple[str, str, int]]) -> None:
    newest = {one[0]: one for one in sorted(told, key=lambda one: one[2])}
    conflict = (
        f"(name) DO UPDATE SET {what} = excluded.{what}, version = excluded.version "
        f"WHERE {table.name}.version < excluded.version"
    )
    insert_rows(tx.connection, table, ("name", what, "version"), [newest[n] for n in sorted(newest)], conflict)


def below(tx: Transaction, of: Sequence[str]) -> dict[str, list[str]]:
    """Each of these teams and all that are below it, itself first."""
    under: dict[str, list[str]] = {}
    for name, parent in tx.execute(sa.select(teams.c.name, teams.c.parent).order_by(teams.c.name)):
        under.setdefault(parent, []).append(name)
    found = {team: [team] for team in of}
    for tree in found.values():
        for team in tree:  # grows meanwhile; news in another order than it was told in may make a circle
            tree += [one for one in under.get(team, ()) if one not in tree]
    return found


def owners(tx: Transaction, where: Mapping[str, Sequence[str]]) -> list[str]:
    """The people whose manager, team and region (as `owner_region`) are among these."""
    columns = {
        "manager": people.c.manager,
        "team": people.c.team,
        "owner_region": sa.func.coalesce(regions.c.region, ""),
    }
    query = sa.select(people.c.name).select_from(people.outerjoin(regions, regions.c.name == people.c.name))
    for name, values in where.items():
        query = query.where(in_values(columns[name], sorted(values), tx.dialect))
    return [row[0] for row in tx.execute(query.order_by(people.c.name))]


def staff(tx: Transaction, names: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """Of each person: his manager, his team, his region."""
    if not names:
        return {}
    query = (
        sa.select(people.c.name, people.c.manager, people.c.team, sa.func.coalesce(regions.c.region, ""))
        .select_from(people.outerjoin(regions, regions.c.name == people.c.name))
        .where(in_values(people.c.name, names, tx.dialect))
    )

    def ask() -> dict[str, Mapping[str, str]]:
        return {row[0]: {"manager": row[1], "team": row[2], "owner_region": row[3]} for row in tx.execute(query)}

    return tx.once(("staff", *names), ask)
