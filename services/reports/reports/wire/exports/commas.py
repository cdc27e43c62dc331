"""A report as CSV (RFC 4180), as spreadsheets open it: UTF-8 with a byte order mark, and no text that they would take
for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime

from reports.domain.exported import Cell, Paper, Section

# Their full-width twins as well: spreadsheets that write Chinese or Japanese take them for the same.
_BEGINS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def made(of: Paper) -> bytes:
    """Of one KPI its own table; of a board one for all tiles, a line for each group, and for the total last; what may
    not be exported says so."""
    lines = _alone(of, of.sections[0]) if len(of.sections) == 1 else _together(of, of.sections)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([[_written(cell) for cell in line] for line in lines])
    return text.getvalue().encode("utf-8-sig")


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def _alone(of: Paper, section: Section) -> list[Sequence[Cell]]:
    total = (*([of.words["total"]] if section.keys else []), *section.total[min(section.keys, 1) :])
    lines = [[column.title for column in section.columns], *section.rows, total]
    return [*lines, [section.lacking]] if section.lacking else lines


def _together(of: Paper, sections: Sequence[Section]) -> list[Sequence[Cell]]:
    said = of.words
    group = said["group"]
    lines: list[Sequence[Cell]] = [
        [*(said[name] for name in ("tile", "period")), f"{group} 1", f"{group} 2", said["unit"], said["value"]]
        + [said[name] for name in ("overlay", "second", "target", "attainment")]
    ]
    for section in sections:
        if section.instead:
            lines.append([section.title, section.about, section.instead, *[None] * (len(lines[0]) - 3)])
            continue
        first = section.keys
        more = range(section.aims - section.further, section.aims)
        for row in (*section.rows, (said["total"], *section.total[1:]) if section.keys else section.total):
            keys = [*row[:first], None, None][:2]
            aim = [*row[section.aims :], None, None][:2]
            compared = [section.columns[first + 1].title, row[first + 1]] if section.overlaid else [None, None]
            unit = section.columns[first].unit
            lines.append([section.title, section.about, *keys, unit, row[first], *compared, *aim])
            for column, cell in ((section.columns[at], row[at]) for at in more):
                title = f"{section.title} · {column.bare}"
                lines.append([title, section.about, *keys, column.unit, cell, *[None] * 4])
    return lines


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str):
        return guarded(cell)
    return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
