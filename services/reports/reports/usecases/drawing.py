"""All tiles of a board, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from chassis.errors import Denied
from chassis.transaction import Transaction
from reports.domain import board as boards
from reports.domain.board import Board, Tile
from reports.domain.checking import can_group
from reports.domain.drawn import Drawn
from reports.domain.kpi import Kpi
from reports.domain.periods import GRAINS
from reports.domain.view import Figure, Row, Table, View
from reports.usecases import kpis, reading, targets
from reports.wire import asking


def draw(tx: Transaction, of: Board, request: Any, today: date) -> list[Drawn]:
    """The tiles in the board's order. What one of them may not show, or has not, leaves the others as they are. Raises
    Invalid for a period, a group or a filter that no tile has."""
    there = {one.name: one for one in kpis.every(tx)}
    tiles = [tile for tile in of.tiles if tile.kpi in there]
    asking.check_board(request, [there[tile.kpi] for tile in tiles], today)
    return [_draw(tx, of, tile, there, request, today) for tile in tiles]


def _draw(tx: Transaction, of: Board, tile: Tile, there: Mapping[str, Kpi], request: Any, today: date) -> Drawn:
    kpi, then = there[tile.kpi], asking.as_of(request)
    if then is not None:
        kpi = kpis.find_as_of(tx, kpi.name, then)
    view = asking.tile_view(request, of, tile, kpi, today)
    if not _fits(kpi, view):
        return Drawn(tile, kpi, view, Table([], Figure(None, {})))
    try:
        view = reading.narrowed(tx, view)
        table = reading.table(tx, kpi, view)
    except Denied:
        return Drawn(tile, kpi, view, None)
    second = there.get(tile.overlay_kpi)
    if second is not None and then is not None:
        second = kpis.find_as_of(tx, second.name, then)
    overlay: dict[tuple[str, ...], Figure] = {}
    if second is not None:
        overlay = _second(tx, second, view)
        table = Table(_joined(table.rows, overlay), table.total)
    goals = targets.reached(tx, kpi, view)
    table = targets.beside(kpi, view, table, goals)
    return Drawn(tile, kpi, view, largest(table, tile), second, overlay, goals)


def _fits(of: Kpi, view: View) -> bool:
    """Whether a KPI has what a tile is grouped and narrowed by: it may have counted otherwise when the board was
    made, or at the moment that is asked for."""
    return {*view.group, *view.where} <= {*can_group(of), *GRAINS}


def _second(tx: Transaction, of: Kpi, view: View) -> dict[tuple[str, ...], Figure]:
    """The overlay's figures; none where the caller may not see them, or where it has not what the first is grouped or
    narrowed by."""
    if not _fits(of, view):
        return {}
    try:
        return {row.keys: row.figure for row in reading.table(tx, of, view).rows}
    except Denied:
        return {}


def _joined(rows: Sequence[Row], overlay: Mapping[tuple[str, ...], Figure]) -> list[Row]:
    """The rows, and one for each group that the overlay alone has."""
    there = {row.keys for row in rows}
    return sorted(
        [*rows, *(Row(keys, Figure(None, {})) for keys in overlay if keys not in there)], key=lambda row: row.keys
    )


def largest(of: Table, tile: Tile) -> Table:
    """The rows as a tile shows them: a ranking, and what has a limit, by their figures."""
    if not tile.limit and tile.chart != boards.RANKING:
        return of

    def place(row: Row) -> tuple[bool, float]:
        value = row.figure.value
        return (value is None, -(value or 0.0))

    rows = sorted(of.rows, key=place)
    return Table(rows[: tile.limit or None], of.total)
