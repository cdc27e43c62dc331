"""Boards: pages of tiles, each with the figures of a KPI."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

CHARTS = ("NUMBER", "BAR", "PIE", "FUNNEL", "RANKING", "LINE", "HEAT_MAP", "TABLE", "GAUGE")
NUMBER, BAR, PIE, FUNNEL, RANKING, LINE, HEAT_MAP, TABLE, GAUGE = range(1, 10)
SINGLE = (NUMBER, GAUGE)
"""What is of all together unless the tile itself has groups."""
WIDE = (TABLE, RANKING, HEAT_MAP)
"""What may have more KPIs than one, a column each."""
COLUMNS = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """`kpi`, `overlay_kpi` and `more_kpis` are names. An empty `period` is the board's. `width` in columns of twelve,
    `height` in rows; `limit` of 0: all groups. Without a title it has the KPI's, without one in Chinese the other.
    `compared`: with the span before."""

    kpi: str
    title: str = ""
    chart: int = NUMBER
    period: str = ""
    group_by: tuple[str, ...] = ()
    filter: str = ""
    width: int = 3
    height: int = 1
    limit: int = 0
    overlay_kpi: str = ""
    more_kpis: tuple[str, ...] = ()
    title_zh: str = ""
    compared: bool = False

    @property
    def kpis(self) -> tuple[str, ...]:
        """The names of all that it shows."""
        return tuple(filter(None, (self.kpi, self.overlay_kpi, *self.more_kpis)))


@dataclass(frozen=True, slots=True)
class Board:
    """`roles`: whose it is to look at; `owner`: whose own it is. Neither: the company's, for everybody. `revision` is
    the etag."""

    name: str
    display_name: str
    display_name_zh: str
    tiles: tuple[Tile, ...]
    period: str = "this_month"
    roles: tuple[str, ...] = ()
    owner: str = ""
    revision: int = 1
    create_time: datetime | None = field(default=None)
    update_time: datetime | None = field(default=None)
    delete_time: datetime | None = field(default=None)

    @property
    def kpis(self) -> frozenset[str]:
        """The names of all that it shows."""
        return frozenset(one for tile in self.tiles for one in tile.kpis)


def seen(board: Board, person: str, role: str, everything: bool) -> bool:
    """Whether it is for whoever asks; `role` is the last part of its name, `everything`: he may read all."""
    if everything or (board.owner and board.owner == person):
        return True
    return not board.owner and (not board.roles or f"roles/{role}" in board.roles)
