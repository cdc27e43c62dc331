"""KPIs and boards as plain data, as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reports.domain.board import Board, Tile
from reports.domain.kpi import Kpi, Measure

_APART = ("name", "version", "owner", "revision", "create_time", "update_time", "delete_time")
"""Columns of their own."""


def plain(of: Kpi | Board) -> dict[str, Any]:
    return {name: value for name, value in asdict(of).items() if name not in _APART}


def kpi(content: Mapping[str, Any], **apart: Any) -> Kpi:
    measures = tuple(
        Measure(**{**one, "where": tuple((name, tuple(values)) for name, values in one["where"])})
        for one in content["measures"]
    )
    return Kpi(**{**content, "measures": measures, "dimensions": tuple(content["dimensions"])}, **apart)


def board(content: Mapping[str, Any], **apart: Any) -> Board:
    tiles = tuple(
        Tile(**{**one, "group_by": tuple(one["group_by"]), "more_kpis": tuple(one.get("more_kpis", ()))})
        for one in content["tiles"]
    )
    return Board(**{**content, "tiles": tiles, "roles": tuple(content["roles"])}, **apart)
