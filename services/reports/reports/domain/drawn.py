"""Tiles with their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports.domain.board import Tile
from reports.domain.kpi import Kpi
from reports.domain.view import Before, Figure, Table, Unrated, View


@dataclass(frozen=True, slots=True)
class Beside:
    """A further KPI of a tile: its figures by the keys of rows, and of all together, and what is in none of them."""

    kpi: Kpi
    figures: Mapping[tuple[str, ...], Figure]
    total: Figure
    unrated: Sequence[Unrated] = ()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A tile with its figures; `table` is None where the caller may not see what it counts, or it `failed`. `overlay`
    and `more` are its further KPIs, of those that he may see; each of `more` has a figure for each row. `groups`: how
    many there are, of which a limit may leave some out. `before`: what it is compared with."""

    tile: Tile
    kpi: Kpi
    view: View
    table: Table | None
    overlay: Beside | None = None
    more: Sequence[Beside] = ()
    goals: Mapping[str, float] = field(default_factory=dict)
    groups: int = 0
    before: Before | None = None
    failed: bool = False
