"""A report as PDF: what stands where, as plain data for the template beside (`report.typ`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from chassis import typeset
from reports.domain import board, exported
from reports.domain.exported import Kind, Paper, Picture, Section, Series, written

TEMPLATE = Path(__file__).with_name("report.typ")
SECONDS = 20.0
_MOST_ROWS = 1000
# So many fit on a page, drawn so that they can be read.
_MOST_DRAWN = {board.LINE: 120, board.PIE: 12, board.HEAT_MAP: 26, board.BAR: 28}
_MOST_BESIDE = 14
_MOST_SERIES, _MOST_COUNTS = 12, 26
_KINDS = {
    board.BAR: "columns",
    board.PIE: "pie",
    board.FUNNEL: "funnel",
    board.RANKING: "bars",
    board.LINE: "line",
    board.HEAT_MAP: "heat",
    board.GAUGE: "gauge",
}


def made(of: Paper, when: datetime) -> bytes:
    """Raises typeset.NotTypeset."""
    return typeset.pdf(TEMPLATE, data(of), when, SECONDS)


def data(of: Paper) -> dict[str, Any]:
    return {
        "title": of.title,
        "made": of.made,
        "language": of.language,
        "region": "cn" if of.language == "zh" else "gb",
        "words": {name: of.words[name] for name in ("empty", "total")},
        "page": of.words["page"].split("{}"),
        "sections": [_page(sheaf, of) for sheaf in exported.sheaves(of.sections)],
    }


def _page(of: Sequence[Section], paper: Paper) -> dict[str, Any]:
    if len(of) == 1:
        return {"cards": [], **_section(of[0], paper)}
    return {"cards": [_card(one) for one in of], "title": paper.title}


def _card(of: Section) -> dict[str, Any]:
    number, unit = of.said
    return {
        "title": of.title,
        "about": of.about,
        "instead": of.instead,
        "number": number,
        "unit": unit,
        "aim": "" if of.instead else of.aim,
        "reached": None if of.instead else of.reached,
    }


def _section(of: Section, paper: Paper) -> dict[str, Any]:
    more = len(of.rows) - _MOST_ROWS
    most = _MOST_DRAWN.get(of.chart, _MOST_BESIDE * 2)
    counts = of.chart == board.HEAT_MAP and of.unit in (Kind.COUNT, Kind.RATIO)
    found = exported.picture(of, most, _MOST_COUNTS if counts else _MOST_SERIES)
    return {
        "title": of.title,
        "about": of.about,
        "instead": of.instead,
        **dict(zip(("number", "unit"), of.said if of.single else ("", ""), strict=True)),
        "reached": of.reached if of.single else None,
        "columns": [{"title": one.title, "right": at >= of.keys} for at, one in enumerate(of.columns)],
        "rows": [_texts(of, row) for row in of.rows[:_MOST_ROWS]],
        "total": _texts(of, of.total),
        "keys": of.keys,
        "more": paper.words["more"].format(more) if more > 0 else "",
        "picture": None if found is None else _picture(found, of, paper),
    }


def _texts(of: Section, row: Sequence[Any]) -> list[str]:
    return [written(cell, column.kind) for cell, column in zip(row, of.columns, strict=True)]


def _picture(found: Picture, of: Section, paper: Paper) -> dict[str, Any]:
    kind = _KINDS[found.chart]
    if kind == "columns" and len(found.categories) > _MOST_BESIDE and not found.timely:
        kind = "bars"  # names are read from left to right
    line = found.line if kind in ("columns", "line", "bars", "funnel") else None
    return {
        "kind": kind,
        "categories": list(found.categories),
        "series": [
            {**_series(one), "low": axis.low, "high": axis.high}
            for one, axis in zip(found.series, exported.scales(found), strict=True)
        ],
        **_axis([*found.series, *([found.goals] if found.goals else [])], of.unit),
        "goals": None if found.goals is None else _series(found.goals),
        "line": None if line is None else {**_series(line), **_axis([line], line.kind)},
        "left_out": found.lacks(paper.words),
    }


def _series(of: Series) -> dict[str, Any]:
    return {"name": of.name, "values": list(of.values), "texts": [written(value, of.kind) for value in of.values]}


def _axis(of: Sequence[Series], kind: Kind) -> dict[str, Any]:
    axis = exported.scale([value for one in of for value in one.values], whole=kind in (Kind.COUNT, Kind.SECONDS))
    ticks = [{"at": tick, "text": _tick(tick, kind)} for tick in axis.ticks]
    return {"low": axis.low, "high": axis.high, "ticks": ticks}


def _tick(value: float, kind: Kind) -> str:
    if kind == Kind.RATIO:
        return f"{value:.1%}".replace(".0%", "%")
    return f"{value:,.2f}".rstrip("0").rstrip(".")
