"""Which boards show what."""

from __future__ import annotations

from chassis.transaction import Transaction
from reports.domain.board import Board
from reports.domain.shipped.boards import BOARDS
from reports.storage import definitions

SHIPPED = {one.name: one for one in BOARDS}


def every(tx: Transaction, deleted: bool = False) -> list[Board]:
    """All boards, whosever they are, by name."""
    found = {**SHIPPED, **definitions.every_board(tx)}
    return [found[name] for name in sorted(found) if deleted or found[name].delete_time is None]


def boards_with(tx: Transaction, kpi: str) -> list[str]:
    """The names of the boards that show a KPI."""
    return [one.name for one in every(tx) if kpi in one.kpis]
