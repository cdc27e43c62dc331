"""KPIs and boards that people made or changed. What comes with the product is not here until somebody changed it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.database import insert_rows
from chassis.transaction import Transaction
from reports.domain import written
from reports.domain.board import Board
from reports.domain.kpi import Kpi
from reports.storage.tables import boards, kpi_versions, kpis, settings

_KPI = ("name", "content", "version", "owner", "revision", "create_time", "update_time", "delete_time")
_BOARD = tuple(name for name in _KPI if name != "version")
_PART = "reports"


def every_kpi(tx: Transaction) -> dict[str, Kpi]:
    """All that are stored, deleted ones too, by name."""
    rows = tx.execute(sa.select(*(kpis.c[name] for name in _KPI)).order_by(kpis.c.name))
    return {row.name: written.kpi(row.content, **_apart(row, _KPI)) for row in rows}


def kpi(tx: Transaction, name: str) -> Kpi | None:
    row = tx.execute(sa.select(*(kpis.c[name] for name in _KPI)).where(kpis.c.name == name)).first()
    return written.kpi(row.content, **_apart(row, _KPI)) if row else None


def kpi_at(tx: Transaction, name: str, moment: datetime) -> Kpi | None:
    """The version that counted at a moment; None where none was stored yet."""
    c = kpi_versions.c
    query = sa.select(c.content, c.version, c.owner).where(c.name == name, c.begin_time <= moment)
    row = tx.execute(query.order_by(c.version.desc()).limit(1)).first()
    return written.kpi(row.content, name=name, version=row.version, owner=row.owner) if row else None


def keep_kpi(tx: Transaction, of: Kpi) -> bool:
    """Writes it over the revision before; False where that is another by now."""
    content = written.plain(of)
    if not _keep(tx, kpis, _KPI, of, content):
        return False
    row = (of.name, of.version, content, of.owner, of.update_time)
    names = ("name", "version", "content", "owner", "begin_time")
    insert_rows(tx.connection, kpi_versions, names, [row], conflict="(name, version) DO NOTHING")
    return True


def every_board(tx: Transaction) -> dict[str, Board]:
    """All that are stored, deleted ones too, by name."""
    rows = tx.execute(sa.select(*(boards.c[name] for name in _BOARD)).order_by(boards.c.name))
    return {row.name: written.board(row.content, **_apart(row, _BOARD)) for row in rows}


def board(tx: Transaction, name: str) -> Board | None:
    row = tx.execute(sa.select(*(boards.c[name] for name in _BOARD)).where(boards.c.name == name)).first()
    return written.board(row.content, **_apart(row, _BOARD)) if row else None


def keep_board(tx: Transaction, of: Board) -> bool:
    """Writes it over the revision before; False where that is another by now."""
    return _keep(tx, boards, _BOARD, of, written.plain(of))


def end(tx: Transaction, before: datetime, shipped: frozenset[str]) -> list[str]:
    """Ends what was deleted before a moment. What comes with the product stays deleted: without its row it would be
    back."""
    gone: list[str] = []
    for table in (kpis, boards):
        old = sa.select(table.c.name).where(table.c.delete_time < before)
        names = [row[0] for row in tx.execute(old) if row[0] not in shipped]
        if names:
            tx.execute(sa.delete(table).where(table.c.name.in_(names)))
            tx.execute(sa.delete(kpi_versions).where(kpi_versions.c.name.in_(names)))
        gone += names
    return gone


def count(tx: Transaction) -> None:
    """Something of our part of the blueprint changes."""
    insert_rows(
        tx.connection,
        settings,
        ("id", "content", "version"),
        [(_PART, {}, 1)],
        conflict="(id) DO UPDATE SET version = settings.version + 1",
    )


def ever(tx: Transaction, names: Collection[str]) -> set[str]:
    """Of these records those that were ever there: the audit knows of those that are gone for good."""
    log = tx.tables.audit_log
    return set(tx.execute(sa.select(log.c.subject).where(log.c.subject.in_(names)).distinct()).scalars())


def part_version(tx: Transaction, lock: bool = False) -> int:
    """How many times KPIs, boards or rules of alerts were changed: the version of our part of the blueprint."""
    query = sa.select(settings.c.version).where(settings.c.id == _PART)
    if lock and tx.dialect == "postgresql":
        query = query.with_for_update()
    return int(tx.execute(query).scalar() or 0)


def _keep(tx: Transaction, table: sa.Table, names: tuple[str, ...], of: Any, content: Any) -> bool:
    row = tuple(content if name == "content" else getattr(of, name) for name in names)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in ("name", "create_time"))
    kept = insert_rows(
        tx.connection,
        table,
        names,
        [row],
        conflict=f"(name) DO UPDATE SET {changes} WHERE {table.name}.revision = excluded.revision - 1",
        returning=("name",),
    )
    if not kept:
        return False
    count(tx)
    return True


def _apart(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names if name != "content"}
