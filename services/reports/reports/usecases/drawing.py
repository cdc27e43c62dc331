"""All tiles of a board, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from chassis.errors import Denied, Invalid
from chassis.transaction import Transaction, alone
from reports.domain import board as boards
from reports.domain.board import Board, Tile
from reports.domain.checking import can_group, grains
from reports.domain.drawn import Beside, Drawn
from reports.domain.kpi import Kpi
from reports.domain.periods import GRAINS
from reports.domain.view import Figure, Row, Table, View
from reports.usecases import comparing, kpis, reading, spans, targets
from reports.wire import asking


def draw(tx: Transaction, of: Board, request: Any, today: date, last: date | None = None) -> list[Drawn]:
    """The tiles in the board's order. What one may not show, has not, or fails at leaves the others as they are. Raises
    Invalid for a period, a group or a filter that no tile has."""
    there = {one.name: one for one in kpis.every(tx)}
    tiles = [tile for tile in of.tiles if tile.kpi in there]
    asking.check_board(request, [there[tile.kpi] for tile in tiles], today)
    return [_draw(tx, of, tile, there, request, today, last) for tile in tiles]


def _draw(
    tx: Transaction,
    of: Board,
    tile: Tile,
    there: Mapping[str, Kpi],
    request: Any,
    today: date,
    last: date | None,
) -> Drawn:
    kpi, then = there[tile.kpi], asking.as_of(request)
    if then is not None:
        kpi = kpis.find_as_of(tx, kpi.name, then)
    view = asking.tile_view(request, of, tile, kpi, today, last)
    with alone(tx.service, "tile", f"{of.name} {kpi.name}"):
        return _counted(tx, tile, kpi, view, there)
    return Drawn(tile, kpi, view, None, failed=True)


def _counted(tx: Transaction, tile: Tile, kpi: Kpi, view: View, there: Mapping[str, Kpi]) -> Drawn:
    if not _fits(kpi, view):
        return Drawn(tile, kpi, view, Table([], Figure(None, {})))
    try:
        view = reading.narrowed(tx, view)
        table = reading.table(tx, kpi, view)
    except Denied:
        return Drawn(tile, kpi, view, None)
    overlay = _beside(tx, there.get(tile.overlay_kpi), view)
    more = [one for name in tile.more_kpis if (one := _beside(tx, there.get(name), view)) is not None]
    for one in filter(None, (overlay, *more)):
        table = replace(table, rows=_joined(kpi, table.rows, one.figures))
    table = _filled(tx, kpi, view, table)
    if overlay is not None and {*GRAINS} & {*view.group}:
        overlay = _of_each(overlay, table.rows)
    goals = targets.reached(tx, kpi, view)
    trees = targets.trees(tx, view, goals)
    table = targets.beside(kpi, view, table, goals, targets.wholes(tx, kpi, trees))
    table = reading.ordered(tx, view, table)
    overlay = overlay and _of_trees(tx, overlay, trees)
    more = [_of_each(_of_trees(tx, one, trees), table.rows) for one in more]
    before = comparing.before(tx, kpi, view) if tile.compared else None
    return Drawn(tile, kpi, view, ranked(table, tile, kpi), overlay, more, goals, len(table.rows), before)


def _fits(of: Kpi, view: View) -> bool:
    """Whether a KPI has what a tile is grouped and narrowed by: it may have counted otherwise when the board was
    made, or at the moment that is asked for."""
    return {*view.group, *view.where} <= {*can_group(of), *grains(of)}


def _beside(tx: Transaction, of: Kpi | None, view: View) -> Beside | None:
    """A further KPI's figures; None where there is none, the caller may not see them, or it has not what the first is
    grouped or narrowed by."""
    if of is None:
        return None
    if view.as_of is not None:
        of = kpis.find_as_of(tx, of.name, view.as_of)
    if not _fits(of, view):
        return None
    try:
        found = reading.table(tx, of, view)
    except Denied:
        return None
    return Beside(of, {row.keys: row.figure for row in found.rows}, found.total, found.unrated)


def _filled(tx: Transaction, of: Kpi, view: View, table: Table) -> Table:
    """The spans in which nothing was counted, too, where they are not too many: that leaves the other tiles as they
    are."""
    try:
        return spans.filled(tx, of, view, table)
    except Invalid:
        return table


def _of_each(one: Beside, rows: Sequence[Row]) -> Beside:
    """With a figure for each row: where nothing was counted, what the KPI makes of nothing."""
    none = reading.nothing(one.kpi)
    return replace(one, figures={row.keys: one.figures.get(row.keys, none) for row in rows})


def _of_trees(tx: Transaction, one: Beside, trees: Mapping[str, View]) -> Beside:
    """With its figures of the teams whose rows are of the teams below them, too."""
    return replace(one, figures={**one.figures, **targets.wholes(tx, one.kpi, trees)}) if trees else one


def _joined(of: Kpi, rows: Sequence[Row], other: Mapping[tuple[str, ...], Figure]) -> list[Row]:
    """The rows, and one for each group that a further KPI alone has."""
    there = {row.keys for row in rows}
    return sorted(
        [*rows, *(Row(keys, reading.nothing(of)) for keys in other if keys not in there)], key=lambda row: row.keys
    )


def ranked(of: Table, tile: Tile, kpi: Kpi) -> Table:
    """The rows as a tile shows them: a ranking the best first, what has a limit, or needs one, the largest."""
    ranking = tile.chart == boards.RANKING
    if not ranking and not tile.limit and len(of.rows) <= spans.MOST_ROWS:
        return of
    sign = 1 if ranking and kpi.lower_is_better else -1

    def place(row: Row) -> tuple[bool, float]:
        value = row.figure.value
        return (value is None, sign * (value or 0.0))

    rows = sorted(of.rows, key=place)[: tile.limit or spans.MOST_ROWS]
    if not ranking and not tile.limit:
        kept = {row.keys for row in rows}
        rows = [row for row in of.rows if row.keys in kept]
    return replace(of, rows=rows)
