"""What of a report is drawn in files, and what they say of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import time_machine

from dealwright.api.v1.file_pb2 import File
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import board
from reports.domain.exported import Column, Kind, Section, picture
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import Desk
from tests.reports.exported import Format, export
from tests.reports.leads import Lead

TODAY = "2026-11-22T15:59:00+00:00"
DRAWN = (Format.XLSX, Format.PDF, Format.PPTX)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(TODAY, tick=True):
        yield


def heat(desk: Desk, period: str, *group_by: str) -> File:
    tile = pb.Board.Tile(kpi="kpis/leads-captured", chart=pb.Board.HEAT_MAP, group_by=group_by)
    of = pb.Board(display_name="Heat", period=period, tiles=[tile])
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="heat", board=of))
    return export(desk, "heat", Format.PPTX, language="en")


def grids(file: File) -> list[list[list[str]]]:
    """The text of each slide's table."""
    tables = [shape.table for slide in exported.slides(file) for shape in slide.shapes if shape.has_table]
    return [[[cell.text_frame.text for cell in row.cells] for row in table.rows] for table in tables]


def counted(tables: Sequence[Any]) -> dict[tuple[str, str], str]:
    """By what is across and what is down."""
    return {
        (name, row[0]): value
        for head, *rows in tables
        for row in rows
        for name, value in zip(head[1:], row[1:], strict=True)
    }


def test_L28_a_slide_has_all_the_hours_of_a_day(desk: Desk) -> None:
    for hour in range(24):
        desk.hear(*Lead(f"leads/{hour}", f"2026-11-22T{hour:02}:10", "DOUYIN" if hour % 2 else "WECHAT").told)
    tables = grids(heat(desk, "2026-11-22", "channel", "hour"))
    assert [len(one) for one in tables] == [25]
    found = {key for key, value in counted(tables).items() if value == "1"}
    assert found == {("Douyin" if hour % 2 else "WeChat", f"2026-11-22 {hour:02}:00") for hour in range(24)}


def test_B35_slides_go_on_until_everybody_is_on_one(desk: Desk) -> None:
    for place in range(1, 21):
        for number in range(place):
            lead = Lead(f"leads/{place}-{number}", "2026-11-21T10:10")
            desk.hear(*lead.assign(f"people/p{place:02}", "2026-11-21T10:11").told, roll=False)
    desk.roll()
    file = heat(desk, "last_30_days", "owner", "day")
    titles = [slide.shapes.title.text_frame.text for slide in exported.slides(file)]
    assert [title.rpartition(" · ")[2] for title in titles] == ["1/4", "2/4", "3/4", "4/4"]
    found = counted(grids(file))
    assert {name: value for (name, day), value in found.items() if day == "2026-11-21" and value} == {
        f"people/p{place:02}": str(place) for place in range(1, 21)
    }
    assert len({day for _, day in found}) == 30


@pytest.mark.parametrize(("language", "said"), [("zh", "另有 3 个系列未画出"), ("en", "series not drawn: 3")])
@pytest.mark.parametrize("format", DRAWN)
def test_B33_a_chart_that_leaves_series_out_says_so(desk: Desk, format: int, language: str, said: str) -> None:
    for place in range(1, 16):
        deal = Deal(f"opportunities/{place}", "2026-11-10T10:00", 1000 * place, f"people/p{place:02}")
        desk.hear(*deal.win("2026-11-10T10:00").told, roll=False)
    desk.roll()
    file = export(desk, "won-amount", format, group_by=["owner", "day"], language=language)
    text = "".join(exported.everything(file).split())
    assert "".join(said.split()) in text
    if format == Format.PPTX:
        (slide,) = exported.slides(file)
        (chart,) = exported.charts(slide)
        assert [one.name for one in chart.plots[0].series] == [f"people/p{place:02}" for place in range(4, 16)]


def section(chart: int, *rows: tuple[str, ...], values: Sequence[float]) -> Section:
    keys = len(rows[0])
    columns = [Column("x", Kind.TEXT)] * keys + [Column("n", Kind.COUNT)]
    return Section("t", "", chart, columns, keys, [(*row, value) for row, value in zip(rows, values, strict=True)], ())


@pytest.mark.parametrize("chart", [board.BAR, board.PIE, board.HEAT_MAP, board.FUNNEL])
def test_B33_what_is_left_out_is_the_least(chart: int) -> None:
    one = picture(section(chart, ("a",), ("b",), ("c",), values=(2.0, 1.0, 9.0)), most=2)
    assert one is not None
    assert (one.categories, one.left_out) == (["a", "c"], 1)
    assert one.series[0].values == [2.0, 9.0]


def test_B35_of_a_heat_map_the_least_rows_and_columns_are_left_out_and_counted() -> None:
    cells = [(down, across) for down in "abc" for across in "xyz"]
    of = section(board.HEAT_MAP, *cells, values=(1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 4.0, 5.0, 6.0))
    one = picture(of, most=2, most_series=2)
    assert one is not None
    assert (one.categories, [series.name for series in one.series]) == (["a", "c"], ["y", "z"])
    assert [list(series.values) for series in one.series] == [[2.0, 5.0], [3.0, 6.0]]
    assert (one.left_out, one.series_left_out) == (1, 1)
