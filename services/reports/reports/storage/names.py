"""What things are called, and who people are: for the keys of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from reports.domain.known import Label
from reports.storage.tables import labels, people, regions

_NEWER = (
    "(name) DO UPDATE SET display_name = excluded.display_name, version = excluded.version "
    "WHERE labels.version < excluded.version"
)


def know(tx: Transaction, told: Sequence[Label]) -> None:
    newest = {one.name: one for one in sorted(told, key=lambda one: one.version) if one.display_name}
    rows = [astuple(newest[name]) for name in sorted(newest)]
    insert_rows(tx.connection, labels, ("name", "display_name", "version"), rows, conflict=_NEWER)


def called(tx: Transaction, names: Sequence[str]) -> dict[str, str]:
    """What these are called, of those that are known."""
    found: dict[str, str] = {}
    for table in (labels, people):
        query = sa.select(table.c.name, table.c.display_name)
        found.update(tx.execute(query.where(in_values(table.c.name, names, tx.dialect))).all() if names else ())
    return found


def stages(tx: Transaction, ids: Sequence[str], pipelines: Sequence[str] = ()) -> dict[str, str]:
    """What stages with these ids are called, in these pipelines, or in all: all that they are, where they are called
    differently."""
    if not ids:
        return {}
    ways = [one.removeprefix("pipelines/") for one in pipelines] or [""]
    query = sa.select(labels.c.name, labels.c.display_name).where(
        sa.or_(
            *(labels.c.name.startswith(f"pipelines/{way}#" if way else "pipelines/", autoescape=True) for way in ways)
        )
    )
    found: dict[str, set[str]] = {}
    for name, called in tx.execute(query):
        found.setdefault(name.partition("#")[2], set()).add(called)
    return {id: " / ".join(sorted(found[id])) for id in ids if id in found}


def know_regions(tx: Transaction, told: Sequence[tuple[str, str, int]]) -> None:
    """People's regions: (name, region, version)."""
    newest = {one[0]: one for one in sorted(told, key=lambda one: one[2])}
    conflict = (
        "(name) DO UPDATE SET region = excluded.region, version = excluded.version "
        "WHERE regions.version < excluded.version"
    )
    insert_rows(tx.connection, regions, ("name", "region", "version"), [newest[n] for n in sorted(newest)], conflict)


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
    return {row[0]: {"manager": row[1], "team": row[2], "owner_region": row[3]} for row in tx.execute(query)}
