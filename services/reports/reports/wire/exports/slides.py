"""A report as PPTX: a slide for each tile, with a chart that can be changed and the numbers it is made of."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from reports.domain import board, exported
from reports.domain.exported import Kind, Paper, Picture, Section, Series, written

# Programs on other machines have these; where they have not, they take what they write Chinese with.
LATIN, EAST_ASIAN = "Calibri", "Microsoft YaHei"
_WIDE, _HIGH = 13.333, 7.5
_MOST_DRAWN = {board.LINE: 366, board.PIE: 12, board.HEAT_MAP: 96, board.RANKING: 15, board.FUNNEL: 15, board.GAUGE: 15}
_MOST_ROWS, _MOST_SERIES = 14, 12
# A heat map goes on to further slides, each with so many rows and columns; it has so many columns in all.
_HEAT_ROWS, _HEAT_COLUMNS, _MOST_COLUMNS = 24, 12, 24
_ACCENT, _FAINT, _INK = "1F4E79", "6B7785", "1D2733"
_FORMATS: Mapping[Kind, str] = {
    Kind.COUNT: "#,##0",
    Kind.MONEY: "#,##0",
    Kind.RATIO: "0.0%",
    Kind.SECONDS: "#,##0",
    Kind.LONG: "#,##0.0",
    Kind.NUMBER: "#,##0.00",
}


def made(of: Paper) -> bytes:
    from pptx import Presentation
    from pptx.util import Inches

    show = Presentation()
    show.slide_width, show.slide_height = Inches(_WIDE), Inches(_HIGH)
    show.core_properties.title, show.core_properties.comments = of.title, of.made
    show.core_properties.author = "Dealwright"
    for sheaf in exported.sheaves(of.sections):
        if len(sheaf) > 1:
            _cards(show, sheaf, of)
        else:
            _slide(show, sheaf[0], of)
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


def _slide(show: Any, of: Section, paper: Paper) -> None:
    most_series = _MOST_COLUMNS if of.chart == board.HEAT_MAP else _MOST_SERIES
    found = exported.picture(of, _MOST_DRAWN.get(of.chart, 24), most_series)
    about = f"{of.about}    {paper.made}"
    if found is not None and found.chart == board.HEAT_MAP:
        parts = _parts(found)
        for nth, part in enumerate(parts, 1):
            slide = _titled(show, f"{of.title} · {nth}/{len(parts)}" if len(parts) > 1 else of.title, about)
            _heat(slide, found, *part)
            _text(slide, found.lacks(paper.words), 0.6, 7.0, 10, _FAINT)
        return
    slide = _titled(show, of.title, about)
    if of.instead:
        _text(slide, of.instead, 0.6, 3, 18, _INK)
    elif found is not None and not of.further:
        _chart(slide, found, of)
        _text(slide, found.lacks(paper.words), 0.6, 7.0, 10, _FAINT)
    elif of.single:
        _text(slide, " ".join(filter(None, of.said)), 0.6, 2.6, 66, _ACCENT, high=1.4)
        _text(slide, of.aim, 0.6, 4.1, 16, _FAINT)
        _filled(slide, of.reached, 0.7, 4.7, 6.0, 0.3)
    else:
        _table(slide, of, paper)
        if of.keys and not of.rows:
            _text(slide, paper.words["empty"], 0.6, 2.7, 14, _FAINT)


def _titled(show: Any, title: str, about: str) -> Any:
    slide = show.slides.add_slide(show.slide_layouts[5])  # a title and nothing else
    _place(slide.shapes.title, 0.6, 0.35, _WIDE - 1.2, 0.7)
    _say(slide.shapes.title.text_frame, title, 26, _ACCENT, bold=True)
    _text(slide, about, 0.6, 1.05, 11, _FAINT)
    return slide


def _cards(show: Any, of: Sequence[Section], paper: Paper) -> None:
    """Numbers beside each other."""
    slide = _titled(show, paper.title, paper.made)
    across, gap = 4 if len(of) > 6 else 3, 0.25
    wide, high = (_WIDE - 1.2 - gap * (across - 1)) / across, 1.6
    for at, one in enumerate(of):
        left, top = 0.6 + (wide + gap) * (at % across), 1.65 + (high + gap) * (at // across)
        _text(slide, one.title, left, top, 13, _INK, wide=wide)
        number = one.instead or " ".join(filter(None, one.said))
        _text(slide, number, left, top + 0.36, 12 if one.instead else 26, _ACCENT, high=0.6, wide=wide)
        _text(slide, one.about, left, top + 0.96, 10, _FAINT, wide=wide)
        if one.aim and not one.instead:
            _text(slide, one.aim, left, top + 1.22, 10, _FAINT, wide=wide)
            _filled(slide, one.reached, left + 0.1, top + 1.5, wide - 0.2, 0.1)


def _filled(slide: Any, share: float | None, left: float, top: float, wide: float, high: float) -> None:
    """How much of a target was reached: a bar of all of it, filled so far; nothing where there is none."""
    from pptx.dml.color import RGBColor
    from pptx.enum.shapes import MSO_SHAPE
    from pptx.util import Inches

    if share is None:
        return
    for part, color in ((1.0, "D5DBE2"), (min(max(share, 0.0), 1.0), _ACCENT)):
        if part:
            size = (Inches(one) for one in (left, top, wide * part, high))
            bar = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *size)
            bar.fill.solid()
            bar.fill.fore_color.rgb = RGBColor.from_string(color)
            bar.line.fill.background()


def _chart(slide: Any, found: Picture, of: Section) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
    from pptx.util import Inches, Pt

    kinds = {
        board.BAR: XL_CHART_TYPE.COLUMN_CLUSTERED,
        board.PIE: XL_CHART_TYPE.PIE,
        board.FUNNEL: XL_CHART_TYPE.BAR_CLUSTERED,
        board.RANKING: XL_CHART_TYPE.BAR_CLUSTERED,
        board.LINE: XL_CHART_TYPE.LINE_MARKERS,
        board.GAUGE: XL_CHART_TYPE.BAR_CLUSTERED,
    }
    main = [*found.series, *([found.goals] if found.goals else [])]
    parts: list[Sequence[Series]] = [main, [found.line]] if found.line else [main]
    wide = (_WIDE - 1.2) / len(parts)
    for place, part in enumerate(parts):
        data = CategoryChartData(number_format=_FORMATS[part[0].kind])
        data.categories = list(found.categories)
        for one in part:
            data.add_series(one.name, one.values)
        # What has no order is not joined by a line.
        kind = kinds[found.chart] if place == 0 or not found.timely else XL_CHART_TYPE.LINE_MARKERS
        frame = slide.shapes.add_chart(
            kind, Inches(0.6 + wide * place), Inches(1.55), Inches(wide), Inches(_HIGH - 2.1), data
        )
        chart = frame.chart
        chart.part.chart_workbook.update_from_xlsx_blob(_workbook(found.categories, part))
        chart.font.size, chart.font.name = Pt(11), LATIN
        _east_asian(chart.font._rPr)
        chart.has_title = len(parts) > 1
        if chart.has_title:
            _say(chart.chart_title.text_frame, part[0].name, 12, _INK)
        chart.has_legend = len(part) > 1 or kind == XL_CHART_TYPE.PIE
        if chart.has_legend:
            chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
        plot = chart.plots[0]
        plot.has_data_labels = len(part) == 1 and len(found.categories) <= 24
        if plot.has_data_labels:
            plot.data_labels.number_format = _FORMATS[part[0].kind]
            plot.data_labels.number_format_is_linked = False
            plot.data_labels.font.size = Pt(10)
        if kind == XL_CHART_TYPE.BAR_CLUSTERED:
            chart.category_axis.reverse_order = True
            plot.gap_width = 40
        if kind != XL_CHART_TYPE.PIE:
            chart.value_axis.tick_labels.number_format = _FORMATS[part[0].kind]
            chart.value_axis.tick_labels.number_format_is_linked = False


def _workbook(categories: Sequence[str], series: Sequence[Series]) -> bytes:
    """What one edits behind a chart. The library's own would take a text for a formula."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Sheet1")
    for down, name in enumerate(categories, 1):
        sheet.write_string(down, 0, name)
    for at, one in enumerate(series, 1):
        sheet.write_string(0, at, one.name)
        for down, value in enumerate(one.values, 1):
            if value is not None:
                sheet.write_number(down, at, value)
    book.close()
    return out.getvalue()


def _parts(of: Picture) -> list[tuple[slice, slice]]:
    """The rows and columns of each slide, about as many of one as of the next."""
    rows, columns = _cut(len(of.categories), _HEAT_ROWS), _cut(len(of.series), _HEAT_COLUMNS)
    return [(down, across) for across in columns for down in rows]


def _cut(count: int, most: int) -> list[slice]:
    parts = -(-count // most)
    return [slice(count * part // parts, count * (part + 1) // parts) for part in range(parts)]


def _heat(slide: Any, found: Picture, down: slice, across: slice) -> None:
    from pptx.dml.color import RGBColor

    rows = list(enumerate(found.categories))[down]
    columns = list(zip(found.series, exported.scales(found), strict=True))[across]
    table = _grid(slide, len(rows) + 1, len(columns) + 1)
    size = 11 if len(rows) < 16 and len(columns) < 8 else 9
    for at, (one, _) in enumerate(columns, 1):
        _cell(table, 0, at, one.name, bold=True, size=size)
    for line, (place, name) in enumerate(rows, 1):
        _cell(table, line, 0, name, size=size)
        for at, (one, axis) in enumerate(columns, 1):
            value = one.values[place]
            share = 0.0 if value is None else (value - axis.low) / (axis.high - axis.low)
            ink = "FFFFFF" if share > 0.5 else _INK
            cell = _cell(table, line, at, written(value, one.kind), color=ink, size=size)
            cell.fill.solid()
            cell.fill.fore_color.rgb = RGBColor(
                *(round(255 + (int(_ACCENT[i : i + 2], 16) - 255) * share) for i in (0, 2, 4))
            )


def _table(slide: Any, of: Section, paper: Paper) -> None:
    rows = [[written(cell, column.kind) for cell, column in zip(row, of.columns, strict=True)] for row in of.rows]
    more = len(rows) - _MOST_ROWS
    total = [written(cell, column.kind) for cell, column in zip(of.total, of.columns, strict=True)]
    if of.keys:
        total[0] = paper.words["total"]
    lines = [[column.title for column in of.columns], *rows[:_MOST_ROWS], total]
    table = _grid(slide, len(lines), len(of.columns))
    for down, line in enumerate(lines):
        for at, words in enumerate(line):
            _cell(table, down, at, words, bold=down in (0, len(lines) - 1), right=at >= of.keys)
    if more > 0:
        _text(slide, paper.words["more"].format(more), 0.6, 7.0, 10, _FAINT)


def _grid(slide: Any, rows: int, columns: int) -> Any:
    from pptx.util import Inches

    high = min(0.42 * rows, _HIGH - 2.1)
    return slide.shapes.add_table(rows, columns, Inches(0.6), Inches(1.6), Inches(_WIDE - 1.2), Inches(high)).table


def _cell(
    table: Any, down: int, at: int, words: str, bold: bool = False, color: str = "", right: bool = False, size: int = 11
) -> Any:
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Pt

    cell = table.cell(down, at)
    cell.margin_top = cell.margin_bottom = Pt(2)
    cell.margin_left = cell.margin_right = Pt(4)
    _say(cell.text_frame, words, size, color or ("FFFFFF" if down == 0 else _INK), bold)
    if right:
        cell.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
    return cell


def _text(
    slide: Any, words: str, left: float, top: float, size: int, color: str, high: float = 0.4, wide: float = 0.0
) -> None:
    from pptx.util import Inches

    box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(wide or _WIDE - 2 * left), Inches(high))
    box.text_frame.word_wrap = True
    _say(box.text_frame, words, size, color)


def _place(shape: Any, left: float, top: float, wide: float, high: float) -> None:
    from pptx.util import Inches

    shape.left, shape.top, shape.width, shape.height = (Inches(one) for one in (left, top, wide, high))


def _say(frame: Any, words: str, size: int, color: str, bold: bool = False) -> None:
    """One run, in fonts that are named for both kinds of script."""
    from pptx.dml.color import RGBColor
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Pt

    frame.text = words
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.LEFT
    font = paragraph.runs[0].font if paragraph.runs else paragraph.font
    font.size, font.bold, font.name = Pt(size), bold, LATIN
    font.color.rgb = RGBColor.from_string(color)
    _east_asian(font._rPr)


def _east_asian(properties: Any) -> None:
    from pptx.oxml.ns import qn

    latin = properties.find(qn("a:latin"))
    east = properties.makeelement(qn("a:ea"), {"typeface": EAST_ASIAN})
    if latin is None:
        properties.append(east)
    else:
        latin.addnext(east)
