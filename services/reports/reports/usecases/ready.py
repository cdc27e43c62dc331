"""Which sums are kept ready: those that KPIs are made of, and as the tiles of the company's boards ask for them."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.fields import FieldCheck
from chassis.transaction import Transaction
from reports.domain import kpi
from reports.domain.board import Board, Tile
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi
from reports.domain.periods import GRAINS
from reports.domain.shipped import SHIPPED
from reports.domain.view import DERIVED
from reports.storage import cells, definitions, ledger
from reports.storage.cells import BLOCK, DAY, EVER, HOUR, SLOTS, Rollup
from reports.usecases import showing
from reports.wire import asking

# There are about as many customers as there are postings: sums by customer would be as many again.
_TOO_MANY = ("customer",)
# With so many values a year of days is very many cells.
_MANY = frozenset(("owner",))


def make(tx: Transaction) -> None:
    """Makes sure of the sums that all KPIs are made of."""
    known = {**{one.name: one for one in SHIPPED}, **definitions.every_kpi(tx)}
    there = [one for one in known.values() if one.delete_time is None]
    _keep(tx, [rollup for one in there for rollup in rollups(one)] + _shown(showing.every(tx), there))


def keep(tx: Transaction, of: Kpi) -> None:
    """Makes sure of the sums that this KPI is made of, on the boards that show it, too."""
    if of.delete_time is None:
        _keep(tx, rollups(of) + _shown(showing.every(tx), [of]))


def keep_board(tx: Transaction, of: Board) -> None:
    """Makes sure of the sums that the tiles of this board are made of. A board of one's own has those that are there,
    and else is summed from the postings: each sum costs something with every event."""
    known = {**{one.name: one for one in SHIPPED}, **definitions.every_kpi(tx)}
    _keep(tx, _shown([of], [known[name] for name in sorted(of.kpis) if name in known]))


def _keep(tx: Transaction, wanted: list[Rollup]) -> None:
    for copy in ledger.summed(tx):
        cells.add(tx, copy, wanted)


def _shown(boards: Iterable[Board], of: Iterable[Kpi]) -> list[Rollup]:
    by_name = {one.name: one for one in of}
    return [
        rollup
        for board in boards
        if not board.owner and board.delete_time is None
        for tile in board.tiles
        for name in tile.kpis
        if name in by_name
        for rollup in of_tile(by_name[name], tile)
    ]


def rollups(of: Kpi) -> list[Rollup]:
    """For each of its dimensions alone that has not too many values, and for none; with what its measures narrow by,
    and a sum is made by."""
    found: list[Rollup] = []
    for dimensions in ((), *((name,) for name in of.dimensions if name not in _TOO_MANY)):
        found += _by(of, dimensions, hourly=set(dimensions) <= {"channel"})
    return list(dict.fromkeys(found))


def of_tile(of: Kpi, tile: Tile) -> list[Rollup]:
    """By all that a tile is grouped and narrowed by together."""
    named = [*tile.group_by, *asking.where(tile.filter, FieldCheck())]
    return _by(of, tuple(DERIVED.get(name, name) for name in named if name not in GRAINS), "hour" in tile.group_by)


def _by(of: Kpi, dimensions: tuple[str, ...], hourly: bool) -> list[Rollup]:
    found: list[Rollup] = []
    for measure in of.measures:
        fact = FACTS[measure.fact]
        names = tuple(sorted({*(name for name, _ in measure.where), *dimensions, *kpi.added(of)}))
        if len(names) > len(SLOTS):
            continue
        if measure.span in (kpi.STOCK, kpi.OLDER):
            found.append(Rollup(fact.id, names, EVER))
        if measure.span != kpi.STOCK:
            found.append(Rollup(fact.id, names, DAY))
            found += [Rollup(fact.id, names, BLOCK)] if _MANY & {*names} else []
            if fact.hourly and hourly:
                found.append(Rollup(fact.id, names, HOUR))
    return found
