"""Tiles with their figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reports.domain.board import Tile
from reports.domain.kpi import Kpi
from reports.domain.view import Figure, Table, View


@dataclass(frozen=True, slots=True)
class Drawn:
    """A tile with its figures; `table` is None where the caller may not see what it counts. `overlay` are the second
    KPI's figures by the keys of rows."""

    tile: Tile
    kpi: Kpi
    view: View
    table: Table | None
    overlay_kpi: Kpi | None = None
    overlay: Mapping[tuple[str, ...], Figure] = field(default_factory=dict)
    goals: Mapping[str, float] = field(default_factory=dict)
