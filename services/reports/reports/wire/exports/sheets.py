"""A report as XLSX: real numbers and days, and charts that can be changed. No text becomes a formula."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from reports.domain import board, exported
from reports.domain.exported import Cell, Kind, Paper, Picture, Section, Series

_FORMATS: Mapping[Kind, str] = {
    Kind.DAY: "yyyy-mm-dd",
    Kind.MONTH: "yyyy-mm",
    Kind.YEAR: "yyyy",
    Kind.TIME: "yyyy-mm-dd hh:mm",
    Kind.COUNT: "#,##0",
    Kind.MONEY: "#,##0.00",
    Kind.RATIO: "0.0%",
    Kind.SECONDS: "#,##0",
    Kind.LONG: "#,##0.0",
    Kind.NUMBER: "#,##0.00",
    Kind.TEXT: "@",
}
_CHARTS: Mapping[int, dict[str, str]] = {
    board.BAR: {"type": "column"},
    board.PIE: {"type": "pie"},
    board.FUNNEL: {"type": "bar"},
    board.RANKING: {"type": "bar"},
    board.LINE: {"type": "line"},
    board.GAUGE: {"type": "bar"},
}
# Of a sheet's name: what it must not have, and how many of UTF-16's units it may.
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]+")
_LONGEST_NAME = 31
TABLE_ROW = 4
# Of two keys; of one, the chart looks at all that the table has.
_MOST_DRAWN, _MOST_SERIES = 400, 12
_COLORS = {"min_color": "#FFFFFF", "max_color": "#1F6FB5"}
# A cell that is filled by how much of a target was reached.
_FILLED: Mapping[str, Any] = {
    "type": "data_bar",
    "bar_solid": True,
    "bar_color": "#8FB8DC",
    "min_type": "num",
    "min_value": 0,
    "max_type": "num",
    "max_value": 1,
}


def made(of: Paper) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    book.set_properties({"title": of.title, "comments": of.made})
    writer = _Writer(book, of)
    taken: set[str] = set()
    numbers = [one for one in of.sections if one.single]
    if len(numbers) > 1:
        writer.numbers(numbers, sheet_name(of.words["figures"], taken))
    for section in of.sections:
        if len(numbers) < 2 or not section.single:
            writer.sheet(section, sheet_name(section.title, taken))
    if not of.sections:
        book.add_worksheet(sheet_name(of.title, taken))
    book.close()
    return out.getvalue()


def sheet_name(title: str, taken: set[str]) -> str:
    """A name that a spreadsheet takes: of 31 at most, without its signs, and no sheet's twice (in whatever case)."""
    base = _NOT_IN_NAMES.sub(" ", title).strip().strip("'").strip() or "-"
    for place in range(1, 10_000):
        ending = "" if place == 1 else f" ({place})"
        name = _cut(base, _LONGEST_NAME - len(ending)).rstrip("' ") + ending
        if name.lower() not in taken and name.lower() != "history":
            taken.add(name.lower())
            return name
    raise AssertionError("ten thousand sheets of one name")


def _cut(text: str, most: int) -> str:
    while len(text.encode("utf-16-le")) > 2 * most:
        text = text[:-1]
    return text


class _Writer:
    def __init__(self, book: Any, of: Paper) -> None:
        self._book, self._of = book, of
        base = {"font_name": "Microsoft YaHei" if of.language == "zh" else "Calibri", "font_size": 10}
        self._formats = {kind: book.add_format({**base, "num_format": text}) for kind, text in _FORMATS.items()}
        strong = {**base, "bold": True, "top": 1}
        self._totals = {kind: book.add_format({**strong, "num_format": text}) for kind, text in _FORMATS.items()}
        self._title = book.add_format({**base, "bold": True, "font_size": 14})
        self._faint = book.add_format({**base, "font_color": "#6B7785"})
        head = {**base, "bold": True, "font_color": "#FFFFFF", "bg_color": "#1F4E79", "text_wrap": True}
        self._head = book.add_format({**head, "valign": "vcenter"})

    def _begun(self, name: str, title: str, about: str) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.write_string(0, 0, title, self._title)
        sheet.write_string(1, 0, about, self._faint)
        sheet.write_string(2, 0, self._of.made, self._faint)
        sheet.fit_to_pages(1, 0)
        return sheet

    def numbers(self, of: Sequence[Section], name: str) -> None:
        """All that are one number each, one below the other."""
        said = self._of.words
        sheet = self._begun(name, self._of.title, "")
        heads = ("figures", "value", "unit", "period", "target", "attainment")
        for at, head in enumerate(heads):
            sheet.write_string(TABLE_ROW, at, said[head], self._head)
            sheet.set_column(at, at, (34, 18, 10, 40, 18, 12)[at])
        for down, one in enumerate(of, TABLE_ROW + 1):
            sheet.write_string(down, 0, one.title, self._formats[Kind.TEXT])
            sheet.write_string(down, 3, one.about.removeprefix(f"{said['period']} "), self._formats[Kind.TEXT])
            if one.instead:
                sheet.write_string(down, 1, one.instead, self._formats[Kind.TEXT])
                continue
            sheet.write_string(down, 2, one.said[1], self._formats[Kind.TEXT])
            aims = list(zip(one.columns, one.total, strict=True))[one.aims :]
            for at, (column, cell) in ((1, (one.columns[0], one.total[0])), *enumerate(aims, 4)):
                if isinstance(cell, float):
                    sheet.write_number(down, at, cell, self._formats[column.kind])
            if one.reached is not None:
                sheet.conditional_format(down, 5, down, 5, _FILLED)
        sheet.freeze_panes(TABLE_ROW + 1, 0)

    def sheet(self, of: Section, name: str) -> None:
        sheet = self._begun(name, of.title, of.about)
        if of.instead:
            sheet.write_string(TABLE_ROW, 0, of.instead)
            return
        for at, column in enumerate(of.columns):
            sheet.write_string(TABLE_ROW, at, column.title, self._head)
            sheet.set_column(at, at, _width(of, at))
        for down, row in enumerate(of.rows, TABLE_ROW + 1):
            self._row(sheet, of, down, row, self._formats)
        last = TABLE_ROW + len(of.rows)
        self._row(sheet, of, last + 1, of.total, self._totals)
        if of.keys:
            sheet.write_string(last + 1, 0, self._of.words["total"], self._totals[Kind.TEXT])
            sheet.freeze_panes(TABLE_ROW + 1, 0)
        if of.rows:
            sheet.autofilter(TABLE_ROW, 0, last, len(of.columns) - 1)
        most_series = _MOST_DRAWN if of.chart == board.HEAT_MAP else _MOST_SERIES
        found = exported.picture(of, len(of.rows) if of.keys == 1 else _MOST_DRAWN, most_series)
        if found is not None:
            self._draw(sheet, of, name, found)
            if lacking := found.lacks(self._of.words):
                sheet.write_string(TABLE_ROW - 1, len(of.columns) + 1, lacking, self._faint)

    def _row(self, sheet: Any, of: Section, down: int, row: tuple[Cell, ...], formats: Mapping[Kind, Any]) -> None:
        for at, (cell, column) in enumerate(zip(row, of.columns, strict=True)):
            form = formats[column.kind]
            if cell is None:
                sheet.write_blank(down, at, None, form)
            elif isinstance(cell, str):
                sheet.write_string(down, at, cell, formats[Kind.TEXT])
            elif isinstance(cell, date | datetime):
                sheet.write_datetime(down, at, cell, form)
            else:
                sheet.write_number(down, at, cell, form)

    def _draw(self, sheet: Any, of: Section, name: str, found: Picture) -> None:
        """Of one key, the chart looks at the table itself; of two, at the same as a matrix beside it."""
        rows = len(found.categories)
        first, left = TABLE_ROW + 1, len(of.columns) + 1
        if of.keys == 1:
            columns, key = list(range(1, 1 + len(found.series))), 0
            columns += [of.aims] if found.goals is not None else []
        else:
            columns, key = [left + 1 + at for at in range(len(found.series))], left
            self._matrix(sheet, of, found, left)
            left += len(found.series) + 2
        last = first + rows - 1
        if found.chart == board.HEAT_MAP:
            scale = {"type": "2_color_scale", **_COLORS}
            for part in [[at] for at in columns] if found.apart else [columns]:
                sheet.conditional_format(first, part[0], last, part[-1], scale)
            return
        if found.goals is not None:
            sheet.conditional_format(first, of.aims + 1, last, of.aims + 1, _FILLED)
        chart = self._book.add_chart(dict(_CHARTS[found.chart]))
        for at in columns:
            chart.add_series(_series(name, first, last, key, at))
        joined = found.line is not None and found.chart in (board.BAR, board.LINE)
        if joined:
            over = self._book.add_chart({"type": "line"})
            over.add_series({**_series(name, first, last, 0, 2), "y2_axis": True, "marker": {"type": "circle"}})
            chart.combine(over)
        chart.set_title({"name": of.title, "overlay": False, "name_font": {"size": 12}})
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 720, "height": _high(rows) if "bar" in _CHARTS[found.chart]["type"] else 360})
        if found.chart in (board.FUNNEL, board.RANKING, board.GAUGE):
            chart.set_y_axis({"reverse": True})
            chart.set_x_axis({"num_format": _FORMATS[of.unit], "num_format_linked": False})
        elif found.chart != board.PIE:
            chart.set_y_axis({"num_format": _FORMATS[of.unit], "num_format_linked": False})
            if of.keys == 1 and of.columns[0].kind not in (Kind.TEXT, Kind.TIME):
                chart.set_x_axis({"date_axis": False, "num_format": _FORMATS[of.columns[0].kind]})
        if len(columns) == 1 and not joined and found.chart != board.PIE:
            chart.set_legend({"none": True})
        sheet.insert_chart(TABLE_ROW, left, chart)
        if found.line is not None and not joined:
            beside = self._beside(found.line, _series(name, first, last, 0, 2), rows)
            sheet.insert_chart(TABLE_ROW, left, beside, {"x_offset": 736})

    def _beside(self, of: Series, series: dict[str, Any], rows: int) -> Any:
        """The overlay of what no line can be drawn over: bars of its own."""
        chart = self._book.add_chart({"type": "bar"})
        chart.add_series({**series, "fill": {"color": "#F2994A"}})
        chart.set_title({"name": of.name, "overlay": False, "name_font": {"size": 12}})
        chart.set_legend({"none": True})
        chart.set_size({"width": 480, "height": _high(rows)})
        chart.set_y_axis({"reverse": True})
        chart.set_x_axis({"num_format": _FORMATS[of.kind], "num_format_linked": False})
        return chart

    def _matrix(self, sheet: Any, of: Section, found: Picture, left: int) -> None:
        form = self._formats[of.unit]
        for down, text in enumerate(found.categories, TABLE_ROW + 1):
            sheet.write_string(down, left, text, self._formats[Kind.TEXT])
        for at, series in enumerate(found.series, left + 1):
            sheet.write_string(TABLE_ROW, at, series.name, self._head)
            for down, value in enumerate(series.values, TABLE_ROW + 1):
                if value is not None:
                    sheet.write_number(down, at, value, form)


def _high(rows: int) -> int:
    """Of bars one below the other, in pixels."""
    return min(max(360, 22 * rows), 22 * _MOST_DRAWN)


def _series(name: str, first: int, last: int, key: int, at: int) -> dict[str, Any]:
    return {
        "name": [name, TABLE_ROW, at],
        "categories": [name, first, key, last, key],
        "values": [name, first, at, last, at],
    }


def _width(of: Section, at: int) -> float:
    """In characters; one of Chinese takes two."""
    column = of.columns[at]
    texts = [column.title, *(exported.written(row[at], column.kind) for row in (*of.rows[:200], of.total))]
    return min(40.0, 3.0 + max(sum(2 if ord(sign) > 0x2E80 else 1 for sign in text) for text in texts))
